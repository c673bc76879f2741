//! Whether this process lives, whether it wants requests, and what it measures.

use crate::Api;
use crate::answer::Answer;
use crate::{metrics, schema};
use axum::extract::State;
use axum::http::StatusCode;
use journal::SubscriptionState;
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(measured))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    journal: JournalHealth,
    subscriptions: Vec<SubscriptionHealth>,
    payments: PaymentHealth,
}

#[derive(Serialize)]
struct JournalHealth {
    head: u64,
    writable: bool,
}

#[derive(Serialize)]
struct PaymentHealth {
    /// Of the circuit breaker around the provider: `closed`, `open` or `half_open`.
    breaker: &'static str,
}

#[derive(Serialize)]
struct SubscriptionHealth {
    name: Cow<'static, str>,
    paused: bool,
    lag: u64,
    parked: usize,
}

/// The process lives.
#[utoipa::path(
    get, path = "/health/live", tag = "health",
    responses((status = 200, description = "It lives", body = schema::Health))
)]
async fn live() -> Answer {
    Answer::json(StatusCode::OK, &serde_json::json!({ "status": "live" }))
}

/// The process wants requests: it is not draining, and its journal can be written. While the journal's database is away,
/// the status is `journal-away`, and becomes `ready` again by itself.
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses(
        (status = 200, description = "It does", body = schema::Health),
        (status = 503, description = "It does not", body = schema::Health),
    )
)]
async fn ready(State(api): State<Arc<Api>>) -> Answer {
    let (stopped, away) = (api.journal.failure().is_some(), api.journal.is_away());
    let (code, status) = match () {
        () if api.is_draining() => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        () if stopped => (StatusCode::SERVICE_UNAVAILABLE, "journal-stopped"),
        () if away => (StatusCode::SERVICE_UNAVAILABLE, "journal-away"),
        () => (StatusCode::OK, "ready"),
    };
    let subscriptions = api.subscriptions.list().into_iter().map(|status| SubscriptionHealth {
        name: status.name,
        paused: status.state == SubscriptionState::Paused,
        lag: status.lag,
        parked: status.parked.len(),
    });
    let journal = JournalHealth { head: api.journal.head(), writable: !stopped && !away };
    let payments = PaymentHealth { breaker: api.door.breaker() };
    Answer::json(code, &Health { status, journal, subscriptions: subscriptions.collect(), payments })
}

/// What is measured, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"))
)]
async fn measured(State(api): State<Arc<Api>>) -> Answer {
    Answer::text(StatusCode::OK, "text/plain; version=0.0.4", metrics::text(&api))
}
