//! How many commands are let in, how many of those are worked on at once, and the short way out for all others.

use crate::answer::Answer;
use crate::call::no_place;
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::{Method, Response};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of commands in flight, and the turns among them. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    places: Arc<Semaphore>,
    most: usize,
    turns: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    turned_away: AtomicU64,
    done: AtomicU64,
}

/// A command that was let in and has its turn, for as long as this exists.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) turn: Turn,
    _permit: OwnedSemaphorePermit,
    admission: Admission,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.inner.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// A turn: the right to keep processors and disk busy.
#[derive(Debug)]
pub(crate) struct Turn(Mutex<Option<OwnedSemaphorePermit>>);

impl Turn {
    /// Gives it to whoever waits for one. Who waits for something else than a processor or the disk (a payment provider, a
    /// part that is away) keeps the place and needs no turn.
    pub(crate) fn pass_on(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Goes on with another one after that.
    fn go_on_with(&self, permit: Option<OwnedSemaphorePermit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

impl Admission {
    /// Lets in so many commands, and has so many of them worked on at once, and so many queries.
    pub(crate) fn at_most(in_flight: usize, at_work: usize, queries: usize) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        let (places, turns, queries) = (semaphore(in_flight), semaphore(at_work), semaphore(queries));
        let most = places.available_permits();
        let (turned_away, done) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { inner: Arc::new(Inner { places, most, turns, queries, turned_away, done }) }
    }

    /// Whether one more may come in.
    pub(crate) fn has_room(&self) -> bool {
        self.inner.places.available_permits() > 0
    }

    /// A place, once it is this command's turn. More commands at work than keep everything busy only make each of them dearer:
    /// they wait here, in order, where waiting costs nothing.
    ///
    /// # Errors
    /// When there is no place: come back later.
    pub(crate) async fn enter(&self) -> Result<Place, Problem> {
        let permit = self.inner.places.clone().try_acquire_owned().map_err(|_| no_place())?;
        // The semaphore is never closed.
        let turn = self.inner.turns.clone().acquire_owned().await.ok();
        Ok(Place { turn: Turn(Mutex::new(turn)), _permit: permit, admission: self.clone() })
    }

    /// A query's turn, once it is this one's. There are no more who wait than connections, since each asks one thing at a time.
    pub(crate) async fn query(&self) -> Turn {
        Turn(Mutex::new(self.query_permit().await))
    }

    /// Waits for something that needs neither processor nor disk, while another query has the turn.
    pub(crate) async fn aside<T>(&self, turn: &Turn, waiting: impl Future<Output = T>) -> T {
        turn.pass_on();
        let result = waiting.await;
        turn.go_on_with(self.query_permit().await);
        result
    }

    async fn query_permit(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.inner.queries.clone().acquire_owned().await.ok()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.inner.most - self.inner.places.available_permits()
    }

    /// Commands that were turned away before anything of them was read but the head.
    pub(crate) fn turned_away(&self) -> u64 {
        self.inner.turned_away.load(Ordering::Relaxed)
    }
}

/// The door itself: who finds no room is told so before anything else is done. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FrontDoor {
    admission: Admission,
    /// Made once: it has to cost next to nothing when there is no time.
    refusal: Arc<Answer>,
    body: Bytes,
}

impl FrontDoor {
    pub(crate) fn new(admission: Admission) -> Self {
        let refusal = no_place().into_answer();
        let body = Bytes::copy_from_slice(refusal.body.as_bytes());
        Self { admission, refusal: Arc::new(refusal), body }
    }

    /// Whether a command can be let in now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.admission.has_room()
    }

    /// How many commands that were let in are done, whatever has become of them.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.admission.inner.done.load(Ordering::Relaxed)
    }

    /// The answer for a command that cannot be let in now; `None` for whoever may go on.
    #[must_use]
    pub fn turns_away(&self, method: &Method) -> Option<Response<Body>> {
        if method.is_safe() || self.has_room() {
            return None;
        }
        self.admission.inner.turned_away.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.refusal.status;
        response.headers_mut().extend(self.refusal.headers.iter().cloned());
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcomes::Outcomes;
    use domain::RentalId;
    use std::future::ready;
    use std::time::Duration;
    use tokio::time::Instant;

    async fn waits(entering: &mut (impl Future + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = entering => false,
            () = ready(()) => true,
        }
    }

    #[tokio::test]
    async fn beyond_those_at_work_others_wait_their_turn_and_beyond_the_places_they_are_turned_away() {
        let admission = Admission::at_most(3, 1, 1);
        let door = FrontDoor::new(admission.clone());
        let first = admission.enter().await.unwrap();
        let mut second = Box::pin(admission.enter());
        let mut third = Box::pin(admission.enter());
        assert!(waits(&mut second).await && waits(&mut third).await);
        assert!(admission.enter().await.is_err());
        let refusal = door.turns_away(&Method::POST).unwrap();
        assert_eq!(refusal.status(), 503);
        assert_eq!(refusal.headers()["retry-after"], "1");
        assert!(door.turns_away(&Method::GET).is_none());
        assert_eq!((admission.in_flight(), admission.turned_away()), (3, 1));
        // Who waits for somebody else lets the next one work, and keeps the place.
        first.turn.pass_on();
        first.turn.pass_on();
        let second = second.await.unwrap();
        assert!(waits(&mut third).await && door.turns_away(&Method::POST).is_some());
        assert_eq!(door.done(), 0);
        drop(second);
        assert_eq!(door.done(), 1);
        let _third = third.await.unwrap();
        assert!(door.turns_away(&Method::POST).is_none());
        // Who goes away while waiting takes nothing along.
        let mut waiting = Box::pin(admission.enter());
        assert!(waits(&mut waiting).await);
        drop(waiting);
        assert_eq!(admission.in_flight(), 2);
    }

    #[tokio::test]
    async fn queries_take_turns_and_who_waits_for_something_else_lets_the_next_one_go() {
        let admission = Admission::at_most(1, 1, 1);
        let first = admission.query().await;
        let mut second = Box::pin(admission.query());
        assert!(waits(&mut second).await);
        let (come, coming) = tokio::sync::oneshot::channel();
        let mut aside = Box::pin(admission.aside(&first, coming));
        assert!(waits(&mut aside).await);
        let second = second.await;
        come.send(7).unwrap();
        assert!(waits(&mut aside).await, "two at work");
        drop(second);
        assert_eq!(aside.await, Ok(7));
        let mut third = Box::pin(admission.query());
        assert!(waits(&mut third).await);
        drop(first);
        assert!(!waits(&mut third).await);
        // Commands have turns of their own.
        assert!(admission.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_what_is_away_lets_the_next_one_work() {
        let admission = Admission::at_most(2, 1, 1);
        let first = admission.enter().await.unwrap();
        let begun = Instant::now();
        let watching = Outcomes::new().watch_new(RentalId(uuid::Uuid::now_v7()), |_| true);
        let waiting = watching.outcome(Duration::from_secs(2), Some(&first.turn));
        let next = async {
            admission.enter().await.unwrap();
            begun.elapsed()
        };
        let (outcome, waited) = tokio::join!(waiting, next);
        assert!(!outcome.reached && begun.elapsed() >= Duration::from_secs(2));
        assert!(waited < Duration::from_millis(300), "{waited:?}");
    }
}
