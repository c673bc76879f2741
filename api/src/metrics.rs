//! Counting requests, cheaply, and telling Prometheus.

use crate::Api;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use journal::SubscriptionState;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Requests by route, method and status: as many counters as there are of these, and no more.
#[derive(Default)]
pub(crate) struct Metrics {
    /// A route has few counters, so looking for one among them is fast, and counting makes no text.
    routes: RwLock<HashMap<Box<str>, Mutex<Vec<Counter>>>>,
    in_flight: AtomicU64,
}

struct Counter {
    method: Method,
    status: StatusCode,
    requests: u64,
}

/// Counted for as long as the request is worked on, however it ends.
struct InFlight<'a>(&'a AtomicU64);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a request by the route that took it.
pub(crate) async fn count(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let _in_flight = InFlight::new(&api.metrics.in_flight);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let response = next.run(request).await;
    api.metrics.count(route.as_ref().map_or("none", MatchedPath::as_str), method, response.status());
    response
}

impl Metrics {
    fn count(&self, route: &str, method: Method, status: StatusCode) {
        {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(counters) = routes.get(route) {
                return add(&mut counters.lock().unwrap_or_else(PoisonError::into_inner), method, status);
            }
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let counters = routes.entry(route.into()).or_default();
        add(counters.get_mut().unwrap_or_else(PoisonError::into_inner), method, status);
    }
}

fn add(counters: &mut Vec<Counter>, method: Method, status: StatusCode) {
    // Callers can make up methods; they do not make up counters.
    let method = if is_known(&method) { method } else { Method::TRACE };
    match counters.iter_mut().find(|counter| counter.status == status && counter.method == method) {
        Some(counter) => counter.requests += 1,
        None => counters.push(Counter { method, status, requests: 1 }),
    }
}

fn is_known(method: &Method) -> bool {
    [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS]
        .contains(method)
}

/// Everything, as Prometheus reads it.
pub(crate) fn text(api: &Api) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, api);
    text
}

fn write(text: &mut String, api: &Api) -> fmt::Result {
    let mut gauge = |name: &str, help: &str| writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    gauge("reservoir_journal_head", "Position of the last committed event.")?;
    writeln!(text, "reservoir_journal_head {}", api.journal.head())?;
    let subscriptions = api.subscriptions.list();
    let mut each = |name: &str, help: &str, value: &dyn Fn(&journal::SubscriptionStatus) -> u64| {
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge")?;
        subscriptions
            .iter()
            .try_for_each(|status| writeln!(text, "{name}{{subscription=\"{}\"}} {}", status.name, value(status)))
    };
    each("reservoir_subscription_position", "Position that was handled last.", &|status| status.position)?;
    each("reservoir_subscription_lag", "Events behind the journal.", &|status| status.lag)?;
    each("reservoir_subscription_parked", "Sequences set aside.", &|status| status.parked.len() as u64)?;
    each("reservoir_subscription_paused", "1 while it is stopped by an administrator.", &|status| {
        u64::from(status.state == SubscriptionState::Paused)
    })?;
    let mut gauge = |name: &str, help: &str, value: u64| {
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}")
    };
    let in_flight = api.metrics.in_flight.load(Ordering::Relaxed);
    gauge("reservoir_http_requests_in_flight", "Requests that are worked on.", in_flight)?;
    let commands = api.admission.in_flight();
    gauge("reservoir_commands_in_flight", "Commands that are worked on.", commands as u64)?;
    gauge(
        "reservoir_rentals_undecided",
        "Rentals that were answered and are not decided.",
        api.undecided.count() as u64,
    )?;
    let breaker = api.door.breaker();
    writeln!(text, "# HELP reservoir_payment_breaker 1 for where the breaker around the payment provider stands.")?;
    writeln!(text, "# TYPE reservoir_payment_breaker gauge")?;
    for state in ["closed", "open", "half_open"] {
        writeln!(text, "reservoir_payment_breaker{{state=\"{state}\"}} {}", u64::from(state == breaker))?;
    }
    let turned_away = api.admission.turned_away();
    writeln!(text, "# HELP reservoir_commands_turned_away_total Commands that found no room at the front door.")?;
    writeln!(text, "# TYPE reservoir_commands_turned_away_total counter")?;
    writeln!(text, "reservoir_commands_turned_away_total {turned_away}")?;
    let opened = api.door.times_opened();
    writeln!(text, "# HELP reservoir_payment_breaker_opened_total How often it has opened.")?;
    writeln!(text, "# TYPE reservoir_payment_breaker_opened_total counter")?;
    writeln!(text, "reservoir_payment_breaker_opened_total {opened}")?;
    writeln!(text, "# HELP reservoir_http_requests_total Requests by route, method and status.")?;
    writeln!(text, "# TYPE reservoir_http_requests_total counter")?;
    let routes = api.metrics.routes.read().unwrap_or_else(PoisonError::into_inner);
    for (route, counters) in routes.iter() {
        for Counter { method, status, requests } in counters.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let status = status.as_u16();
            writeln!(
                text,
                "reservoir_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}} {requests}"
            )?;
        }
    }
    Ok(())
}
