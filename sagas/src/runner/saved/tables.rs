//! Processes in PostgreSQL: written in one batch with their checkpoint, under the lease of their kind.

use super::{Change, Loaded, signed, unsigned};
use crate::SagaError;
use crate::runner::process::{Process, State};
use journal::Fence;
use journal::postgres::{self, FenceError, PostgresAddress, check_fence};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{PgConnection, PgPool, Row as _};
use std::time::Duration;
use uuid::Uuid;

const TABLES: postgres::Tables = postgres::Tables { schema: "reservoir_sagas", steps: &[include_str!("schema.sql")] };
/// Six kinds save a few times a second; processes that are not in memory are looked up one by one.
const CONNECTIONS: u32 = 6;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const COLUMNS: &str = "position, correlation_id, event_id, stage";

/// The tables of all process kinds. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pool: PgPool,
    /// Under which lease is saved; none where nothing may be.
    fence: Option<Fence>,
}

impl Tables {
    pub(super) async fn connect(address: &PostgresAddress) -> Result<Self, SagaError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // The newest saves may be lost in a power cut; then more is repeated. Nothing is ever lost out of order.
            .connect_lazy_with(address.options().clone().options([("synchronous_commit", "off")]));
        let mut connection = pool.acquire().await?;
        TABLES.migrate(&mut connection).await?;
        drop(connection);
        Ok(Self { pool, fence: None })
    }

    pub(super) fn under(&self, fence: &Fence) -> Self {
        Self { pool: self.pool.clone(), fence: Some(fence.clone()) }
    }

    pub(super) async fn load<P: Process>(&self) -> Result<Loaded<P::Stage>, SagaError> {
        let checkpoint: Option<i64> =
            sqlx::query_scalar("SELECT position FROM reservoir_sagas.checkpoints WHERE process = $1")
                .bind(P::NAME)
                .fetch_optional(&self.pool)
                .await?;
        let which = if P::RESIDENT { "true" } else { "due_at_us IS NOT NULL" };
        let sql = format!("SELECT {COLUMNS}, id FROM reservoir_sagas.stages WHERE process = $1 AND {which}");
        let rows = sqlx::query(&sql).bind(P::NAME).fetch_all(&self.pool).await?;
        let process = |row: &PgRow| Ok((row.try_get(4)?, state::<P>(row)?));
        let processes = rows.iter().map(process).collect::<Result<_, sqlx::Error>>()?;
        Ok(Loaded { checkpoint: checkpoint.map_or(0, unsigned), processes })
    }

    pub(super) async fn load_one<P: Process>(&self, id: Uuid) -> Result<Option<State<P::Stage>>, SagaError> {
        let sql = format!("SELECT {COLUMNS} FROM reservoir_sagas.stages WHERE process = $1 AND id = $2");
        let row = sqlx::query(&sql).bind(P::NAME).bind(id).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| state::<P>(&row)).transpose()?)
    }

    pub(super) async fn save<P: Process>(
        &self,
        changes: Vec<Change<P::Stage>>,
        checkpoint: u64,
    ) -> Result<(), SagaError> {
        let fence = self.fence.as_ref().ok_or(SagaError::TakenOver)?;
        let batch = Batch::of(changes)?;
        let mut transaction = self.pool.begin().await?;
        match check_fence(&mut transaction, fence).await {
            Ok(()) => {}
            Err(FenceError::Stale(_)) => return Err(SagaError::TakenOver),
            Err(FenceError::Database(error)) => return Err(error.into()),
        }
        batch.write(P::NAME, &mut transaction).await?;
        let sql = "INSERT INTO reservoir_sagas.checkpoints (process, position, epoch) VALUES ($1, $2, $3) \
                   ON CONFLICT (process) DO UPDATE SET position = excluded.position, epoch = excluded.epoch";
        sqlx::query(sql)
            .bind(P::NAME)
            .bind(signed(checkpoint))
            .bind(signed(fence.epoch))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

/// Changes, column by column.
#[derive(Default)]
struct Batch {
    ids: Vec<Uuid>,
    positions: Vec<i64>,
    correlations: Vec<String>,
    events: Vec<Uuid>,
    stages: Vec<String>,
    deadlines: Vec<Option<i64>>,
    forgotten: Vec<Uuid>,
}

impl Batch {
    fn of<S: serde::Serialize>(changes: Vec<Change<S>>) -> Result<Self, SagaError> {
        let mut batch = Self::default();
        for Change { id, state, deadline } in changes {
            let Some(state) = state else {
                batch.forgotten.push(id);
                continue;
            };
            batch.ids.push(id);
            batch.positions.push(signed(state.position));
            batch.correlations.push(state.correlation_id.to_string());
            batch.events.push(state.event_id);
            let stage = serde_json::to_string(&state.stage);
            batch.stages.push(stage.map_err(|error| sqlx::Error::Encode(error.into()))?);
            batch.deadlines.push(deadline.map(|at| at.timestamp_micros()));
        }
        Ok(batch)
    }

    async fn write(&self, process: &str, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.ids.is_empty() {
            let sql = "INSERT INTO reservoir_sagas.stages \
                           (process, id, position, correlation_id, event_id, stage, due_at_us) \
                       SELECT $1, changed.* FROM UNNEST($2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], \
                           $7::bigint[]) AS changed \
                       ON CONFLICT (process, id) DO UPDATE SET position = excluded.position, \
                           correlation_id = excluded.correlation_id, event_id = excluded.event_id, \
                           stage = excluded.stage, due_at_us = excluded.due_at_us";
            sqlx::query(sql)
                .bind(process)
                .bind(&self.ids)
                .bind(&self.positions)
                .bind(&self.correlations)
                .bind(&self.events)
                .bind(&self.stages)
                .bind(&self.deadlines)
                .execute(&mut *connection)
                .await?;
        }
        if !self.forgotten.is_empty() {
            sqlx::query("DELETE FROM reservoir_sagas.stages WHERE process = $1 AND id = ANY($2)")
                .bind(process)
                .bind(&self.forgotten)
                .execute(connection)
                .await?;
        }
        Ok(())
    }
}

fn state<P: Process>(row: &PgRow) -> Result<State<P::Stage>, sqlx::Error> {
    let stage = serde_json::from_str(row.try_get(3)?)
        .map_err(|error| sqlx::Error::ColumnDecode { index: "stage".to_owned(), source: error.into() })?;
    let correlation_id: &str = row.try_get(1)?;
    Ok(State {
        stage,
        position: unsigned(row.try_get(0)?),
        correlation_id: correlation_id.into(),
        event_id: row.try_get(2)?,
    })
}
