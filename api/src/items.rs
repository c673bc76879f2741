//! Items, as the staff of a store keeps them: new ones, changes, stock, and taking them out of the offer.

use crate::Api;
use crate::answer::Answer;
use crate::call::Call;
use crate::catalogue::{Shown, StockShown};
use crate::error::{invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::problem::Problem;
use crate::schema::{self, Nothing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::inventory::{Item, ItemCommand, Stock};
use domain::policy::StockKind;
use domain::store::Profile;
use domain::{Currency, Instant, ItemId, Money, StoreSlug};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(register, crate::catalogue::list))
        .routes(routes!(crate::catalogue::one, revise, retire))
        .routes(routes!(adjust_stock))
        .routes(routes!(crate::catalogue::availability))
}

/// A new item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterItem {
    /// What it is called.
    name: String,
    /// More about it.
    description: Option<String>,
    /// What one of it costs, for a day where prices are per day; in the store's currency.
    #[schema(value_type = schema::Money)]
    price: Money,
    /// Units that come back or are sold; null for made to order; or `{"seats": ["A1", …]}`.
    #[schema(value_type = schema::Stock)]
    stock: Value,
}

/// What changes about an item; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviseItem {
    /// What it is called.
    name: Option<String>,
    /// More about it.
    description: Option<String>,
    /// What one of it costs from now on; what is held keeps its price.
    #[schema(value_type = Option<schema::Money>)]
    price: Option<Money>,
}

/// Units that were bought, lost or found.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustStock {
    /// How many more, or fewer.
    #[schema(example = -1)]
    change: i64,
    /// For the store's books.
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seats {
    seats: Vec<String>,
}

/// The stock that fits the store's business.
fn stock(kind: StockKind, given: Value) -> Result<Stock, Problem> {
    let units = given.as_u64().map(u32::try_from);
    match (kind, given, units) {
        (StockKind::Pool, _, Some(Ok(units))) => Ok(Stock::Pool { units }),
        (StockKind::Pool, _, _) => Err(invalid("stock", "this store counts units: a whole number")),
        (StockKind::Sale, Value::Null, _) => Ok(Stock::Sale { units: None }),
        (StockKind::Sale, _, Some(Ok(units))) => Ok(Stock::Sale { units: Some(units) }),
        (StockKind::Sale, _, _) => Err(invalid("stock", "this store sells: a whole number, or null for made to order")),
        (StockKind::Seats, seats @ Value::Object(_), _) => match serde_json::from_value(seats) {
            Ok(Seats { seats }) => Ok(Stock::Seats { seats }),
            Err(error) => Err(invalid("stock", error)),
        },
        // A screening without numbered seats: the seats are numbered here.
        (StockKind::Seats, _, Some(Ok(units @ 1..=10_000))) => {
            Ok(Stock::Seats { seats: (1..=units).map(|number| number.to_string()).collect() })
        }
        (StockKind::Seats, _, _) => Err(invalid("stock", r#"this store has seats: {"seats": ["A1", …]}, or a number"#)),
    }
}

fn check_currency(price: Money, currency: Currency) -> Result<(), Problem> {
    if price.currency == currency {
        Ok(())
    } else {
        Err(invalid("price.currency", format!("the store's is {currency}")))
    }
}

/// Offer something new.
#[utoipa::path(
    post, path = "/v1/stores/{store}/items", tag = "items", request_body = RegisterItem,
    params(("store" = String, Path), schema::CommandHeaders),
    responses((status = 201, description = "It is offered", body = schema::Item), schema::CommandProblems),
    security(("token" = []))
)]
async fn register(State(api): State<Arc<Api>>, Path(store): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.staff()?;
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", &store))?;
    call.staff_of(&slug)?;
    let asked: RegisterItem = call.body()?;
    Ok(once(&api, &call, |ids| offer(&api, &call, slug, asked, ids)).await)
}

