//! How requests learn what became of a rental: the journal is followed in this process, and only the stories that
//! somebody waits for are folded. No polling, and no view in between.

use crate::admission::Turn;
use domain::payment::PaymentStatus;
use domain::{Event, RentalId};
use journal::{Journal, ReadError, Recorded, Shared};
use projections::{MyPage, MyPageEntry, Projection};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// Few enough to be cheap, many enough that two requests seldom meet.
const SHARDS: usize = 64;
/// Events that are taken from the journal at once.
const BATCH: usize = 1_024;
/// A payment that is not answered by then is waited for, and not worked on.
const PAYMENT_IS_AWAY: Duration = Duration::from_millis(50);
/// Whatever is not decided by then waits for something.
const SOMETHING_IS_AWAY: Duration = Duration::from_millis(250);

/// A rental as far as it is known, folded as the customer's page is.
#[derive(Clone, Default)]
pub(crate) struct Folded {
    /// None while nothing of it is in the journal.
    pub(crate) entry: Option<MyPageEntry>,
    /// Of the last event that was folded.
    pub(crate) position: u64,
}

impl Folded {
    /// A whole story, in order.
    pub(crate) fn story(events: &[Recorded]) -> Self {
        let mut folded = Self::default();
        events.iter().for_each(|event| folded.take_in(event));
        folded
    }

    fn waits_for_provider(&self) -> bool {
        let mut payments = self
            .entry
            .iter()
            .flat_map(|entry| entry.payment.iter().chain(&entry.late_fee).chain(&entry.extension_payments));
        payments.any(|payment| match payment.status {
            PaymentStatus::Requested
            | PaymentStatus::Unknown
            | PaymentStatus::Refunding
            | PaymentStatus::RefundFailed => true,
            PaymentStatus::Approved | PaymentStatus::Declined | PaymentStatus::Refunded => false,
        })
    }

    fn take_in(&mut self, event: &Recorded) {
        let Ok(decoded) = event.decoded(Event::decode) else { return };
        match MyPage::key(event, decoded) {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
        if self.entry.is_none() {
            self.entry = MyPage::begin(event, decoded);
        }
        if let Some(entry) = &mut self.entry {
            if let Err(error) = MyPage::apply(entry, event, decoded) {
                tracing::warn!(%error, position = event.position, "an answer leaves out an event");
            }
            self.position = event.position;
        }
    }
}

/// When to stop waiting.
pub(crate) type Until = fn(&MyPageEntry) -> bool;

/// Everybody who waits. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outcomes {
    inner: Arc<Inner>,
}

struct Inner {
    shards: Vec<Mutex<Shard>>,
    tickets: AtomicU64,
}

type Shard = HashMap<RentalId, Vec<Watch>>;

struct Watch {
    ticket: u64,
    seen: Seen,
    until: Until,
    reached: oneshot::Sender<Box<Folded>>,
}

enum Seen {
    /// What came before is still being read.
    Gathering(Vec<Shared>),
    /// Everything up to `through` is in, and what follows is folded as it comes.
    Folding { folded: Box<Folded>, through: u64 },
}

/// A place among those who wait; given up when dropped.
pub(crate) struct Watching {
    outcomes: Outcomes,
    rental: RentalId,
    ticket: u64,
    reached: oneshot::Receiver<Box<Folded>>,
}

/// What came of waiting.
pub(crate) struct Outcome {
    pub(crate) folded: Box<Folded>,
    /// Whether it is what was waited for; if not, it is how far the rental has come.
    pub(crate) reached: bool,
}

