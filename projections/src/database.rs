//! The view database: one connection that writes, on a thread of its own, and many that read.

use crate::error::ViewError;
use crate::fold::Spec;
use crate::table::{Table, signed, unsigned};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

const FILE: &str = "views.db";
/// Written into the file's header; a file of another number is built anew.
const SCHEMA_VERSION: i32 = 1;
/// Work that may wait for the writing thread.
const QUEUE: usize = 64;
/// Connections that are kept open when nobody reads.
const IDLE: usize = 8;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

enum Order {
    Work(Job),
    /// Let the file go, then answer.
    Close(oneshot::Sender<()>),
}

/// Runs work on the one connection that writes.
#[derive(Clone)]
pub(crate) struct Writer {
    orders: mpsc::Sender<Order>,
}

impl Writer {
    pub(crate) fn start(mut connection: Connection) -> Result<Self, ViewError> {
        let (orders, mut queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("views-writer".to_owned())
            .spawn(move || {
                while let Some(order) = queue.blocking_recv() {
                    match order {
                        Order::Work(job) => job(&mut connection),
                        Order::Close(done) => {
                            drop(connection);
                            // Whoever asked may be gone.
                            let _ = done.send(());
                            return;
                        }
                    }
                }
            })
            .map_err(ViewError::Thread)?;
        Ok(Self { orders })
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, ViewError> {
        let (order, answered) = order(work);
        self.orders.send(order).await.map_err(|_| ViewError::Closing)?;
        answered.await.map_err(|_| ViewError::Closing)
    }

    /// The same, from a thread that may block.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, ViewError> {
        let (order, answered) = order(work);
        self.orders.blocking_send(order).map_err(|_| ViewError::Closing)?;
        answered.blocking_recv().map_err(|_| ViewError::Closing)
    }

    /// Finishes what was asked before, then lets the file go.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).await.is_ok() {
            // An error means that it was closed before.
            let _ = closed.await;
        }
    }
}

fn order<T: Send + 'static>(work: impl FnOnce(&mut Connection) -> T + Send + 'static) -> (Order, oneshot::Receiver<T>) {
    let (answer, answered) = oneshot::channel();
    // Whoever asked may be gone; the work is done all the same.
    (Order::Work(Box::new(move |connection| drop(answer.send(work(connection))))), answered)
}

/// Opens the file, or makes it; makes the tables that are missing or of another shape.
pub(crate) fn open(directory: &Path, specs: &[Spec]) -> Result<(Connection, PathBuf), ViewError> {
    std::fs::create_dir_all(directory).map_err(|source| ViewError::Directory { path: directory.to_owned(), source })?;
    let path = directory.join(FILE);
    forget_deleted(&path)?;
    let mut connection = Connection::open(&path)?;
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A power cut may take the last transactions, whole: they are folded again. It never takes half of one.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "threads", 2)?;
    connection.set_prepared_statement_cache_capacity(128);
    let transaction = connection.transaction()?;
    prepare(&transaction, specs)?;
    transaction.commit()?;
    Ok((connection, path))
}

/// Where the file was deleted and its log was not, SQLite would pour the old log into the new file.
fn forget_deleted(path: &Path) -> Result<(), ViewError> {
    if path.exists() {
        return Ok(());
    }
    for end in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        match std::fs::remove_file(&beside) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(ViewError::Directory { path: beside.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn prepare(connection: &Connection, specs: &[Spec]) -> rusqlite::Result<()> {
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found != SCHEMA_VERSION {
        connection.execute_batch("DROP TABLE IF EXISTS view")?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS view (
             name       TEXT    PRIMARY KEY,
             version    TEXT    NOT NULL,
             generation INTEGER NOT NULL,
             position   INTEGER NOT NULL,
             hash       BLOB    NOT NULL
         ) STRICT, WITHOUT ROWID",
    )?;
    for spec in specs {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", Table::next(spec).name()))?;
        let version: Option<String> = connection
            .query_row("SELECT version FROM view WHERE name = ?1", [spec.name()], |row| row.get(0))
            .optional()?;
        if version.as_deref() != Some(spec.version) {
            let table = Table::live(spec);
            table.create(connection)?;
            table.index(connection, spec, 1)?;
            connection.execute(
                "INSERT OR REPLACE INTO view (name, version, generation, position, hash) VALUES (?1, ?2, 1, 0, x'')",
                [spec.name(), spec.version],
            )?;
        }
    }
    Ok(())
}

/// How far a view is, and the hash of the event there: it tells one journal from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) position: u64,
    pub(crate) hash: Vec<u8>,
    /// Which build of the view it is.
    pub(crate) generation: u64,
}

pub(crate) fn checkpoint(connection: &Connection, spec: &Spec) -> rusqlite::Result<Checkpoint> {
    connection.query_row("SELECT position, hash, generation FROM view WHERE name = ?1", [spec.name()], |row| {
        Ok(Checkpoint { position: unsigned(row.get(0)?), hash: row.get(1)?, generation: unsigned(row.get(2)?) })
    })
}

pub(crate) fn save_checkpoint(
    connection: &Connection,
    spec: &Spec,
    position: u64,
    hash: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE view SET position = ?2, hash = ?3 WHERE name = ?1")?
        .execute(params![spec.name(), signed(position), hash])
        .map(drop)
}

pub(crate) fn generation(connection: &Connection, spec: &Spec) -> rusqlite::Result<u64> {
    connection.query_row("SELECT generation FROM view WHERE name = ?1", [spec.name()], |row| row.get(0)).map(unsigned)
}

pub(crate) fn next_generation(connection: &Connection, spec: &Spec) -> rusqlite::Result<()> {
    connection.execute("UPDATE view SET generation = generation + 1 WHERE name = ?1", [spec.name()]).map(drop)
}

/// A pool of reading connections. They see what is committed and never wait for the writer.
#[derive(Clone)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Arc::default() }
    }

    /// Closes the connections that nobody is using.
    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A connection of one's own.
    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    pub(crate) async fn run<T, F>(&self, read: F) -> Result<T, ViewError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        let pool = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => pool.connect()?,
            };
            let result = read(&connection);
            let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if result.is_ok() && idle.len() < IDLE {
                idle.push(connection);
            }
            result
        });
        task.await.map_err(|_| ViewError::Closing)?
    }
}
