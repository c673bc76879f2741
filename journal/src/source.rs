//! Where a journal is kept, for whoever must not care.

use crate::journal::Journal;
use crate::postgres::{ConnectError, JournalDatabase, PostgresAddress};
use crate::recorded::Recorded;
use crate::sqlite::{self, JournalFile};
use std::path::PathBuf;

/// Where a journal is kept.
#[derive(Debug, Clone)]
pub enum Source {
    /// An SQLite file in a data directory; one process at a time.
    Directory(PathBuf),
    /// A PostgreSQL database; any number of processes.
    Postgres(PostgresAddress),
}

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file.
    #[error(transparent)]
    Directory(#[from] sqlite::OpenError),
    /// The database.
    #[error(transparent)]
    Postgres(#[from] ConnectError),
}

impl Source {
    /// Opens the journal for appending, or makes it.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn open(&self) -> Result<Journal, OpenError> {
        match self {
            Self::Directory(directory) => Ok(Journal::open(directory)?),
            Self::Postgres(address) => Ok(Journal::connect(address).await?),
        }
    }

    /// Opens the journal for reading only, beside whoever may be writing it.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub async fn open_reading(&self) -> Result<StoredJournal, OpenError> {
        match self {
            Self::Directory(directory) => Ok(StoredJournal::File(JournalFile::open(directory)?)),
            Self::Postgres(address) => Ok(StoredJournal::Database(Box::new(JournalDatabase::open(address).await?))),
        }
    }
}

/// A journal opened for reading only.
pub enum StoredJournal {
    /// The file.
    File(JournalFile),
    /// The database.
    Database(Box<JournalDatabase>),
}

impl StoredJournal {
    /// Up to `limit` events after a position, of one stream or of all.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn read(&mut self, stream: Option<&str>, after: u64, limit: usize) -> Result<Vec<Recorded>, OpenError> {
        match self {
            Self::File(file) => Ok(file.read(stream, after, limit)?),
            Self::Database(database) => Ok(database.read(stream, after, limit).await?),
        }
    }

    /// The last position.
    pub(crate) async fn head(&mut self) -> Result<u64, OpenError> {
        match self {
            Self::File(file) => Ok(file.head()?),
            Self::Database(database) => Ok(database.ends().await?.last),
        }
    }
}
