//! "Given a car shop": a store with one item, and what customers and staff do there.

use crate::business::Business;
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

/// A store in Seoul, on a server of its own.
pub struct Shop {
    server: Server,
    store: &'static str,
    /// What it offers first.
    pub item: String,
}

impl Shop {
    /// A car rental with so many cars of one kind, on an empty data directory.
    pub async fn with_cars(units: u32) -> Self {
        Self::of(Business::cars(), json!(units)).await
    }

    /// The same, where `serve` is told something.
    pub async fn with_cars_and_options(units: u32, options: &[&str]) -> Self {
        Self::of_with_options(Business::cars(), json!(units), options).await
    }

    /// A store of any business with stock of one item: a number, null, or `{"seats": […]}`.
    pub async fn of(business: Business, stock: Value) -> Self {
        Self::of_with_options(business, stock, &[]).await
    }

    /// The same, where `serve` is told something.
    pub async fn of_with_options(business: Business, stock: Value, options: &[&str]) -> Self {
        Self::open(Data::with_options(options).serve().await, &business, stock, "Asia/Seoul", "KRW").await
    }

    /// A car rental with one car in Europe, where clocks change.
    pub async fn in_berlin() -> Self {
        Self::open(Server::fresh().await, &Business::cars(), json!(1), "Europe/Berlin", "EUR").await
    }

    /// Founds a store in Seoul with one item through a server that others go on with; the item's id.
    pub async fn found(server: &Server, business: &Business, stock: Value) -> String {
        found(server, business, stock, "Asia/Seoul", "KRW").await
    }

    async fn open(server: Server, business: &Business, stock: Value, time_zone: &str, currency: &str) -> Self {
        let item = found(&server, business, stock, time_zone, currency).await;
        Self { server, store: business.slug, item }
    }

    /// The store's slug.
    #[must_use]
    pub const fn store(&self) -> &'static str {
        self.store
    }

    /// The principal of its staff.
    #[must_use]
    pub fn staff(&self) -> String {
        format!("staff:{}", self.store)
    }

    /// Another kind of car.
    pub async fn another_item(&self, units: u32) -> String {
        offer(&self.server, &Business { slug: self.store, ..Business::cars() }, json!(units), "KRW").await
    }

    /// A customer's wish for the item, with whatever else belongs to it, not sent yet.
    ///
    /// # Panics
    /// When that is no object.
    pub fn wish(&self, customer: &str, wish: &Value) -> Request {
        let mut body = json!({ "item": self.item });
        body.as_object_mut().expect("an object").extend(wish.as_object().expect("an object").clone());
        self.post("/v1/rentals").by(format!("customer:{customer}")).json(body)
    }

    /// A wish that is granted; the rental's id.
    pub async fn granted(&self, customer: &str, wish: &Value) -> String {
        let reply = self.wish(customer, wish).waiting_s(20).await.is(201);
        assert_eq!(reply["status"], "confirmed", "{}", reply.text);
        reply.id()
    }

    /// A customer's wish for a car, not sent yet.
    pub fn booking(&self, customer: &str, from: &str, to: &str) -> Request {
        self.booking_paid_by(customer, from, to, "pm_ok")
    }

    /// The same, with one of the provider's test methods.
    pub fn booking_paid_by(&self, customer: &str, from: &str, to: &str, method: &str) -> Request {
        self.wish(customer, &json!({ "from": from, "to": to, "payment_method": method }))
    }

    /// A booking that stands.
    pub async fn booked(&self, customer: &str, from: &str, to: &str) -> String {
        self.granted(customer, &json!({ "from": from, "to": to })).await
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

    /// What the catalogue says of the item.
    pub async fn shown(&self) -> Reply {
        self.settled().await;
        self.get(format!("/v1/items/{}", self.item)).await.is(200)
    }

    /// The staff's work queue, newest first.
    pub async fn dispatches(&self) -> Vec<Value> {
        self.settled().await;
        self.all(&format!("/v1/stores/{}/dispatches", self.store), &self.staff()).await
    }

    /// Stops a subscription, as if the service behind it were away.
    pub async fn pause(&self, subscription: &str) {
        self.post(format!("/v1/admin/subscriptions/{subscription}/pause")).by(ADMIN).await.done();
    }

    /// Lets it go on.
    pub async fn resume(&self, subscription: &str) {
        self.post(format!("/v1/admin/subscriptions/{subscription}/resume")).by(ADMIN).await.done();
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

    /// The same car rental, on the data of a program that has ended.
    ///
    /// # Panics
    /// When there is no such shop in it.
    pub async fn again(data: &Arc<Data>) -> Self {
        let (server, store) = (data.serve().await, Business::cars().slug);
        let items = server.all(&format!("/v1/stores/{store}/items"), ADMIN).await;
        Self { server, store, item: items[0]["id"].as_str().expect("a car").to_owned() }
    }

    /// kill -9, and the program again on the same data.
    #[must_use]
    pub async fn killed_and_restarted(self) -> Self {
        let data = self.server.kill().await;
        Self { server: data.serve().await, store: self.store, item: self.item }
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

/// Founds a store with its first item; the item's id.
async fn found(server: &Server, business: &Business, stock: Value, time_zone: &str, currency: &str) -> String {
    let body = json!({
        "slug": business.slug, "name": "The shop", "policy": business.policy, "time_zone": time_zone, "currency": currency,
    });
    server.post("/v1/stores").by(ADMIN).json(body).await.is(201);
    offer(server, business, stock, currency).await
}

async fn offer(server: &Server, business: &Business, stock: Value, currency: &str) -> String {
    let price = json!({ "amount_minor": business.price, "currency": currency });
    let body = json!({ "name": business.item, "price": price, "stock": stock });
    let path = format!("/v1/stores/{}/items", business.slug);
    server.post(path).by(format!("staff:{}", business.slug)).json(body).await.is(201).id()
}
