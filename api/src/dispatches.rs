//! A store's work queue.

use crate::answer::Answer;
use crate::error::{invalid, not_found};
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::{Api, schema};
use axum::extract::{Path, State};
use domain::StoreSlug;
use domain::dispatch::DispatchStatus;
use projections::Dispatches;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What a store has to do, or has done, newest first.
#[utoipa::path(
    get, path = "/v1/stores/{store}/dispatches", tag = "stores",
    params(("store" = String, Path), schema::StatusParam, schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The dispatches", body = schema::List<schema::Dispatch>), schema::QueryProblems),
    security(("token" = []))
)]
async fn list(
    State(api): State<Arc<Api>>,
    Path(store): Path<String>,
    query: PrivateReading,
) -> Result<Answer, Problem> {
    query.staff()?;
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", &store))?;
    query.staff_of(&slug)?;
    let params = query.reading.present(&["status", "limit", "cursor"])?;
    params.limit()?;
    let status = params.get("status").map(status).transpose()?;
    let (page, position) = params.page::<Dispatches>(&api, Some(slug.as_str()), status).await?;
    Ok(Listed { items: page.items, next: page.next }.answer(position))
}

fn status(text: &str) -> Result<&str, Problem> {
    let known =
        [DispatchStatus::Requested, DispatchStatus::Prepared, DispatchStatus::HandedOver, DispatchStatus::Cancelled];
    if known.iter().any(|status| status.name() == text) {
        return Ok(text);
    }
    Err(invalid("status", "requested, prepared, handed_over or cancelled"))
}
