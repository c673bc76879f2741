//! The one writer. It takes whatever appends are waiting, writes them in one transaction, makes it durable, then answers.

use super::reader::{signed, unsigned};
use crate::append::{Append, AppendError, Appended, Expected};
use crate::hash::{Chain, GENESIS};
use crate::queue::{Fate, Request, Waiting, gather};
use crate::recent;
use crate::recorded::Recorded;
use crate::tail::Tail;
use chrono::{DateTime, Utc};
use quick_cache::unsync::Cache;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

/// Streams whose last revision is remembered.
const HEADS: usize = 65_536;
/// Pages in the write-ahead log before it is copied into the database file: 64 MiB.
pub(super) const CHECKPOINT_PAGES: i64 = 16_384;

const INSERT: &str = "INSERT INTO event (position, stream, revision, type, version, payload, recorded_at_us, event_id, \
                      correlation_id, causation_id, command_id, actor, hash) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

/// Where the journal ends.
#[derive(Clone)]
pub(crate) struct State {
    position: u64,
    hash: [u8; 32],
    recorded_at: DateTime<Utc>,
}

impl State {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let last = connection
            .query_row("SELECT position, hash, recorded_at_us FROM event ORDER BY position DESC LIMIT 1", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, i64>(2)?))
            })
            .optional()?;
        let (position, hash, recorded_at_us) = last.unwrap_or((0, GENESIS, 0));
        let recorded_at = DateTime::from_timestamp_micros(recorded_at_us).unwrap_or_default();
        Ok(Self { position: unsigned(position), hash, recorded_at })
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }
}

/// A stream's last event.
#[derive(Clone, Copy)]
struct Head {
    revision: u64,
    event_id: Uuid,
}

/// What became of the transaction.
enum Failure {
    /// Nothing was written; the next batch may succeed.
    Batch(rusqlite::Error),
    /// It is not known what is on the disk: no acknowledgement after this.
    Fatal(rusqlite::Error),
}

/// Owns the writing connection, the lock and the end of the journal.
pub(crate) struct Writer {
    connection: Connection,
    state: State,
    heads: Cache<Arc<str>, Head>,
    chain: Chain,
    types: Vec<Arc<str>>,
    tail: Arc<Tail>,
    failure: watch::Sender<Option<Arc<str>>>,
    /// Held for as long as the file may be written.
    _lock: File,
}

