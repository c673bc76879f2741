//! Durable subscriptions: ordered reads of the journal under a name, each of which can be paused, resumed and watched.

mod ledger;

use crate::journal::{Journal, ReadError};
use crate::recorded::Shared;
use chrono::{DateTime, Utc};
use ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Why a subscription cannot go on, or cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// Nobody subscribes under that name.
    #[error("there is no subscription `{0}`")]
    NoSuchSubscription(String),
    /// Nothing is parked under that name.
    #[error("the subscription has no parked sequence `{0}`")]
    NoSuchSequence(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint file cannot be used.
    #[error("cannot use the checkpoint file")]
    Database(#[from] rusqlite::Error),
    /// No thread could be had.
    #[error("cannot start the checkpoint thread")]
    Thread(#[source] std::io::Error),
    /// The process is ending.
    #[error("the subscriptions are closing")]
    Closing,
}

/// A sequence (one rental, one item) that a handler could not digest: it waits, and the others go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Names the sequence.
    pub sequence: String,
    /// The first event of it that was not handled.
    pub position: u64,
    /// Of that event.
    pub event_type: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last try said.
    pub reason: String,
    /// When it was given up.
    pub parked_at: DateTime<Utc>,
}

/// Whether a subscription reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It does.
    Running,
    /// An administrator has stopped it; what it misses it makes up for later.
    Paused,
}

/// What an administrator sees of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionStatus {
    /// Its name.
    pub name: &'static str,
    /// Whether it reads.
    pub state: SubscriptionState,
    /// What it has handled.
    pub position: u64,
    /// How many events it is behind the journal.
    pub lag: u64,
    /// What it could not handle.
    pub parked: Vec<Parked>,
}

/// Every subscription of this process.
#[derive(Clone)]
pub struct Subscriptions {
    journal: Journal,
    ledger: Ledger,
    entries: Arc<Mutex<BTreeMap<&'static str, Arc<Entry>>>>,
}

struct Entry {
    name: &'static str,
    position: AtomicU64,
    paused: watch::Sender<bool>,
    parked: Mutex<BTreeMap<String, Parked>>,
    parked_count: AtomicUsize,
    retries: watch::Sender<BTreeSet<String>>,
}

impl Entry {
    fn set_parked(&self, change: impl FnOnce(&mut BTreeMap<String, Parked>)) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut parked);
        self.parked_count.store(parked.len(), Ordering::Release);
    }
}

impl Subscriptions {
    /// Opens the checkpoint file of a data directory, or makes it.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(journal: Journal, directory: &Path) -> Result<Self, SubscriptionError> {
        Ok(Self { journal, ledger: Ledger::open(directory)?, entries: Arc::default() })
    }

    /// Begins, or goes on with, the subscription of that name.
    ///
    /// # Errors
    /// When the checkpoint file cannot be read.
    pub async fn subscribe(&self, name: &'static str) -> Result<Subscription, SubscriptionError> {
        let remembered = self.ledger.load(name).await?;
        let parked: BTreeMap<_, _> =
            remembered.parked.into_iter().map(|parked| (parked.sequence.clone(), parked)).collect();
        let entry = Arc::new(Entry {
            name,
            position: AtomicU64::new(remembered.checkpoint),
            paused: watch::Sender::new(remembered.paused),
            parked_count: AtomicUsize::new(parked.len()),
            parked: Mutex::new(parked),
            retries: watch::Sender::default(),
        });
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).insert(name, entry.clone());
        Ok(Subscription {
            head: self.journal.watch_head(),
            paused: entry.paused.subscribe(),
            retries: entry.retries.subscribe(),
            journal: self.journal.clone(),
            ledger: self.ledger.clone(),
            checkpoint: remembered.checkpoint,
            entry,
        })
    }

    /// All of them, by name.
    #[must_use]
    pub fn list(&self) -> Vec<SubscriptionStatus> {
        let head = self.journal.head();
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.values().map(|entry| status(entry, head)).collect()
    }

    /// Stops a subscription from reading on, over restarts too.
    ///
    /// # Errors
    /// When there is none of that name, or the pause cannot be remembered.
    pub async fn pause(&self, name: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        self.set_paused(name, true).await
    }

    /// Lets a subscription read on from where it was.
    ///
    /// # Errors
    /// When there is none of that name, or the change cannot be remembered.
    pub async fn resume(&self, name: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        self.set_paused(name, false).await
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<SubscriptionStatus, SubscriptionError> {
        let entry = self.entry(name)?;
        self.ledger.save_paused(entry.name, paused).await?;
        entry.paused.send_replace(paused);
        Ok(status(&entry, self.journal.head()))
    }

    /// Asks for a parked sequence to be tried again.
    ///
    /// # Errors
    /// When there is no such subscription or sequence.
    pub fn retry(&self, name: &str, sequence: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        let entry = self.entry(name)?;
        let known = entry.parked.lock().unwrap_or_else(PoisonError::into_inner).contains_key(sequence);
        if !known {
            return Err(SubscriptionError::NoSuchSequence(sequence.to_owned()));
        }
        entry.retries.send_modify(|retries| {
            retries.insert(sequence.to_owned());
        });
        Ok(status(&entry, self.journal.head()))
    }

    fn entry(&self, name: &str) -> Result<Arc<Entry>, SubscriptionError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).cloned().ok_or_else(|| SubscriptionError::NoSuchSubscription(name.to_owned()))
    }
}

