//! Waiting in line: who waits, and taking or leaving what is offered.

use super::request::{is_decided, settled};
use super::{Belongs, outcome, own, shown};
use crate::Api;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{BAD_CURSOR, internal, not_found};
use crate::idempotency::{Ids, once};
use crate::outcomes::{Outcome, Until};
use crate::principal::Principal;
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::schema::{self, Nothing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::rental::{RentalCommand, RentalStatus};
use domain::store::Profile;
use domain::{Instant, ItemId, RentalId};
use projections::MyPageEntry;
use serde::Serialize;
use std::sync::Arc;

/// Take what is offered. Waits for the payment, as a request does.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/accept", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "It is confirmed", body = schema::Rental),
        (status = 202, description = "It is accepted and not paid yet; look at `Location`", body = schema::Rental),
        (status = 402, description = "The payment was declined", body = schema::Problem, content_type = "application/problem+json"),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn accept(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let Nothing {} = call.optional_body()?;
    Ok(once(&api, &call, |ids| take(&api, &call, belongs, ids)).await)
}

async fn take(api: &Api, call: &Call, belongs: Belongs, ids: Ids) -> Result<Answer, Problem> {
    let profile = store_of(api, &belongs).await?;
    if !ids.may_have_happened() {
        api.check_door(&profile.policy)?;
    }
    let command = RentalCommand::Accept { now: chrono::Utc::now() };
    let outcome = answered(api, call, &belongs, command, is_decided, ids).await?;
    let quantity = outcome.folded.entry.as_ref().map_or(0, |entry| entry.quantity);
    settled(outcome, belongs.rental, quantity, &profile, StatusCode::OK).map(|answer| call.as_preferred(answer))
}

/// Leave what is offered to the next in line.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/decline", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "It is cancelled", body = schema::Rental),
        (status = 202, description = "It is being cancelled; look at `Location`", body = schema::Rental),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn decline(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let Nothing {} = call.optional_body()?;
    Ok(once(&api, &call, |ids| leave(&api, &call, belongs, ids)).await)
}

async fn leave(api: &Api, call: &Call, belongs: Belongs, ids: Ids) -> Result<Answer, Problem> {
    let profile = store_of(api, &belongs).await?;
    let command = RentalCommand::Decline { now: chrono::Utc::now() };
    let outcome = answered(api, call, &belongs, command, is_cancelled, ids).await?;
    let done = outcome.folded.entry.as_ref().is_some_and(is_cancelled);
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(call.as_preferred(shown::answer(status, outcome.folded, Some(&profile))))
}

fn is_cancelled(entry: &MyPageEntry) -> bool {
    entry.status == RentalStatus::Cancelled
}

async fn store_of(api: &Api, belongs: &Belongs) -> Result<Profile, Problem> {
    api.profile(&belongs.store).await?.ok_or_else(internal)
}

async fn answered(
    api: &Api,
    call: &Call,
    belongs: &Belongs,
    command: RentalCommand,
    until: Until,
    ids: Ids,
) -> Result<Outcome, Problem> {
    let id = belongs.rental.to_string();
    let watching = api.outcomes.watch(belongs.rental, until);
    let context = call.context(&ids, Some(id.clone()));
    api.execute(&api.rentals, &id, command, &context, &ids).await?;
    outcome(api, call, belongs.rental, watching).await
}

/// A place in line. Whose it is, is shown to its customer and to the staff of the store.
#[derive(Serialize)]
struct Place {
    place: usize,
    quantity: u32,
    since: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    rental: Option<RentalId>,
}

/// Who waits in line for an item: the next one first. Everybody with a token sees how long the line is, and finds their own.
#[utoipa::path(
    get, path = "/v1/items/{item}/waiting-list", tag = "items",
    params(("item" = uuid::Uuid, Path), schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The line", body = schema::List<schema::PlaceInLine>), schema::QueryProblems),
    security(("token" = []))
)]
pub(crate) async fn line(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    query: PrivateReading,
) -> Result<Answer, Problem> {
    let params = query.reading.present(&["limit", "cursor"])?;
    let limit = params.limit()?;
    let after = params.get("cursor").map_or(Ok(0), str::parse::<usize>);
    let after = after.map_err(|_| Problem::new(BAD_CURSOR, "take the cursor from `next` of the same list"))?;
    let item: ItemId = name.parse().map_err(|_| not_found("item", &name))?;
    let store = api.store_of(item).await?.ok_or_else(|| not_found("item", &name))?;
    let position = params.reached(&api).await?;
    let caller = &query.caller.principal;
    let knows_all = caller.is_staff_of(&store) || *caller == Principal::Admin;
    let look = |item: &domain::inventory::Item, _| {
        let places = item.waiting().zip(1..).skip(after).take(limit + 1).map(|(waiter, place)| {
            let own = matches!(caller, Principal::Customer(customer) if *customer == waiter.customer);
            let rental = (knows_all || own).then_some(waiter.rental);
            Place { place, quantity: waiter.wanted.quantity, since: waiter.since, rental }
        });
        places.collect::<Vec<_>>()
    };
    let mut items = api.items.inspect(&item.to_string(), look).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| last.place.to_string());
    Ok(Listed { items, next }.answer(position))
}
