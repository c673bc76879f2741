//! The newest events, in memory: subscribers that keep up never read the disk.

use crate::observer::Observer;
use crate::recorded::{Recorded, Shared};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tokio::sync::watch;

/// How many events are kept at the most.
const MOST_EVENTS: usize = 16_384;
/// How many bytes of payload are kept at the most.
const MOST_BYTES: usize = 32 << 20;

/// A bounded window on the end of the journal.
pub(crate) struct Tail {
    ring: RwLock<Ring>,
    observers: RwLock<Vec<Weak<dyn Observer>>>,
    head: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    batches: VecDeque<Arc<[Recorded]>>,
    events: usize,
    bytes: usize,
}

fn bytes_of(batch: &[Recorded]) -> usize {
    batch.iter().map(|event| event.payload.len() + size_of::<Recorded>()).sum()
}

impl Ring {
    fn push(&mut self, batch: Vec<Recorded>) {
        self.events += batch.len();
        self.bytes += bytes_of(&batch);
        self.batches.push_back(batch.into());
        while self.batches.len() > 1 && (self.events > MOST_EVENTS || self.bytes > MOST_BYTES) {
            if let Some(old) = self.batches.pop_front() {
                self.events -= old.len();
                self.bytes -= bytes_of(&old);
            }
        }
    }
}

impl Tail {
    pub(crate) fn new(head: u64) -> Self {
        Self { ring: RwLock::default(), observers: RwLock::default(), head: watch::Sender::new(head) }
    }

    /// Has an observer told of whatever several processes write from now on, for as long as it is there.
    pub(crate) fn observe(&self, observer: Weak<dyn Observer>) {
        let mut observers = self.observers.write().unwrap_or_else(PoisonError::into_inner);
        observers.retain(|known| known.strong_count() > 0);
        observers.push(observer);
    }

    /// Takes in a committed batch and wakes everyone who follows.
    pub(crate) fn publish(&self, batch: Vec<Recorded>) {
        let Some(last) = batch.last().map(|event| event.position) else { return };
        self.ring.write().unwrap_or_else(PoisonError::into_inner).push(batch);
        self.head.send_replace(last);
    }

    /// Takes in what several read or write at the same time: leaves out what is there already. Where something is missing before
    /// it, the window begins anew, and who needs what is missing reads the database. Observers are told first.
    pub(crate) fn extend(&self, mut batch: Vec<Recorded>) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let head = self.head();
        batch.retain(|event| event.position > head);
        let (Some(first), Some(last)) = (batch.first(), batch.last().map(|event| event.position)) else { return };
        let complete = first.position == head + 1;
        for observer in self.observers.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            if !complete {
                observer.missed_some();
            }
            observer.happened(&batch);
        }
        if !complete {
            *ring = Ring::default();
        }
        ring.push(batch);
        // Under the lock: with several publishers the head must not move back.
        self.head.send_replace(last);
    }

    /// Position of the last committed event.
    pub(crate) fn head(&self) -> u64 {
        *self.head.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Up to `limit` events after a position, or `None` when they are not in memory any more.
    pub(crate) fn read(&self, after: u64, limit: usize) -> Option<Vec<Shared>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let first = ring.batches.front().and_then(|batch| batch.first())?.position;
        if after + 1 < first {
            return None;
        }
        let start = ring.batches.partition_point(|batch| batch.last().is_some_and(|event| event.position <= after));
        let mut events = Vec::new();
        for batch in ring.batches.range(start..) {
            let skip = batch.partition_point(|event| event.position <= after);
            let take = (batch.len() - skip).min(limit - events.len());
            events.extend((skip..skip + take).map(|index| Shared::new(batch.clone(), index)));
            if events.len() == limit {
                break;
            }
        }
        Some(events)
    }
}
