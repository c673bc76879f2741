//! The file as the target of a copy: events come in as they are, with their positions, times and hashes.

use super::reader::unsigned;
use super::{COPYING, FILE, OpenError, SCHEMA_VERSION, lock_directory, refuse_old_sqlite, set_up, version, writer};
use crate::hash::GENESIS;
use crate::recorded::Recorded;
use rusqlite::{Connection, OptionalExtension};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// A journal file that is kept from every other process while it takes in a copy.
pub(crate) struct FileTarget {
    connection: Connection,
    _lock: File,
}

impl FileTarget {
    /// Makes the file where it is missing.
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        refuse_old_sqlite()?;
        let lock = lock_directory(directory)?;
        let connection = Connection::open(directory.join(FILE))?;
        match version(&connection)? {
            COPYING => {}
            found if found > SCHEMA_VERSION => return Err(OpenError::NewerSchema { found }),
            _ => {}
        }
        set_up(&connection)?;
        connection.pragma_update(None, "wal_autocheckpoint", writer::CHECKPOINT_PAGES)?;
        Ok(Self { connection, _lock: lock })
    }

    /// The last position and its hash.
    pub(crate) fn end(&self) -> rusqlite::Result<(u64, [u8; 32])> {
        let last = "SELECT position, hash FROM event ORDER BY position DESC LIMIT 1";
        let end = self.connection.query_row(last, [], |row| Ok((unsigned(row.get(0)?), row.get(1)?))).optional()?;
        Ok(end.unwrap_or((0, GENESIS)))
    }

    /// From here on no program takes it for a journal.
    pub(crate) fn mark(&self) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "user_version", COPYING)
    }

    pub(crate) fn write(&mut self, events: &[Recorded]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for event in events {
            writer::insert(&transaction, event)?;
        }
        transaction.commit()
    }

    /// The journal is whole; everything is in the one file.
    pub(crate) fn finish(&self) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        self.connection.busy_timeout(Duration::from_secs(2))?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}
