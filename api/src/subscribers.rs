//! Stores' own programs that are told of rentals. **A secret is shown to whoever registers a webhook, and is kept nowhere**: it
//! follows from a key of this server and the webhook's id.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{TOO_MANY_WEBHOOKS, UNAVAILABLE, WEBHOOK_ENDED, internal, invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::schema::{self, Nothing};
use crate::{Api, when};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::webhook::{Webhook, WebhookCommand, WebhookStatus};
use domain::{Instant, RentalId, StoreSlug, WebhookId};
use projections::{PageQuery, WebhookEntry, Webhooks};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// So many programs of one store are told.
const MOST_WEBHOOKS: usize = 32;
/// So many events that were given up are shown of each webhook.
const MOST_GIVEN_UP: usize = 20;

/// Who sends webhooks, as far as callers are told of it.
pub trait WebhookSender: Send + Sync + 'static {
    /// Whether anything would ever be sent to a URL; if not, why.
    ///
    /// # Errors
    /// The reason, for the caller.
    fn check(&self, url: &str) -> Result<(), String>;

    /// How one webhook's deliveries stand, with so many of those that were given up; `None` when that cannot be known now.
    fn standing(
        &self,
        webhook: WebhookId,
        most: usize,
    ) -> Pin<Box<dyn Future<Output = Option<WebhookStanding>> + Send + '_>>;

    /// Has everything sent again that was given up, and answers how much that is; `None` when that cannot be done now.
    fn retry(&self, webhook: WebhookId) -> Pin<Box<dyn Future<Output = Option<u64>> + Send + '_>>;
}

/// How one webhook's deliveries stand.
#[derive(Debug, Clone, Default)]
pub struct WebhookStanding {
    /// Events that are still to be sent.
    pub waiting: u64,
    /// When the first of those that failed is sent again.
    pub again_at: Option<Instant>,
    /// Those that were given up, newest first.
    pub given_up: Vec<WebhookGivenUp>,
}

/// An event that was not taken for three days.
#[derive(Debug, Clone)]
pub struct WebhookGivenUp {
    /// Of which rental.
    pub rental: RentalId,
    /// Its place in the journal.
    pub position: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last attempt said.
    pub reason: String,
    /// When that was.
    pub at: Instant,
}

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(register, list))
        .routes(routes!(remove))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(retry))
}

/// Whom to tell, and of what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterWebhook {
    /// Where the program is: `https`, on port 443, or 1024 and above, in the outside world.
    #[schema(example = "https://films.example.org/told", max_length = 2048)]
    url: String,
    /// The types of events to be told of; of all where none is named.
    #[serde(default)]
    #[schema(example = json!(["RentalConfirmed", "RentalCancelled"]))]
    events: BTreeSet<String>,
}

#[derive(Serialize)]
struct Registered<'a> {
    id: WebhookId,
    url: &'a str,
    events: &'a BTreeSet<String>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    entry: WebhookEntry,
    waiting: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    again_at: Option<String>,
    given_up: Vec<GivenUpShown>,
}

#[derive(Serialize)]
struct GivenUpShown {
    rental: RentalId,
    position: u64,
    attempts: u32,
    reason: String,
    at: String,
}

/// Have a program told of the store's rentals from now on. The answer alone shows what the events will be signed with.
#[utoipa::path(
    post, path = "/v1/stores/{store}/webhooks", tag = "webhooks", request_body = RegisterWebhook,
    params(("store" = String, Path), schema::CommandHeaders),
    responses((status = 201, description = "It is told", body = schema::WebhookRegistered), schema::CommandProblems),
    security(("token" = []))
)]
async fn register(State(api): State<Arc<Api>>, Path(store): Path<String>, call: Call) -> Result<Answer, Problem> {
    let store = permitted(&call, &store)?;
    if api.profile(&store).await?.is_none() {
        return Err(not_found("store", store));
    }
    let RegisterWebhook { url, events } = call.body()?;
    api.webhook_sender.check(&url).map_err(|why| invalid("url", why))?;
    if let Some(unknown) = events.iter().find(|name| !domain::rental::RentalEvent::NAMES.contains(&name.as_str())) {
        return Err(invalid("events", format!("there is no event `{unknown}` of rentals")));
    }
    let work = async |ids: Ids| {
        room_for_one_more(&api, &store).await?;
        let id = WebhookId(ids.id("webhook"));
        let command = WebhookCommand::Register {
            store: store.clone(),
            url: url.clone(),
            events: events.clone(),
            now: chrono::Utc::now(),
        };
        let context = call.context(&ids, None);
        let done = api.execute(&api.webhooks, &id.to_string(), command, &context, &ids).await?;
        let answer = Answer::json(StatusCode::CREATED, &Registered { id, url: &url, events: &events });
        Ok(answer.at(done.position).location(format!("/v1/stores/{store}/webhooks/{id}")))
    };
    with_secret(&api, once(&api, &call, work).await)
}

