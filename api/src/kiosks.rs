//! What a kiosk does: lend what is reserved, take back what was lent, and list both.
//!
//! A kiosk knows a rental by its id, and does not ask who stands before it.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{forbidden, invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::principal::Principal;
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::rentals::shown::label;
use crate::rentals::{Belongs, find, steps};
use crate::{Api, schema};
use axum::extract::{Path, State};
use domain::dispatch::{DispatchCommand, DispatchError, DispatchEvent};
use domain::inventory::ItemCommand;
use domain::rental::{Rental, RentalError, RentalStatus};
use domain::{CustomerId, Instant, ItemId, RentalId, StoreSlug};
use journal::Context;
use projections::{Catalogue, ReservationEntry, Reservations};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What a kiosk has to do with; a rental leaves the list when it is back.
const OPEN: [RentalStatus; 4] =
    [RentalStatus::Confirmed, RentalStatus::Prepared, RentalStatus::HandedOver, RentalStatus::Overdue];

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(check_out)).routes(routes!(take_back)).routes(routes!(reservations))
}

/// Which rental.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtKiosk {
    rental: uuid::Uuid,
}

/// Lend what is reserved. Refused while the return of the one before is not processed.
#[utoipa::path(
    post, path = "/v1/kiosks/{store}/{number}/check-outs", tag = "kiosks", request_body = AtKiosk,
    params(("store" = String, Path), ("number" = u32, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "The customer has it", body = schema::Rental),
        (status = 202, description = "It is lent; the rental does not show it yet", body = schema::Rental),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
async fn check_out(
    State(api): State<Arc<Api>>,
    Path((store, number)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = asked_for(&api, &call, &store, &number).await?;
    Ok(once(&api, &call, |ids| lend(&api, &call, belongs, ids)).await)
}

/// Take back what was lent. Always taken, whoever is closed or away.
#[utoipa::path(
    post, path = "/v1/kiosks/{store}/{number}/returns", tag = "kiosks", request_body = AtKiosk,
    params(("store" = String, Path), ("number" = u32, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses((status = 200, description = "It is back", body = schema::Rental), schema::CommandProblems),
    security(("token" = []))
)]
async fn take_back(
    State(api): State<Arc<Api>>,
    Path((store, number)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = asked_for(&api, &call, &store, &number).await?;
    Ok(once(&api, &call, |ids| steps::take_back(&api, &call, belongs, ids)).await)
}

/// One rental, in a line.
#[derive(Serialize)]
struct Reservation {
    rental: RentalId,
    item: ItemId,
    item_name: Option<String>,
    customer: CustomerId,
    quantity: u32,
    from: Option<Instant>,
    to: Option<Instant>,
    status: RentalStatus,
    status_label: String,
}

/// What is reserved or lent at the kiosk's store, newest first.
#[utoipa::path(
    get, path = "/v1/kiosks/{store}/{number}/reservations", tag = "kiosks",
    params(
        ("store" = String, Path), ("number" = u32, Path),
        schema::OpenStatusParam, schema::QueryParams, schema::ListParams
    ),
    responses((status = 200, description = "The rentals", body = schema::List<schema::KioskReservation>), schema::QueryProblems),
    security(("token" = []))
)]
async fn reservations(
    State(api): State<Arc<Api>>,
    Path((store, number)): Path<(String, String)>,
    query: PrivateReading,
) -> Result<Answer, Problem> {
    let store = store_of(&query.caller.principal, &store, &number)?;
    let params = query.reading.present(&["status", "limit", "cursor"])?;
    let status = match params.get("status") {
        None => OPEN.map(RentalStatus::name).to_vec(),
        Some(text) if OPEN.iter().any(|status| status.name() == text) => vec![text],
        Some(_) => return Err(invalid("status", "confirmed, prepared, handed_over or overdue")),
    };
    params.limit()?;
    let profile = api.profile(store).await?.ok_or_else(|| not_found("store", store))?;
    let (page, position) = params.page_of_any::<Reservations>(&api, Some(store.as_str()), &status).await?;
    let mut names = HashMap::new();
    let mut items = Vec::with_capacity(page.items.len());
    for entry in page.items {
        let ReservationEntry { rental, item, customer, quantity, from, to, status, .. } = entry;
        let item_name: Option<String> = match names.get(&item) {
            Some(known) => Option::clone(known),
            None => {
                let name = api.views.document::<Catalogue>(item).await?.map(|entry| entry.name);
                names.insert(item, name.clone());
                name
            }
        };
        let status_label = label(Some(&profile), status);
        items.push(Reservation { rental, item, item_name, customer, quantity, from, to, status, status_label });
    }
    Ok(Listed { items, next: page.next }.answer(position))
}

/// The store where the caller stands, where the caller is the kiosk of that address.
fn store_of<'a>(principal: &'a Principal, store: &str, number: &str) -> Result<&'a StoreSlug, Problem> {
    match principal {
        Principal::Kiosk { store: own, number: own_number }
            if own.as_str() == store && own_number.to_string() == number =>
        {
            Ok(own)
        }
        Principal::Kiosk { .. } | Principal::Customer(_) | Principal::Staff(_) | Principal::Admin => {
            Err(forbidden("this kiosk itself"))
        }
    }
}

/// The rental, where it is one of the kiosk's store.
async fn asked_for(api: &Api, call: &Call, store: &str, number: &str) -> Result<Belongs, Problem> {
    let store = store_of(&call.caller.principal, store, number)?;
    let AtKiosk { rental } = call.body()?;
    let belongs = find(api, &rental.to_string()).await?;
    if belongs.store == *store { Ok(belongs) } else { Err(not_found("rental", rental)) }
}

/// First the item says whether it is there, then the store hands it over. Between the two, a crash or a refusal leaves it
/// counted out: it is lent to nobody else then, a repeat goes on from there, and a cancellation or return counts it in.
async fn lend(api: &Api, call: &Call, belongs: Belongs, ids: Ids) -> Result<Answer, Problem> {
    let rental = belongs.rental;
    let look = |state: &Rental, _| {
        state.check_kiosk()?;
        state.terms().map(|terms| terms.item).ok_or(RentalError::NotRequested)
    };
    let item = api.rentals.inspect(&rental.to_string(), look).await??;
    steps::check_seen(call, &belongs, &ids)?;
    if !would_hand_over(api, call, &belongs).await?.is_empty() {
        let command = ItemCommand::HandOut { rental, only_if_in: true, now: chrono::Utc::now() };
        let context = Context { seen_revision: None, ..call.context(&ids, Some(rental.to_string())) };
        api.items.execute(&item.to_string(), command, &context).await?;
    }
    steps::dispatch(api, call, belongs, hand_over, steps::is_handed_over, ids).await
}

/// What the store will say. What it refuses is not counted out in the first place.
async fn would_hand_over(api: &Api, call: &Call, belongs: &Belongs) -> Result<Vec<DispatchEvent>, Problem> {
    let open = api.profile(&belongs.store).await?.is_some_and(|profile| profile.open);
    let id = belongs.rental.to_string();
    let ask = || api.dispatches.inspect(&id, |dispatch, _| dispatch.decide(hand_over(open, chrono::Utc::now())));
    Ok(match ask().await? {
        Err(DispatchError::NotRequested) if steps::is_on_its_way(api, call, belongs).await? => ask().await??,
        said => said?,
    })
}

const fn hand_over(store_open: bool, now: Instant) -> DispatchCommand {
    DispatchCommand::HandOver { store_open, now }
}
