//! The embedded journal: one SQLite file, one connection that writes, many that read.

mod copy;
mod reader;
mod writer;

pub(crate) use copy::FileTarget;
pub(crate) use reader::{Reader, Reading, signed, unsigned};

use crate::queue::Request;
use crate::recorded::Recorded;
use crate::tail::Tail;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// SQLite before this could corrupt a database in WAL mode.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Written into the file's header; a file of a newer Reservoir is not touched.
const SCHEMA_VERSION: i32 = 1;
/// Stands there instead while a copy into the file is under way: older programs, too, do not touch it.
const COPYING: i32 = i32::MAX;
/// What the write-ahead log has from the start.
const LOG_BYTES: u64 = 16 << 20;
const FILE: &str = "journal.db";
const LOCK_FILE: &str = "journal.lock";

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("another process is using the journal in {}", .0.display())]
    InUse(PathBuf),
    /// There is no journal to read.
    #[error("there is no journal in {}", .0.display())]
    Missing(PathBuf),
    /// The SQLite that was linked may corrupt a WAL.
    #[error("SQLite {0} is too old: 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// A newer Reservoir has written it.
    #[error("the journal has schema {found}; this program knows {SCHEMA_VERSION}")]
    NewerSchema {
        /// The version in the file.
        found: i32,
    },
    /// A copy into it was begun and is not finished.
    #[error("the journal in {} is half copied: run the same `reservoir copy` again, which goes on", .0.display())]
    HalfCopied(PathBuf),
    /// The directory or the lock file cannot be used.
    #[error("cannot use {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        #[source]
        /// Why.
        source: std::io::Error,
    },
    /// SQLite cannot use the file.
    #[error("cannot open the journal")]
    Database(#[from] rusqlite::Error),
}

pub(crate) struct Opened {
    pub(crate) tail: Arc<Tail>,
    pub(crate) reader: Reader,
}

/// Opens the journal for reading only, beside a process that may be writing it.
pub(crate) fn open_reading(directory: &Path) -> Result<Reading, OpenError> {
    let path = directory.join(FILE);
    if !path.exists() {
        return Err(OpenError::Missing(directory.to_owned()));
    }
    Ok(Reading::open(&path)?)
}

/// A journal opened for reading only. It takes no lock, so a server may be writing the same file.
pub struct JournalFile(Reading);

impl JournalFile {
    /// Opens the journal of a data directory.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        open_reading(directory).map(Self)
    }

    /// Up to `limit` events after a position, of one stream or of all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self, stream: Option<&str>, after: u64, limit: usize) -> Result<Vec<Recorded>, OpenError> {
        let Some(stream) = stream else { return Ok(self.0.all(after, limit)?) };
        let mut events = self.0.stream(stream, 0)?;
        events.retain(|event| event.position > after);
        events.truncate(limit);
        Ok(events)
    }

    /// Whether a data directory has one with anything in it.
    pub(crate) fn is_in(directory: &Path) -> Result<bool, OpenError> {
        match open_reading(directory) {
            Ok(reading) => Ok(reading.has_events()?),
            Err(OpenError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The last position.
    pub(crate) fn head(&self) -> Result<u64, OpenError> {
        Ok(self.0.head()?)
    }
}

/// Takes the lock, makes the file where it is missing, and starts the writer.
pub(crate) fn open(
    directory: &Path,
    requests: mpsc::Receiver<Request>,
    failure: watch::Sender<Option<Arc<str>>>,
) -> Result<Opened, OpenError> {
    refuse_old_sqlite()?;
    let lock = lock_directory(directory)?;
    let path = directory.join(FILE);
    let connection = connect(&path)?;
    lay_out_log(&path).map_err(|source| OpenError::Directory { path: path.clone(), source })?;
    let state = writer::State::load(&connection)?;
    let tail = Arc::new(Tail::new(state.position()));
    let writer = writer::Writer::new(connection, state, tail.clone(), failure, lock);
    std::thread::Builder::new()
        .name("journal-writer".to_owned())
        .spawn(move || writer.run(requests))
        .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    Ok(Opened { tail, reader: Reader::new(path) })
}

fn refuse_old_sqlite() -> Result<(), OpenError> {
    match rusqlite::version_number() < OLDEST_SQLITE {
        true => Err(OpenError::OldSqlite(rusqlite::version())),
        false => Ok(()),
    }
}

/// Keeps every other process out of a data directory, which is made where it is missing, until the file is dropped.
///
/// # Errors
/// When another process has it, or it cannot be used.
pub fn lock_directory(directory: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Directory { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let file = File::create(directory.join(LOCK_FILE)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path)?;
    match version(&connection)? {
        COPYING => return Err(OpenError::HalfCopied(path.parent().unwrap_or(path).to_owned())),
        found if found > SCHEMA_VERSION => return Err(OpenError::NewerSchema { found }),
        _ => {}
    }
    set_up(&connection)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An acknowledged event survives a power cut. Group commit pays for it once a batch.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer checkpoints between batches, not inside a commit that callers wait for.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(())
}

/// Gives the write-ahead log its first blocks. An fsync of bytes that replace others takes half as long as one that makes the
/// file longer; later, after each checkpoint, SQLite writes over the log's old blocks by itself. What is behind the
/// log's last frame means nothing to SQLite: a frame counts only with the salt and checksum of its log.
fn lay_out_log(database: &Path) -> std::io::Result<()> {
    let mut log = std::fs::OpenOptions::new().append(true).open(database.with_extension("db-wal"))?;
    let missing = LOG_BYTES.saturating_sub(log.metadata()?.len());
    std::io::copy(&mut std::io::repeat(0).take(missing), &mut log)?;
    log.sync_all()
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}
