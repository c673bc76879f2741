//! The tables. Safe when several processes start at once.

use super::Postgres;
use super::generation::Generation;
use super::{WRITE, check, within};
use crate::database::Checkpoint;
use crate::error::ViewError;
use crate::fold::Spec;
use crate::table::unsigned;
use journal::Fence;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

/// How the tables are laid out; what has another number is built anew.
const LAYOUT: i32 = 1;
/// Names the lock under which one process makes the tables and the others wait.
const LOCK: i64 = 0x7265_7365_7276_7677;

const TABLES: &str = "
    DROP SCHEMA IF EXISTS reservoir_views CASCADE;
    CREATE SCHEMA reservoir_views;
    CREATE TABLE reservoir_views.layout (version integer NOT NULL);
    CREATE TABLE reservoir_views.view (
        name       text   PRIMARY KEY,
        version    text   NOT NULL,
        -- The documents are in the table that is named after the view and this.
        generation bigint NOT NULL,
        -- The last generation that was begun.
        drawn      bigint NOT NULL,
        position   bigint NOT NULL,
        hash       bytea  NOT NULL
    ) WITH (fillfactor = 20);";

/// Makes what is missing. A view of another shape stays as it is until somebody folds it.
pub(super) async fn prepare(connection: &mut PgConnection, specs: &[Spec]) -> Result<(), ViewError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    if layout(&mut transaction).await? != Some(LAYOUT) {
        transaction.execute(sqlx::raw_sql(TABLES)).await?;
        sqlx::query("INSERT INTO reservoir_views.layout VALUES ($1)").bind(LAYOUT).execute(&mut *transaction).await?;
    }
    for spec in specs {
        let sql = "INSERT INTO reservoir_views.view (name, version, generation, drawn, position, hash) \
                   VALUES ($1, $2, 1, 1, 0, '') ON CONFLICT DO NOTHING";
        let made = sqlx::query(sql).bind(spec.name()).bind(spec.version).execute(&mut *transaction).await?;
        if made.rows_affected() == 1 {
            let generation = Generation::new(spec, 1);
            generation.create(&mut transaction).await?;
            generation.index(&mut transaction, spec).await?;
        }
    }
    Ok(transaction.commit().await?)
}

async fn layout(connection: &mut PgConnection) -> Result<Option<i32>, ViewError> {
    let there =
        sqlx::query("SELECT to_regclass('reservoir_views.layout') IS NOT NULL").fetch_one(&mut *connection).await?;
    if !there.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    Ok(sqlx::query("SELECT max(version) FROM reservoir_views.layout").fetch_one(connection).await?.try_get(0)?)
}

impl Postgres {
    /// Where a view is, for whoever folds it from now on. One of another shape begins anew.
    pub(crate) async fn claim(&self, spec: &Spec, fence: Option<&Fence>) -> Result<Checkpoint, ViewError> {
        let checkpoint = within(WRITE, async {
            let mut transaction = self.writing.begin().await?;
            check(&mut transaction, fence).await?;
            let found = locked(&mut transaction, spec).await?;
            let checkpoint = match found {
                (version, checkpoint) if version == spec.version => checkpoint,
                _ => begin_anew(&mut transaction, spec).await?,
            };
            transaction.commit().await?;
            Ok(checkpoint)
        })
        .await?;
        self.sweep(spec, checkpoint.generation).await;
        Ok(checkpoint)
    }

    /// Where a view is, for whoever folds it and is not sure any more.
    pub(crate) async fn checkpoint(&self, spec: &Spec) -> Result<Checkpoint, ViewError> {
        within(READ_OF_OWNER, async {
            let mut connection = self.writing.acquire().await?;
            match found(&mut connection, spec, "").await? {
                (version, checkpoint) if version == spec.version => Ok(checkpoint),
                _ => Err(ViewError::OtherShape { view: spec.name() }),
            }
        })
        .await
    }

    /// Drops the generations that are neither read nor built any more. What somebody still reads stays for the next time.
    pub(super) async fn sweep(&self, spec: &Spec, live: u64) {
        let swept = within(WRITE, async {
            let sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'reservoir_views' AND tablename ~ $1 AND tablename <> $2";
            let pattern = format!("^{}_[0-9]+$", spec.name());
            let live = format!("{}_{live}", spec.name());
            let rows = sqlx::query(sql).bind(pattern).bind(live).fetch_all(&self.writing).await?;
            for row in rows {
                let mut transaction = self.writing.begin().await?;
                transaction.execute("SET LOCAL lock_timeout = '1s'").await?;
                let drop = format!("DROP TABLE IF EXISTS reservoir_views.{}", row.try_get::<&str, _>(0)?);
                transaction.execute(&*drop).await?;
                transaction.commit().await?;
            }
            Ok(())
        });
        if let Err(error) = swept.await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, view = spec.name(), "an old generation is still there");
        }
    }
}

/// A checkpoint is one row.
const READ_OF_OWNER: std::time::Duration = super::READ;

/// Version and place of a view, which nobody changes until the transaction ends.
pub(super) async fn locked(connection: &mut PgConnection, spec: &Spec) -> Result<(String, Checkpoint), ViewError> {
    found(connection, spec, "FOR UPDATE").await
}

async fn found(connection: &mut PgConnection, spec: &Spec, lock: &str) -> Result<(String, Checkpoint), ViewError> {
    let sql = format!("SELECT version, position, hash, generation FROM reservoir_views.view WHERE name = $1 {lock}");
    let row = sqlx::query(&sql).bind(spec.name()).fetch_one(connection).await?;
    let checkpoint = Checkpoint {
        position: unsigned(row.try_get(1)?),
        hash: row.try_get(2)?,
        generation: unsigned(row.try_get(3)?),
    };
    Ok((row.try_get(0)?, checkpoint))
}

async fn begin_anew(connection: &mut PgConnection, spec: &Spec) -> Result<Checkpoint, ViewError> {
    let sql = "UPDATE reservoir_views.view SET version = $2, drawn = drawn + 1, generation = drawn + 1, position = 0, hash = '' \
               WHERE name = $1 RETURNING generation";
    let row = sqlx::query(sql).bind(spec.name()).bind(spec.version).fetch_one(&mut *connection).await?;
    let number = unsigned(row.try_get(0)?);
    let generation = Generation::new(spec, number);
    generation.create(connection).await?;
    generation.index(connection, spec).await?;
    Ok(Checkpoint { position: 0, hash: Vec::new(), generation: number })
}
