//! Opens the journal, and makes sure of the data directory.

use crate::config::Config;
use crate::failure::Failure;
use journal::sqlite::lock_directory;
use journal::{Journal, Owner, Source, Subscriptions};
use projections::Views;
use std::fs::File;

/// An open journal, and the data directory for as long as this exists.
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    /// A journal in the directory holds the lock by itself. Views and stages are always there, and one process writes them.
    pub(crate) lock: Option<File>,
}

impl Config {
    /// Opens the journal, wherever it is, or makes it.
    pub(crate) async fn open_journal(&self, purpose: &str) -> Result<Opened, Failure> {
        let failed = |error: journal::OpenError| Failure::because(purpose, error);
        let lock = match &self.journal {
            Source::Directory(_) => None,
            Source::Postgres(_) => Some(lock_directory(&self.data).map_err(|error| failed(error.into()))?),
        };
        Ok(Opened { journal: self.journal.open().await.map_err(failed)?, lock })
    }

    /// What is remembered of subscriptions: beside the journal, wherever that is.
    pub(crate) async fn subscriptions(&self, journal: &Journal) -> Result<Subscriptions, Failure> {
        let opened = match &self.journal {
            Source::Directory(directory) => Subscriptions::open(journal.clone(), directory),
            Source::Postgres(address) => {
                Subscriptions::connect(journal.clone(), address, Owner::this_process(&self.roles.to_string())).await
            }
        };
        opened.map_err(|error| Failure::because("cannot open the checkpoints", error))
    }

    /// The views: beside the journal, wherever that is.
    pub(crate) async fn views(&self) -> Result<Views, Failure> {
        let opened = match &self.journal {
            Source::Directory(directory) => Views::open(directory),
            Source::Postgres(address) => Views::connect(address).await,
        };
        opened.map_err(|error| Failure::because("cannot open the views", error))
    }
}
