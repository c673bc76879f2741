//! What is still to be sent, together with how far the journal was read: in a file, or in tables beside the journal. **Whoever
//! has lost its turn notes nothing and sends nothing any more**, and nobody is told of anything that is not noted.

mod file;
mod tables;
#[cfg(test)]
mod tests;

use crate::SagaError;
use domain::{Instant, RentalId, StoreSlug, WebhookId};
use file::File;
use journal::{Fence, Source};
use std::collections::BTreeSet;
use std::sync::Arc;
use tables::Tables;
use tokio::sync::Notify;

/// So many that were given up are kept of each webhook, the newest.
const MOST_GIVEN_UP: i64 = 1_000;

/// A webhook that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webhooks) struct Receiver {
    pub(in crate::webhooks) store: StoreSlug,
    pub(in crate::webhooks) url: String,
    pub(in crate::webhooks) events: BTreeSet<String>,
    pub(in crate::webhooks) paused: bool,
}

/// What an event changes.
#[derive(Debug, Clone)]
pub(in crate::webhooks) enum Change {
    Added(WebhookId, Receiver),
    Paused(WebhookId),
    /// What was kept is sent as if it were new.
    Resumed(WebhookId),
    /// What was given up stays to be seen.
    Stopped(WebhookId),
    Removed(WebhookId),
    ToBeSent {
        webhook: WebhookId,
        rental: RentalId,
        position: u64,
    },
}

/// The first of a rental's events that a receiver is still to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webhooks) struct Due {
    pub(in crate::webhooks) rental: RentalId,
    pub(in crate::webhooks) position: u64,
    pub(in crate::webhooks) attempts: u32,
    pub(in crate::webhooks) first_at: Option<Instant>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webhooks) struct Refusal {
    pub(in crate::webhooks) reason: String,
    pub(in crate::webhooks) at: Instant,
    /// When it is tried again; never, where that is `None`.
    pub(in crate::webhooks) again_at: Option<Instant>,
}

/// Something that was tried for three days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Of which rental.
    pub rental: RentalId,
    /// Which event: its place in the journal.
    pub position: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last attempt said.
    pub reason: String,
    /// When that was.
    pub at: Instant,
}

/// How one webhook's deliveries stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Events that are still to be sent.
    pub waiting: u64,
    /// When the first of those that failed is sent again.
    pub again_at: Option<Instant>,
    /// Events that were given up, newest first.
    pub given_up: Vec<GivenUp>,
}

/// Reads how deliveries stand. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deliveries {
    outbox: Outbox,
    /// Tells the runner that there is something to be sent again, if it runs in this process; it looks by itself now and then.
    again: Arc<Notify>,
}

impl Deliveries {
    /// How one webhook's deliveries stand, with so many of those that were given up.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn standing(&self, webhook: WebhookId, most: usize) -> Result<Standing, SagaError> {
        match &self.outbox {
            Outbox::File(file) => file.standing(webhook, most).await,
            Outbox::Tables(tables) => tables.standing(webhook, most).await,
        }
    }

    /// Has everything sent again that was given up, as if it were new, and answers how much that is.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn retry(&self, webhook: WebhookId) -> Result<u64, SagaError> {
        let again = match &self.outbox {
            Outbox::File(file) => file.retry(webhook).await?,
            Outbox::Tables(tables) => tables.retry(webhook).await?,
        };
        self.again.notify_one();
        Ok(again)
    }
}

/// Where it is. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::webhooks) enum Outbox {
    /// A file, for the one process that has it.
    File(File),
    /// Tables in the journal's database, for whichever process has the lease.
    Tables(Tables),
}

impl Outbox {
    /// Opens the file or the tables, or makes them.
    pub(in crate::webhooks) async fn open(source: &Source) -> Result<Self, SagaError> {
        Ok(match source {
            Source::Directory(directory) => Self::File(File::open(directory)?),
            Source::Postgres(address) => Self::Tables(Tables::connect(address).await?),
        })
    }

    /// For whoever works under a lease: what it does counts as long as that is its own.
    pub(in crate::webhooks) fn under(&self, fence: &Fence) -> Self {
        match self {
            Self::File(file) => Self::File(file.clone()),
            Self::Tables(tables) => Self::Tables(tables.under(fence)),
        }
    }

    pub(in crate::webhooks) fn deliveries(&self, again: Arc<Notify>) -> Deliveries {
        Deliveries { outbox: self.clone(), again }
    }

    /// How far the journal was read, and who is told.
    pub(in crate::webhooks) async fn load(&self) -> Result<(u64, Vec<(WebhookId, Receiver)>), SagaError> {
        match self {
            Self::File(file) => file.load().await,
            Self::Tables(tables) => tables.load().await,
        }
    }

    /// Notes what some events change, and that they were read; not if others have taken over.
    pub(in crate::webhooks) async fn note(&self, changes: Vec<Change>, position: u64) -> Result<(), SagaError> {
        match self {
            Self::File(file) => file.note(changes, position).await,
            Self::Tables(tables) => tables.note(changes, position).await,
        }
    }

    /// What can be sent to a receiver now, at most one event of each rental; and when there may be more. Nothing, if others have
    /// taken over: they send it.
    pub(in crate::webhooks) async fn due(
        &self,
        webhook: WebhookId,
        now: Instant,
        most: usize,
    ) -> Result<(Vec<Due>, Option<Instant>), SagaError> {
        match self {
            Self::File(file) => file.due(webhook, now, most).await,
            Self::Tables(tables) => tables.due(webhook, now, most).await,
        }
    }

    /// The receiver has it. That is so whoever has taken over.
    pub(in crate::webhooks) async fn taken(&self, webhook: WebhookId, position: u64) -> Result<(), SagaError> {
        match self {
            Self::File(file) => file.taken(webhook, position).await,
            Self::Tables(tables) => tables.taken(webhook, position).await,
        }
    }

    /// The receiver has not got it.
    pub(in crate::webhooks) async fn refused(
        &self,
        webhook: WebhookId,
        due: Due,
        refusal: Refusal,
    ) -> Result<(), SagaError> {
        match self {
            Self::File(file) => file.refused(webhook, due, refusal).await,
            Self::Tables(tables) => tables.refused(webhook, due, refusal).await,
        }
    }
}
