//! A customer's own views, newest first.

use crate::answer::Answer;
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::rentals::shown::{Profiles, Shown, label};
use crate::{Api, schema};
use axum::extract::State;
use domain::rental::RentalStatus;
use domain::store::Profile;
use domain::{Instant, ItemId, RentalId, StoreSlug};
use projections::{Messages, MyPage, MyPageEntry, Payments};
use serde::Serialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(mypage))
        .routes(routes!(reservations))
        .routes(routes!(payments))
        .routes(routes!(messages))
}

/// The caller's rentals with payment, dispatch and deadlines.
#[utoipa::path(
    get, path = "/v1/mypage", tag = "mypage", params(schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The rentals", body = schema::List<schema::Rental>), schema::QueryProblems),
    security(("token" = []))
)]
async fn mypage(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    let customer = query.customer()?;
    let params = query.reading.present(&["limit", "cursor"])?;
    let (page, position) = params.page::<MyPage>(&api, Some(customer.as_str()), None).await?;
    let mut profiles = Profiles::new(&api);
    let mut items = Vec::with_capacity(page.items.len());
    for entry in page.items {
        let profile = profiles.get(&entry.store).await?;
        items.push(Shown::with_words(&api, entry, profile).await?);
    }
    Ok(Listed { items, next: page.next }.answer(position))
}

/// One rental, in a line.
#[derive(Serialize)]
struct Reservation {
    id: RentalId,
    store: StoreSlug,
    item: ItemId,
    quantity: u32,
    from: Option<Instant>,
    to: Option<Instant>,
    status: RentalStatus,
    status_label: String,
}

impl Reservation {
    fn of(entry: MyPageEntry, profile: Option<&Profile>) -> Self {
        let MyPageEntry { id, store, item, quantity, from, to, status, .. } = entry;
        Self { id, store, item, quantity, from, to, status, status_label: label(profile, status) }
    }
}

/// The caller's rentals, with little about each.
#[utoipa::path(
    get, path = "/v1/mypage/reservations", tag = "mypage", params(schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The rentals", body = schema::List<schema::Reservation>), schema::QueryProblems),
    security(("token" = []))
)]
async fn reservations(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    let customer = query.customer()?;
    let params = query.reading.present(&["limit", "cursor"])?;
    let (page, position) = params.page::<MyPage>(&api, Some(customer.as_str()), None).await?;
    let mut profiles = Profiles::new(&api);
    let mut items = Vec::with_capacity(page.items.len());
    for entry in page.items {
        let profile = profiles.get(&entry.store).await?;
        items.push(Reservation::of(entry, profile));
    }
    Ok(Listed { items, next: page.next }.answer(position))
}

/// The caller's charges and refunds.
#[utoipa::path(
    get, path = "/v1/mypage/payments", tag = "mypage", params(schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The payments", body = schema::List<schema::Payment>), schema::QueryProblems),
    security(("token" = []))
)]
async fn payments(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    let customer = query.customer()?;
    let params = query.reading.present(&["limit", "cursor"])?;
    let (page, position) = params.page::<Payments>(&api, Some(customer.as_str()), None).await?;
    Ok(Listed { items: page.items, next: page.next }.answer(position))
}

/// What the caller was told of their rentals, and whether it has gone out.
#[utoipa::path(
    get, path = "/v1/mypage/messages", tag = "mypage", params(schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The messages", body = schema::List<schema::Message>), schema::QueryProblems),
    security(("token" = []))
)]
async fn messages(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    let customer = query.customer()?;
    let params = query.reading.present(&["limit", "cursor"])?;
    let (page, position) = params.page::<Messages>(&api, Some(customer.as_str()), None).await?;
    Ok(Listed { items: page.items, next: page.next }.answer(position))
}
