//! The outbox in a file of the data directory. Losing its newest writes in a power cut sends something again, and no more.

use super::{Change, Due, GivenUp, MOST_GIVEN_UP, Receiver, Refusal, Standing};
use crate::SagaError;
use crate::runner::{Job, run, signed, thread, unsigned};
use domain::{Instant, RentalId, WebhookId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::Path;
use tokio::sync::mpsc;
use uuid::Uuid;

const FILE: &str = "webhooks.db";
const SCHEMA: &str = include_str!("file.sql");

/// The file. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct File {
    jobs: mpsc::Sender<Job>,
    /// How often the file has been opened: whoever had it before notes and sends nothing any more.
    epoch: i64,
}

impl File {
    pub(super) fn open(directory: &Path) -> Result<Self, SagaError> {
        let connection = Connection::open(directory.join(FILE))?;
        // Whoever had the file before may still be writing.
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        let take_over = "INSERT INTO owner VALUES (1, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch";
        let epoch = connection.query_row(take_over, [], |row| row.get(0))?;
        Ok(Self { jobs: thread("webhooks-outbox", connection)?, epoch })
    }

    /// How far the journal was read, and who is told.
    pub(super) async fn load(&self) -> Result<(u64, Vec<(WebhookId, Receiver)>), SagaError> {
        run(&self.jobs, |connection| {
            let sql = "SELECT position FROM checkpoint";
            let position: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
            let mut statement = connection.prepare("SELECT id, store, url, events, paused FROM webhook")?;
            let receivers = statement.query_map([], receiver)?.collect::<rusqlite::Result<_>>()?;
            Ok((position.map_or(0, unsigned), receivers))
        })
        .await
    }

