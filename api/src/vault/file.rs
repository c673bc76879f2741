//! Keys in a file of the data directory. One thread owns the connection; nobody holds a lock on it.

use super::{Key, VaultError, random};
use domain::CustomerId;
use rusqlite::{Connection, OptionalExtension, params};
use std::fs::OpenOptions;
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

pub(super) const FILE: &str = "personal-keys.db";
/// Requests that may wait for the thread.
const QUEUE: usize = 1_024;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The key file of a data directory.
#[derive(Clone)]
pub(super) struct KeyFile {
    jobs: mpsc::Sender<Job>,
}

impl KeyFile {
    pub(super) fn open(directory: &Path) -> Result<(Self, Key), VaultError> {
        let mut connection = connect(directory)?;
        connection.execute("INSERT OR IGNORE INTO fingerprint_key VALUES (1, ?1)", [random::<32>()?])?;
        let fingerprint_key = connection.query_row("SELECT key FROM fingerprint_key", [], |row| row.get(0))?;
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        std::thread::Builder::new().name("personal-keys".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        })?;
        Ok((Self { jobs }, fingerprint_key))
    }

    pub(super) async fn key(&self, customer: &CustomerId) -> Result<Option<Key>, VaultError> {
        let customer = customer.clone();
        self.run(move |connection| find(connection, &customer)).await
    }

    /// The customer's key; this one, on the disk, where there was none.
    pub(super) async fn key_or(&self, customer: &CustomerId, fresh: Key) -> Result<Key, VaultError> {
        let customer = customer.clone();
        self.run(move |connection| match find(connection, &customer)? {
            Some(key) => Ok(key),
            None => {
                let sql = "INSERT INTO customer_key VALUES (?1, ?2)";
                connection.execute(sql, params![customer.as_str(), fresh]).map(|_| fresh)
            }
        })
        .await
    }

    pub(super) async fn destroy(&self, customer: &CustomerId) -> Result<(), VaultError> {
        let customer = customer.clone();
        self.run(move |connection| {
            connection.execute("DELETE FROM customer_key WHERE customer = ?1", [customer.as_str()])?;
            empty_log(connection)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(answer.send(work(connection))));
        self.jobs.send(job).await.map_err(|_| VaultError::Closing)?;
        Ok(answered.await.map_err(|_| VaultError::Closing)??)
    }
}

/// The file, made where it is missing so that only its owner may read it.
pub(super) fn connect(directory: &Path) -> Result<Connection, VaultError> {
    let path = directory.join(FILE);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path)?;
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A deleted key is overwritten, not only forgotten.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS customer_key (customer TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS fingerprint_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT;",
    )?;
    Ok(connection)
}

/// The log of the key file still holds a deleted key until it is written back and cut off.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn find(connection: &Connection, customer: &CustomerId) -> rusqlite::Result<Option<Key>> {
    connection
        .prepare_cached("SELECT key FROM customer_key WHERE customer = ?1")?
        .query_row([customer.as_str()], |row| row.get(0))
        .optional()
}