impl Outcomes {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { inner: Arc::new(Inner { shards, tickets: AtomicU64::new(0) }) }
    }

    /// Begins to watch a rental of which the journal has nothing yet. **Before** it is requested.
    pub(crate) fn watch_new(&self, rental: RentalId, until: Until) -> Watching {
        self.add(rental, until, Seen::Folding { folded: Box::default(), through: 0 })
    }

    /// Begins to watch a rental that may exist; nothing is reached until [`Watching::begin`].
    pub(crate) fn watch(&self, rental: RentalId, until: Until) -> Watching {
        self.add(rental, until, Seen::Gathering(Vec::new()))
    }

    fn add(&self, rental: RentalId, until: Until, seen: Seen) -> Watching {
        let ticket = self.inner.tickets.fetch_add(1, Ordering::Relaxed);
        let (sender, reached) = oneshot::channel();
        self.shard(rental).entry(rental).or_default().push(Watch { ticket, seen, until, reached: sender });
        Watching { outcomes: self.clone(), rental, ticket, reached }
    }

    fn shard(&self, rental: RentalId) -> MutexGuard<'_, Shard> {
        // The last byte is random in every kind of UUID that names a rental.
        let index = usize::from(rental.0.as_bytes()[15]) % self.inner.shards.len();
        self.inner.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the journal on, for ever, and tells those who wait.
    pub(crate) async fn follow(self, journal: Journal) {
        let mut follower = journal.follow(journal.head());
        loop {
            match follower.next(BATCH).await {
                Ok(events) => events.iter().for_each(|event| self.deliver(event)),
                Err(ReadError::Closing) => return,
                Err(error) => {
                    tracing::error!(%error, position = follower.position(), "waiting requests learn no outcomes");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn deliver(&self, event: &Shared) {
        let Some(rental) = rental_of(event) else { return };
        let mut shard = self.shard(rental);
        let Some(watches) = shard.get_mut(&rental) else { return };
        let mut index = 0;
        while let Some(watch) = watches.get_mut(index) {
            watch.see(event);
            if watch.is_over() {
                watches.swap_remove(index).tell();
            } else {
                index += 1;
            }
        }
        if watches.is_empty() {
            shard.remove(&rental);
        }
    }

    fn remove(&self, rental: RentalId, ticket: u64) -> Option<Watch> {
        let mut shard = self.shard(rental);
        let watches = shard.get_mut(&rental)?;
        let index = watches.iter().position(|watch| watch.ticket == ticket)?;
        let watch = watches.swap_remove(index);
        if watches.is_empty() {
            shard.remove(&rental);
        }
        Some(watch)
    }
}

impl Watch {
    fn see(&mut self, event: &Shared) {
        match &mut self.seen {
            Seen::Gathering(events) => events.push(event.clone()),
            Seen::Folding { through, .. } if event.position <= *through => {}
            Seen::Folding { folded, .. } => folded.take_in(event),
        }
    }

    fn is_over(&self) -> bool {
        match &self.seen {
            Seen::Gathering(_) => false,
            Seen::Folding { folded, .. } => folded.entry.as_ref().is_some_and(self.until),
        }
    }

    fn tell(self) {
        if let Seen::Folding { folded, .. } = self.seen {
            // Whoever has gone away in the meantime does not want to know.
            let _ = self.reached.send(folded);
        }
    }
}

impl Watching {
    /// What has happened up to a position; from there on, it goes by what is followed.
    pub(crate) fn begin(&self, story: &[Recorded], through: u64) {
        let mut folded = Folded::story(story);
        let mut shard = self.outcomes.shard(self.rental);
        let Some(watches) = shard.get_mut(&self.rental) else { return };
        let Some(index) = watches.iter().position(|watch| watch.ticket == self.ticket) else { return };
        let watch = &mut watches[index];
        if let Seen::Gathering(events) = &watch.seen {
            events.iter().filter(|event| event.position > through).for_each(|event| folded.take_in(event));
        }
        watch.seen = Seen::Folding { folded: Box::new(folded), through };
        if watch.is_over() {
            watches.swap_remove(index).tell();
        }
        if watches.is_empty() {
            shard.remove(&self.rental);
        }
    }

    /// Waits for as long as that, and answers how far the rental has come. A turn is passed on once the rental is not worked on
    /// any more, but waits for somebody.
    pub(crate) async fn outcome(mut self, wait: Duration, turn: Option<&Turn>) -> Outcome {
        let begun = Instant::now();
        for until in [PAYMENT_IS_AWAY, SOMETHING_IS_AWAY, wait] {
            match timeout_at(begun + until.min(wait), &mut self.reached).await {
                Ok(Ok(folded)) => return Outcome { folded, reached: true },
                // Nobody will tell: how far it has come is all there is.
                Ok(Err(_)) => break,
                Err(_) => {}
            }
            if let Some(turn) = turn
                && (until > PAYMENT_IS_AWAY || self.waits_for_provider())
            {
                turn.pass_on();
            }
        }
        match self.outcomes.remove(self.rental, self.ticket).map(|watch| watch.seen) {
            Some(Seen::Folding { folded, .. }) => Outcome { folded, reached: false },
            Some(Seen::Gathering(_)) => Outcome { folded: Box::default(), reached: false },
            // It was reached in this very moment.
            None => match self.reached.try_recv() {
                Ok(folded) => Outcome { folded, reached: true },
                Err(_) => Outcome { folded: Box::default(), reached: false },
            },
        }
    }

    fn waits_for_provider(&self) -> bool {
        let shard = self.outcomes.shard(self.rental);
        let watches = shard.get(&self.rental).into_iter().flatten();
        watches.filter(|watch| watch.ticket == self.ticket).any(|watch| match &watch.seen {
            Seen::Folding { folded, .. } => folded.waits_for_provider(),
            Seen::Gathering(_) => false,
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.outcomes.remove(self.rental, self.ticket);
    }
}

/// Whose story an event belongs to. Cheap for the events of others.
fn rental_of(event: &Recorded) -> Option<RentalId> {
    match event.category() {
        "rental" | "dispatch" => event.aggregate_id().parse().ok(),
        "payment" | "item" => match event.decoded(Event::decode).ok()? {
            Event::Payment(payment) => Some(payment.rental()),
            Event::Item(item) => item.rental(),
            Event::Rental(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => None,
        },
        _ => None,
    }
}
