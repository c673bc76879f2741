//! The OpenAPI document. Routes come into it and into the router in one step, so that none can be missing.

use crate::Api;
use crate::answer::Answer;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(document))
}

/// The document before any route is in it.
pub(crate) fn begin() -> OpenApi {
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Reservoir").version(env!("CARGO_PKG_VERSION")).description(Some(
            "Reserve something, pay for it, have it handed over. Every command answers with its `Journal-Position`; \
             every failure is an RFC 9457 problem.",
        )))
        .components(Some(ComponentsBuilder::new().security_scheme("token", token).build()))
        .build()
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
async fn document(State(api): State<Arc<Api>>) -> Answer {
    Answer::text(StatusCode::OK, "application/json", api.openapi.clone())
}
