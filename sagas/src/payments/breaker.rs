//! A circuit breaker: when the provider fails, it is left alone for a while, and then asked by a few before by all.
//!
//! Time is Tokio's, so that tests can stop it. Results count in the round in which their call was let through: what was
//! asked before the breaker opened neither closes nor opens it again.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many failures in a row open it. One whose call began before the last success is not in the row: of calls that are made
    /// together, those that are not answered in time are always the last to end.
    pub failures_in_a_row: u32,
    /// Of so many of the newest calls …
    pub window: usize,
    /// … this many per cent of failures open it too, …
    pub failure_percent: usize,
    /// … once there have been so many calls.
    pub at_least: usize,
    /// How long it stays open before it is tried.
    pub open_for: Duration,
    /// So many calls at once while it is being tried; so many successes close it.
    pub probes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures_in_a_row: 5,
            window: 100,
            failure_percent: 50,
            at_least: 20,
            open_for: Duration::from_secs(2),
            probes: 3,
        }
    }
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Every call is let through.
    Closed,
    /// None is, for as long as this.
    Open(Duration),
    /// A few are, to find out.
    HalfOpen,
}

impl BreakerState {
    /// As it is measured and logged.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open(_) => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// A circuit breaker. Cheap to clone; clones are the same breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    name: &'static str,
    settings: BreakerSettings,
    id: Uuid,
    inner: Arc<Mutex<Inner>>,
    turned: Arc<watch::Sender<u64>>,
}

#[derive(Debug)]
struct Inner {
    position: Position,
    /// Counts the changes of position: a result of an earlier round is forgotten.
    round: u64,
    opened: u64,
}

#[derive(Debug)]
enum Position {
    Closed { newest: VecDeque<bool>, failures: usize, in_a_row: u32, successes: u64 },
    Open { until: Instant },
    HalfOpen { in_flight: u32, successes: u32, visitors: u32, visits_since: Instant },
}

impl Position {
    fn closed() -> Self {
        Self::Closed { newest: VecDeque::new(), failures: 0, in_a_row: 0, successes: 0 }
    }

    const fn half_open(now: Instant) -> Self {
        Self::HalfOpen { in_flight: 0, successes: 0, visitors: 0, visits_since: now }
    }
}

/// A call that was let through. Dropped without a result (the caller has gone) it counts as if it had never been.
#[derive(Debug)]
#[must_use = "a call tells how it ended"]
pub struct Passage<'a> {
    breaker: &'a Breaker,
    round: u64,
    /// How many calls of this round had succeeded when it began.
    after_successes: u64,
    told: bool,
}

impl Breaker {
    /// A closed breaker; the name is for logs.
    #[must_use]
    pub fn new(name: &'static str, settings: BreakerSettings) -> Self {
        let inner = Inner { position: Position::closed(), round: 0, opened: 0 };
        let turned = Arc::new(watch::Sender::new(0));
        Self { name, settings, id: Uuid::now_v7(), inner: Arc::new(Mutex::new(inner)), turned }
    }

    /// Tells it from all others.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }

    /// How many calls are made at once to find out whether the provider is back.
    pub(crate) const fn probes(&self) -> u32 {
        self.settings.probes
    }

