//! The tables, and how older ones become newer ones. Safe when several processes start at once.

use super::address::{ConnectError, PostgresAddress};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

/// What leads from each version to the next.
const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];
/// Names the lock under which one process changes the tables and the others wait.
pub(super) const LOCK: i64 = 0x7265_7365_7276_6f69;

/// Stands beside the version while a copy into the journal is under way: older programs, too, do not touch it then.
const COPYING: i32 = i32::MAX;

/// The newest version that this program knows.
fn newest() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Brings the tables up to date, or refuses those of a newer program, and a journal that is half copied.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), ConnectError> {
    prepare(connection).await?;
    let copying = sqlx::query("SELECT EXISTS (SELECT FROM journal_schema WHERE version = $1)")
        .bind(COPYING)
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get::<bool, _>(0))
        .map_err(ConnectError::Database)?;
    if copying { Err(ConnectError::HalfCopied) } else { Ok(()) }
}

/// Says to every program that starts that a copy is under way.
pub(super) async fn mark_copying(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO journal_schema (version) SELECT $1 WHERE NOT EXISTS (SELECT FROM journal_schema WHERE version = $1)")
        .bind(COPYING)
        .execute(connection)
        .await
        .map(drop)
}

/// The journal is whole.
pub(super) async fn unmark_copying(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM journal_schema WHERE version = $1").bind(COPYING).execute(connection).await.map(drop)
}

/// Brings the tables up to date, or refuses those of a newer program.
pub(super) async fn prepare(connection: &mut PgConnection) -> Result<(), ConnectError> {
    if version(connection).await? == Some(newest()) {
        return Ok(());
    }
    // Before the transaction, which looks at the catalogue as it is when it begins.
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .map_err(ConnectError::Database)?;
    let migrated = migrate_alone(connection).await;
    // Where it fails, the session ends and its lock with it.
    let freed = sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(connection).await;
    migrated.and(freed.map(drop).map_err(ConnectError::Database))
}

async fn migrate_alone(connection: &mut PgConnection) -> Result<(), ConnectError> {
    let mut transaction = connection.begin().await.map_err(ConnectError::Database)?;
    // Another process may have been faster.
    let found = version(&mut transaction).await?;
    let missing = usize::try_from(found.unwrap_or(0)).ok().and_then(|done| STEPS.get(done..)).unwrap_or_default();
    for step in missing {
        transaction.execute(sqlx::raw_sql(step)).await.map_err(ConnectError::Database)?;
    }
    if found.is_none() {
        transaction
            .execute("CREATE TABLE journal_schema (version integer NOT NULL)")
            .await
            .map_err(ConnectError::Database)?;
    }
    sqlx::query("DELETE FROM journal_schema WHERE version < $1")
        .bind(COPYING)
        .execute(&mut *transaction)
        .await
        .map_err(ConnectError::Database)?;
    sqlx::query("INSERT INTO journal_schema (version) VALUES ($1)")
        .bind(newest())
        .execute(&mut *transaction)
        .await
        .map_err(ConnectError::Database)?;
    transaction.commit().await.map_err(ConnectError::Database)
}

/// Refuses a database without a journal, or with one of a newer program.
pub(super) async fn check(connection: &mut PgConnection, address: &PostgresAddress) -> Result<(), ConnectError> {
    match version(connection).await? {
        Some(_) => Ok(()),
        None => Err(ConnectError::Missing(address.to_string())),
    }
}

async fn version(connection: &mut PgConnection) -> Result<Option<i32>, ConnectError> {
    let there = sqlx::query("SELECT to_regclass('journal_schema') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get::<bool, _>(0))
        .map_err(ConnectError::Database)?;
    if !there {
        return Ok(None);
    }
    let found: Option<i32> = sqlx::query("SELECT max(version) FROM journal_schema WHERE version < $1")
        .bind(COPYING)
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(ConnectError::Database)?;
    match found {
        Some(found) if found > newest() => Err(ConnectError::NewerSchema { found, known: newest() }),
        other => Ok(other),
    }
}
