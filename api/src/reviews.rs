//! What customers say of an item: written for everybody to read, without a name.

use crate::answer::Answer;
use crate::error::not_found;
use crate::problem::Problem;
use crate::reading::{Listed, Reading};
use crate::{Api, schema};
use axum::extract::{Path, State};
use domain::{Instant, ItemId};
use projections::Reviews;
use serde::Serialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One review. Whose it is, and of which rental, is left out.
#[derive(Serialize)]
struct Review {
    stars: u8,
    text: Option<String>,
    written_at: Instant,
    edited_at: Option<Instant>,
}

/// What customers say of an item, newest first.
#[utoipa::path(
    get, path = "/v1/items/{item}/reviews", tag = "items",
    params(("item" = uuid::Uuid, Path), schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The reviews", body = schema::List<schema::Review>), schema::QueryProblems)
)]
async fn list(State(api): State<Arc<Api>>, Path(name): Path<String>, reading: Reading) -> Result<Answer, Problem> {
    let params = reading.present(&["limit", "cursor"])?;
    params.limit()?;
    let item: ItemId = name.parse().map_err(|_| not_found("item", &name))?;
    api.store_of(item).await?.ok_or_else(|| not_found("item", &name))?;
    let owner = item.to_string();
    let (page, position) = params.page::<Reviews>(&api, Some(&owner), Some(Reviews::STANDING)).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for entry in page.items {
        let text = api.unsealed(&entry.customer, entry.text).await?;
        items.push(Review { stars: entry.stars, text, written_at: entry.written_at, edited_at: entry.edited_at });
    }
    Ok(Listed { items, next: page.next }.answer(position))
}
