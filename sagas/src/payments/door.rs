//! What the breaker around the provider says, for those who let customers in: in this process or in another one.
//!
//! Whoever makes the calls tells where its breaker stands, beside how far it is. **While nobody makes calls the door is open**:
//! rentals are taken then, and settle when somebody does.

use super::{Breaker, BreakerState, Payments};
use crate::runner::Process as _;
use journal::Subscriptions;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

/// What was told is looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const A_SECOND: Duration = Duration::from_secs(1);

/// What is told of a breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// Which breaker.
    id: Uuid,
    /// Where it stands.
    breaker: String,
    /// For how much longer it is open.
    open_ms: u64,
    /// How often it has opened.
    opened: u64,
}

impl Told {
    fn of(breaker: &Breaker) -> Self {
        let state = breaker.state();
        let open = if let BreakerState::Open(left) = state { left } else { Duration::ZERO };
        let open_ms = u64::try_from(open.as_millis()).unwrap_or(u64::MAX);
        Self { id: breaker.id(), breaker: state.name().to_owned(), open_ms, opened: breaker.times_opened() }
    }
}

/// Tells of a breaker for as long as this exists.
pub(crate) struct Telling(JoinHandle<()>);

impl Telling {
    pub(crate) fn of(breaker: Breaker, tell: impl Fn(serde_json::Value) + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            let mut turns = breaker.watch();
            loop {
                // An open breaker whose time is over turns when it is looked at.
                let _ = breaker.state();
                turns.borrow_and_update();
                // What is made of texts and numbers is always JSON.
                tell(serde_json::to_value(Told::of(&breaker)).unwrap_or_default());
                let open = async {
                    match breaker.state() {
                        BreakerState::Open(left) => tokio::time::sleep(left).await,
                        BreakerState::Closed | BreakerState::HalfOpen => std::future::pending().await,
                    }
                };
                tokio::select! {
                    turned = turns.changed() => if turned.is_err() { return },
                    () = open => {}
                }
            }
        }))
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The door to whatever has to be paid. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    breaker: Breaker,
    /// Nothing where only this process makes calls.
    others: Option<Others>,
}

#[derive(Clone)]
struct Others {
    subscriptions: Subscriptions,
    seen: Arc<Mutex<Seen>>,
}

/// What was told last, and who came since.
struct Seen {
    looked: Option<Instant>,
    told: Option<Told>,
    open_until: Instant,
    visitors: u32,
    visits_since: Instant,
}

impl Seen {
    fn new() -> Self {
        let now = Instant::now();
        Self { looked: None, told: None, open_until: now, visitors: 0, visits_since: now }
    }

    fn take_in(&mut self, told: Option<Told>) {
        let now = Instant::now();
        self.looked = Some(now);
        if self.told == told {
            return;
        }
        let open = told.as_ref().map_or(0, |told| told.open_ms);
        self.open_until = now + Duration::from_millis(open);
        (self.visitors, self.visits_since) = (0, now);
        self.told = told;
    }

