//! A journal in a directory of its own, with everything that gives orders to it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test program uses a part of it")]

use chrono::TimeDelta;
use domain::dispatch::{Dispatch, DispatchCommand};
use domain::inventory::{Item, ItemCommand, Stock};
use domain::message::Message;
use domain::payment::{Payment, PaymentStatus};
use domain::policy::{Action, By, Policy, Rules};
use domain::quota::Quota;
use domain::rental::{CancelledBy, Rental, RentalCommand, RentalError, RentalStatus, Terms};
use domain::store::{Store, StoreCommand};
use domain::{Currency, CustomerId, Instant, ItemId, Language, Money, PaymentId, Period, RentalId, StoreSlug};
use journal::{Context, ExecuteError, Executor, Journal, Owner, Source, Subscriptions};
use sagas::{Breaker, BreakerSettings, LogMessenger, Messenger, Parts, PaymentProvider, Running, Sagas};
use sagas::{Settings, SimulatedProvider};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

pub const UNITS: u32 = 10;

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// A clock that stands still until it is told otherwise.
#[derive(Clone)]
pub struct Hands(Arc<Mutex<Instant>>);

impl Hands {
    pub fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }

    pub fn set(&self, to: Instant) {
        *self.0.lock().unwrap() = to;
    }
}

pub struct World {
    pub journal: Journal,
    pub subscriptions: Subscriptions,
    pub rentals: Executor<Rental>,
    pub payments: Executor<Payment>,
    pub items: Executor<Item>,
    pub dispatches: Executor<Dispatch>,
    pub quotas: Executor<Quota>,
    pub stores: Executor<Store>,
    pub messages: Executor<Message>,
    pub provider: Arc<SimulatedProvider>,
    pub messenger: Arc<dyn Messenger>,
    pub hands: Hands,
    pub policy: Policy,
    pub item: ItemId,
    directory: PathBuf,
    source: Source,
    pub breaker: Breaker,
    _temporary: Option<tempfile::TempDir>,
}

pub fn context(correlation: &str) -> Context {
    Context {
        command_id: Uuid::now_v7(),
        correlation_id: correlation.into(),
        causation_id: None,
        actor: "test".into(),
        seen_revision: None,
        fence: None,
    }
}

pub fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::try_from("KRW".to_owned()).unwrap())
}

fn slug() -> StoreSlug {
    "shop".parse().unwrap()
}

/// Time-outs short enough for a test that waits for one.
pub fn settings() -> Settings {
    Settings {
        provider_timeout: Duration::from_millis(40),
        save_every: Duration::from_millis(20),
        tick: Duration::from_millis(2),
        ..Settings::default()
    }
}

impl World {
    /// A shop with one item of ten units.
    pub async fn new(preset: &str) -> Self {
        Self::with_rules(preset, |_| {}).await
    }

