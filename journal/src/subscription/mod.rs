//! Durable subscriptions: ordered reads of the journal under a name, each of which can be paused, resumed and watched.
//!
//! Where several processes share a journal, whoever works for one holds a lease, and every write carries its epoch: an owner that was
//! away for too long finds its writes refused.

mod board;
mod heart;
mod lease;
mod ledger;
mod reading;
mod rebuild;
mod sql;

pub use lease::{Lease, Owner};
pub use reading::Subscription;
pub use rebuild::RebuildRequest;

use crate::fence::Fence;
use crate::journal::{Journal, ReadError};
use crate::postgres::{FenceError, PostgresAddress};
use board::{Board, Entry, locked};
use chrono::{DateTime, Utc};
use heart::{Heart, Order};
use lease::{Holding, LENGTH, Terms};
use ledger::{Database, File, Ledger};
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

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
    /// The tables of subscriptions cannot be used, or are away.
    #[error("cannot use the subscriptions' tables")]
    Away(#[source] Arc<sqlx::Error>),
    /// Another process works for it by now: whoever still does in this one must stop.
    #[error("{0} is over: another process owns it")]
    Stale(Fence),
    /// It is read under a lease that this process does not hold.
    #[error("this process does not hold the lease `{0}`")]
    NotHeld(String),
    /// No thread could be had.
    #[error("cannot start the checkpoint thread")]
    Thread(#[source] std::io::Error),
    /// The process is ending.
    #[error("the subscriptions are closing")]
    Closing,
}

impl From<sqlx::Error> for SubscriptionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Away(Arc::new(error))
    }
}

impl From<FenceError> for SubscriptionError {
    fn from(error: FenceError) -> Self {
        match error {
            FenceError::Stale(fence) => Self::Stale(fence),
            FenceError::Database(error) => error.into(),
        }
    }
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

impl SubscriptionState {
    const fn of(paused: bool) -> Self {
        if paused { Self::Paused } else { Self::Running }
    }
}

/// What an administrator sees of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionStatus {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Whether it reads.
    pub state: SubscriptionState,
    /// What it has handled.
    pub position: u64,
    /// How many events it is behind the journal.
    pub lag: u64,
    /// What it could not handle.
    pub parked: Vec<Parked>,
    /// The process that works for it; none where nobody does.
    pub owner: Option<Arc<str>>,
    /// How often it has been given to a process; 0 where there is only one.
    pub epoch: u64,
    /// When it was given to its owner.
    pub since: Option<DateTime<Utc>>,
    /// When it is anybody's, unless the owner says before that it is still there. None where there is only one process.
    pub until: Option<DateTime<Utc>>,
    /// What the owner says of itself.
    pub note: Option<Value>,
}

/// Every subscription of this process, and what is known of those of others. Cheap to clone.
#[derive(Clone)]
pub struct Subscriptions {
    journal: Journal,
    ledger: Ledger,
    board: Arc<Board>,
    /// What keeps leases going; nothing where a single process owns everything.
    heart: Option<mpsc::Sender<Order>>,
}

