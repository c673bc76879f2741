//! The journal and its subscriptions, for administrators.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::invalid;
use crate::idempotency::once;
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::schema::{self, Nothing};
use crate::told::Told;
use crate::{Api, when};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::payment::PaymentStatus;
use journal::{Parked, SubscriptionState, SubscriptionStatus};
use projections::{Payments, ReplayReport};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(payments))
        .routes(routes!(subscriptions))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(rebuild))
        .routes(routes!(retry))
}

/// The journal, in order. `next` is what to say as `after`.
#[utoipa::path(
    get, path = "/v1/admin/events", tag = "admin", params(schema::AfterParams, schema::QueryParams),
    responses((status = 200, description = "The events", body = schema::Events), schema::QueryProblems),
    security(("token" = []))
)]
async fn events(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    query.admin()?;
    let params = query.reading.present(&["after", "limit", "cursor"])?;
    let limit = params.limit()?;
    let after = match params.get("after").or(params.get("cursor")) {
        Some(text) => text.parse().map_err(|_| invalid("after", "a position, like 42"))?,
        None => 0,
    };
    let position = params.reached(&api).await?;
    let events = api.journal.read_all(after, limit).await?;
    let next = events.last().filter(|_| events.len() == limit).map(|event| event.position.to_string());
    let items: Vec<Told> = events.iter().map(|event| Told::from(&**event)).collect();
    Ok(Listed { items, next }.answer(position))
}

/// Payments that somebody has to look after, newest first: `unknown` ones, of which the provider has not told the truth yet
/// (the default), or those of which a refund failed. Both are asked again by themselves.
#[utoipa::path(
    get, path = "/v1/admin/payments", tag = "admin",
    params(schema::StatusParam, schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The payments", body = schema::List<schema::Payment>), schema::QueryProblems),
    security(("token" = []))
)]
async fn payments(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    query.admin()?;
    let params = query.reading.present(&["status", "limit", "cursor"])?;
    let status = params.get("status").unwrap_or(PaymentStatus::Unknown.name());
    if ![PaymentStatus::Unknown, PaymentStatus::RefundFailed].iter().any(|known| known.name() == status) {
        return Err(invalid("status", "unknown or refund_failed"));
    }
    let (page, position) = params.page::<Payments>(&api, None, Some(status)).await?;
    Ok(Listed { items: page.items, next: page.next }.answer(position))
}

/// A subscription as it is answered.
#[derive(Serialize)]
pub(crate) struct Shown {
    name: Cow<'static, str>,
    state: &'static str,
    position: u64,
    lag: u64,
    parked: Vec<ParkedShown>,
    owner: Option<Arc<str>>,
    epoch: u64,
    since: Option<String>,
    until: Option<String>,
    note: Option<Value>,
}

#[derive(Serialize)]
struct ParkedShown {
    sequence: String,
    position: u64,
    #[serde(rename = "type")]
    event_type: String,
    attempts: u32,
    reason: String,
    parked_at: String,
}

impl From<SubscriptionStatus> for Shown {
    fn from(status: SubscriptionStatus) -> Self {
        let parked = |parked: Parked| ParkedShown {
            sequence: parked.sequence,
            position: parked.position,
            event_type: parked.event_type,
            attempts: parked.attempts,
            reason: parked.reason,
            parked_at: when::text(parked.parked_at),
        };
        Self {
            name: status.name,
            state: match status.state {
                SubscriptionState::Running => "running",
                SubscriptionState::Paused => "paused",
            },
            position: status.position,
            lag: status.lag,
            parked: status.parked.into_iter().map(parked).collect(),
            owner: status.owner,
            epoch: status.epoch,
            since: status.since.map(when::text),
            until: status.until.map(when::text),
            note: status.note,
        }
    }
}

/// Every subscription, and which process works for it.
#[utoipa::path(
    get, path = "/v1/admin/subscriptions", tag = "admin", params(schema::QueryParams),
    responses(
        (status = 200, description = "The subscriptions", body = schema::List<schema::Subscription>),
        schema::QueryProblems,
    ),
    security(("token" = []))
)]
async fn subscriptions(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    query.admin()?;
    let params = query.reading.present(&[])?;
    let position = params.reached(&api).await?;
    let items: Vec<Shown> = api.subscriptions.listed().await?.into_iter().map(Shown::from).collect();
    Ok(Listed { items, next: None }.answer(position))
}

/// Stop a subscription from reading on.
#[utoipa::path(
    post, path = "/v1/admin/subscriptions/{name}/pause", tag = "admin",
    params(("name" = String, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is paused", body = schema::Subscription), schema::CommandProblems),
    security(("token" = []))
)]
async fn pause(State(api): State<Arc<Api>>, Path(name): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.admin()?;
    let Nothing {} = call.optional_body()?;
    Ok(once(&api, &call, |_| async { Ok(answer(&api, api.subscriptions.pause(&name).await?)) }).await)
}

/// Let a subscription read on.
#[utoipa::path(
    post, path = "/v1/admin/subscriptions/{name}/resume", tag = "admin",
    params(("name" = String, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is running", body = schema::Subscription), schema::CommandProblems),
    security(("token" = []))
)]
async fn resume(State(api): State<Arc<Api>>, Path(name): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.admin()?;
    let Nothing {} = call.optional_body()?;
    Ok(once(&api, &call, |_| async { Ok(answer(&api, api.subscriptions.resume(&name).await?)) }).await)
}

#[derive(Serialize)]
struct Rebuilt {
    view: &'static str,
    position: u64,
    documents: u64,
    /// Documents that were not the same before; anything but 0 is a defect.
    differed: u64,
}

/// Fold a view anew from the whole journal, beside the one that is read meanwhile.
#[utoipa::path(
    post, path = "/v1/admin/subscriptions/{name}/rebuild", tag = "admin",
    params(("name" = String, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is rebuilt", body = schema::Rebuilt), schema::CommandProblems),
    security(("token" = []))
)]
async fn rebuild(State(api): State<Arc<Api>>, Path(name): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.admin()?;
    let Nothing {} = call.optional_body()?;
    let work = |_| async {
        // A view reads under `view-mypage` and is called `mypage`.
        let report = api.views.rebuild(name.strip_prefix("view-").unwrap_or(&name)).await?;
        let ReplayReport { view, position, documents, differed, .. } = report;
        Ok(Answer::json(StatusCode::OK, &Rebuilt { view, position, documents, differed }).at(api.journal.head()))
    };
    Ok(once(&api, &call, work).await)
}

/// What to try again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetrySequence {
    /// As it is listed under `parked`.
    sequence: String,
}

/// Try a parked sequence again.
#[utoipa::path(
    post, path = "/v1/admin/subscriptions/{name}/retry", tag = "admin", request_body = RetrySequence,
    params(("name" = String, Path), schema::CommandHeaders),
    responses((status = 202, description = "It is tried again", body = schema::Subscription), schema::CommandProblems),
    security(("token" = []))
)]
async fn retry(State(api): State<Arc<Api>>, Path(name): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.admin()?;
    let RetrySequence { sequence } = call.body()?;
    let work = |_| async {
        let status = api.subscriptions.retry(&name, &sequence).await?;
        Ok(Answer { status: StatusCode::ACCEPTED, ..answer(&api, status) })
    };
    Ok(once(&api, &call, work).await)
}

fn answer(api: &Api, status: SubscriptionStatus) -> Answer {
    Answer::json(StatusCode::OK, &Shown::from(status)).at(api.journal.head())
}
