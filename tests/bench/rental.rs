//! The workload: bookings that are paid, confirmed and dispatched.

use crate::load::Requests;
use chrono::{Days, Utc};
use harness::wire;
use harness::{Client, Server};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const STORE: &str = "bench-cars";
const STAFF: &str = "staff:bench-cars";
/// Nothing is refused: what is measured is the engine, not how fast it says no.
pub(crate) const UNITS: u32 = 1_000_000;
const CUSTOMERS: usize = 16;
const REQUESTS: usize = 16_000;
const CATCH_UP: Duration = Duration::from_secs(300);

/// Opens the shop, and answers with the tokens of its customers.
pub(crate) async fn opened(server: &Server) -> Vec<String> {
    let store = json!({
        "slug": STORE, "name": "Cars", "policy": "car-rental", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    server.post("/v1/stores").by("admin").json(store).await.is(201);
    (0..CUSTOMERS).map(|number| server.data().token(&format!("customer:c{number}"))).collect()
}

/// Registers so many items more.
pub(crate) async fn items(server: &Server, count: usize) -> Vec<String> {
    let mut registered = JoinSet::new();
    let mut ids = Vec::new();
    for number in 0..count {
        registered.spawn(register(server.client(), number));
        if registered.len() >= 16 {
            ids.extend(registered.join_next().await.unwrap());
        }
    }
    ids.extend(registered.join_all().await);
    server.settled().await;
    ids
}

async fn register(client: Client, number: usize) -> String {
    let price = json!({ "amount_minor": 50_000, "currency": "KRW" });
    let body = json!({ "name": format!("Car {number}"), "price": price, "stock": UNITS });
    client.post(format!("/v1/stores/{STORE}/items")).by(STAFF).json(body).await.is(201).id()
}

/// Bookings of those items that are spread over a year.
pub(crate) fn bookings(items: &[String], tokens: &[String]) -> Requests {
    let today = Utc::now().date_naive();
    let request = |number: usize| {
        // Neighbouring requests are for different items, customers and months.
        let from = today + Days::new(1 + (number * 7 % 360) as u64);
        let to = from + Days::new(1 + (number % 3) as u64);
        let body = json!({ "item": items[number % items.len()], "from": from.to_string(), "to": to.to_string() });
        wire::post("/v1/rentals", &tokens[number % tokens.len()], &body.to_string())
    };
    (0..REQUESTS).map(request).collect()
}

/// Waits until the shop knows of every booking.
pub(crate) async fn dispatched(server: &Client) {
    let started = Instant::now();
    while server.subscription("dispatch").await["lag"] != 0 {
        assert!(started.elapsed() < CATCH_UP, "the shop is not told within {CATCH_UP:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
