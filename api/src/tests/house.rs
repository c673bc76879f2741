//! A house with everything but sagas, and a way to talk to it.

use crate::{Keys, Parts, PaymentDoor, PaymentNotice, PaymentWebhooks, Running, Settings, Vault, start};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use domain::dispatch::{Dispatch, DispatchCommand};
use domain::inventory::Item;
use domain::payment::Payment;
use domain::rental::{Rental, RentalCommand};
use domain::store::Store;
use domain::{Event, Instant, Money, RentalId};
use journal::{Context, Executor, Journal, Recorded, Subscriptions};
use projections::Views;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// Believes what comes under seal: `approved <payment>`, `declined <payment>`, or anything else.
struct Seal;

impl PaymentWebhooks for Seal {
    fn open(&self, provider: &str, headers: &HeaderMap, body: &[u8], _: Instant) -> Option<PaymentNotice> {
        headers.get("seal").filter(|seal| *seal == "unbroken" && provider == "bank")?;
        let text = std::str::from_utf8(body).ok()?;
        let (said, payment) = text.split_once(' ').unwrap_or((text, ""));
        Some(match (said, payment.parse()) {
            ("approved", Ok(payment)) => PaymentNotice::Approved { payment, reference: "ch_1".to_owned() },
            ("declined", Ok(payment)) => PaymentNotice::Declined { payment, code: "no".to_owned() },
            _ => PaymentNotice::Irrelevant,
        })
    }
}

/// Everything but sagas.
pub(super) struct House {
    pub(super) directory: TempDir,
    pub(super) router: Router,
    pub(super) journal: Journal,
    pub(super) subscriptions: Subscriptions,
    pub(super) rentals: Executor<Rental>,
    pub(super) items: Executor<Item>,
    pub(super) dispatches: Executor<Dispatch>,
    pub(super) payments: Executor<Payment>,
    pub(super) running: Running,
    pub(super) views: projections::Running,
    pub(super) keys: Keys,
    pub(super) door: Arc<Door>,
}

/// The door to payments: closed for so many seconds, unless that is none.
#[derive(Default)]
pub(super) struct Door(pub(super) AtomicU64);

impl PaymentDoor for Door {
    fn visit(&self) -> Result<(), Duration> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            seconds => Err(Duration::from_secs(seconds)),
        }
    }

    fn breaker(&self) -> &'static str {
        if self.visit().is_ok() { "closed" } else { "open" }
    }

    fn times_opened(&self) -> u64 {
        0
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn position(&self) -> u64 {
        self.header("journal-position").parse().unwrap()
    }

    /// The problem's slug, after looking at its shape.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }
}