    /// Changes whenever it turns by what calls come to.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.turned.subscribe()
    }

    /// Closes it: whoever begins to make calls knows nothing of those that were made before.
    pub(crate) fn begin_anew(&self) {
        let mut inner = self.lock();
        if !matches!(inner.position, Position::Closed { .. }) {
            self.turn(&mut inner, Position::closed(), "closed");
        }
    }

    /// Lets a call through, or says for how long at least none is.
    ///
    /// # Errors
    /// While it is open, and while as many probes as may be are under way.
    pub fn enter(&self) -> Result<Passage<'_>, Duration> {
        let mut inner = self.ready();
        let after_successes = match &mut inner.position {
            Position::Closed { successes, .. } => *successes,
            Position::Open { until } => return Err(until.saturating_duration_since(Instant::now())),
            Position::HalfOpen { in_flight, .. } if *in_flight < self.settings.probes => {
                *in_flight += 1;
                0
            }
            Position::HalfOpen { .. } => return Err(Duration::ZERO),
        };
        Ok(Passage { breaker: self, round: inner.round, after_successes, told: false })
    }

    /// Whether somebody whose call comes later had better come in at all; if not, after which time to ask again.
    ///
    /// While the breaker is being tried, as many are let in as there may be probes, and as many again after each second:
    /// not every visitor makes a call.
    ///
    /// # Errors
    /// When they had better not.
    pub fn visit(&self) -> Result<(), Duration> {
        const A_SECOND: Duration = Duration::from_secs(1);
        let mut inner = self.ready();
        match &mut inner.position {
            Position::Closed { .. } => Ok(()),
            Position::Open { until } => Err(until.saturating_duration_since(Instant::now())),
            Position::HalfOpen { visitors, visits_since, .. } => {
                if visits_since.elapsed() >= A_SECOND {
                    (*visitors, *visits_since) = (0, Instant::now());
                }
                if *visitors >= self.settings.probes {
                    return Err(A_SECOND);
                }
                *visitors += 1;
                Ok(())
            }
        }
    }

    /// Where it stands now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.ready().position {
            Position::Closed { .. } => BreakerState::Closed,
            Position::Open { until } => BreakerState::Open(until.saturating_duration_since(Instant::now())),
            Position::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// How often it has opened.
    #[must_use]
    pub fn times_opened(&self) -> u64 {
        self.lock().opened
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An open breaker whose time is over is half open.
    fn ready(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        let now = Instant::now();
        if matches!(inner.position, Position::Open { until } if until <= now) {
            self.turn(&mut inner, Position::half_open(now), "half_open");
        }
        inner
    }

    fn turn(&self, inner: &mut Inner, position: Position, state: &'static str) {
        tracing::warn!(breaker = self.name, state, "a circuit breaker has turned");
        inner.position = position;
        inner.round += 1;
        self.turned.send_replace(inner.round);
    }

    fn open(&self, inner: &mut Inner) {
        let until = Instant::now() + self.settings.open_for;
        inner.opened += 1;
        self.turn(inner, Position::Open { until }, "open");
    }

    fn succeeded(&self, round: u64) {
        let mut inner = self.lock();
        if inner.round != round {
            return;
        }
        match &mut inner.position {
            Position::Closed { newest, failures, in_a_row, successes } => {
                *successes += 1;
                *in_a_row = 0;
                remember(newest, failures, false, self.settings.window);
            }
            Position::HalfOpen { in_flight, successes, .. } => {
                *in_flight = in_flight.saturating_sub(1);
                *successes += 1;
                if *successes >= self.settings.probes {
                    self.turn(&mut inner, Position::closed(), "closed");
                }
            }
            Position::Open { .. } => {}
        }
    }

    fn failed(&self, round: u64, after_successes: u64) {
        let mut inner = self.lock();
        if inner.round != round {
            return;
        }
        let BreakerSettings { failures_in_a_row, window, failure_percent, at_least, .. } = self.settings;
        match &mut inner.position {
            Position::Closed { newest, failures, in_a_row, successes } => {
                *in_a_row += u32::from(*successes == after_successes);
                remember(newest, failures, true, window);
                let too_many = newest.len() >= at_least && *failures * 100 >= newest.len() * failure_percent;
                if *in_a_row >= failures_in_a_row || too_many {
                    self.open(&mut inner);
                }
            }
            Position::HalfOpen { .. } => self.open(&mut inner),
            Position::Open { .. } => {}
        }
    }

    fn abandoned(&self, round: u64) {
        let mut inner = self.lock();
        let now = inner.round;
        if let Position::HalfOpen { in_flight, .. } = &mut inner.position
            && round == now
        {
            *in_flight = in_flight.saturating_sub(1);
        }
    }
}

fn remember(newest: &mut VecDeque<bool>, failures: &mut usize, failed: bool, window: usize) {
    newest.push_back(failed);
    *failures += usize::from(failed);
    if newest.len() > window {
        *failures -= usize::from(newest.pop_front().unwrap_or(false));
    }
}

impl Passage<'_> {
    /// The provider has answered, be it with a refusal.
    pub fn succeeded(mut self) {
        self.told = true;
        self.breaker.succeeded(self.round);
    }

    /// It has not, or not in time.
    pub fn failed(mut self) {
        self.told = true;
        self.breaker.failed(self.round, self.after_successes);
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.abandoned(self.round);
        }
    }
}