fn status(entry: &Entry, head: u64) -> SubscriptionStatus {
    let position = entry.position.load(Ordering::Acquire);
    SubscriptionStatus {
        name: entry.name,
        state: if *entry.paused.borrow() { SubscriptionState::Paused } else { SubscriptionState::Running },
        position,
        lag: head.saturating_sub(position),
        parked: entry.parked.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect(),
    }
}

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
    /// When the journal cannot be read.
    pub async fn next(&mut self, after: u64, limit: usize) -> Result<Vec<Shared>, SubscriptionError> {
        loop {
            self.running().await?;
            self.head.borrow_and_update();
            let events = self.journal.read_all(after, limit).await?;
            if !events.is_empty() && !self.is_paused() {
                return Ok(events);
            }
            tokio::select! {
                changed = self.head.changed() => changed.map_err(|_| SubscriptionError::Closing)?,
                changed = self.paused.changed() => changed.map_err(|_| SubscriptionError::Closing)?,
            }
        }
    }

    /// Waits until it is not paused.
    ///
    /// # Errors
    /// When the process is ending.
    pub async fn running(&mut self) -> Result<(), SubscriptionError> {
        self.paused.wait_for(|paused| !paused).await.map(drop).map_err(|_| SubscriptionError::Closing)
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
            self.ledger.save_checkpoint(self.name(), position).await?;
            self.checkpoint = position;
        }
        Ok(())
    }

    /// Counts one more attempt at an event, durably, before it is made; answers how many that makes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn count_attempt(&self, position: u64) -> Result<u32, SubscriptionError> {
        self.ledger.count_attempt(self.name(), position).await
    }

    /// The event was handled: the attempts at it count no more, although the checkpoint has not passed it yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn forget_attempts(&self, position: u64) -> Result<(), SubscriptionError> {
        self.ledger.forget_attempts(self.name(), position).await
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
        self.ledger.park(self.name(), parked.clone()).await?;
        self.entry.set_parked(|all| drop(all.insert(parked.sequence.clone(), parked)));
        Ok(())
    }

    /// A sequence is handled again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn unpark(&self, sequence: &str) -> Result<(), SubscriptionError> {
        self.ledger.unpark(self.name(), sequence.to_owned()).await?;
        self.entry.set_parked(|all| drop(all.remove(sequence)));
        Ok(())
    }

    /// Where a sequence was parked, if it is. Costs nothing while nothing is parked.
    #[must_use]
    pub fn parked_at(&self, sequence: &str) -> Option<u64> {
        if self.entry.parked_count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let parked = self.entry.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.get(sequence).map(|parked| parked.position)
    }

    /// Whether anything is parked at all.
    #[must_use]
    pub fn has_parked(&self) -> bool {
        self.entry.parked_count.load(Ordering::Acquire) > 0
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