async fn offer(api: &Api, call: &Call, slug: StoreSlug, asked: RegisterItem, ids: Ids) -> Result<Answer, Problem> {
    let Some(profile) = api.profile(&slug).await? else { return Err(not_found("store", slug)) };
    check_currency(asked.price, profile.currency)?;
    let stock = stock(profile.policy.rules.stock, asked.stock)?;
    let item = ItemId(ids.id("item"));
    let shown = StockShown::from(&stock);
    let command = ItemCommand::Register {
        store: slug,
        name: asked.name,
        description: asked.description,
        price: asked.price,
        stock,
        now: chrono::Utc::now(),
    };
    let answer = execute(api, call, item, command, StatusCode::CREATED, Some(shown), ids).await?;
    Ok(answer.location(format!("/v1/items/{item}")))
}

/// Change what is said about an item, or its price.
#[utoipa::path(
    patch, path = "/v1/items/{item}", tag = "items", request_body = ReviseItem,
    params(("item" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "As it is now", body = schema::Item), schema::CommandProblems),
    security(("token" = []))
)]
async fn revise(State(api): State<Arc<Api>>, Path(item): Path<String>, call: Call) -> Result<Answer, Problem> {
    let (item, profile) = staffed(&api, &call, &item).await?;
    let asked: ReviseItem = call.body()?;
    if let Some(price) = asked.price {
        check_currency(price, profile.currency)?;
    }
    let ReviseItem { name, description, price } = asked;
    let command = ItemCommand::Revise { name, description, price, now: chrono::Utc::now() };
    Ok(once(&api, &call, |ids| execute(&api, &call, item, command, StatusCode::OK, None, ids)).await)
}

/// Offer an item no more. Rentals that stand go on.
#[utoipa::path(
    delete, path = "/v1/items/{item}", tag = "items", params(("item" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is not offered any more", body = schema::Item), schema::CommandProblems),
    security(("token" = []))
)]
async fn retire(State(api): State<Arc<Api>>, Path(item): Path<String>, call: Call) -> Result<Answer, Problem> {
    let (item, _) = staffed(&api, &call, &item).await?;
    let Nothing {} = call.optional_body()?;
    let command = ItemCommand::Retire { now: chrono::Utc::now() };
    Ok(once(&api, &call, |ids| execute(&api, &call, item, command, StatusCode::OK, None, ids)).await)
}

/// Count units in or out.
#[utoipa::path(
    post, path = "/v1/items/{item}/stock", tag = "items", request_body = AdjustStock,
    params(("item" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "As it is now", body = schema::Item), schema::CommandProblems),
    security(("token" = []))
)]
async fn adjust_stock(State(api): State<Arc<Api>>, Path(item): Path<String>, call: Call) -> Result<Answer, Problem> {
    let (item, _) = staffed(&api, &call, &item).await?;
    let AdjustStock { change, reason } = call.body()?;
    let now: Instant = chrono::Utc::now();
    let adjust = |ids: Ids| {
        let command = ItemCommand::AdjustStock { adjustment: ids.id("adjustment"), change, reason, now };
        execute(&api, &call, item, command, StatusCode::OK, None, ids)
    };
    Ok(once(&api, &call, adjust).await)
}

/// The item and its store, where the caller works there.
async fn staffed(api: &Api, call: &Call, name: &str) -> Result<(ItemId, Profile), Problem> {
    call.staff()?;
    let item: ItemId = name.parse().map_err(|_| not_found("item", name))?;
    let store = api.store_of(item).await?.ok_or_else(|| not_found("item", name))?;
    call.staff_of(&store)?;
    let profile = api.profile(&store).await?.ok_or_else(|| not_found("store", store))?;
    Ok((item, profile))
}

async fn execute(
    api: &Api,
    call: &Call,
    item: ItemId,
    command: ItemCommand,
    status: StatusCode,
    stock: Option<StockShown>,
    ids: Ids,
) -> Result<Answer, Problem> {
    let id = item.to_string();
    let context = call.context(&ids, None);
    let done = api.execute(&api.items, &id, command, &context, &ids).await?;
    let now = chrono::Utc::now();
    let look = |state: &Item, _| Shown::of_aggregate(item, state, stock.clone(), now);
    match api.items.inspect(&id, look).await? {
        Some(shown) => Ok(Answer::json(status, &shown).revision(done.revision).at(done.position)),
        None => Err(not_found("item", id)),
    }
}
