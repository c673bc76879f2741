//! Stores: founding them, changing them, opening and closing them, and looking at them.

use crate::Api;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::problem::Problem;
use crate::reading::{Listed, Reading};
use crate::schema::{self, Nothing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono_tz::Tz;
use domain::policy::Policy;
use domain::store::{Profile, StoreCommand};
use domain::{Currency, Instant, StoreSlug};
use projections::Stores;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(register, list))
        .routes(routes!(one, revise))
        .routes(routes!(open))
        .routes(routes!(close))
}

/// A new store.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterStore {
    /// Its name in addresses.
    #[schema(value_type = String, example = "seoul-cars")]
    slug: StoreSlug,
    /// Its name on the sign.
    name: String,
    /// The name of a preset, or a whole policy.
    #[schema(value_type = schema::PolicyChoice)]
    policy: Value,
    /// In which its days are counted.
    #[schema(value_type = String, example = "Asia/Seoul")]
    time_zone: Tz,
    /// In which its prices are.
    #[schema(value_type = String, example = "KRW")]
    currency: Currency,
}

/// What changes about a store; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviseStore {
    /// Its name on the sign.
    name: Option<String>,
    /// The name of a preset, or a whole policy; of the same kind of stock. Rentals that stand keep theirs.
    #[schema(value_type = Option<schema::PolicyChoice>)]
    policy: Option<Value>,
}

/// A store as commands answer it; a query says more.
#[derive(Serialize)]
struct Shown<'a> {
    slug: &'a StoreSlug,
    name: &'a str,
    policy: &'a str,
    time_zone: Tz,
    currency: Currency,
    open: bool,
}

fn policy(chosen: Value) -> Result<Box<Policy>, Problem> {
    match chosen {
        Value::String(name) => Ok(Box::new(Policy::preset(&name)?)),
        whole => serde_json::from_value(whole).map(Box::new).map_err(|error| invalid("policy", error)),
    }
}

/// Found a store. It is open from the start.
#[utoipa::path(
    post, path = "/v1/stores", tag = "stores", request_body = RegisterStore, params(schema::CommandHeaders),
    responses((status = 201, description = "It is there", body = schema::Store), schema::CommandProblems),
    security(("token" = []))
)]
async fn register(State(api): State<Arc<Api>>, call: Call) -> Result<Answer, Problem> {
    call.admin()?;
    let asked: RegisterStore = call.body()?;
    let policy = policy(asked.policy)?;
    let slug = asked.slug.clone();
    let command = StoreCommand::Register {
        slug: asked.slug,
        name: asked.name,
        policy,
        time_zone: asked.time_zone,
        currency: asked.currency,
        now: chrono::Utc::now(),
    };
    let answer = once(&api, &call, |ids| execute(&api, &call, &slug, command, StatusCode::CREATED, ids)).await;
    Ok(answer)
}

/// Change the sign, or how a store does business from now on.
#[utoipa::path(
    patch, path = "/v1/stores/{store}", tag = "stores", request_body = ReviseStore,
    params(("store" = String, Path), schema::CommandHeaders),
    responses((status = 200, description = "As it is now", body = schema::Store), schema::CommandProblems),
    security(("token" = []))
)]
async fn revise(State(api): State<Arc<Api>>, Path(store): Path<String>, call: Call) -> Result<Answer, Problem> {
    let slug = permitted(&call, &store)?;
    let asked: ReviseStore = call.body()?;
    let policy = asked.policy.map(policy).transpose()?;
    let command = StoreCommand::Revise { name: asked.name, policy, now: chrono::Utc::now() };
    Ok(once(&api, &call, |ids| execute(&api, &call, &slug, command, StatusCode::OK, ids)).await)
}

/// Let its dispatches go on.
#[utoipa::path(
    post, path = "/v1/stores/{store}/open", tag = "stores", params(("store" = String, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is open", body = schema::Store), schema::CommandProblems),
    security(("token" = []))
)]
async fn open(State(api): State<Arc<Api>>, Path(store): Path<String>, call: Call) -> Result<Answer, Problem> {
    turn(&api, &call, &store, |now| StoreCommand::Open { now }).await
}

/// Let its dispatches wait. Rentals are still taken.
#[utoipa::path(
    post, path = "/v1/stores/{store}/close", tag = "stores", params(("store" = String, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is closed", body = schema::Store), schema::CommandProblems),
    security(("token" = []))
)]
async fn close(State(api): State<Arc<Api>>, Path(store): Path<String>, call: Call) -> Result<Answer, Problem> {
    turn(&api, &call, &store, |now| StoreCommand::Close { now }).await
}

async fn turn(api: &Api, call: &Call, store: &str, how: fn(Instant) -> StoreCommand) -> Result<Answer, Problem> {
    let slug = permitted(call, store)?;
    let Nothing {} = call.optional_body()?;
    let command = how(chrono::Utc::now());
    Ok(once(api, call, |ids| execute(api, call, &slug, command, StatusCode::OK, ids)).await)
}

fn permitted(call: &Call, store: &str) -> Result<StoreSlug, Problem> {
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", store))?;
    call.admin_or_staff_of(&slug)?;
    Ok(slug)
}

async fn execute(
    api: &Api,
    call: &Call,
    slug: &StoreSlug,
    command: StoreCommand,
    status: StatusCode,
    ids: Ids,
) -> Result<Answer, Problem> {
    let context = call.context(&ids, None);
    let done = api.execute(&api.stores, slug.as_str(), command, &context, &ids).await?;
    let Some(Profile { name, policy, time_zone, currency, open, .. }) = api.profile(slug).await? else {
        return Err(not_found("store", slug));
    };
    let shown = Shown { slug, name: &name, policy: &policy.name, time_zone, currency, open };
    let answer = Answer::json(status, &shown).revision(done.revision).at(done.position);
    Ok(if status == StatusCode::CREATED { answer.location(format!("/v1/stores/{slug}")) } else { answer })
}

/// All stores, newest first.
#[utoipa::path(
    get, path = "/v1/stores", tag = "stores", params(schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The stores", body = schema::List<schema::Store>), schema::QueryProblems)
)]
async fn list(State(api): State<Arc<Api>>, reading: Reading) -> Result<Answer, Problem> {
    let params = reading.present(&["limit", "cursor"])?;
    let (page, position) = params.page::<Stores>(&api, None, None).await?;
    Ok(Listed { items: page.items, next: page.next }.answer(position))
}

/// One store.
#[utoipa::path(
    get, path = "/v1/stores/{store}", tag = "stores", params(("store" = String, Path), schema::QueryParams),
    responses((status = 200, description = "The store", body = schema::Store), schema::QueryProblems)
)]
async fn one(State(api): State<Arc<Api>>, Path(store): Path<String>, reading: Reading) -> Result<Answer, Problem> {
    let params = reading.present(&[])?;
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", &store))?;
    let position = params.fresh::<Stores>(&api).await?;
    let entry = api.views.document::<Stores>(&slug).await?.ok_or_else(|| not_found("store", store))?;
    Ok(Answer::json(StatusCode::OK, &entry).revision(entry.revision).at(position))
}