    pub async fn with_rules(preset: &str, change: impl FnOnce(&mut Rules)) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut policy = Policy::preset(preset).unwrap();
        change(&mut policy.rules);
        let provider = Arc::new(SimulatedProvider::default().with_slow(Duration::from_secs(1)));
        let world = Self::open_in(temporary, policy, provider);
        world.found().await;
        world
    }

    /// One item of which there is always enough.
    pub async fn made_to_order() -> Self {
        let world = Self::new("coffee-shop").await;
        let command = ItemCommand::Register {
            store: slug(),
            name: "Espresso".to_owned(),
            description: None,
            price: won(100),
            stock: Stock::Sale { units: None },
            now: world.hands.now(),
        };
        let item = ItemId(Uuid::from_u128(8));
        world.items.execute(&item.to_string(), command, &context("item")).await.unwrap();
        Self { item, ..world }
    }

    pub fn open_in(directory: tempfile::TempDir, policy: Policy, provider: Arc<SimulatedProvider>) -> Self {
        let world = Self::open(directory.path(), policy, provider);
        Self { _temporary: Some(directory), ..world }
    }

    /// One of several processes on a database, whose leases last so long when they are not renewed.
    pub async fn sharing(database: &str, owner: &str, lease: Duration, provider: Arc<SimulatedProvider>) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let address = database.parse().unwrap();
        let journal = Journal::connect(&address).await.unwrap();
        let subscriptions = Subscriptions::connect_with(journal.clone(), &address, Owner::named(owner), lease);
        let subscriptions = subscriptions.await.unwrap();
        let policy = Policy::preset("coffee-shop").unwrap();
        let world = Self::over(journal, subscriptions, temporary.path(), policy, provider);
        Self { source: Source::Postgres(address), _temporary: Some(temporary), ..world }
    }

    fn open(directory: &Path, policy: Policy, provider: Arc<SimulatedProvider>) -> Self {
        let journal = Journal::open(directory).unwrap();
        let subscriptions = Subscriptions::open(journal.clone(), directory).unwrap();
        Self::over(journal, subscriptions, directory, policy, provider)
    }

    fn over(
        journal: Journal,
        subscriptions: Subscriptions,
        directory: &Path,
        policy: Policy,
        provider: Arc<SimulatedProvider>,
    ) -> Self {
        Self {
            subscriptions,
            rentals: Executor::new::<domain::Event>(journal.clone()),
            payments: Executor::new::<domain::Event>(journal.clone()),
            items: Executor::new::<domain::Event>(journal.clone()),
            dispatches: Executor::new::<domain::Event>(journal.clone()),
            quotas: Executor::new::<domain::Event>(journal.clone()),
            stores: Executor::new::<domain::Event>(journal.clone()),
            messages: Executor::new::<domain::Event>(journal.clone()),
            provider,
            messenger: Arc::new(LogMessenger::open(directory).unwrap()),
            hands: Hands(Arc::new(Mutex::new(at("2026-07-01T00:00:00Z")))),
            policy,
            item: ItemId(Uuid::from_u128(7)),
            directory: directory.to_owned(),
            source: Source::Directory(directory.to_owned()),
            breaker: Breaker::new(
                "test",
                BreakerSettings { open_for: Duration::from_millis(100), ..BreakerSettings::default() },
            ),
            journal,
            _temporary: None,
        }
    }

    pub async fn found(&self) {
        let command = StoreCommand::Register {
            slug: slug(),
            name: "Shop".to_owned(),
            policy: Box::new(self.policy.clone()),
            time_zone: chrono_tz::Tz::UTC,
            currency: won(0).currency,
            now: self.hands.now(),
        };
        self.stores.execute("shop", command, &context("shop")).await.unwrap();
        let stock = match self.policy.rules.stock {
            domain::policy::StockKind::Pool => Stock::Pool { units: UNITS },
            domain::policy::StockKind::Sale => Stock::Sale { units: Some(UNITS) },
            domain::policy::StockKind::Seats => Stock::Seats { seats: (0..UNITS).map(|n| format!("A{n}")).collect() },
        };
        let command = ItemCommand::Register {
            store: slug(),
            name: "Thing".to_owned(),
            description: None,
            price: won(100),
            stock,
            now: self.hands.now(),
        };
        self.items.execute(&self.item.to_string(), command, &context("item")).await.unwrap();
    }

    pub async fn start(&self) -> Running {
        self.start_with(settings()).await
    }

    pub async fn start_with(&self, settings: Settings) -> Running {
        self.start_paying(settings, self.provider.clone()).await
    }

    pub async fn start_paying(&self, settings: Settings, provider: Arc<dyn PaymentProvider>) -> Running {
        let hands = self.hands.clone();
        Sagas::start(Parts {
            subscriptions: self.subscriptions.clone(),
            names: Sagas::NAMES.to_vec(),
            source: self.source.clone(),
            rentals: self.rentals.clone(),
            payments: self.payments.clone(),
            items: self.items.clone(),
            dispatches: self.dispatches.clone(),
            quotas: self.quotas.clone(),
            stores: self.stores.clone(),
            messages: self.messages.clone(),
            provider,
            breaker: self.breaker.clone(),
            messenger: self.messenger.clone(),
            clock: Arc::new(move || hands.now()),
            settings,
        })
        .await
        .unwrap()
    }

    pub async fn request(&self, customer: &str, method: &str) -> RentalId {
        self.request_as(RentalId(Uuid::now_v7()), customer, method).await
    }

    /// The same for somebody who would wait in line.
    pub async fn request_patiently(&self, customer: &str) -> RentalId {
        self.ask(RentalId(Uuid::now_v7()), customer, "pm_ok", true).await
    }

    pub async fn request_as(&self, rental: RentalId, customer: &str, method: &str) -> RentalId {
        self.ask(rental, customer, method, false).await
    }

    async fn ask(&self, rental: RentalId, customer: &str, method: &str, wait: bool) -> RentalId {
        let pool = self.policy.rules.stock == domain::policy::StockKind::Pool;
        let terms = Terms {
            customer: customer.parse::<CustomerId>().unwrap(),
            store: slug(),
            item: self.item,
            quantity: 1,
            period: pool.then(|| Period::new(at("2026-07-10T00:00:00Z"), at("2026-07-13T00:00:00Z")).unwrap()),
            seats: vec![],
            wait,
            payment_method: method.to_owned(),
            policy: self.policy.name.clone(),
            rules: self.policy.rules.clone(),
            time_zone: chrono_tz::Tz::UTC,
            language: Language::En,
        };
        let command = RentalCommand::Request { terms: Box::new(terms), now: self.hands.now() };
        let id = rental.to_string();
        self.rentals.execute_new(&id, command, &context(&id)).await.unwrap();
        rental
    }

    pub async fn rental(&self, rental: RentalId, command: RentalCommand) {
        let id = rental.to_string();
        self.rentals.execute(&id, command, &context(&id)).await.unwrap();
    }

    /// Leaves the shop with so many units.
    pub async fn with_units(self, units: u32) -> Self {
        let command = ItemCommand::AdjustStock {
            adjustment: Uuid::now_v7(),
            change: i64::from(units) - i64::from(UNITS),
            reason: None,
            now: self.hands.now(),
        };
        self.items.execute(&self.item.to_string(), command, &context("item")).await.unwrap();
        self
    }

    pub async fn cancel(&self, rental: RentalId) {
        let by = CancelledBy::Customer;
        self.rental(rental, RentalCommand::RequestCancellation { by, reason: None, now: self.hands.now() }).await;
    }

    /// Asks to keep it longer. Told again after a crash, it may have been cancelled or brought back since.
    pub async fn extend(&self, rental: RentalId, to: Instant) {
        let (id, now) = (rental.to_string(), self.hands.now());
        let command = RentalCommand::RequestExtension { to, now };
        match self.rentals.execute(&id, command, &context(&id)).await {
            Ok(_) | Err(ExecuteError::Refused(RentalError::WrongStatus { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Pays in another way. Told again after a crash, nothing may be owed any more.
    pub async fn pay_late_fee(&self, rental: RentalId, method: &str) {
        let (id, method, now) = (rental.to_string(), method.to_owned(), self.hands.now());
        match self.rentals.execute(&id, RentalCommand::PayLateFee { method, now }, &context(&id)).await {
            Ok(_) | Err(ExecuteError::Refused(RentalError::NothingOwed { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// From when to when, as it is agreed now.
    pub async fn period(&self, rental: RentalId) -> Option<Period> {
        self.rentals.inspect(&rental.to_string(), |rental, _| rental.period()).await.unwrap()
    }

    pub async fn prepare(&self, rental: RentalId) {
        self.dispatch(rental, DispatchCommand::Prepare { store_open: true, now: self.hands.now() }).await;
    }

    pub async fn hand_over(&self, rental: RentalId) {
        self.dispatch(rental, DispatchCommand::HandOver { store_open: true, now: self.hands.now() }).await;
    }

    async fn dispatch(&self, rental: RentalId, command: DispatchCommand) {
        let id = rental.to_string();
        self.dispatches.execute(&id, command, &context(&id)).await.unwrap();
    }

    pub async fn status(&self, rental: RentalId) -> Option<RentalStatus> {
        self.rentals.inspect(&rental.to_string(), |rental, _| rental.status()).await.unwrap()
    }

    pub async fn payment(&self, payment: PaymentId) -> Option<PaymentStatus> {
        self.payments.inspect(&payment.to_string(), |payment, _| payment.status()).await.unwrap()
    }

    pub async fn holds(&self, rental: RentalId) -> bool {
        self.items.inspect(&self.item.to_string(), |item, _| item.holds(rental)).await.unwrap()
    }

    /// Waits until something is so, looking whenever something has happened.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, so: impl Fn() -> F) {
        let wait = async {
            let mut head = self.journal.watch_head();
            loop {
                head.borrow_and_update();
                if so().await {
                    return;
                }
                head.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), wait).await.is_err() {
            panic!("never: {what}\n{:#?}\n{}", self.subscriptions.list(), self.history().await);
        }
    }

    pub async fn until_status(&self, rental: RentalId, status: RentalStatus) {
        self.until(&format!("{rental} is {status}"), || async { self.status(rental).await == Some(status) }).await;
    }

    /// Waits until something is so, an hour being a few seconds.
    pub async fn as_time_goes_by<F: Future<Output = bool>>(&self, so: impl Fn() -> F) {
        let mut time = tokio::time::interval(Duration::from_millis(5));
        for _ in 0..2_000 {
            if so().await {
                return;
            }
            time.tick().await;
            self.hands.advance(TimeDelta::seconds(1));
        }
        panic!("never\n{}", self.history().await);
    }

    /// Waits for an event of that type.
    pub async fn until_event(&self, event_type: &str) {
        let seen = || async {
            let events = self.journal.read_all(0, usize::MAX).await.unwrap();
            events.iter().any(|event| *event.event_type == *event_type)
        };
        self.until(event_type, seen).await;
    }

    /// Waits until the process managers have handled all there is.
    pub async fn quiet(&self) {
        let wait = async {
            loop {
                let head = self.journal.head();
                let caught_up = self.subscriptions.list().iter().all(|it| it.position >= head);
                // What the last event ordered would be in the journal by now: an event counts when its orders are carried out.
                if caught_up && self.journal.head() == head {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), wait).await.is_err() {
            panic!("never quiet: {:?}\n{}", self.subscriptions.list(), self.history().await);
        }
    }

    /// What customers have been told, line by line, as it stands in the messenger's file.
    pub fn told(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.directory.join("messages.log")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// On which occasions customers were told something, in that order.
    pub fn occasions(&self) -> Vec<String> {
        self.told().iter().map(|line| line["occasion"].as_str().unwrap().to_owned()).collect()
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub async fn types(&self) -> Vec<String> {
        let events = self.journal.read_all(0, usize::MAX).await.unwrap();
        events.iter().map(|event| event.event_type.to_string()).collect()
    }

    pub async fn history(&self) -> String {
        let events = self.journal.read_all(0, usize::MAX).await.unwrap();
        events.iter().map(|event| format!("{:>4} {} {}\n", event.position, event.stream, event.event_type)).collect()
    }

    pub fn charged(&self, payment: PaymentId) -> i64 {
        self.provider.entry(payment).and_then(|entry| entry.charged).map_or(0, |amount| amount.amount_minor)
    }

    pub fn refunded(&self, payment: PaymentId) -> i64 {
        self.provider.entry(payment).map_or(0, |entry| entry.refunded_minor)
    }
}

/// The engine takes every step.
pub fn by_engine(rules: &mut Rules) {
    for step in &mut rules.steps {
        step.by = By::Engine;
    }
    assert!(rules.steps.iter().any(|step| step.action == Action::HandOver));
}
