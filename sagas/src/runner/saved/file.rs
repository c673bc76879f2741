//! Processes in an SQLite file. One thread writes and one reads; nobody holds a lock on a connection.

use super::{Change, Loaded, signed, unsigned};
use crate::SagaError;
use crate::runner::process::{Process, State};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

const NAME: &str = "sagas.db";
/// Saves and look-ups that may wait.
const QUEUE: usize = 4_096;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The file of all process kinds. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct File {
    writer: mpsc::Sender<Job>,
    reader: mpsc::Sender<Job>,
    /// How often the file has been opened: a save by whoever had it before comes too late.
    epoch: i64,
}

impl File {
    pub(super) fn open(directory: &Path) -> Result<Self, SagaError> {
        let path = directory.join(NAME);
        let writing = Connection::open(&path)?;
        // Whoever had the file before may still be writing its last save.
        writing.busy_timeout(std::time::Duration::from_secs(5))?;
        writing.pragma_update(None, "journal_mode", "WAL")?;
        writing.pragma_update(None, "synchronous", "NORMAL")?;
        writing.execute_batch(
            "CREATE TABLE IF NOT EXISTS checkpoint (process TEXT PRIMARY KEY, position INTEGER NOT NULL)",
        )?;
        writing.execute_batch(
            "CREATE TABLE IF NOT EXISTS owner (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), epoch INTEGER NOT NULL)",
        )?;
        let take_over = "INSERT INTO owner VALUES (1, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch";
        let epoch = writing.query_row(take_over, [], |row| row.get(0))?;
        let reading = Connection::open(&path)?;
        reading.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(Self { writer: thread("sagas-writer", writing)?, reader: thread("sagas-reader", reading)?, epoch })
    }

    pub(super) async fn load<P: Process>(&self) -> Result<Loaded<P::Stage>, SagaError> {
        run(&self.writer, |connection| {
            connection.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {name} (id BLOB PRIMARY KEY, position INTEGER NOT NULL, \
                 correlation_id TEXT NOT NULL, event_id BLOB NOT NULL, stage TEXT NOT NULL, due_at_us INTEGER) \
                 WITHOUT ROWID; CREATE INDEX IF NOT EXISTS {name}_due ON {name} (due_at_us) WHERE due_at_us NOT NULL",
                name = P::NAME
            ))?;
            let checkpoint: Option<i64> = connection
                .query_row("SELECT position FROM checkpoint WHERE process = ?1", [P::NAME], |row| row.get(0))
                .optional()?;
            let which = if P::RESIDENT { "1" } else { "due_at_us NOT NULL" };
            let sql = format!("SELECT {COLUMNS}, id FROM {} WHERE {which}", P::NAME);
            let mut statement = connection.prepare(&sql)?;
            let processes = statement
                .query_map([], |row| Ok((Uuid::from_bytes(row.get(4)?), state::<P>(row)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Loaded { checkpoint: checkpoint.map_or(0, unsigned), processes })
        })
        .await
    }

    pub(super) async fn load_one<P: Process>(&self, id: Uuid) -> Result<Option<State<P::Stage>>, SagaError> {
        run(&self.reader, move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM {} WHERE id = ?1", P::NAME);
            connection.prepare_cached(&sql)?.query_row([id.into_bytes()], state::<P>).optional()
        })
        .await
    }

    pub(super) async fn save<P: Process>(
        &self,
        changes: Vec<Change<P::Stage>>,
        checkpoint: u64,
    ) -> Result<(), SagaError> {
        let ours = self.epoch;
        let saved = run(&self.writer, move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if transaction.query_row("SELECT epoch FROM owner", [], |row| row.get::<_, i64>(0))? != ours {
                return Ok(false);
            }
            {
                let mut write = transaction.prepare_cached(&format!(
                    "INSERT OR REPLACE INTO {} (id, position, correlation_id, event_id, stage, due_at_us) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    P::NAME
                ))?;
                let mut forget = transaction.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", P::NAME))?;
                for Change { id, state, deadline } in &changes {
                    let Some(state) = state else {
                        forget.execute([id.into_bytes()])?;
                        continue;
                    };
                    let stage = serde_json::to_string(&state.stage)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                    write.execute(params![
                        id.into_bytes(),
                        signed(state.position),
                        &*state.correlation_id,
                        state.event_id.into_bytes(),
                        stage,
                        deadline.map(|at| at.timestamp_micros()),
                    ])?;
                }
            }
            transaction.execute(
                "INSERT OR REPLACE INTO checkpoint (process, position) VALUES (?1, ?2)",
                params![P::NAME, signed(checkpoint)],
            )?;
            transaction.commit()?;
            Ok(true)
        });
        if saved.await? { Ok(()) } else { Err(SagaError::TakenOver) }
    }
}

const COLUMNS: &str = "position, correlation_id, event_id, stage";

fn state<P: Process>(row: &Row<'_>) -> rusqlite::Result<State<P::Stage>> {
    let stage = row.get_ref(3)?.as_str()?;
    let stage = serde_json::from_str(stage)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, error.into()))?;
    let correlation_id: String = row.get(1)?;
    Ok(State {
        stage,
        position: unsigned(row.get(0)?),
        correlation_id: correlation_id.into(),
        event_id: Uuid::from_bytes(row.get(2)?),
    })
}

fn thread(name: &str, mut connection: Connection) -> Result<mpsc::Sender<Job>, SagaError> {
    let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        })
        .map_err(SagaError::Thread)?;
    Ok(jobs)
}

async fn run<T: Send + 'static>(
    jobs: &mpsc::Sender<Job>,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, SagaError> {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move |connection| drop(answer.send(work(connection))));
    jobs.send(job).await.map_err(|_| SagaError::Closing)?;
    Ok(answered.await.map_err(|_| SagaError::Closing)??)
}
