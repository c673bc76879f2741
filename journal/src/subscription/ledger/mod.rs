//! Where subscriptions remember how far they are: a file, or the database of the journal.

mod postgres;
mod sqlite;

use super::{Parked, SubscriptionError};
use crate::fence::Fence;
pub(super) use postgres::{CHANNEL, Database, parked_of};
pub(super) use sqlite::File;

/// Checkpoints, pauses, attempts and parked sequences of every subscription.
#[derive(Clone)]
pub(super) enum Ledger {
    File(File),
    Database(Database),
}

/// What is remembered of one subscription.
pub(super) struct Remembered {
    pub(super) checkpoint: u64,
    pub(super) paused: bool,
    pub(super) parked: Vec<Parked>,
}

/// One process owns the file, so that only the database asks for the fence.
impl Ledger {
    pub(super) async fn load(&self, fence: &Fence, name: &'static str) -> Result<Remembered, SubscriptionError> {
        match self {
            Self::File(file) => file.load(name).await,
            Self::Database(database) => database.load(fence, name).await,
        }
    }

    pub(super) async fn save_checkpoint(
        &self,
        fence: &Fence,
        name: &'static str,
        position: u64,
    ) -> Result<(), SubscriptionError> {
        match self {
            Self::File(file) => file.save_checkpoint(name, position).await,
            Self::Database(database) => database.save_checkpoint(fence, name, position).await,
        }
    }

    /// Counts one more attempt, durably, before it is made; answers how many that makes.
    pub(super) async fn count_attempt(
        &self,
        fence: &Fence,
        name: &'static str,
        position: u64,
    ) -> Result<u32, SubscriptionError> {
        match self {
            Self::File(file) => file.count_attempt(name, position).await,
            Self::Database(database) => database.count_attempt(fence, name, position).await,
        }
    }

    pub(super) async fn forget_attempts(
        &self,
        fence: &Fence,
        name: &'static str,
        position: u64,
    ) -> Result<(), SubscriptionError> {
        match self {
            Self::File(file) => file.forget_attempts(name, position).await,
            Self::Database(database) => database.forget_attempts(fence, name, position).await,
        }
    }

    pub(super) async fn park(
        &self,
        fence: &Fence,
        name: &'static str,
        parked: Parked,
    ) -> Result<(), SubscriptionError> {
        match self {
            Self::File(file) => file.park(name, parked).await,
            Self::Database(database) => database.park(fence, name, parked).await,
        }
    }

    pub(super) async fn unpark(
        &self,
        fence: &Fence,
        name: &'static str,
        sequence: &str,
    ) -> Result<(), SubscriptionError> {
        match self {
            Self::File(file) => file.unpark(name, sequence.to_owned()).await,
            Self::Database(database) => database.unpark(fence, name, sequence).await,
        }
    }
}