/// As far as the view knows: a bound on what one store can have sent, and not a promise.
async fn room_for_one_more(api: &Api, store: &StoreSlug) -> Result<(), Problem> {
    let tags = [WebhookStatus::Active, WebhookStatus::Paused].map(|status| status.name().to_owned()).to_vec();
    let query =
        PageQuery { owner: Some(store.as_str().to_owned()), tags, limit: MOST_WEBHOOKS, ..PageQuery::default() };
    if api.views.page::<Webhooks>(query).await?.items.len() < MOST_WEBHOOKS {
        return Ok(());
    }
    Err(Problem::new(TOO_MANY_WEBHOOKS, format!("there are {MOST_WEBHOOKS} already")))
}

/// The answer that is kept has no secret in it; the one that is given does.
fn with_secret(api: &Api, answer: Answer) -> Result<Answer, Problem> {
    if answer.status != StatusCode::CREATED {
        return Ok(answer);
    }
    let mut shown: Value = serde_json::from_str(&answer.body).map_err(|_| internal())?;
    let id: WebhookId = shown["id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(internal)?;
    shown["secret"] = api.keys.webhook_secret(id).into();
    Ok(Answer { body: shown.to_string(), ..answer })
}

/// The programs that are told of the store's rentals, newest first, and what they have not taken.
#[utoipa::path(
    get, path = "/v1/stores/{store}/webhooks", tag = "webhooks",
    params(("store" = String, Path), schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The webhooks", body = schema::List<schema::Webhook>), schema::QueryProblems),
    security(("token" = []))
)]
async fn list(
    State(api): State<Arc<Api>>,
    Path(store): Path<String>,
    query: PrivateReading,
) -> Result<Answer, Problem> {
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", &store))?;
    query.staff_of(&slug)?;
    let params = query.reading.present(&["limit", "cursor"])?;
    let shown = [WebhookStatus::Active, WebhookStatus::Paused, WebhookStatus::Stopped].map(WebhookStatus::name);
    let (page, position) = params.page_of_any::<Webhooks>(&api, Some(slug.as_str()), &shown).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for entry in page.items {
        let standing = api.webhook_sender.standing(entry.id, MOST_GIVEN_UP).await.unwrap_or_default();
        let given_up = standing.given_up.into_iter().map(|one| GivenUpShown {
            rental: one.rental,
            position: one.position,
            attempts: one.attempts,
            reason: one.reason,
            at: when::text(one.at),
        });
        let again_at = standing.again_at.map(when::text);
        items.push(Shown { waiting: standing.waiting, again_at, given_up: given_up.collect(), entry });
    }
    Ok(Listed { items, next: page.next }.answer(position))
}

/// A webhook as it stands now.
#[derive(Serialize)]
struct Stands {
    id: WebhookId,
    status: WebhookStatus,
}

/// Have a program told nothing any more.
#[utoipa::path(
    delete, path = "/v1/stores/{store}/webhooks/{webhook}", tag = "webhooks",
    params(("store" = String, Path), ("webhook" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is told nothing", body = schema::WebhookStands), schema::CommandProblems),
    security(("token" = []))
)]
async fn remove(state: State<Arc<Api>>, path: Path<(String, String)>, call: Call) -> Result<Answer, Problem> {
    ordered(state, path, call, |now| WebhookCommand::Remove { now }).await
}

