//! A fee for being late that was declined: paying it in another way, or doing without it.

use super::{Belongs, outcome, own, shown, steps};
use crate::Api;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{PAYMENT_DECLINED, internal};
use crate::idempotency::{Ids, once};
use crate::problem::Problem;
use crate::schema;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::rental::{RentalCommand, RentalStatus};
use projections::MyPageEntry;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How a customer pays what is owed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayLateFee {
    /// The payment provider's token for how to pay.
    #[schema(example = "pm_ok")]
    payment_method: String,
}

/// Pay a fee for being late that was declined. Waits for the outcome.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/late-fee/pay", tag = "rentals", request_body = PayLateFee,
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "Nothing is owed any more", body = schema::Rental),
        (status = 202, description = "It is not decided yet; look at `Location`", body = schema::Rental),
        (status = 402, description = "The payment was declined", body = schema::Problem, content_type = "application/problem+json"),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn pay_late_fee(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let PayLateFee { payment_method: method } = call.body()?;
    let command = RentalCommand::PayLateFee { method, now: chrono::Utc::now() };
    Ok(once(&api, &call, |ids| settle(&api, &call, belongs, command, ids)).await)
}

/// Do without the fee for being late. What was taken for it goes back.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/late-fee/waive", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders, schema::WaitHeaders),
    responses(
        (status = 200, description = "Nothing is owed any more", body = schema::Rental),
        (status = 202, description = "It is waived; the rental does not show it yet", body = schema::Rental),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn waive_late_fee(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = steps::staffed(&api, &call, name).await?;
    let command = RentalCommand::WaiveLateFee { now: chrono::Utc::now() };
    Ok(once(&api, &call, |ids| settle(&api, &call, belongs, command, ids)).await)
}

async fn settle(api: &Api, call: &Call, belongs: Belongs, command: RentalCommand, ids: Ids) -> Result<Answer, Problem> {
    let profile = api.profile(&belongs.store).await?.ok_or_else(internal)?;
    if matches!(command, RentalCommand::PayLateFee { .. }) && !ids.may_have_happened() {
        api.check_door(&profile.policy)?;
    }
    let id = belongs.rental.to_string();
    let watching = api.outcomes.watch(belongs.rental, is_settled);
    let context = call.context(&ids, Some(id.clone()));
    api.execute(&api.rentals, &id, command, &context, &ids).await?;
    let outcome = outcome(api, call, belongs.rental, watching).await?;
    let declined = outcome.folded.entry.as_ref().and_then(|entry| entry.late_fee_declined.clone());
    if let Some(code) = declined {
        let detail = format!("the payment provider said `{code}`");
        return Err(Problem::new(PAYMENT_DECLINED, detail).with("code", code).with("rental", id));
    }
    let status = if outcome.reached { StatusCode::OK } else { StatusCode::ACCEPTED };
    let answer = shown::answer(status, outcome.folded, Some(&profile));
    Ok(call.as_preferred(answer))
}

const fn is_settled(entry: &MyPageEntry) -> bool {
    matches!(entry.status, RentalStatus::Completed) || entry.late_fee_declined.is_some()
}