/// A request in the making.
pub(super) struct Ask<'a> {
    house: &'a House,
    method: Method,
    path: String,
    who: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Ask<'_> {
    pub(super) fn by(mut self, who: &str) -> Self {
        self.who = Some(who.to_owned());
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.raw(&body.to_string()).header("content-type", "application/json")
    }

    pub(super) fn raw(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    pub(super) async fn send(self) -> Reply {
        let mut request = Request::builder().method(self.method).uri(self.path);
        if let Some(who) = self.who {
            let token = self.house.keys.mint(&who.parse().unwrap(), Duration::from_secs(60)).unwrap();
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body.map_or_else(Body::empty, Body::from)).unwrap();
        let response = self.house.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl House {
    pub(super) async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), Settings::default()).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), settings).await
    }

    pub(super) async fn open_in(directory: TempDir, settings: Settings) -> Self {
        let path: &Path = directory.path();
        let journal = Journal::open(path).unwrap();
        let subscriptions = Subscriptions::open(journal.clone(), path).unwrap();
        let views = Views::open(path).unwrap();
        let running_views = views.start(journal.clone(), &subscriptions).await.unwrap();
        let rentals = Executor::new::<Event>(journal.clone());
        let items = Executor::<Item>::new::<Event>(journal.clone());
        let dispatches = Executor::new::<Event>(journal.clone());
        let payments = Executor::new::<Event>(journal.clone());
        let keys = Keys::load_or_create(path).unwrap();
        let door = Arc::new(Door::default());
        let (router, running) = start(Parts {
            journal: journal.clone(),
            subscriptions: subscriptions.clone(),
            views,
            rentals: rentals.clone(),
            items: items.clone(),
            stores: Executor::<Store>::new::<Event>(journal.clone()),
            dispatches: dispatches.clone(),
            door: door.clone(),
            payments: payments.clone(),
            messages: Executor::new::<Event>(journal.clone()),
            contacts: Executor::new::<Event>(journal.clone()),
            payment_webhooks: std::sync::Arc::new(Seal),
            keys: keys.clone(),
            vault: Vault::open(path).unwrap(),
            settings,
        });
        Self {
            directory,
            router,
            journal,
            subscriptions,
            rentals,
            items,
            dispatches,
            payments,
            running,
            views: running_views,
            keys,
            door,
        }
    }

    /// Closes everything and opens it again on the same files.
    pub(super) async fn restarted(self) -> Self {
        let Self { directory, router, journal, subscriptions, rentals, items, dispatches, payments, .. } = self;
        self.running.stop().await;
        self.views.stop().await;
        journal.close().await;
        drop((router, journal, subscriptions, rentals, items, dispatches, payments));
        Self::open_in(directory, Settings::default()).await
    }

    fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask { house: self, method, path: path.to_owned(), who: None, headers: Vec::new(), body: None }
    }

    pub(super) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    pub(super) fn patch(&self, path: &str) -> Ask<'_> {
        self.ask(Method::PATCH, path)
    }

    pub(super) fn request(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method.parse().unwrap(), path)
    }

    /// A car rental in Seoul.
    pub(super) async fn seoul(&self) -> Reply {
        let reply = self.post("/v1/stores").by("admin").json(&seoul_cars()).send().await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply
    }

    /// A car rental in Seoul with one kind of car; answers the item's id.
    pub(super) async fn cars(&self, units: u32) -> String {
        self.seoul().await;
        let reply = self.post("/v1/stores/seoul-cars/items").by("staff:seoul-cars").json(&car(units)).send().await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// Alice asks for a car in a summer far away, and does not wait; answers the rental's id.
    pub(super) async fn requested(&self, item: &str) -> String {
        let asked = self.post("/v1/rentals").by("customer:alice").header("prefer", "respond-async");
        let reply = asked.json(&summer(item)).send().await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// The same, confirmed, and known to the store.
    pub(super) async fn confirmed(&self, item: &str) -> String {
        let id = self.requested(item).await;
        self.rental(&id, RentalCommand::Confirm { total: won(45_000), now: chrono::Utc::now() }).await;
        self.dispatched(&id, item).await;
        id
    }

    pub(super) async fn rental(&self, id: &str, command: RentalCommand) {
        self.rentals.execute(id, command, &saga()).await.unwrap();
    }

    pub(super) async fn dispatched(&self, id: &str, item: &str) {
        let rules = domain::policy::Policy::preset("car-rental").unwrap().rules;
        let command = DispatchCommand::Request {
            store: "seoul-cars".parse().unwrap(),
            customer: "alice".parse().unwrap(),
            item: item.parse().unwrap(),
            quantity: 1,
            period: None,
            steps: rules.steps,
            now: chrono::Utc::now(),
        };
        self.dispatches.execute(id, command, &saga()).await.unwrap();
    }

    /// Answers every event from now on as a saga would.
    pub(super) fn answering(&self, answer: fn(&Recorded, &Event) -> Option<RentalCommand>) {
        let (rentals, mut follower) = (self.rentals.clone(), self.journal.follow(self.journal.head()));
        tokio::spawn(async move {
            while let Ok(events) = follower.next(100).await {
                for event in events {
                    if let Some(command) = answer(&event, event.decoded(Event::decode).unwrap()) {
                        let id: RentalId = event.aggregate_id().parse().unwrap();
                        rentals.execute(&id.to_string(), command, &saga()).await.unwrap();
                    }
                }
            }
        });
    }

    /// How many events of a type there are.
    pub(super) async fn count(&self, event_type: &str) -> usize {
        let events = self.journal.read_all(0, 10_000).await.unwrap();
        events.iter().filter(|event| &*event.event_type == event_type).count()
    }
}

pub(super) fn saga() -> Context {
    Context {
        command_id: Uuid::now_v7(),
        correlation_id: "story".into(),
        causation_id: None,
        actor: "process:reservation".into(),
        seen_revision: None,
        fence: None,
    }
}

pub(super) fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, "KRW".to_owned().try_into().unwrap())
}

pub(super) fn seoul_cars() -> Value {
    json!({
        "slug": "seoul-cars", "name": "Seoul Cars", "policy": "car-rental", "time_zone": "Asia/Seoul", "currency": "KRW"
    })
}

pub(super) fn car(units: u32) -> Value {
    json!({ "name": "Compact", "price": { "amount_minor": 15_000, "currency": "KRW" }, "stock": units })
}

pub(super) fn summer(item: &str) -> Value {
    json!({ "item": item, "from": "2126-07-01", "to": "2126-07-04" })
}
