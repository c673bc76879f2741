//! Where processes are saved together with their checkpoint: in a file, or in tables beside the journal.
//!
//! A stage that is saved names the last event in it, and events up to that one are passed over when they are read again: so a
//! process may be saved ahead of the checkpoint. Losing the newest saves in a power cut costs a longer repeat and no more.
//! **Whoever has lost its lease saves nothing**, so nobody's older stages are written over newer ones.

mod file;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use file::{Job, run, thread};

use super::process::{Process, State};
use crate::SagaError;
use domain::Instant;
pub(crate) use tables::TABLES;

use file::File;
use journal::{Fence, Source};
use tables::Tables;
use uuid::Uuid;

/// Where the processes of all kinds are saved. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Saved {
    /// A file, for the one process that has it.
    File(File),
    /// Tables in the journal's database, for whichever process has the lease.
    Tables(Tables),
}

/// A process to be written, or forgotten.
pub(super) struct Change<S> {
    pub(super) id: Uuid,
    /// `None` when nothing need be remembered of it any more.
    pub(super) state: Option<State<S>>,
    pub(super) deadline: Option<Instant>,
}

/// What was saved of one kind of process.
pub(super) struct Loaded<S> {
    pub(super) checkpoint: u64,
    /// All of them for a resident kind, and else those with a deadline.
    pub(super) processes: Vec<(Uuid, State<S>)>,
}

impl Saved {
    /// Opens the file or the tables, or makes them.
    pub(crate) async fn open(source: &Source) -> Result<Self, SagaError> {
        Ok(match source {
            Source::Directory(directory) => Self::File(File::open(directory)?),
            Source::Postgres(address) => Self::Tables(Tables::connect(address).await?),
        })
    }

    /// For whoever works under a lease: saves count as long as it is its own.
    pub(crate) fn under(&self, fence: &Fence) -> Self {
        match self {
            Self::File(file) => Self::File(file.clone()),
            Self::Tables(tables) => Self::Tables(tables.under(fence)),
        }
    }

    pub(super) async fn load<P: Process>(&self) -> Result<Loaded<P::Stage>, SagaError> {
        match self {
            Self::File(file) => file.load::<P>().await,
            Self::Tables(tables) => tables.load::<P>().await,
        }
    }

    pub(super) async fn load_one<P: Process>(&self, id: Uuid) -> Result<Option<State<P::Stage>>, SagaError> {
        match self {
            Self::File(file) => file.load_one::<P>(id).await,
            Self::Tables(tables) => tables.load_one::<P>(id).await,
        }
    }

    /// Writes what has changed, and the checkpoint with it. The answer comes when both are kept.
    ///
    /// Not if others have taken over: what they have saved of a process since, they take for saved.
    pub(super) async fn save<P: Process>(
        &self,
        changes: Vec<Change<P::Stage>>,
        checkpoint: u64,
    ) -> Result<(), SagaError> {
        match self {
            Self::File(file) => file.save::<P>(changes, checkpoint).await,
            Self::Tables(tables) => tables.save::<P>(changes, checkpoint).await,
        }
    }
}

pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