    /// Notes what some events change, and that they were read; not if others have taken the file over.
    pub(super) async fn note(&self, changes: Vec<Change>, position: u64) -> Result<(), SagaError> {
        let ours = self.epoch;
        let noted = run(&self.jobs, move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if epoch(&transaction)? != ours {
                return Ok(false);
            }
            changes.iter().try_for_each(|change| write(&transaction, change))?;
            transaction.execute("INSERT OR REPLACE INTO checkpoint VALUES (1, ?1)", [signed(position)])?;
            transaction.commit()?;
            Ok(true)
        });
        if noted.await? { Ok(()) } else { Err(SagaError::TakenOver) }
    }

    /// What can be sent to a receiver now, at most one event of each rental; and when there may be more. Nothing, if others have taken the
    /// file over: they send it.
    pub(super) async fn due(
        &self,
        webhook: WebhookId,
        now: Instant,
        most: usize,
    ) -> Result<(Vec<Due>, Option<Instant>), SagaError> {
        let ours = self.epoch;
        let due = run(&self.jobs, move |connection| {
            if epoch(connection)? != ours {
                return Ok(None);
            }
            let id = webhook.0.into_bytes();
            let mut statement = connection.prepare_cached(
                "SELECT rental, position, attempts, first_at_ms FROM delivery AS it \
                 WHERE webhook = ?1 AND given_up_at_ms IS NULL AND next_at_ms <= ?2 AND NOT EXISTS ( \
                     SELECT 1 FROM delivery AS earlier WHERE earlier.webhook = it.webhook AND earlier.rental = it.rental \
                     AND earlier.given_up_at_ms IS NULL AND earlier.position < it.position) \
                 ORDER BY position LIMIT ?3",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let due = statement.query_map(params![id, now.timestamp_millis(), most], |row| {
                Ok(Due {
                    rental: RentalId(Uuid::from_bytes(row.get(0)?)),
                    position: unsigned(row.get(1)?),
                    attempts: row.get(2)?,
                    first_at: row.get::<_, Option<i64>>(3)?.and_then(Instant::from_timestamp_millis),
                })
            })?;
            let due = due.collect::<rusqlite::Result<_>>()?;
            let sql = "SELECT min(next_at_ms) FROM delivery \
                       WHERE webhook = ?1 AND given_up_at_ms IS NULL AND next_at_ms > ?2";
            let later: Option<i64> =
                connection.prepare_cached(sql)?.query_row(params![id, now.timestamp_millis()], |row| row.get(0))?;
            Ok(Some((due, later.and_then(Instant::from_timestamp_millis))))
        });
        due.await?.ok_or(SagaError::TakenOver)
    }

    /// The receiver has it.
    pub(super) async fn taken(&self, webhook: WebhookId, position: u64) -> Result<(), SagaError> {
        run(&self.jobs, move |connection| {
            let sql = "DELETE FROM delivery WHERE webhook = ?1 AND position = ?2";
            connection.prepare_cached(sql)?.execute(params![webhook.0.into_bytes(), signed(position)]).map(drop)
        })
        .await
    }

    /// The receiver has not got it.
    pub(super) async fn refused(&self, webhook: WebhookId, due: Due, refusal: Refusal) -> Result<(), SagaError> {
        run(&self.jobs, move |connection| {
            let Refusal { reason, at, again_at } = refusal;
            let (id, at) = (webhook.0.into_bytes(), at.timestamp_millis());
            let given_up_at = again_at.is_none().then_some(at);
            let first = due.first_at.map_or(at, |first| first.timestamp_millis());
            let again = again_at.map_or(0, |again| again.timestamp_millis());
            connection.execute(
                "UPDATE delivery SET attempts = ?3, first_at_ms = ?4, next_at_ms = ?5, given_up_at_ms = ?6, reason = ?7 \
                 WHERE webhook = ?1 AND position = ?2",
                params![id, signed(due.position), due.attempts + 1, first, again, given_up_at, reason],
            )?;
            if given_up_at.is_some() {
                connection.execute(
                    "DELETE FROM delivery WHERE webhook = ?1 AND given_up_at_ms IS NOT NULL AND position NOT IN ( \
                         SELECT position FROM delivery WHERE webhook = ?1 AND given_up_at_ms IS NOT NULL \
                         ORDER BY position DESC LIMIT ?2)",
                    params![id, MOST_GIVEN_UP],
                )?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn retry(&self, webhook: WebhookId) -> Result<u64, SagaError> {
        run(&self.jobs, move |connection| {
            let sql = "UPDATE delivery SET attempts = 0, first_at_ms = NULL, next_at_ms = 0, given_up_at_ms = NULL, \
                       reason = NULL WHERE webhook = ?1 AND given_up_at_ms IS NOT NULL";
            connection.execute(sql, [webhook.0.into_bytes()]).map(|again| again as u64)
        })
        .await
    }

    pub(super) async fn standing(&self, webhook: WebhookId, most: usize) -> Result<Standing, SagaError> {
        run(&self.jobs, move |connection| {
            let id = webhook.0.into_bytes();
            let sql = "SELECT count(*), min(next_at_ms) FILTER (WHERE attempts > 0) FROM delivery \
                       WHERE webhook = ?1 AND given_up_at_ms IS NULL";
            let (waiting, again): (i64, Option<i64>) =
                connection.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut statement = connection.prepare(
                "SELECT rental, position, attempts, reason, given_up_at_ms FROM delivery \
                 WHERE webhook = ?1 AND given_up_at_ms IS NOT NULL ORDER BY position DESC LIMIT ?2",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let given_up = statement.query_map(params![id, most], |row| {
                Ok(GivenUp {
                    rental: RentalId(Uuid::from_bytes(row.get(0)?)),
                    position: unsigned(row.get(1)?),
                    attempts: row.get(2)?,
                    reason: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    at: Instant::from_timestamp_millis(row.get(4)?).unwrap_or_default(),
                })
            })?;
            let again_at = again.and_then(Instant::from_timestamp_millis);
            Ok(Standing { waiting: unsigned(waiting), again_at, given_up: given_up.collect::<rusqlite::Result<_>>()? })
        })
        .await
    }
}

fn epoch(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT epoch FROM owner")?.query_row([], |row| row.get(0))
}

fn write(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Added(id, Receiver { store, url, events, paused }) => {
            let events =
                serde_json::to_string(events).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            let row = params![id.0.into_bytes(), store.as_str(), url, events, paused];
            transaction.execute("INSERT OR REPLACE INTO webhook VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
        }
        Change::Paused(id) => {
            transaction.execute("UPDATE webhook SET paused = 1 WHERE id = ?1", [id.0.into_bytes()])?;
        }
        Change::Resumed(id) => {
            let id = id.0.into_bytes();
            transaction.execute("UPDATE webhook SET paused = 0 WHERE id = ?1", [id])?;
            let sql = "UPDATE delivery SET attempts = 0, first_at_ms = NULL, next_at_ms = 0 \
                       WHERE webhook = ?1 AND given_up_at_ms IS NULL";
            transaction.execute(sql, [id])?;
        }
        Change::Stopped(id) => {
            let id = id.0.into_bytes();
            transaction.execute("DELETE FROM webhook WHERE id = ?1", [id])?;
            transaction.execute("DELETE FROM delivery WHERE webhook = ?1 AND given_up_at_ms IS NULL", [id])?;
        }
        Change::Removed(id) => {
            let id = id.0.into_bytes();
            transaction.execute("DELETE FROM webhook WHERE id = ?1", [id])?;
            transaction.execute("DELETE FROM delivery WHERE webhook = ?1", [id])?;
        }
        Change::ToBeSent { webhook, rental, position } => {
            let sql = "INSERT OR IGNORE INTO delivery (webhook, rental, position) VALUES (?1, ?2, ?3)";
            let row = params![webhook.0.into_bytes(), rental.0.into_bytes(), signed(*position)];
            transaction.prepare_cached(sql)?.execute(row)?;
        }
    }
    Ok(())
}

fn receiver(row: &Row<'_>) -> rusqlite::Result<(WebhookId, Receiver)> {
    let unreadable = |column, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let store: String = row.get(1)?;
    let store = store.parse().map_err(|error: domain::InvalidId| unreadable(1, error.into()))?;
    let events = serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(|error| unreadable(3, error.into()))?;
    Ok((WebhookId(Uuid::from_bytes(row.get(0)?)), Receiver { store, url: row.get(2)?, events, paused: row.get(4)? }))
}
