//! How many commands are let in, and the short way out for those who are not.

use crate::call::no_place;
use crate::problem::Problem;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// As many keep every processor busy. Where tasks wait for their turn, more of them only wait, and cost.
const ENOUGH: usize = 256;
/// How often the wait for a turn is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// A turn that comes later than this is late. The runtime's clock ticks in milliseconds.
const LATE: Duration = Duration::from_millis(8);
/// So many late turns in a row are no accident.
const IN_A_ROW: u32 = 5;

/// The places of commands in flight. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    places: Arc<Semaphore>,
    most: usize,
    is_late: AtomicBool,
    turned_away: AtomicU64,
}

impl Admission {
    pub(crate) fn at_most(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        Self {
            inner: Arc::new(Inner { places, most, is_late: AtomicBool::new(false), turned_away: AtomicU64::new(0) }),
        }
    }

    /// Whether one more may come in: while turns are late, as many as keep the processors busy; else, as many as may be.
    pub(crate) fn has_room(&self) -> bool {
        let in_flight = self.in_flight();
        in_flight < ENOUGH.min(self.inner.most)
            || (in_flight < self.inner.most && !self.inner.is_late.load(Ordering::Relaxed))
    }

    /// A place, for as long as it is held.
    ///
    /// # Errors
    /// When there is none: come back later.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if !self.has_room() {
            return Err(no_place());
        }
        self.inner.places.clone().try_acquire_owned().map_err(|_| no_place())
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.inner.most - self.inner.places.available_permits()
    }

    /// Commands that were turned away before anything of them was read but the head.
    pub(crate) fn turned_away(&self) -> u64 {
        self.inner.turned_away.load(Ordering::Relaxed)
    }

    /// Looks, for ever, at how late a task gets its turn: that is how long everything waits for a processor.
    pub(crate) async fn watch_turns(self) {
        let mut late_turns = 0;
        loop {
            let due = Instant::now() + LOOK;
            tokio::time::sleep_until(due).await;
            late_turns = if due.elapsed() > LATE { late_turns + 1 } else { 0 };
            self.inner.is_late.store(late_turns >= IN_A_ROW, Ordering::Relaxed);
        }
    }
}

/// The door itself: who finds no room is told so before anything else is done. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FrontDoor {
    admission: Admission,
}

impl FrontDoor {
    pub(crate) const fn new(admission: Admission) -> Self {
        Self { admission }
    }

    /// The answer for a command that cannot be let in now; `None` for whoever may go on.
    #[must_use]
    pub fn turns_away(&self, method: &Method) -> Option<Response> {
        if method.is_safe() || self.admission.has_room() {
            return None;
        }
        self.admission.inner.turned_away.fetch_add(1, Ordering::Relaxed);
        Some(no_place().into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn while_turns_are_late_only_as_many_are_let_in_as_keep_the_processors_busy() {
        let admission = Admission::at_most(1_000);
        let door = FrontDoor::new(admission.clone());
        let watching = tokio::spawn(admission.clone().watch_turns());
        let mut inside: Vec<_> = (0..ENOUGH).map(|_| admission.enter().unwrap()).collect();
        assert!(door.turns_away(&Method::POST).is_none());
        // Whatever holds up the runtime: the clock goes on, and nobody has a turn.
        for _ in 0..IN_A_ROW {
            tokio::task::yield_now().await;
            tokio::time::advance(LOOK + LATE * 2).await;
        }
        tokio::task::yield_now().await;
        assert!(door.turns_away(&Method::POST).is_some() && admission.enter().is_err());
        assert!(door.turns_away(&Method::GET).is_none());
        drop(inside.pop());
        assert!(door.turns_away(&Method::POST).is_none());
        inside.push(admission.enter().unwrap());
        assert_eq!(admission.turned_away(), 1);
        tokio::time::sleep(LOOK * 2).await;
        assert!(door.turns_away(&Method::POST).is_none(), "turns come in time again");
        inside.extend((ENOUGH..1_000).map(|_| admission.enter().unwrap()));
        assert!(door.turns_away(&Method::POST).is_some());
        watching.abort();
    }
}
