//! Customers who want one rental each, whatever happens to the program: they ask again, with the same key.

use harness::{Client, Reply, Request, Seed, Shop, july};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const AT_ONCE: usize = 64;
const NAMES: usize = 50;
/// Nothing is asked for longer than this.
const PATIENCE: Duration = Duration::from_secs(300);

/// Every behaviour of the provider, and the usual one more often.
const METHODS: [&str; 21] = [
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_declined",
    "pm_insufficient_funds",
    "pm_of_nobody",
    "pm_server_error",
    "pm_slow",
    "pm_charged_but_timed_out",
    "pm_not_charged_but_timed_out",
    "pm_duplicate_webhook",
    "pm_late_webhook",
    "pm_webhook_first",
    "pm_in_flight",
    "pm_refund_fails_once",
    "pm_refund_answer_lost",
    "pm_ok",
];

/// What one customer knows in the end.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) rental: Option<String>,
    /// Answered with 201.
    pub(super) confirmed: bool,
    pub(super) asked_to_cancel: bool,
    /// Answered with 200.
    pub(super) cancelled: bool,
    /// Answers that nobody should get.
    pub(super) strange: Vec<String>,
}

/// All of them, and the program that serves them now, if one does.
pub(super) struct Customers {
    server: watch::Sender<Option<Client>>,
    answered: watch::Receiver<usize>,
    tasks: JoinSet<Vec<Known>>,
}

/// What they share.
struct Street {
    server: watch::Receiver<Option<Client>>,
    item: String,
    sagas: usize,
    next: AtomicUsize,
    answered: watch::Sender<usize>,
}

impl Customers {
    /// They wait until somebody serves them.
    pub(super) fn begin(shop: &Shop, sagas: usize, seed: &mut Seed) -> Self {
        for number in 0..NAMES {
            shop.data().token(&principal(number));
        }
        let (server, serving) = watch::channel(None);
        let (counter, answered) = watch::channel(0);
        let next = AtomicUsize::new(0);
        let street = Arc::new(Street { server: serving, item: shop.item.clone(), sagas, next, answered: counter });
        let mut tasks = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (street, seed) = (street.clone(), seed.split());
            tasks.spawn(street.walk(seed));
        }
        Self { server, answered, tasks }
    }

    /// From now on that one serves them; or nobody.
    pub(super) fn are_served_by(&self, client: Option<Client>) {
        self.server.send_replace(client);
    }

    /// Waits until so many of them have their answer.
    pub(super) async fn answered(&self, many: usize) {
        let mut answered = self.answered.clone();
        // The counter lives as long as anybody counts; then all are answered.
        let _ = tokio::time::timeout(PATIENCE, answered.wait_for(|count| *count >= many)).await.expect("answers come");
    }

    /// Waits until all have gone, with what they know.
    pub(super) async fn gone(self) -> Vec<Known> {
        tokio::time::timeout(PATIENCE, self.tasks.join_all()).await.expect("they end").into_iter().flatten().collect()
    }
}

fn principal(number: usize) -> String {
    format!("customer:passer-by-{}", number % NAMES)
}

impl Street {
    async fn walk(self: Arc<Self>, mut seed: Seed) -> Vec<Known> {
        let mut all = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.sagas {
                return all;
            }
            all.push(self.saga(number, &mut seed).await);
            self.answered.send_modify(|count| *count += 1);
        }
    }

    async fn saga(&self, number: usize, seed: &mut Seed) -> Known {
        let mut known = Known::default();
        let mut pick = |limit: usize| usize::try_from(seed.below(limit as u64)).unwrap_or(0);
        let (from, method) = (1 + u32::try_from(pick(25)).unwrap_or(0), METHODS[pick(METHODS.len())]);
        let (patience, cancels) = (pick(3), pick(3) == 0);
        let preference = ["respond-async", "wait=1", "wait=20"][patience];
        let body = json!({ "item": self.item, "from": july(from), "to": july(from + 2), "payment_method": method });
        let booking = |client: &Client| {
            let request = client.post("/v1/rentals").by(principal(number)).json(body.clone());
            request.header("prefer", preference).header("idempotency-key", format!("saga-{number}"))
        };
        let reply = self.asked(booking, &mut known).await;
        match reply.status {
            201 => (known.rental, known.confirmed) = (Some(reply.id()), true),
            202 => known.rental = Some(reply.id()),
            402 => {}
            _ => known.strange.push(format!("a booking by {method}: {} {}", reply.status, reply.text)),
        }
        let Some(rental) = known.rental.clone().filter(|_| cancels) else { return known };
        known.asked_to_cancel = true;
        let cancellation = |client: &Client| {
            let request = client.post(format!("/v1/rentals/{rental}/cancel")).by(principal(number)).json(json!({}));
            request.header("prefer", preference).header("idempotency-key", format!("cancel-{number}"))
        };
        let reply = self.asked(cancellation, &mut known).await;
        match reply.status {
            200 => known.cancelled = true,
            202 => {}
            // Declined meanwhile: there is nothing to cancel.
            409 if !known.confirmed => {}
            _ => known.strange.push(format!("a cancellation by {method}: {} {}", reply.status, reply.text)),
        }
        known
    }

    /// The first answer that is not "come back", of whoever serves then.
    async fn asked(&self, request: impl Fn(&Client) -> Request, known: &mut Known) -> Reply {
        let mut server = self.server.clone();
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "nobody answers");
            let client = server.wait_for(Option::is_some).await.ok().and_then(|client| client.clone());
            let Some(client) = client else { panic!("there will be no server any more") };
            let Ok(reply) = request(&client).sent().await else {
                // It was killed; whoever is next is waited for, and a moment in any case.
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            if reply.status != 503 {
                return reply;
            }
            match reply.header("retry-after").and_then(|text| text.parse().ok()) {
                Some(pause) => sleep(Duration::from_secs(pause)).await,
                None => known.strange.push(format!("503 without an end: {}", reply.text)),
            }
        }
    }
}
