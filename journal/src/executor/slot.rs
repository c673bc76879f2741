//! An aggregate's state in memory, and the lock under which it is decided on.

use crate::append::Expected;
use crate::queue::Fate;
use cqrs_es::{Aggregate, AggregateContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use uuid::Uuid;

/// A place for one aggregate in memory.
pub(super) struct Slot<A> {
    pub(super) cell: Arc<Mutex<Cell<A>>>,
    /// Wakes those who wait for somebody else's fold.
    pub(super) folded: Notify,
    /// The last revision of its stream that this process has been told of, where others append, too.
    told_of: AtomicU64,
}

/// What is known of one aggregate.
pub(super) struct Cell<A> {
    pub(super) known: Option<Known<A>>,
    /// Counts how often the state was thrown away.
    pub(super) generation: u64,
    pub(super) folding: bool,
}

pub(super) struct Known<A> {
    pub(super) state: A,
    pub(super) revision: u64,
    pub(super) last_event: Option<Uuid>,
    /// Of the last append: until it is durable, answers that depend on it wait.
    pub(super) fate: Option<Fate>,
}

impl<A> Default for Known<A>
where
    A: Default,
{
    fn default() -> Self {
        Self { state: A::default(), revision: 0, last_event: None, fate: None }
    }
}

impl<A: Default> Known<A> {
    /// Nothing has been read, so the emptiness itself is not certain yet: an append, or a guard without events, proves it.
    pub(super) fn presumed_new() -> Self {
        Self { fate: Some(Fate::default()), ..Self::default() }
    }
}

impl<A> Known<A> {
    pub(super) fn expected(&self) -> Expected {
        match self.last_event {
            Some(event_id) => Expected::Event { revision: self.revision, event_id },
            None => Expected::Revision(self.revision),
        }
    }

    pub(super) fn is_durable(&self) -> bool {
        self.fate.as_ref().is_none_or(Fate::is_durable)
    }
}

/// An aggregate, held for one decision.
pub struct Held<A: Aggregate> {
    pub(super) id: Arc<str>,
    pub(super) slot: Arc<Slot<A>>,
    pub(super) cell: OwnedMutexGuard<Cell<A>>,
    /// Set while the state may have events that no append carries.
    pub(super) dirty: bool,
}

impl<A> Slot<A> {
    pub(super) fn new() -> Self {
        let cell = Cell { known: None, generation: 0, folding: false };
        Self { cell: Arc::new(Mutex::new(cell)), folded: Notify::new(), told_of: AtomicU64::new(0) }
    }

    pub(super) fn tell_of(&self, revision: u64) {
        self.told_of.fetch_max(revision, Ordering::AcqRel);
    }

    /// Whether others have appended what a state of this revision does not have.
    pub(super) fn is_past(&self, revision: u64) -> bool {
        self.told_of.load(Ordering::Acquire) > revision
    }
}

impl<A: Aggregate> Held<A> {
    /// The state and its guards; it is there for as long as it is held.
    pub(super) fn known(&mut self) -> &mut Known<A> {
        self.cell.known.get_or_insert_default()
    }
}

impl<A: Aggregate> AggregateContext<A> for Held<A> {
    fn aggregate(&mut self) -> &mut A {
        self.dirty = true;
        &mut self.known().state
    }
}

impl<A: Aggregate> Drop for Held<A> {
    fn drop(&mut self) {
        // A caller that went away between decision and append leaves a state that never was.
        if self.dirty {
            self.cell.known = None;
            self.cell.generation += 1;
        }
    }
}
