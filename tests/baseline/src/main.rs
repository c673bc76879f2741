//! What `make bench-postgres` compares with: the bookings of `reservoir`, as somebody would write them who has read the manuals of
//! cqrs-es 0.5 and postgres-es 0.5. It has the framework's event store, one persisted view and its pool of connections, and executes the
//! commands of a booking one after the other; who loses a race for an aggregate tries again.
//!
//! It is meant to be fair: a release build with the same allocator, the same database settings, the same request, as many events a booking,
//! a payment that is approved at once. It leaves out what `reservoir` does besides, which makes it faster, not slower:
//! - tokens, policies, languages, idempotency keys, OpenAPI; an item has units but no calendar, and one price;
//! - sagas that survive a crash: what was begun when the process ends stays half done, and nobody gives the stock back;
//! - an order over all events, hashes, who caused what, subscriptions; its view is updated after the commit and can miss an event;
//! - snapshots: those of cqrs-es 0.5 apply the events of a command twice, so its manual's default, the event store, it is.
//!
//! `baseline postgres://…` makes its tables in an empty database, prints where it listens and serves until it is killed.

mod booking;
mod inventory;
mod payment;
mod rental;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use booking::{Failure, Shop};
use chrono::NaiveDate;
use cqrs_es::persist::ViewRepository as _;
use inventory::InventoryCommand;
use rental::Terms;
use serde::Deserialize;
use serde_json::json;
use sqlx::Executor as _;
use std::error::Error;
use std::sync::Arc;
use uuid::Uuid;

/// As `reservoir` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize)]
struct NewItem {
    id: Uuid,
    name: String,
    stock: u64,
}

#[derive(Deserialize)]
struct NewRental {
    item: Uuid,
    from: NaiveDate,
    to: NaiveDate,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "who started it waits for this line")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: baseline postgres://user@host/database")?;
    let pool = postgres_es::default_postgress_pool(&address).await;
    pool.execute(sqlx::raw_sql(include_str!("schema.sql"))).await?;
    let app = Router::new()
        .route("/v1/items", post(register))
        .route("/v1/rentals", post(request))
        .route("/v1/rentals/{id}", get(show))
        .with_state(Arc::new(Shop::new(&pool)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn register(State(shop): State<Arc<Shop>>, Json(item): Json<NewItem>) -> Result<Response, Failure> {
    shop.register(item.id, InventoryCommand::Register { name: item.name, stock: item.stock }).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": item.id }))).into_response())
}

async fn request(State(shop): State<Arc<Shop>>, Json(asked): Json<NewRental>) -> Result<Response, Failure> {
    let terms = Terms { customer: "alice".to_owned(), item: asked.item, from: asked.from, to: asked.to };
    let rental = shop.book(terms).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": rental, "status": "confirmed" }))).into_response())
}

async fn show(State(shop): State<Arc<Shop>>, Path(rental): Path<Uuid>) -> Result<Response, Failure> {
    let page = shop.pages().load(&rental.to_string()).await;
    match page.map_err(|error| Failure::Unavailable(error.to_string()))? {
        Some(page) => Ok(Json(page).into_response()),
        None => Ok(StatusCode::NOT_FOUND.into_response()),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, reason) = match self {
            Self::Refused(reason) => (StatusCode::CONFLICT, reason),
            Self::Unavailable(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
        };
        (status, Json(json!({ "reason": reason }))).into_response()
    }
}