    /// While others try whether the provider is back, as many are let in as there may be probes, in each second.
    fn visit(&mut self, probes: u32) -> Result<(), Duration> {
        let now = Instant::now();
        match self.told.as_ref().map_or("closed", |told| &told.breaker) {
            "open" => Err(self.open_until.saturating_duration_since(now)),
            "half_open" => {
                if now.saturating_duration_since(self.visits_since) >= A_SECOND {
                    (self.visitors, self.visits_since) = (0, now);
                }
                if self.visitors >= probes {
                    return Err(A_SECOND);
                }
                self.visitors += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Door {
    /// Where calls are made in this process alone.
    #[must_use]
    pub const fn alone(breaker: Breaker) -> Self {
        Self { breaker, others: None }
    }

    /// Where another process may make them.
    #[must_use]
    pub fn shared(breaker: Breaker, subscriptions: Subscriptions) -> Self {
        let seen = Arc::new(Mutex::new(Seen::new()));
        Self { breaker, others: Some(Others { subscriptions, seen }) }
    }

    /// Whether somebody who is to pay had better come in now.
    ///
    /// # Errors
    /// When they had better not: after which time to come back.
    pub fn visit(&self) -> Result<(), Duration> {
        let probes = self.breaker.probes();
        self.elsewhere(|seen| seen.visit(probes)).unwrap_or_else(|| self.breaker.visit())
    }

    /// Where the breaker stands: `closed`, `open` or `half_open`.
    #[must_use]
    pub fn breaker(&self) -> &'static str {
        let state = self.elsewhere(|seen| match seen.told.as_ref().map(|told| told.breaker.as_str()) {
            Some("open") => "open",
            Some("half_open") => "half_open",
            Some(_) | None => "closed",
        });
        state.unwrap_or_else(|| self.breaker.state().name())
    }

    /// How often it has opened since whoever makes the calls began to.
    #[must_use]
    pub fn times_opened(&self) -> u64 {
        let opened = self.elsewhere(|seen| seen.told.as_ref().map_or(0, |told| told.opened));
        opened.unwrap_or_else(|| self.breaker.times_opened())
    }

    /// Looks at what others tell; `None` where this process makes the calls.
    fn elsewhere<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> Option<T> {
        let Others { subscriptions, seen } = self.others.as_ref()?;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.is_none_or(|looked| looked.elapsed() >= LOOK_AGAIN) {
            let note = subscriptions.note(Payments::NAME);
            // A note that says something else is of another version of this program: it tells nothing.
            seen.take_in(note.and_then(|note| serde_json::from_value(note).ok()));
        }
        let is_ours = seen.told.as_ref().is_some_and(|told| told.id == self.breaker.id());
        if is_ours { None } else { Some(look(&mut seen)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BreakerSettings;

    fn told(breaker: &Breaker) -> Option<Told> {
        Some(Told::of(breaker))
    }

    #[tokio::test(start_paused = true)]
    async fn others_keep_out_whom_the_breaker_would_and_let_a_few_in_to_find_out() {
        let settings = BreakerSettings::default();
        let breaker = Breaker::new("test", settings);
        let mut seen = Seen::new();
        assert_eq!(seen.visit(settings.probes), Ok(()));
        seen.take_in(told(&breaker));
        assert_eq!(seen.visit(settings.probes), Ok(()));
        for _ in 0..settings.failures_in_a_row {
            breaker.enter().unwrap().failed();
        }
        seen.take_in(told(&breaker));
        tokio::time::advance(settings.open_for / 2).await;
        assert_eq!(seen.visit(settings.probes), Err(settings.open_for / 2));
        tokio::time::advance(settings.open_for).await;
        seen.take_in(told(&breaker));
        for _ in 0..settings.probes {
            assert_eq!(seen.visit(settings.probes), Ok(()));
        }
        assert_eq!(seen.visit(settings.probes), Err(A_SECOND));
        seen.take_in(None);
        assert_eq!(seen.visit(settings.probes), Ok(()), "nobody makes calls: rentals are taken");
    }

    #[tokio::test(start_paused = true)]
    async fn every_turn_of_the_breaker_is_told() {
        let settings = BreakerSettings::default();
        let breaker = Breaker::new("test", settings);
        let (told, mut notes) = tokio::sync::mpsc::unbounded_channel();
        let _telling = Telling::of(breaker.clone(), move |note| told.send(note).unwrap());
        assert_eq!(notes.recv().await.unwrap()["breaker"], "closed");
        for _ in 0..settings.failures_in_a_row {
            breaker.enter().unwrap().failed();
        }
        let note = notes.recv().await.unwrap();
        assert_eq!((note["breaker"].as_str(), note["opened"].as_u64()), (Some("open"), Some(1)));
        assert_eq!(notes.recv().await.unwrap()["breaker"], "half_open");
        for _ in 0..settings.probes {
            breaker.enter().unwrap().succeeded();
        }
        assert_eq!(notes.recv().await.unwrap()["breaker"], "closed");
    }
}
