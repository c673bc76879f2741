//! The outbox in PostgreSQL, beside the stages of processes.

use super::{Change, Due, GivenUp, MOST_GIVEN_UP, Receiver, Refusal, Standing};
use crate::SagaError;
use crate::runner::{TABLES, signed, unsigned};
use crate::webhooks::NAME;
use domain::{Instant, RentalId, WebhookId};
use journal::Fence;
use journal::postgres::{FenceError, PostgresAddress, check_fence};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{PgConnection, PgPool, Postgres, Row as _, Transaction};
use std::time::Duration;
use uuid::Uuid;

/// One for whoever sends, and the others for those who look.
const CONNECTIONS: u32 = 3;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tables. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pool: PgPool,
    /// Under which lease is sent; none where nothing may be.
    fence: Option<Fence>,
}

impl Tables {
    pub(super) async fn connect(address: &PostgresAddress) -> Result<Self, SagaError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // The newest writes may be lost in a power cut; then something is sent again.
            .connect_lazy_with(address.options().clone().options([("synchronous_commit", "off")]));
        let mut connection = pool.acquire().await?;
        TABLES.migrate(&mut connection).await?;
        drop(connection);
        Ok(Self { pool, fence: None })
    }

    pub(super) fn under(&self, fence: &Fence) -> Self {
        Self { pool: self.pool.clone(), fence: Some(fence.clone()) }
    }

    /// Whatever is done in it is done while the lease is this process's.
    async fn in_turn(&self) -> Result<(Transaction<'static, Postgres>, &Fence), SagaError> {
        let fence = self.fence.as_ref().ok_or(SagaError::TakenOver)?;
        let mut transaction = self.pool.begin().await?;
        match check_fence(&mut transaction, fence).await {
            Ok(()) => Ok((transaction, fence)),
            Err(FenceError::Stale(_)) => Err(SagaError::TakenOver),
            Err(FenceError::Database(error)) => Err(error.into()),
        }
    }

    pub(super) async fn load(&self) -> Result<(u64, Vec<(WebhookId, Receiver)>), SagaError> {
        let sql = "SELECT position FROM reservoir_sagas.checkpoints WHERE process = $1";
        let position: Option<i64> = sqlx::query_scalar(sql).bind(NAME).fetch_optional(&self.pool).await?;
        let sql = "SELECT id, store, url, events, paused FROM reservoir_sagas.webhooks";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        let receivers = rows.iter().map(receiver).collect::<Result<_, sqlx::Error>>()?;
        Ok((position.map_or(0, unsigned), receivers))
    }

    pub(super) async fn note(&self, changes: Vec<Change>, position: u64) -> Result<(), SagaError> {
        let (mut transaction, fence) = self.in_turn().await?;
        write(&mut transaction, changes).await?;
        let sql = "INSERT INTO reservoir_sagas.checkpoints (process, position, epoch) VALUES ($1, $2, $3) \
                   ON CONFLICT (process) DO UPDATE SET position = excluded.position, epoch = excluded.epoch";
        let epoch = signed(fence.epoch);
        sqlx::query(sql).bind(NAME).bind(signed(position)).bind(epoch).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn due(
        &self,
        webhook: WebhookId,
        now: Instant,
        most: usize,
    ) -> Result<(Vec<Due>, Option<Instant>), SagaError> {
        let (mut transaction, _) = self.in_turn().await?;
        let now = now.timestamp_millis();
        let rows = sqlx::query(
            "SELECT rental, position, attempts, first_at_ms FROM reservoir_sagas.deliveries AS it \
             WHERE webhook = $1 AND next_at_ms <= $2 AND NOT EXISTS ( \
                 SELECT 1 FROM reservoir_sagas.deliveries AS earlier \
                 WHERE earlier.webhook = it.webhook AND earlier.rental = it.rental \
                 AND earlier.position < it.position) \
             ORDER BY position LIMIT $3",
        )
        .bind(webhook.0)
        .bind(now)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await?;
        let due = |row: &PgRow| {
            Ok(Due {
                rental: RentalId(row.try_get(0)?),
                position: unsigned(row.try_get(1)?),
                attempts: u32::try_from(row.try_get::<i32, _>(2)?).unwrap_or_default(),
                first_at: row.try_get::<Option<i64>, _>(3)?.and_then(Instant::from_timestamp_millis),
            })
        };
        let due = rows.iter().map(due).collect::<Result<_, sqlx::Error>>()?;
        let sql = "SELECT min(next_at_ms) FROM reservoir_sagas.deliveries \
                   WHERE webhook = $1 AND next_at_ms > $2";
        let later: Option<i64> = sqlx::query_scalar(sql).bind(webhook.0).bind(now).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((due, later.and_then(Instant::from_timestamp_millis)))
    }

    pub(super) async fn taken(&self, webhook: WebhookId, position: u64) -> Result<(), SagaError> {
        let sql = "DELETE FROM reservoir_sagas.deliveries WHERE webhook = $1 AND position = $2";
        sqlx::query(sql).bind(webhook.0).bind(signed(position)).execute(&self.pool).await?;
        Ok(())
    }

    pub(super) async fn refused(&self, webhook: WebhookId, due: Due, refusal: Refusal) -> Result<(), SagaError> {
        let (mut transaction, _) = self.in_turn().await?;
        let Refusal { reason, at, again_at } = refusal;
        let (at, position) = (at.timestamp_millis(), signed(due.position));
        let attempts = i32::try_from(due.attempts + 1).unwrap_or(i32::MAX);
        let Some(again_at) = again_at else {
            give_up(&mut transaction, webhook, position, attempts, &reason, at).await?;
            return Ok(transaction.commit().await?);
        };
        let sql = "UPDATE reservoir_sagas.deliveries SET attempts = $3, first_at_ms = $4, next_at_ms = $5 \
                   WHERE webhook = $1 AND position = $2";
        sqlx::query(sql)
            .bind(webhook.0)
            .bind(position)
            .bind(attempts)
            .bind(due.first_at.map_or(at, |first| first.timestamp_millis()))
            .bind(again_at.timestamp_millis())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn retry(&self, webhook: WebhookId) -> Result<u64, SagaError> {
        let sql = "WITH again AS (DELETE FROM reservoir_sagas.given_up WHERE webhook = $1 RETURNING webhook, rental, position) \
                   INSERT INTO reservoir_sagas.deliveries (webhook, rental, position) SELECT * FROM again \
                   ON CONFLICT DO NOTHING";
        Ok(sqlx::query(sql).bind(webhook.0).execute(&self.pool).await?.rows_affected())
    }

    pub(super) async fn standing(&self, webhook: WebhookId, most: usize) -> Result<Standing, SagaError> {
        let sql = "SELECT count(*), min(next_at_ms) FILTER (WHERE attempts > 0) FROM reservoir_sagas.deliveries \
                   WHERE webhook = $1";
        let row = sqlx::query(sql).bind(webhook.0).fetch_one(&self.pool).await?;
        let again: Option<i64> = row.try_get(1)?;
        let rows = sqlx::query(
            "SELECT rental, position, attempts, reason, at_ms FROM reservoir_sagas.given_up \
             WHERE webhook = $1 ORDER BY position DESC LIMIT $2",
        )
        .bind(webhook.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let given_up = |row: &PgRow| {
            Ok(GivenUp {
                rental: RentalId(row.try_get(0)?),
                position: unsigned(row.try_get(1)?),
                attempts: u32::try_from(row.try_get::<i32, _>(2)?).unwrap_or_default(),
                reason: row.try_get(3)?,
                at: Instant::from_timestamp_millis(row.try_get(4)?).unwrap_or_default(),
            })
        };
        Ok(Standing {
            waiting: unsigned(row.try_get(0)?),
            again_at: again.and_then(Instant::from_timestamp_millis),
            given_up: rows.iter().map(given_up).collect::<Result<_, sqlx::Error>>()?,
        })
    }
}

/// It waits no more, and is shown. The oldest of too many are forgotten.
async fn give_up(
    connection: &mut PgConnection,
    webhook: WebhookId,
    position: i64,
    attempts: i32,
    reason: &str,
    at_ms: i64,
) -> Result<(), sqlx::Error> {
    let sql = "WITH gone AS (DELETE FROM reservoir_sagas.deliveries WHERE webhook = $1 AND position = $2 RETURNING rental) \
               INSERT INTO reservoir_sagas.given_up (webhook, position, rental, attempts, reason, at_ms) \
               SELECT $1, $2, rental, $3, $4, $5 FROM gone ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql).bind(webhook.0).bind(position).bind(attempts).bind(reason).bind(at_ms);
    query.execute(&mut *connection).await?;
    let sql = "DELETE FROM reservoir_sagas.given_up WHERE webhook = $1 AND position < ( \
                   SELECT position FROM reservoir_sagas.given_up WHERE webhook = $1 \
                   ORDER BY position DESC OFFSET $2 LIMIT 1)";
    sqlx::query(sql).bind(webhook.0).bind(MOST_GIVEN_UP - 1).execute(connection).await.map(drop)
}

/// What is to be sent is written at once; the rest happens rarely.
async fn write(connection: &mut PgConnection, changes: Vec<Change>) -> Result<(), sqlx::Error> {
    let mut queue = ToBeSent::default();
    for change in changes {
        let (id, statements): (_, &[_]) = match change {
            Change::ToBeSent { webhook, rental, position } => {
                queue.push(webhook, rental, position);
                continue;
            }
            Change::Added(id, receiver) => {
                add(connection, id, receiver).await?;
                continue;
            }
            Change::Paused(id) => (id, &["UPDATE reservoir_sagas.webhooks SET paused = true WHERE id = $1"]),
            Change::Resumed(id) => {
                let sent = "UPDATE reservoir_sagas.deliveries SET attempts = 0, first_at_ms = NULL, next_at_ms = 0 \
                            WHERE webhook = $1";
                (id, &["UPDATE reservoir_sagas.webhooks SET paused = false WHERE id = $1", sent])
            }
            Change::Stopped(id) => {
                let kept = "DELETE FROM reservoir_sagas.deliveries WHERE webhook = $1";
                (id, &["DELETE FROM reservoir_sagas.webhooks WHERE id = $1", kept])
            }
            Change::Removed(id) => {
                let (kept, given_up) = (
                    "DELETE FROM reservoir_sagas.deliveries WHERE webhook = $1",
                    "DELETE FROM reservoir_sagas.given_up WHERE webhook = $1",
                );
                (id, &["DELETE FROM reservoir_sagas.webhooks WHERE id = $1", kept, given_up])
            }
        };
        // In the order in which it happened: what is forgotten now was to be sent before.
        queue.write(connection).await?;
        for sql in statements {
            sqlx::query(sql).bind(id.0).execute(&mut *connection).await?;
        }
    }
    queue.write(connection).await
}

async fn add(connection: &mut PgConnection, id: WebhookId, receiver: Receiver) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO reservoir_sagas.webhooks (id, store, url, events, paused) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (id) DO UPDATE SET store = excluded.store, url = excluded.url, events = excluded.events, \
               paused = excluded.paused";
    let Receiver { store, url, events, paused } = receiver;
    let events: Vec<String> = events.into_iter().collect();
    let query = sqlx::query(sql).bind(id.0).bind(store.as_str()).bind(url).bind(events).bind(paused);
    query.execute(connection).await.map(drop)
}

/// Column by column.
#[derive(Default)]
struct ToBeSent {
    webhooks: Vec<Uuid>,
    rentals: Vec<Uuid>,
    positions: Vec<i64>,
}

impl ToBeSent {
    fn push(&mut self, webhook: WebhookId, rental: RentalId, position: u64) {
        self.webhooks.push(webhook.0);
        self.rentals.push(rental.0);
        self.positions.push(signed(position));
    }

    async fn write(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.webhooks.is_empty() {
            return Ok(());
        }
        let Self { webhooks, rentals, positions } = std::mem::take(self);
        let sql = "INSERT INTO reservoir_sagas.deliveries (webhook, rental, position) \
                   SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(webhooks).bind(rentals).bind(positions).execute(connection).await.map(drop)
    }
}

fn receiver(row: &PgRow) -> Result<(WebhookId, Receiver), sqlx::Error> {
    let store: String = row.try_get(1)?;
    let store = store.parse().map_err(|error: domain::InvalidId| sqlx::Error::ColumnDecode {
        index: "store".to_owned(),
        source: error.into(),
    })?;
    let events = row.try_get::<Vec<String>, _>(3)?.into_iter().collect();
    Ok((WebhookId(row.try_get(0)?), Receiver { store, url: row.try_get(2)?, events, paused: row.try_get(4)? }))
}