/// Send nothing for a while. What happens meanwhile is kept.
#[utoipa::path(
    post, path = "/v1/stores/{store}/webhooks/{webhook}/pause", tag = "webhooks",
    params(("store" = String, Path), ("webhook" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is paused", body = schema::WebhookStands), schema::CommandProblems),
    security(("token" = []))
)]
async fn pause(state: State<Arc<Api>>, path: Path<(String, String)>, call: Call) -> Result<Answer, Problem> {
    ordered(state, path, call, |now| WebhookCommand::Pause { now }).await
}

/// Send what was kept, and go on.
#[utoipa::path(
    post, path = "/v1/stores/{store}/webhooks/{webhook}/resume", tag = "webhooks",
    params(("store" = String, Path), ("webhook" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is active", body = schema::WebhookStands), schema::CommandProblems),
    security(("token" = []))
)]
async fn resume(state: State<Arc<Api>>, path: Path<(String, String)>, call: Call) -> Result<Answer, Problem> {
    ordered(state, path, call, |now| WebhookCommand::Resume { now }).await
}

async fn ordered(
    State(api): State<Arc<Api>>,
    Path((store, name)): Path<(String, String)>,
    call: Call,
    command: fn(Instant) -> WebhookCommand,
) -> Result<Answer, Problem> {
    let (id, _) = stores_own(&api, &call, &store, &name).await?;
    let Nothing {} = call.optional_body()?;
    let work = async |ids: Ids| {
        let (key, context) = (id.to_string(), call.context(&ids, None));
        let done = api.execute(&api.webhooks, &key, command(chrono::Utc::now()), &context, &ids).await?;
        let status = api.webhooks.inspect(&key, |webhook: &Webhook, _| webhook.status()).await?;
        let status = status.ok_or_else(|| not_found("webhook", &name))?;
        Ok(Answer::json(StatusCode::OK, &Stands { id, status }).revision(done.revision).at(done.position))
    };
    Ok(once(&api, &call, work).await)
}

#[derive(Serialize)]
struct Again {
    id: WebhookId,
    again: u64,
}

/// Have everything sent again that was given up after three days, for three days once more.
#[utoipa::path(
    post, path = "/v1/stores/{store}/webhooks/{webhook}/retry", tag = "webhooks",
    params(("store" = String, Path), ("webhook" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 202, description = "It is on its way", body = schema::WebhookAgain), schema::CommandProblems),
    security(("token" = []))
)]
async fn retry(
    State(api): State<Arc<Api>>,
    Path((store, name)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Problem> {
    let (id, status) = stores_own(&api, &call, &store, &name).await?;
    let Nothing {} = call.optional_body()?;
    if !matches!(status, WebhookStatus::Active | WebhookStatus::Paused) {
        return Err(Problem::new(WEBHOOK_ENDED, "the webhook has ended"));
    }
    let work = async |_| {
        let again = api.webhook_sender.retry(id).await;
        let again = again.ok_or_else(|| Problem::new(UNAVAILABLE, "try again shortly").retry_after_s(1))?;
        Ok(Answer::json(StatusCode::ACCEPTED, &Again { id, again }).at(api.journal.head()))
    };
    Ok(once(&api, &call, work).await)
}

/// A webhook of the caller's store: those of others are not there.
async fn stores_own(api: &Api, call: &Call, store: &str, name: &str) -> Result<(WebhookId, WebhookStatus), Problem> {
    let store = permitted(call, store)?;
    let id: WebhookId = name.parse().map_err(|_| not_found("webhook", name))?;
    let seen = |webhook: &Webhook, _| Some((webhook.registered()?.store.clone(), webhook.status()?));
    let seen = api.webhooks.inspect(&id.to_string(), seen).await?;
    let (_, status) = seen.filter(|(owner, _)| *owner == store).ok_or_else(|| not_found("webhook", name))?;
    Ok((id, status))
}

fn permitted(call: &Call, store: &str) -> Result<StoreSlug, Problem> {
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", store))?;
    call.staff_of(&slug)?;
    Ok(slug)
}
