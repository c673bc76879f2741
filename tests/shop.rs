//! "Given a car shop": a store with one kind of car, and what customers and staff do there.

use crate::eventually::eventually;
use crate::http::{Reply, Request};
use crate::program::Data;
use crate::server::Server;
use crate::transcript::transcript;
use serde_json::{Value, json};
use std::ops::Deref;
use std::sync::Arc;

/// The principal who founds stores.
pub const ADMIN: &str = "admin";
/// What a car costs a day, in won.
pub const PRICE: i64 = 50_000;
const STORE: &str = "seoul-cars";

/// A car rental in Seoul, on a server of its own.
pub struct Shop {
    server: Server,
    /// The cars.
    pub item: String,
}

impl Shop {
    /// With so many cars of one kind, on an empty data directory.
    pub async fn with_cars(units: u32) -> Self {
        Self::on(&Data::empty(), units).await
    }

    /// The same, where `serve` is told something.
    pub async fn with_cars_and_options(units: u32, options: &[&str]) -> Self {
        Self::on(&Data::with_options(options), units).await
    }

    async fn on(data: &Arc<Data>, units: u32) -> Self {
        let server = data.serve().await;
        found(&server, STORE, "Asia/Seoul", "KRW").await;
        let item = stock(&server, STORE, units, PRICE, "KRW").await;
        Self { server, item }
    }

    /// A car rental with one car in Europe, where clocks change.
    pub async fn in_berlin() -> Self {
        let server = Server::fresh().await;
        found(&server, STORE, "Europe/Berlin", "EUR").await;
        let item = stock(&server, STORE, 1, PRICE, "EUR").await;
        Self { server, item }
    }

    /// The store's slug.
    #[must_use]
    pub const fn store(&self) -> &'static str {
        STORE
    }

    /// The principal of its staff.
    #[must_use]
    pub fn staff(&self) -> String {
        format!("staff:{STORE}")
    }

    /// Another kind of car.
    pub async fn another_item(&self, units: u32) -> String {
        stock(&self.server, STORE, units, PRICE, "KRW").await
    }

    /// A customer's wish for a car, not sent yet.
    pub fn booking(&self, customer: &str, from: &str, to: &str) -> Request {
        self.booking_paid_by(customer, from, to, "pm_ok")
    }

    /// The same, with one of the provider's test methods.
    pub fn booking_paid_by(&self, customer: &str, from: &str, to: &str, method: &str) -> Request {
        let body = json!({ "item": self.item, "from": from, "to": to, "payment_method": method });
        self.post("/v1/rentals").by(format!("customer:{customer}")).json(body)
    }

    /// A booking that stands.
    pub async fn booked(&self, customer: &str, from: &str, to: &str) -> String {
        let reply = self.booking(customer, from, to).waiting_s(20).await.is(201);
        assert_eq!(reply["status"], "confirmed", "{}", reply.text);
        reply.id()
    }

    /// What a customer sees of a rental.
    pub async fn rental(&self, customer: &str, rental: &str) -> Reply {
        self.get(format!("/v1/rentals/{rental}")).by(format!("customer:{customer}")).await.is(200)
    }

    /// Waits until a rental has got there.
    pub async fn reaches(&self, rental: &str, status: &str) -> Reply {
        eventually(&format!("the rental is {status}"), async || {
            let seen = self.get(format!("/v1/rentals/{rental}")).by(self.staff()).await.is(200);
            (seen["status"] == status).then_some(seen)
        })
        .await
    }

    /// The staff's next step with a rental, not sent yet: `prepare`, `hand-over`, `return`, `cancel`.
    pub fn step(&self, rental: &str, step: &str) -> Request {
        self.post(format!("/v1/rentals/{rental}/{step}")).by(self.staff()).json(json!({}))
    }

    /// Prepares a car as soon as the shop knows of the booking.
    pub async fn prepared(&self, rental: &str) {
        self.settled().await;
        self.step(rental, "prepare").await.done();
        self.reaches(rental, "prepared").await;
    }

    /// Prepares a car and hands it over.
    pub async fn handed_over(&self, rental: &str) {
        self.prepared(rental).await;
        self.step(rental, "hand-over").await.done();
        self.settled().await;
    }

    /// A customer's cancellation, through to its end.
    pub async fn cancelled(&self, customer: &str, rental: &str) {
        self.cancellation(customer, rental).waiting_s(20).await.done();
        self.reaches(rental, "cancelled").await;
        self.settled().await;
    }

    /// The same, not sent yet.
    pub fn cancellation(&self, customer: &str, rental: &str) -> Request {
        self.post(format!("/v1/rentals/{rental}/cancel")).by(format!("customer:{customer}")).json(json!({}))
    }

    /// How many cars can be had over the whole range.
    ///
    /// # Panics
    /// When the answer is no number.
    pub async fn available(&self, from: &str, to: &str) -> u64 {
        let path = format!("/v1/items/{}/availability?from={from}&to={to}", self.item);
        self.get(path).await.is(200)["available"].as_u64().expect("a number")
    }

    /// Every event of a rental's story.
    pub async fn history(&self, rental: &str) -> Vec<Value> {
        self.settled().await;
        self.get(format!("/v1/rentals/{rental}/history")).by(self.staff()).await.is(200).items()
    }

    /// The same, as lines.
    pub async fn transcript(&self, rental: &str) -> String {
        transcript(&self.history(rental).await)
    }

    /// The same shop, on the data of a program that has ended.
    ///
    /// # Panics
    /// When there is no shop in it.
    pub async fn again(data: &Arc<Data>) -> Self {
        let server = data.serve().await;
        let items = server.all(&format!("/v1/stores/{STORE}/items"), ADMIN).await;
        Self { server, item: items[0]["id"].as_str().expect("a car").to_owned() }
    }

    /// kill -9, and the program again on the same data.
    #[must_use]
    pub async fn killed_and_restarted(self) -> Self {
        let data = self.server.kill().await;
        Self { server: data.serve().await, item: self.item }
    }

    /// The server alone, to stop or kill it.
    #[must_use]
    pub fn into_server(self) -> Server {
        self.server
    }
}

impl Deref for Shop {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Reply {
    /// Asserts that a command was taken: done, or under way.
    ///
    /// # Panics
    /// When it was refused.
    #[track_caller]
    pub fn done(self) -> Self {
        let status = if self.status == 202 { 202 } else { 200 };
        self.is(status)
    }
}

async fn found(server: &Server, slug: &str, time_zone: &str, currency: &str) {
    let body = json!({
        "slug": slug, "name": "Cars", "policy": "car-rental", "time_zone": time_zone, "currency": currency,
    });
    server.post("/v1/stores").by(ADMIN).json(body).await.is(201);
}

async fn stock(server: &Server, slug: &str, units: u32, price: i64, currency: &str) -> String {
    let price = json!({ "amount_minor": price, "currency": currency });
    let body = json!({ "name": "Hyundai Avante", "price": price, "stock": units });
    server.post(format!("/v1/stores/{slug}/items")).by(format!("staff:{slug}")).json(body).await.is(201).id()
}
