//! What the staff of a store does with a rental: make it ready, hand it over, take it back.

use super::{Belongs, find, outcome, shown};
use crate::Api;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{STALE_REVISION, not_found};
use crate::idempotency::{Ids, once};
use crate::outcomes::{Until, Watching};
use crate::problem::Problem;
use crate::schema::{self, Nothing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::dispatch::{DispatchCommand, DispatchError, DispatchStatus};
use domain::rental::{RentalCommand, RentalError, RentalStatus};
use domain::store::Profile;
use journal::{Context, ExecuteError};
use projections::{DispatchProgress, MyPageEntry};
use std::sync::Arc;

/// Make it ready.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/prepare", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "It is ready", body = schema::Rental),
        (status = 202, description = "The store has it ready; the rental does not show it yet", body = schema::Rental),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn prepare(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = staffed(&api, &call, name).await?;
    let step = |store_open, now| DispatchCommand::Prepare { store_open, now };
    Ok(once(&api, &call, |ids| dispatch(&api, &call, belongs, step, is_prepared, ids)).await)
}

/// Give it to the customer.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/hand-over", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "The customer has it", body = schema::Rental),
        (status = 202, description = "The store has handed it over; the rental does not show it yet", body = schema::Rental),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn hand_over(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = staffed(&api, &call, name).await?;
    let step = |store_open, now| DispatchCommand::HandOver { store_open, now };
    Ok(once(&api, &call, |ids| dispatch(&api, &call, belongs, step, is_handed_over, ids)).await)
}

/// Take it back. Waits until it is completed, or until the fee for being late is asked for.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/return", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses((status = 200, description = "It is back", body = schema::Rental), schema::CommandProblems),
    security(("token" = []))
)]
pub(crate) async fn return_rental(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = staffed(&api, &call, name).await?;
    Ok(once(&api, &call, |ids| take_back(&api, &call, belongs, ids)).await)
}

/// The rental, where the caller works at its store. That it exists is not for others to know.
pub(super) async fn staffed(api: &Api, call: &Call, name: String) -> Result<Belongs, Problem> {
    let store = call.staff()?;
    let belongs = find(api, &name).await?;
    if belongs.store != *store {
        return Err(not_found("rental", name));
    }
    let Nothing {} = call.optional_body()?;
    Ok(belongs)
}

pub(crate) async fn dispatch(
    api: &Api,
    call: &Call,
    belongs: Belongs,
    step: impl Fn(bool, domain::Instant) -> DispatchCommand + Send,
    until: Until,
    ids: Ids,
) -> Result<Answer, Problem> {
    let id = belongs.rental.to_string();
    let Some(profile) = api.profile(&belongs.store).await? else { return Err(not_found("store", belongs.store)) };
    check_seen(call, &belongs, &ids)?;
    let context = Context { seen_revision: None, ..call.context(&ids, Some(id.clone())) };
    let watching = api.outcomes.watch(belongs.rental, until);
    let take_step = || api.dispatches.execute(&id, step(profile.open, chrono::Utc::now()), &context);
    match take_step().await {
        // The customer was told a moment ago; the store is told right after.
        Err(ExecuteError::Refused(DispatchError::NotRequested)) if is_on_its_way(api, call, &belongs).await? => {
            take_step().await?;
        }
        taken => drop(taken?),
    }
    followed(api, call, &belongs, watching, &profile, StatusCode::ACCEPTED).await
}

/// The caller knows the revision of the rental; what is changed for it has streams of its own.
pub(crate) fn check_seen(call: &Call, belongs: &Belongs, ids: &Ids) -> Result<(), Problem> {
    if call.seen_revision.is_none_or(|seen| seen == belongs.revision) || ids.may_have_happened() {
        return Ok(());
    }
    let detail = format!("the revision is {}", belongs.revision);
    Err(Problem::new(STALE_REVISION, detail).with("revision", belongs.revision))
}

/// Waits until the store knows of a confirmed rental. One that is not confirmed is not waited for.
pub(crate) async fn is_on_its_way(api: &Api, call: &Call, belongs: &Belongs) -> Result<bool, Problem> {
    let watching = api.outcomes.watch(belongs.rental, is_known_or_never_will_be);
    Ok(outcome(api, call, belongs.rental, watching).await?.reached)
}

/// Takes it back, whoever has been told of what so far.
pub(crate) async fn take_back(api: &Api, call: &Call, belongs: Belongs, ids: Ids) -> Result<Answer, Problem> {
    let id = belongs.rental.to_string();
    let Some(profile) = api.profile(&belongs.store).await? else { return Err(not_found("store", belongs.store)) };
    let context = call.context(&ids, Some(id.clone()));
    let watching = api.outcomes.watch(belongs.rental, is_completed);
    let bring_back = || RentalCommand::Return { now: chrono::Utc::now() };
    match api.execute(&api.rentals, &id, bring_back(), &context, &ids).await {
        // The store has handed it over and the rental was not told yet: it is told here.
        Err(ExecuteError::Refused(RentalError::WrongStatus { .. })) if was_handed_over(api, &id).await? => {
            let command = RentalCommand::MarkHandedOver { now: chrono::Utc::now() };
            let told = Context { command_id: ids.id("told"), seen_revision: None, ..context.clone() };
            api.rentals.execute(&id, command, &told).await?;
            let context = Context { seen_revision: None, ..context };
            api.rentals.execute(&id, bring_back(), &context).await?;
        }
        taken => drop(taken?),
    }
    // It is back, whatever there is still to be settled.
    followed(api, call, &belongs, watching, &profile, StatusCode::OK).await
}

async fn was_handed_over(api: &Api, id: &str) -> Result<bool, Problem> {
    let status = api.dispatches.inspect(id, |dispatch, _| dispatch.status()).await?;
    Ok(status == Some(DispatchStatus::HandedOver))
}

async fn followed(
    api: &Api,
    call: &Call,
    belongs: &Belongs,
    watching: Watching,
    profile: &Profile,
    otherwise: StatusCode,
) -> Result<Answer, Problem> {
    let outcome = outcome(api, call, belongs.rental, watching).await?;
    let status = if outcome.reached { StatusCode::OK } else { otherwise };
    let answer = shown::answer(status, outcome.folded, Some(profile));
    Ok(call.as_preferred(answer))
}

fn is_known_or_never_will_be(entry: &MyPageEntry) -> bool {
    let waits = entry.dispatch.as_ref().is_none_or(|dispatch| dispatch.status == DispatchProgress::Waiting);
    !(waits && entry.status == RentalStatus::Confirmed)
}

const fn is_prepared(entry: &MyPageEntry) -> bool {
    // A rental that is being undone does not show it any more.
    matches!(entry.status, RentalStatus::Prepared | RentalStatus::Cancelling) || is_handed_over(entry)
}

pub(crate) const fn is_handed_over(entry: &MyPageEntry) -> bool {
    matches!(
        entry.status,
        RentalStatus::HandedOver | RentalStatus::Overdue | RentalStatus::Returned | RentalStatus::Completed
    )
}

const fn is_completed(entry: &MyPageEntry) -> bool {
    matches!(entry.status, RentalStatus::Completed)
        || (matches!(entry.status, RentalStatus::Returned) && entry.late_fee.is_some())
}
