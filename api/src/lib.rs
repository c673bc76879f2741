//! HTTP over Reservoir: extract, translate, execute, answer. **No rule of a business is decided here.**
//!
//! [`start`] makes the router. Each resource has a file, each file exports its routes, and the list of them in
//! [`start`] is the table of contents.

mod admin;
mod admission;
mod answer;
mod call;
mod catalogue;
mod contact;
mod contradictions;
mod dispatches;
mod error;
mod health;
mod idempotency;
mod items;
mod keys;
mod kiosks;
mod language;
mod messages;
mod metrics;
mod mypage;
mod openapi;
mod outcomes;
mod principal;
mod problem;
mod reading;
mod rentals;
mod reviews;
mod schema;
mod state;
mod stores;
mod story;
mod subscribers;
mod told;
mod undecided;
mod vault;
mod webhooks;
mod when;

#[cfg(test)]
mod tests;

pub use admission::FrontDoor;
pub use keys::{Keys, KeysError};
pub use principal::{NotAPrincipal, Principal};
pub use state::{Parts, PaymentDoor, Running, Settings};
pub use subscribers::{WebhookGivenUp, WebhookSender, WebhookStanding};
pub use vault::{KeysToMove, MoveError, Vault, VaultError};
pub use webhooks::{PaymentNotice, PaymentWebhooks};

pub(crate) use state::Api;

use crate::error::{METHOD_NOT_ALLOWED, NOT_FOUND};
use crate::problem::Problem;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Every route, by the file it is in.
fn table_of_contents() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::begin())
        .merge(stores::routes())
        .merge(items::routes())
        .merge(rentals::routes())
        .merge(reviews::routes())
        .merge(kiosks::routes())
        .merge(mypage::routes())
        .merge(contact::routes())
        .merge(dispatches::routes())
        .merge(webhooks::routes())
        .merge(subscribers::routes())
        .merge(admin::routes())
        .merge(contradictions::routes())
        .merge(messages::routes())
        .merge(health::routes())
        .merge(openapi::routes())
}

/// The router, and what runs beside it until it is stopped. Has to be called inside a Tokio runtime.
pub fn start(parts: Parts) -> (Router, Running) {
    let (router, api) = router(table_of_contents(), parts);
    (router, Running::following(api))
}

/// The same with health, readiness and metrics alone, for a process that takes no commands and answers no queries.
pub fn start_watched(parts: Parts) -> (Router, Running) {
    let (router, api) = router(OpenApiRouter::with_openapi(openapi::begin()).merge(health::routes()), parts);
    (router, Running::alone(api))
}

fn router(contents: OpenApiRouter<Arc<Api>>, parts: Parts) -> (Router, Arc<Api>) {
    let (routes, document) = contents.split_for_parts();
    let api = Arc::new(Api::new(parts, document.to_json().unwrap_or_default()));
    let router = routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(call::MOST_BODY_BYTES))
        .layer(middleware::from_fn_with_state(api.clone(), metrics::count))
        .with_state(api.clone());
    (router, api)
}

async fn no_such_route(uri: Uri) -> Problem {
    Problem::new(NOT_FOUND, format!("there is nothing at `{}`", uri.path()))
}

async fn no_such_method(uri: Uri) -> Problem {
    Problem::new(METHOD_NOT_ALLOWED, format!("`{}` is there and does not take this method", uri.path()))
}