type Answer = (oneshot::Sender<Result<Appended, AppendError>>, Result<Appended, AppendError>);

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        state: State,
        tail: Arc<Tail>,
        failure: watch::Sender<Option<Arc<str>>>,
        lock: File,
    ) -> Self {
        let heads = recent::of_one_thread(HEADS);
        Self { connection, state, heads, chain: Chain::default(), types: Vec::new(), tail, failure, _lock: lock }
    }

    /// Serves the queue until it is closed or the disk fails.
    pub(crate) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        // What a killed process left in the log belongs into the file.
        self.checkpoint(0);
        let mut closing = None;
        while closing.is_none()
            && let Some(first) = requests.blocking_recv()
        {
            // Where threads wait for a processor, they get it first: what they append meanwhile shares the fsync.
            std::thread::yield_now();
            let batch = gather(first, &mut requests, &mut closing);
            if !self.serve(batch) {
                break;
            }
            self.checkpoint(CHECKPOINT_PAGES);
        }
        // Whoever is still waiting sees a closed channel, which callers read as `Stopped`.
        drop(requests);
        if self.failure.borrow().is_none() {
            self.empty_log();
        }
        drop(self);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// One transaction: write, make durable, publish, answer. False when there must not be another one.
    fn serve(&mut self, batch: Vec<Waiting>) -> bool {
        let before = self.state.clone();
        let mut waiting = Vec::with_capacity(batch.len());
        let mut recorded = Vec::new();
        let mut requests = batch.into_iter();
        let written = self.write(&mut requests, &mut waiting, &mut recorded);
        let Err(failure) = written else {
            self.tail.publish(recorded);
            for (fate, (answer, result)) in waiting {
                if result.is_ok() {
                    fate.set_durable();
                }
                let _ = answer.send(result);
            }
            return true;
        };
        self.state = before;
        self.heads.clear();
        match failure {
            Failure::Batch(error) => {
                let reason: Arc<str> = error.to_string().into();
                tracing::error!(error = &error as &dyn std::error::Error, "a batch was not written");
                let left = requests.map(|request| request.answer);
                for answer in waiting.into_iter().map(|(_, (answer, _))| answer).chain(left) {
                    let _ = answer.send(Err(AppendError::Unavailable(reason.clone())));
                }
                true
            }
            Failure::Fatal(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the journal stops: the disk failed");
                // Set before the callers' channels close: they read the reason here.
                self.failure.send_replace(Some(error.to_string().into()));
                false
            }
        }
    }

    fn write(
        &mut self,
        requests: &mut std::vec::IntoIter<Waiting>,
        waiting: &mut Vec<(Fate, Answer)>,
        recorded: &mut Vec<Recorded>,
    ) -> Result<(), Failure> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(classify)?;
        let result = self.write_all(requests, waiting, recorded);
        let result = match result {
            // Guards alone need no disk; an empty transaction does not touch it.
            Ok(()) => self.connection.execute_batch("COMMIT").map_err(classify),
            Err(failure) => Err(failure),
        };
        if let Err(Failure::Batch(_)) = &result
            && !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            return Err(Failure::Fatal(error));
        }
        result
    }

    fn write_all(
        &mut self,
        requests: &mut std::vec::IntoIter<Waiting>,
        waiting: &mut Vec<(Fate, Answer)>,
        recorded: &mut Vec<Recorded>,
    ) -> Result<(), Failure> {
        // A clock that is set back does not make an event older than the one before it.
        self.state.recorded_at = self.state.recorded_at.max(now());
        for Waiting { append, answer, fate } in requests {
            match self.append(append, recorded) {
                Ok(result) => waiting.push((fate, (answer, result))),
                Err(error) => {
                    waiting.push((fate, (answer, Err(AppendError::Unavailable("not written".into())))));
                    return Err(classify(error));
                }
            }
        }
        Ok(())
    }

    /// Checks the guard and inserts. The inner result is the append's own; the outer error is the transaction's.
    fn append(
        &mut self,
        append: Append,
        recorded: &mut Vec<Recorded>,
    ) -> Result<Result<Appended, AppendError>, rusqlite::Error> {
        let Append { stream, expected, events, context, basis } = append;
        if let Some(basis) = basis {
            let head = match self.heads.get(&basis.stream).copied() {
                Some(head) => Some(head),
                None => self.head_of(&basis.stream)?,
            };
            if !holds(basis.expected, head) {
                return Ok(Err(AppendError::Overtaken(basis.stream)));
            }
        }
        let known = self.heads.get(&stream).copied();
        // The unique index is the guard of a new stream: one look less for the most frequent append.
        let presumed_new = known.is_none() && expected == Expected::Revision(0) && !events.is_empty();
        let head = match known {
            Some(head) => Some(head),
            None if presumed_new => None,
            None => self.head_of(&stream)?,
        };
        let actual = head.map_or(0, |head| head.revision);
        if !holds(expected, head) {
            return Ok(Err(AppendError::Conflict { actual }));
        }
        let mut revision = actual;
        let mut last = head;
        for event in events {
            revision += 1;
            let mut event = Recorded {
                position: self.state.position + 1,
                stream: stream.clone(),
                revision,
                event_type: self.intern(&event.event_type),
                version: event.version,
                payload: event.payload.into(),
                recorded_at: self.state.recorded_at,
                event_id: event.id,
                correlation_id: context.correlation_id.clone(),
                causation_id: context.causation_id,
                command_id: context.command_id,
                actor: context.actor.clone(),
                hash: GENESIS,
                decoded: event.decoded.map_or_else(OnceLock::new, OnceLock::from),
            };
            event.hash = self.chain.next(&self.state.hash, &event);
            match insert(&self.connection, &event) {
                Ok(()) => {}
                Err(error) if presumed_new && revision == 1 && is_taken(&error) => {
                    let actual = self.head_of(&stream)?.map_or(0, |head| head.revision);
                    return Ok(Err(AppendError::Conflict { actual }));
                }
                Err(error) => return Err(error),
            }
            self.state.position = event.position;
            self.state.hash = event.hash;
            last = Some(Head { revision, event_id: event.event_id });
            recorded.push(event);
        }
        if let Some(head) = last {
            self.heads.insert(stream, head);
        }
        Ok(Ok(Appended { position: self.state.position, revision }))
    }

    fn head_of(&self, stream: &str) -> Result<Option<Head>, rusqlite::Error> {
        self.connection
            .prepare_cached("SELECT revision, event_id FROM event WHERE stream = ?1 ORDER BY revision DESC LIMIT 1")?
            .query_row([stream], |row| {
                Ok(Head { revision: unsigned(row.get(0)?), event_id: Uuid::from_bytes(row.get(1)?) })
            })
            .optional()
    }

    /// There are a few dozen types of event; a short list beats a map.
    fn intern(&mut self, event_type: &str) -> Arc<str> {
        if let Some(known) = self.types.iter().find(|known| ***known == *event_type) {
            return known.clone();
        }
        let new: Arc<str> = event_type.into();
        if self.types.len() < 256 {
            self.types.push(new.clone());
        }
        new
    }

    /// Copies the write-ahead log into the database once it has grown; readers are not disturbed.
    fn checkpoint(&self, pages: i64) {
        // Asked after every batch, so it is not compiled anew each time.
        let log = self
            .connection
            .prepare_cached("PRAGMA wal_checkpoint(NOOP)")
            .and_then(|mut size| size.query_row([], |row| row.get::<_, i64>(1)));
        let result = match log {
            Ok(size) if size > pages => self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            // Nothing is lost: the log stays and is copied later.
            tracing::warn!(error = &error as &dyn std::error::Error, "the write-ahead log was not checkpointed");
        }
    }

    /// Leaves everything in the one file that is verified, copied and looked at: a log that stays would hide what happens to
    /// that file afterwards.
    fn empty_log(&self) {
        let waited = self.connection.busy_timeout(Duration::from_secs(2));
        let emptied = waited.and_then(|()| {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        });
        match emptied {
            Ok(0) => {}
            Ok(_) => tracing::warn!("the write-ahead log was not emptied: somebody is reading"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the write-ahead log was not emptied");
            }
        }
    }
}

fn holds(expected: Expected, head: Option<Head>) -> bool {
    expected.holds(head.map(|head| (head.revision, head.event_id)))
}

pub(super) fn insert(connection: &Connection, event: &Recorded) -> rusqlite::Result<()> {
    connection
        .prepare_cached(INSERT)?
        .execute(params![
            signed(event.position),
            &*event.stream,
            signed(event.revision),
            &*event.event_type,
            event.version,
            &*event.payload,
            event.recorded_at.timestamp_micros(),
            event.event_id.as_bytes(),
            &*event.correlation_id,
            event.causation_id.as_ref().map(|id| id.as_bytes().as_slice()),
            event.command_id.as_bytes(),
            &*event.actor,
            event.hash,
        ])
        .map(drop)
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// A full disk or a busy file passes; after anything else nobody knows what is on the disk.
fn classify(error: rusqlite::Error) -> Failure {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::TooBig) => {
            Failure::Batch(error)
        }
        _ => Failure::Fatal(error),
    }
}

/// Microseconds are what is stored, so that is what is hashed and shown.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap_or_default()
}
