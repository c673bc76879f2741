//! Tables that other parts of the program keep beside the journal, each part in a schema of its own.

use super::address::ConnectError;
use super::schema::LOCK;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

/// The tables of one part, and how older ones become newer ones.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// Where they are.
    pub schema: &'static str,
    /// What leads from each version to the next.
    pub steps: &'static [&'static str],
}

impl Tables {
    /// Brings the tables up to date, or makes them. Safe when several processes do so at once.
    ///
    /// # Errors
    /// When a newer program has made them, or the database refuses.
    pub async fn migrate(&self, connection: &mut PgConnection) -> Result<(), ConnectError> {
        let known = i32::try_from(self.steps.len()).unwrap_or(i32::MAX);
        if self.version(connection).await?.is_some_and(|found| found == known) {
            return Ok(());
        }
        // Before the transaction, which looks at the catalogue as it is when it begins.
        sqlx::query("SELECT pg_advisory_lock($1)")
            .bind(LOCK)
            .execute(&mut *connection)
            .await
            .map_err(ConnectError::Database)?;
        let migrated = self.migrate_alone(connection, known).await;
        let freed = sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(connection).await;
        migrated.and(freed.map(drop).map_err(ConnectError::Database))
    }

    async fn migrate_alone(&self, connection: &mut PgConnection, known: i32) -> Result<(), ConnectError> {
        let mut transaction = connection.begin().await.map_err(ConnectError::Database)?;
        // Another process may have been faster.
        let found = self.version(&mut transaction).await?.unwrap_or(0);
        if found > known {
            return Err(ConnectError::NewerTables { schema: self.schema, found, known });
        }
        let schema = self.schema;
        let begin = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; \
             CREATE TABLE IF NOT EXISTS {schema}.version (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), \
             version integer NOT NULL)"
        );
        transaction.execute(sqlx::raw_sql(&begin)).await.map_err(ConnectError::Database)?;
        let missing = usize::try_from(found).ok().and_then(|done| self.steps.get(done..)).unwrap_or_default();
        for step in missing {
            transaction.execute(sqlx::raw_sql(step)).await.map_err(ConnectError::Database)?;
        }
        let now = format!(
            "INSERT INTO {schema}.version (version) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET version = $1"
        );
        sqlx::query(&now).bind(known).execute(&mut *transaction).await.map_err(ConnectError::Database)?;
        transaction.commit().await.map_err(ConnectError::Database)
    }

    async fn version(&self, connection: &mut PgConnection) -> Result<Option<i32>, ConnectError> {
        let there = sqlx::query("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("{}.version", self.schema))
            .fetch_one(&mut *connection)
            .await
            .and_then(|row| row.try_get::<bool, _>(0))
            .map_err(ConnectError::Database)?;
        if !there {
            return Ok(None);
        }
        let found =
            sqlx::query(&format!("SELECT version FROM {}.version", self.schema)).fetch_optional(connection).await;
        found.and_then(|row| row.map(|row| row.try_get(0)).transpose()).map_err(ConnectError::Database)
    }
}