impl Subscriptions {
    /// Opens the checkpoint file of a data directory, or makes it. One process owns everything that is in it.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(journal: Journal, directory: &Path) -> Result<Self, SubscriptionError> {
        let board = Arc::new(Board::new(Owner::this_process("all").as_str()));
        Ok(Self { journal, ledger: Ledger::File(File::open(directory)?), board, heart: None })
    }

    /// The subscriptions of all processes that share the journal's database. Whatever is read must be leased before.
    ///
    /// # Errors
    /// When the tables cannot be used.
    pub async fn connect(journal: Journal, address: &PostgresAddress, owner: Owner) -> Result<Self, SubscriptionError> {
        Self::connect_with(journal, address, owner, LENGTH).await
    }

    /// The same with another length of leases; all processes must use the same.
    ///
    /// # Errors
    /// When the tables cannot be used.
    pub async fn connect_with(
        journal: Journal,
        address: &PostgresAddress,
        owner: Owner,
        length: Duration,
    ) -> Result<Self, SubscriptionError> {
        let database = Database::new(address);
        let board = Arc::new(Board::new(owner.as_str()));
        let (orders, queue) = mpsc::channel(heart::QUEUE);
        let heart = Heart {
            options: address.options().clone(),
            pool: database.pool.clone(),
            board: board.clone(),
            terms: Terms { length },
            orders: orders.downgrade(),
        };
        tokio::spawn(heart.run(queue));
        let this = Self { journal, ledger: Ledger::Database(database), board, heart: Some(orders) };
        this.look().await?;
        Ok(this)
    }

    /// Waits until nobody else has the lease of that name, and takes it. While the database is away, that is a part of the waiting.
    /// Dropping the future gives up.
    ///
    /// # Errors
    /// When everything is ending.
    pub async fn lease(&self, name: &str) -> Result<Lease, SubscriptionError> {
        let Some(heart) = &self.heart else {
            return Ok(Lease { holding: Arc::new(Holding::always(name)), heart: None });
        };
        let (grant, granted) = oneshot::channel();
        heart.send(Order::Lease { name: name.into(), grant }).await.map_err(|_| SubscriptionError::Closing)?;
        granted.await.map_err(|_| SubscriptionError::Closing)
    }

    /// Begins, or goes on with, the subscription of that name, under the lease of the same name. Where there is one process only,
    /// that is held without asking.
    ///
    /// # Errors
    /// When what is remembered cannot be read, or this process does not hold the lease.
    pub async fn subscribe(&self, name: &'static str) -> Result<Subscription, SubscriptionError> {
        let holding = match &self.heart {
            None => Some(Arc::new(Holding::always(name))),
            Some(_) => self.board.holding(name),
        };
        self.begin(name, holding.ok_or_else(|| SubscriptionError::NotHeld(name.to_owned()))?).await
    }

    /// The same under the lease of a group of subscriptions that one process works for.
    ///
    /// # Errors
    /// When what is remembered cannot be read, or the lease is not held any more.
    pub async fn subscribe_under(&self, name: &'static str, lease: &Lease) -> Result<Subscription, SubscriptionError> {
        self.begin(name, lease.holding.clone()).await
    }

    async fn begin(&self, name: &'static str, holding: Arc<Holding>) -> Result<Subscription, SubscriptionError> {
        let remembered = self.ledger.load(&holding.fence, name).await?;
        let entry = Arc::new(Entry::new(name, holding, remembered));
        self.board.insert(entry.clone());
        self.tell();
        Ok(Subscription::new(self.journal.clone(), self.ledger.clone(), entry))
    }

    /// Whether several processes share them.
    #[must_use]
    pub const fn are_shared(&self) -> bool {
        self.heart.is_some()
    }

    /// The name of this process among all that share the journal.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.board.owner()
    }

    /// All of them, by name: this process's own as they are, those of others as they were about a second ago.
    #[must_use]
    pub fn list(&self) -> Vec<SubscriptionStatus> {
        self.board.list(self.journal.head())
    }

    /// Whether a subscription reads, as [`Subscriptions::list`] says it; costs little.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<SubscriptionState> {
        self.board.is_paused(name).map(SubscriptionState::of)
    }

    /// All of them, by name, as they are now.
    ///
    /// # Errors
    /// When those of other processes cannot be looked at.
    pub async fn listed(&self) -> Result<Vec<SubscriptionStatus>, SubscriptionError> {
        self.look().await?;
        Ok(self.list())
    }

    /// Stops a subscription from reading on, over restarts too, whichever process works for it.
    ///
    /// # Errors
    /// When there is none of that name, or the pause cannot be remembered.
    pub async fn pause(&self, name: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        self.set_paused(name, true).await
    }

    /// Lets a subscription read on from where it was, whichever process works for it.
    ///
    /// # Errors
    /// When there is none of that name, or the change cannot be remembered.
    pub async fn resume(&self, name: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        self.set_paused(name, false).await
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<SubscriptionStatus, SubscriptionError> {
        match &self.ledger {
            Ledger::File(file) => {
                let entry = self.own(name)?;
                file.save_paused(entry.name, paused).await?;
                entry.set_paused(paused);
            }
            Ledger::Database(database) => {
                database.save_paused(name, paused).await?;
                self.look().await?;
            }
        }
        self.status(name)
    }

    /// Asks for a parked sequence to be tried again by whoever works for it.
    ///
    /// # Errors
    /// When there is no such subscription or sequence, or nobody can be asked.
    pub async fn retry(&self, name: &str, sequence: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        match &self.ledger {
            Ledger::File(_) => {
                let entry = self.own(name)?;
                if entry.parked_at(sequence).is_none() {
                    return Err(SubscriptionError::NoSuchSequence(sequence.to_owned()));
                }
                entry.ask_again(sequence);
            }
            Ledger::Database(database) => {
                database.retry(name, sequence).await?;
                self.look().await?;
            }
        }
        self.status(name)
    }

    /// Has this process say something of a subscription that it works for, beside its position: every process can read it.
    ///
    /// # Errors
    /// When this process does not work for it.
    pub fn set_note(&self, name: &str, note: Value) -> Result<(), SubscriptionError> {
        let entry = self.own(name)?;
        let note = Some(Arc::new(note));
        let changed = std::mem::replace(&mut *locked(&entry.note), note.clone()) != note;
        if changed {
            self.tell();
        }
        Ok(())
    }

    /// Has the others told at once.
    fn tell(&self) {
        if let Some(heart) = &self.heart {
            // Where there is no room for it, the next beat tells.
            let _ = heart.try_send(Order::Tell);
        }
    }

    /// What the process that works for a subscription says of it; nothing where nobody does.
    #[must_use]
    pub fn note(&self, name: &str) -> Option<Value> {
        self.board.note(name)
    }

    async fn look(&self) -> Result<(), SubscriptionError> {
        let Some(heart) = &self.heart else { return Ok(()) };
        let (answer, answered) = oneshot::channel();
        heart.send(Order::Look(answer)).await.map_err(|_| SubscriptionError::Closing)?;
        answered.await.map_err(|_| SubscriptionError::Closing)?
    }

    fn own(&self, name: &str) -> Result<Arc<Entry>, SubscriptionError> {
        self.board.own(name).ok_or_else(|| SubscriptionError::NoSuchSubscription(name.to_owned()))
    }

    fn status(&self, name: &str) -> Result<SubscriptionStatus, SubscriptionError> {
        let status = self.board.status(name, self.journal.head());
        status.ok_or_else(|| SubscriptionError::NoSuchSubscription(name.to_owned()))
    }
}
