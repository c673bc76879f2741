//! The file in which subscriptions remember how far they are. One thread owns the connection; nobody holds a lock on it.

use super::Remembered;
use crate::sqlite::{signed, unsigned};
use crate::subscription::{Parked, SubscriptionError};
use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the thread.
const QUEUE: usize = 1_024;
const NAME: &str = "subscriptions.db";

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The file, and the thread that has it.
#[derive(Clone)]
pub(in crate::subscription) struct File {
    jobs: mpsc::Sender<Job>,
}

impl File {
    pub(in crate::subscription) fn open(directory: &Path) -> Result<Self, SubscriptionError> {
        let mut connection = Connection::open(directory.join(NAME))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(include_str!("sqlite.sql"))?;
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        std::thread::Builder::new()
            .name("subscriptions".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut connection);
                }
            })
            .map_err(SubscriptionError::Thread)?;
        Ok(Self { jobs })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SubscriptionError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(answer.send(work(connection))));
        self.jobs.send(job).await.map_err(|_| SubscriptionError::Closing)?;
        Ok(answered.await.map_err(|_| SubscriptionError::Closing)??)
    }

    pub(super) async fn load(&self, name: &'static str) -> Result<Remembered, SubscriptionError> {
        self.run(move |connection| {
            let row = connection
                .query_row("SELECT checkpoint, paused FROM subscription WHERE name = ?1", [name], |row| {
                    Ok((unsigned(row.get(0)?), row.get(1)?))
                })
                .optional()?;
            let (checkpoint, paused) = row.unwrap_or_default();
            let mut statement = connection.prepare(
                "SELECT sequence, position, event_type, attempts, reason, parked_at_us FROM parked \
                 WHERE subscription = ?1",
            )?;
            let parked = statement
                .query_map([name], |row| {
                    Ok(Parked {
                        sequence: row.get(0)?,
                        position: unsigned(row.get(1)?),
                        event_type: row.get(2)?,
                        attempts: row.get(3)?,
                        reason: row.get(4)?,
                        parked_at: DateTime::from_timestamp_micros(row.get(5)?).unwrap_or_default(),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Remembered { checkpoint, paused, parked })
        })
        .await
    }

    pub(super) async fn save_checkpoint(&self, name: &'static str, position: u64) -> Result<(), SubscriptionError> {
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            transaction.execute(
                "INSERT INTO subscription (name, checkpoint) VALUES (?1, ?2) \
                 ON CONFLICT (name) DO UPDATE SET checkpoint = excluded.checkpoint",
                params![name, signed(position)],
            )?;
            transaction.execute(
                "DELETE FROM attempt WHERE subscription = ?1 AND position <= ?2",
                params![name, signed(position)],
            )?;
            transaction.commit()
        })
        .await
    }

    pub(in crate::subscription) async fn save_paused(
        &self,
        name: &'static str,
        paused: bool,
    ) -> Result<(), SubscriptionError> {
        self.run(move |connection| {
            connection
                .execute(
                    "INSERT INTO subscription (name, paused) VALUES (?1, ?2) \
                     ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
                    params![name, paused],
                )
                .map(drop)
        })
        .await
    }

    /// Counts one more attempt, durably, before it is made; answers how many that makes.
    pub(super) async fn count_attempt(&self, name: &'static str, position: u64) -> Result<u32, SubscriptionError> {
        self.run(move |connection| {
            connection.query_row(
                "INSERT INTO attempt (subscription, position, attempts) VALUES (?1, ?2, 1) \
                 ON CONFLICT (subscription, position) DO UPDATE SET attempts = attempts + 1 RETURNING attempts",
                params![name, signed(position)],
                |row| row.get(0),
            )
        })
        .await
    }

    pub(super) async fn forget_attempts(&self, name: &'static str, position: u64) -> Result<(), SubscriptionError> {
        self.run(move |connection| {
            connection
                .execute(
                    "DELETE FROM attempt WHERE subscription = ?1 AND position = ?2",
                    params![name, signed(position)],
                )
                .map(drop)
        })
        .await
    }

    pub(super) async fn park(&self, name: &'static str, parked: Parked) -> Result<(), SubscriptionError> {
        self.run(move |connection| {
            connection
                .execute(
                    "INSERT OR REPLACE INTO parked \
                     (subscription, sequence, position, event_type, attempts, reason, parked_at_us) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        name,
                        parked.sequence,
                        signed(parked.position),
                        parked.event_type,
                        parked.attempts,
                        parked.reason,
                        parked.parked_at.timestamp_micros()
                    ],
                )
                .map(drop)
        })
        .await
    }

    pub(super) async fn unpark(&self, name: &'static str, sequence: String) -> Result<(), SubscriptionError> {
        self.run(move |connection| {
            connection
                .execute("DELETE FROM parked WHERE subscription = ?1 AND sequence = ?2", params![name, sequence])
                .map(drop)
        })
        .await
    }
}
