//! Reading connections. They see what is committed and never wait for the writer.

use crate::journal::ReadError;
use crate::recorded::Recorded;
use crate::texts::Interner;
use chrono::DateTime;
use rusqlite::{Connection, Row, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use uuid::Uuid;

/// Connections that are kept open when nobody reads.
const IDLE: usize = 8;

const COLUMNS: &str = "position, stream, revision, type, version, payload, recorded_at_us, event_id, correlation_id, \
                       causation_id, command_id, actor, hash";

/// A pool of reading connections.
#[derive(Clone)]
pub(crate) struct Reader {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Reading>>>,
}

impl Reader {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Arc::default() }
    }

    /// Runs a read where blocking is allowed.
    pub(crate) async fn run<T, F>(&self, read: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reading) -> rusqlite::Result<T> + Send + 'static,
    {
        let pool = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reading = match idle {
                Some(reading) => reading,
                None => Reading::open(&pool.path)?,
            };
            let result = read(&mut reading);
            let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if result.is_ok() && idle.len() < IDLE {
                idle.push(reading);
            }
            result
        });
        match task.await {
            Ok(result) => result.map_err(|error| ReadError::Database(error.to_string().into())),
            Err(_) => Err(ReadError::Closing),
        }
    }
}

/// One reading connection.
pub(crate) struct Reading {
    connection: Connection,
    texts: Interner,
}

impl Reading {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        Ok(Self { connection: super::read_only(path)?, texts: Interner::default() })
    }

    /// The events of one stream after a revision.
    pub(crate) fn stream(&mut self, stream: &str, after_revision: u64) -> rusqlite::Result<Vec<Recorded>> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE stream = ?1 AND revision > ?2 ORDER BY revision");
        let texts = &mut self.texts;
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map(params![stream, signed(after_revision)], |row| recorded(texts, row))?.collect()
    }

    /// Up to `limit` events of all streams after a position.
    pub(crate) fn all(&mut self, after: u64, limit: usize) -> rusqlite::Result<Vec<Recorded>> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE position > ?1 ORDER BY position LIMIT ?2");
        let texts = &mut self.texts;
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        statement.query_map(params![signed(after), limit], |row| recorded(texts, row))?.collect()
    }

    /// The events at these positions.
    pub(crate) fn at(&mut self, positions: &[u64]) -> rusqlite::Result<Vec<Recorded>> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE position = ?1");
        let texts = &mut self.texts;
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut events = Vec::with_capacity(positions.len());
        for position in positions {
            events.extend(
                statement
                    .query_map([signed(*position)], |row| recorded(texts, row))?
                    .collect::<rusqlite::Result<Vec<_>>>()?,
            );
        }
        Ok(events)
    }

    /// What SQLite itself finds wrong with the file, or nothing.
    pub(crate) fn damage(&self) -> rusqlite::Result<Option<String>> {
        let found: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((found != "ok").then_some(found))
    }

    /// A file that was made and not set up has none.
    pub(crate) fn has_events(&self) -> rusqlite::Result<bool> {
        let made = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'event')";
        Ok(self.connection.query_row(made, [], |row| row.get::<_, bool>(0))? && self.head()? > 0)
    }

    /// The last position.
    pub(crate) fn head(&self) -> rusqlite::Result<u64> {
        let head: Option<i64> = self.connection.query_row("SELECT max(position) FROM event", [], |row| row.get(0))?;
        Ok(head.map_or(0, unsigned))
    }
}

/// SQLite's integers are signed; positions and revisions stay far below 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn recorded(texts: &mut Interner, row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let text = |index: usize| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str()?);
    let recorded_at_us: i64 = row.get(6)?;
    let recorded_at = DateTime::from_timestamp_micros(recorded_at_us)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(6, recorded_at_us))?;
    let causation: Option<[u8; 16]> = row.get(9)?;
    Ok(Recorded {
        position: unsigned(row.get(0)?),
        stream: text(1)?.into(),
        revision: unsigned(row.get(2)?),
        event_type: texts.text(text(3)?),
        version: row.get(4)?,
        payload: text(5)?.into(),
        recorded_at,
        event_id: Uuid::from_bytes(row.get(7)?),
        correlation_id: texts.correlation(text(8)?),
        causation_id: causation.map(Uuid::from_bytes),
        command_id: Uuid::from_bytes(row.get(10)?),
        actor: texts.text(text(11)?),
        hash: row.get(12)?,
        decoded: OnceLock::new(),
    })
}
