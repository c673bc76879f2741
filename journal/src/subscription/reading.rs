//! One named, ordered read of the journal.

use super::board::Entry;
use super::ledger::Ledger;
use super::{Parked, SubscriptionError};
use crate::fence::Fence;
use crate::journal::Journal;
use crate::recorded::Shared;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;

/// One named, ordered read of the journal.
pub struct Subscription {
    journal: Journal,
    ledger: Ledger,
    entry: Arc<Entry>,
    head: watch::Receiver<u64>,
    paused: watch::Receiver<bool>,
    retries: watch::Receiver<BTreeSet<String>>,
    checkpoint: u64,
}

impl Subscription {
    pub(super) fn new(journal: Journal, ledger: Ledger, entry: Arc<Entry>) -> Self {
        Self {
            head: journal.watch_head(),
            paused: entry.paused.subscribe(),
            retries: entry.retries.subscribe(),
            checkpoint: entry.position.load(Ordering::Acquire),
            journal,
            ledger,
            entry,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// The position that was saved last: handling goes on after it.
    #[must_use]
    pub const fn checkpoint(&self) -> u64 {
        self.checkpoint
    }

    /// What every write of its owner must carry.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.entry.holding.fence
    }

    /// Whether an administrator has stopped it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// The journal it reads.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The next events after a position, at least one and at most `limit`. Waits while there is none, and while it is
    /// paused. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the journal cannot be read, or the lease is lost.
    pub async fn next(&mut self, after: u64, limit: usize) -> Result<Vec<Shared>, SubscriptionError> {
        let entry = self.entry.clone();
        loop {
            self.running().await?;
            if !entry.holding.is_held() {
                return Err(SubscriptionError::Stale(entry.holding.fence.clone()));
            }
            self.head.borrow_and_update();
            let events = self.journal.read_all(after, limit).await?;
            if !events.is_empty() && !self.is_paused() {
                return Ok(events);
            }
            tokio::select! {
                changed = self.head.changed() => changed.map_err(|_| SubscriptionError::Closing)?,
                changed = self.paused.changed() => changed.map_err(|_| SubscriptionError::Closing)?,
                () = entry.holding.lost() => {}
            }
        }
    }

    /// Waits until it is not paused.
    ///
    /// # Errors
    /// When the process is ending, or the lease is lost meanwhile.
    pub async fn running(&mut self) -> Result<(), SubscriptionError> {
        tokio::select! {
            biased;
            running = self.paused.wait_for(|paused| !paused) => running.map(drop).map_err(|_| SubscriptionError::Closing),
            () = self.entry.holding.lost() => Err(SubscriptionError::Stale(self.entry.holding.fence.clone())),
        }
    }

    /// Says how far handling is, for whoever watches the lag. Not durable.
    pub fn progressed(&self, position: u64) {
        self.entry.position.store(position, Ordering::Release);
    }

    /// Makes the position durable: after a restart, handling goes on behind it.
    ///
    /// # Errors
    /// When it cannot be written; then handling repeats more, and nothing is lost.
    pub async fn save(&mut self, position: u64) -> Result<(), SubscriptionError> {
        if position > self.checkpoint {
            self.ledger.save_checkpoint(self.fence(), self.name(), position).await?;
            self.checkpoint = position;
        }
        Ok(())
    }

    /// Counts one more attempt at an event, durably, before it is made; answers how many that makes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn count_attempt(&self, position: u64) -> Result<u32, SubscriptionError> {
        self.ledger.count_attempt(self.fence(), self.name(), position).await
    }

    /// The event was handled: the attempts at it count no more, although the checkpoint has not passed it yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn forget_attempts(&self, position: u64) -> Result<(), SubscriptionError> {
        self.ledger.forget_attempts(self.fence(), self.name(), position).await
    }

    /// Sets a sequence aside with the first event of it that cannot be handled.
    ///
    /// # Errors
    /// When it cannot be written: then the event is not handled, and the checkpoint must not move past it.
    pub async fn park(&self, parked: Parked) -> Result<(), SubscriptionError> {
        tracing::error!(
            subscription = self.name(),
            sequence = parked.sequence,
            position = parked.position,
            reason = parked.reason,
            "a sequence is parked"
        );
        self.ledger.park(self.fence(), self.name(), parked.clone()).await?;
        self.entry.set_parked(|all| drop(all.insert(parked.sequence.clone(), parked)));
        Ok(())
    }

    /// A sequence is handled again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn unpark(&self, sequence: &str) -> Result<(), SubscriptionError> {
        self.ledger.unpark(self.fence(), self.name(), sequence).await?;
        self.entry.set_parked(|all| drop(all.remove(sequence)));
        Ok(())
    }

    /// Where a sequence was parked, if it is. Costs nothing while nothing is parked.
    #[must_use]
    pub fn parked_at(&self, sequence: &str) -> Option<u64> {
        self.entry.parked_at(sequence)
    }

    /// Whether anything is parked at all.
    #[must_use]
    pub fn has_parked(&self) -> bool {
        self.entry.has_parked()
    }

    /// Waits until an administrator asks for parked sequences to be tried again, and answers which.
    ///
    /// # Errors
    /// When the process is ending.
    pub async fn retries(&mut self) -> Result<BTreeSet<String>, SubscriptionError> {
        self.retries.wait_for(|asked| !asked.is_empty()).await.map_err(|_| SubscriptionError::Closing)?;
        let mut asked = BTreeSet::new();
        self.entry.retries.send_modify(|waiting| asked = std::mem::take(waiting));
        Ok(asked)
    }
}
