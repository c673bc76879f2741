//! Messages that somebody may have to look after, for administrators.

use crate::Api;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{invalid, not_found};
use crate::idempotency::once;
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::schema::{self, Nothing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::MessageId;
use domain::message::{Message, MessageCommand, MessageStatus};
use projections::Messages;
use serde::Serialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(retry))
}

/// A message as it stands now.
#[derive(Serialize)]
struct Shown {
    id: MessageId,
    status: MessageStatus,
    failures: u32,
}

/// Messages that did not go out the last time they were tried, newest first. Those that failed for good, or too often, wait for
/// somebody to have them tried again; the others are tried again by themselves too.
#[utoipa::path(
    get, path = "/v1/admin/messages", tag = "admin",
    params(schema::MessageStatusParam, schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The messages", body = schema::List<schema::Message>), schema::QueryProblems),
    security(("token" = []))
)]
async fn list(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    query.admin()?;
    let params = query.reading.present(&["status", "limit", "cursor"])?;
    let failed = MessageStatus::Failed.name();
    if params.get("status").is_some_and(|status| status != failed) {
        return Err(invalid("status", "failed"));
    }
    let (page, position) = params.page::<Messages>(&api, None, Some(failed)).await?;
    Ok(Listed { items: page.items, next: page.next }.answer(position))
}

/// Have a message that failed go out after all, as if it had not failed yet.
#[utoipa::path(
    post, path = "/v1/admin/messages/{message}/retry", tag = "admin",
    params(("message" = uuid::Uuid, Path), schema::CommandHeaders),
    responses(
        (status = 202, description = "It is on its way, or has gone out already", body = schema::MessageStands),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
async fn retry(State(api): State<Arc<Api>>, Path(name): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.admin()?;
    let Nothing {} = call.optional_body()?;
    let id: MessageId = name.parse().map_err(|_| not_found("message", &name))?;
    let work = async |ids| {
        let key = id.to_string();
        let rental = api.messages.inspect(&key, |message: &Message, _| message.rental()).await?;
        let rental = rental.ok_or_else(|| not_found("message", &name))?;
        let context = call.context(&ids, Some(rental.to_string()));
        let command = MessageCommand::Retry { now: chrono::Utc::now() };
        let done = api.execute(&api.messages, &key, command, &context, &ids).await?;
        let stands = |message: &Message, _| message.status().map(|status| (status, message.failures()));
        let (status, failures) =
            api.messages.inspect(&key, stands).await?.ok_or_else(|| not_found("message", &name))?;
        let answer = Answer::json(StatusCode::ACCEPTED, &Shown { id, status, failures });
        Ok(answer.revision(done.revision).at(done.position))
    };
    Ok(once(&api, &call, work).await)
}
