//! Getting out of a rental, by its customer or its store.

use super::{Belongs, find, outcome, shown};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{ALREADY_HANDED_OVER, forbidden, invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::principal::Principal;
use crate::problem::Problem;
use crate::{Api, schema};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::rental::{CancelledBy, RentalCommand, RentalError, RentalStatus};
use journal::ExecuteError;
use projections::MyPageEntry;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

const MOST_CHARACTERS: usize = 500;

/// Why somebody wants out.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRental {
    /// In their words; stored sealed, and erased with the customer.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Cancel a rental. Waits until stock and money are back where they were.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/cancel", tag = "rentals", request_body = Option<CancelRental>,
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "It is cancelled", body = schema::Rental),
        (status = 202, description = "It is being cancelled; look at `Location`", body = schema::Rental),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    if matches!(call.caller.principal, Principal::Kiosk { .. } | Principal::Admin) {
        return Err(forbidden("its customer and its store"));
    }
    let belongs = find(&api, &name).await?;
    let by = match &call.caller.principal {
        Principal::Customer(customer) if *customer == belongs.customer => CancelledBy::Customer,
        Principal::Staff(store) if *store == belongs.store => CancelledBy::Store,
        Principal::Customer(_) | Principal::Staff(_) | Principal::Kiosk { .. } | Principal::Admin => {
            return Err(not_found("rental", name));
        }
    };
    let asked: CancelRental = call.optional_body()?;
    if asked.reason.as_ref().is_some_and(|reason| !(1..=MOST_CHARACTERS).contains(&reason.chars().count())) {
        return Err(invalid("reason", "1 to 500 characters"));
    }
    Ok(once(&api, &call, |ids| undo(&api, &call, belongs, by, asked.reason, ids)).await)
}

async fn undo(
    api: &Api,
    call: &Call,
    belongs: Belongs,
    by: CancelledBy,
    reason: Option<String>,
    ids: Ids,
) -> Result<Answer, Problem> {
    let id = belongs.rental.to_string();
    let reason = match reason {
        Some(reason) => Some(api.seal(belongs.customer, reason).await?),
        None => None,
    };
    let watching = api.outcomes.watch(belongs.rental, is_settled);
    let command = RentalCommand::RequestCancellation { by, reason, now: chrono::Utc::now() };
    let context = call.context(&ids, Some(id.clone()));
    api.execute(&api.rentals, &id, command, &context, &ids).await.map_err(|error| match error {
        ExecuteError::Refused(RentalError::WrongStatus { status, .. }) if is_past_undoing(status) => too_late(&id),
        error => error.into(),
    })?;
    let outcome = outcome(api, call, belongs.rental, watching).await?;
    let profile = api.profile(&belongs.store).await?;
    let status = match outcome.folded.entry.as_ref().map(|entry| entry.status) {
        Some(RentalStatus::Cancelled) => StatusCode::OK,
        Some(status) if is_past_undoing(status) => return Err(too_late(&id)),
        Some(_) | None => StatusCode::ACCEPTED,
    };
    let answer = shown::answer(status, outcome.folded, profile.as_ref());
    Ok(call.as_preferred(answer))
}

const fn is_settled(entry: &MyPageEntry) -> bool {
    matches!(entry.status, RentalStatus::Cancelled) || is_past_undoing(entry.status)
}

const fn is_past_undoing(status: RentalStatus) -> bool {
    match status {
        RentalStatus::HandedOver | RentalStatus::Overdue | RentalStatus::Returned | RentalStatus::Completed => true,
        RentalStatus::Requested
        | RentalStatus::Confirmed
        | RentalStatus::Prepared
        | RentalStatus::Cancelling
        | RentalStatus::Cancelled
        | RentalStatus::Rejected
        | RentalStatus::Expired => false,
    }
}

fn too_late(rental: &str) -> Problem {
    Problem::new(ALREADY_HANDED_OVER, "it was handed over before it could be cancelled").with("rental", rental)
}
