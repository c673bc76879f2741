//! Requests by the clock, whether those before were answered or not; or one after the other, as fast as they are answered.

use crate::users::principal;
use chrono::{DateTime, Utc};
use harness::wire::{self, Connection};
use harness::{Shop, august, july};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

const CUSTOMERS: usize = 16;
const ITEMS: usize = 50;
const REQUESTS: usize = 6_000;
/// Fewer than a listener lets wait.
const OPENED_AT_ONCE: usize = 64;

/// Bookings that were built before, to be sent over and over.
#[derive(Clone)]
pub(crate) struct Crowd {
    host: String,
    requests: Arc<[Vec<u8>]>,
}

/// How they come.
#[derive(Clone, Copy)]
pub(crate) enum Arrivals {
    /// As many at once.
    Closed { at_once: usize },
    /// So many per second, over as many connections as that.
    Open { per_second: u64, connections: usize },
}

/// What was answered.
#[derive(Default)]
pub(crate) struct Answers {
    /// When the first of them came.
    pub(crate) begun: DateTime<Utc>,
    pub(crate) confirmed: usize,
    pub(crate) undecided: usize,
    pub(crate) asked_back: usize,
    /// Of those, how many do not say when to come back.
    pub(crate) mute: usize,
    pub(crate) others: usize,
    /// Connections that ended before the answer.
    pub(crate) broken: usize,
    /// Sorted, of 201 and 202, since they were due.
    pub(crate) taken: Vec<Duration>,
    /// Sorted, of 503, since they were sent.
    pub(crate) refused: Vec<Duration>,
}

impl Crowd {
    /// Of a shop that gets more items for it.
    pub(crate) async fn of(shop: &Shop) -> Self {
        let mut items = vec![shop.item.clone()];
        for _ in 1..ITEMS {
            items.push(shop.another_item(crate::users::CARS).await);
        }
        shop.settled().await;
        let tokens: Vec<String> = (0..CUSTOMERS).map(|number| shop.data().token(&principal(number))).collect();
        let request = |number: usize| {
            let day = 1 + u32::try_from(number % 25).unwrap_or(0);
            let date = if number.is_multiple_of(2) { july } else { august };
            let body = json!({ "item": items[number % ITEMS], "from": date(day), "to": date(day + 2) });
            wire::post("/v1/rentals", &tokens[number % CUSTOMERS], &body.to_string())
        };
        let host = shop.address().trim_start_matches("http://").to_owned();
        Self { host, requests: (0..REQUESTS).map(request).collect() }
    }

    /// Where they go to.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// One of them.
    pub(crate) fn request(&self) -> &[u8] {
        &self.requests[0]
    }

    /// They come for that long; returns when all are answered.
    pub(crate) async fn come(&self, arrivals: Arrivals, duration: Duration) -> Answers {
        let connections = match arrivals {
            Arrivals::Closed { at_once } => at_once,
            Arrivals::Open { connections, .. } => connections,
        };
        let mut opening = JoinSet::new();
        let mut opened = Vec::new();
        for _ in 0..connections {
            let host = self.host.clone();
            opening.spawn(async move { Connection::open(&host).await.expect("the server takes connections") });
            if opening.len() >= OPENED_AT_ONCE {
                opened.extend(opening.join_next().await.map(Result::unwrap));
            }
        }
        opened.extend(opening.join_all().await);
        let (begun, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for connection in opened {
            let visitor = Visitor { crowd: self.clone(), next: next.clone(), begun, arrivals, end: begun + duration };
            tasks.spawn(visitor.come(connection));
        }
        let mut all = Answers { begun: Utc::now(), ..Answers::default() };
        for part in tasks.join_all().await {
            all.add(part);
        }
        all.sort();
        all
    }
}

struct Visitor {
    crowd: Crowd,
    next: Arc<AtomicU64>,
    begun: Instant,
    arrivals: Arrivals,
    end: Instant,
}

impl Visitor {
    async fn come(self, mut connection: Connection) -> Answers {
        let mut answers = Answers::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let due = match self.arrivals {
                Arrivals::Closed { .. } => Instant::now(),
                Arrivals::Open { per_second, .. } => {
                    self.begun + Duration::from_nanos(number * 1_000_000_000 / per_second.max(1))
                }
            };
            if due >= self.end {
                return answers;
            }
            sleep_until(due.into()).await;
            let sent = Instant::now();
            let index = usize::try_from(number).unwrap_or(0) % self.crowd.requests.len();
            match connection.exchange(&self.crowd.requests[index]).await {
                Ok(answer) => answers.count(answer, due, sent),
                Err(_) => {
                    answers.broken += 1;
                    match Connection::open(&self.crowd.host).await {
                        Ok(another) => connection = another,
                        Err(_) => return answers,
                    }
                }
            }
        }
    }
}

impl Answers {
    fn count(&mut self, answer: wire::Answer, due: Instant, sent: Instant) {
        match answer.status {
            201 | 202 => {
                *(if answer.status == 201 { &mut self.confirmed } else { &mut self.undecided }) += 1;
                self.taken.push(due.elapsed());
            }
            503 => {
                self.asked_back += 1;
                self.mute += usize::from(answer.retry_after_s.is_none());
                self.refused.push(sent.elapsed());
            }
            _ => self.others += 1,
        }
    }

    /// Puts the waits in order, after others were added.
    pub(crate) fn sort(&mut self) {
        self.taken.sort_unstable();
        self.refused.sort_unstable();
    }

    /// Takes in those of another time.
    pub(crate) fn add(&mut self, other: Self) {
        self.confirmed += other.confirmed;
        self.undecided += other.undecided;
        self.asked_back += other.asked_back;
        self.mute += other.mute;
        self.others += other.others;
        self.broken += other.broken;
        self.taken.extend(other.taken);
        self.refused.extend(other.refused);
    }

    /// How many there are.
    pub(crate) const fn all(&self) -> usize {
        self.confirmed + self.undecided + self.asked_back + self.others + self.broken
    }
}
