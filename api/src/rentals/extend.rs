//! Keeping a rental longer.

use super::{Belongs, outcome, own, shown};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{self, NOT_EXTENDABLE, not_found};
use crate::idempotency::{Ids, once};
use crate::outcomes::Folded;
use crate::problem::Problem;
use crate::{Api, schema, when};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::Instant;
use domain::policy::PricePer;
use domain::rental::{RentalCommand, RentalError};
use domain::store::Profile;
use journal::ExecuteError;
use projections::{ExtensionProgress, MyPageEntry};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How long a customer wants to keep it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtendRental {
    /// Until when, not included: an instant, or a date at the store.
    #[schema(example = "2026-07-06")]
    to: String,
}

/// Keep a rental longer. Waits until it is decided; the additional time is charged as the rental was.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/extend", tag = "rentals", request_body = ExtendRental,
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "It may be kept until then", body = schema::Rental),
        (status = 202, description = "It is not decided yet; look at `Location`", body = schema::Rental),
        (status = 402, description = "The payment was declined", body = schema::Problem, content_type = "application/problem+json"),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn extend(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let asked: ExtendRental = call.body()?;
    let profile = api.profile(&belongs.store).await?.ok_or_else(|| not_found("store", &belongs.store))?;
    let to = when::instant("to", &asked.to, profile.time_zone)?;
    Ok(once(&api, &call, |ids| keep(&api, &call, belongs, to, &profile, ids)).await)
}

async fn keep(
    api: &Api,
    call: &Call,
    belongs: Belongs,
    to: Instant,
    profile: &Profile,
    ids: Ids,
) -> Result<Answer, Problem> {
    // Additional days are paid for; additional time of what has one price is not.
    if profile.policy.rules.price_per == PricePer::Day && !ids.may_have_happened() {
        api.check_door(&profile.policy)?;
    }
    let id = belongs.rental.to_string();
    let watching = api.outcomes.watch(belongs.rental, is_decided);
    let command = RentalCommand::RequestExtension { to, now: chrono::Utc::now() };
    let context = call.context(&ids, Some(id.clone()));
    api.execute(&api.rentals, &id, command, &context, &ids).await.map_err(|error| match error {
        ExecuteError::Refused(RentalError::WrongStatus { status, .. }) => {
            let detail = format!("what is {status} is not extended");
            Problem::new(NOT_EXTENDABLE, detail).with("rental_status", status.name())
        }
        error => error.into(),
    })?;
    let outcome = outcome(api, call, belongs.rental, watching).await?;
    let answer = settled(outcome.folded, to, profile);
    Ok(call.as_preferred(answer))
}

fn is_decided(entry: &MyPageEntry) -> bool {
    entry.extension.as_ref().is_none_or(|extension| extension.status != ExtensionProgress::Requested)
}

fn settled(folded: Box<Folded>, to: Instant, profile: &Profile) -> Answer {
    let Some(entry) = &folded.entry else { return error::internal().into_answer() };
    // Another extension may have been asked for since: what stands, stands.
    if entry.to == Some(to) {
        return shown::answer(StatusCode::OK, folded, Some(profile));
    }
    match entry.extension.as_ref().and_then(|extension| extension.reason.clone()) {
        Some(reason) => error::not_extended(entry.id, entry.quantity, reason)
            .into_answer()
            .location(format!("/v1/rentals/{}", entry.id))
            .revision(entry.revision)
            .at(folded.position),
        None => shown::answer(StatusCode::ACCEPTED, folded, Some(profile)),
    }
}
