//! The signing key of a database, so that a token is good at each of its processes.

use super::{KEY_BYTES, KeysError, random_secret};
use journal::postgres::{PostgresAddress, Tables};
use sqlx::PgConnection;
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

const TABLES: Tables = Tables { schema: "reservoir_keys", steps: &[include_str!("shared.sql")] };
const PATIENCE: Duration = Duration::from_secs(5);

/// The key that stands there; of several processes that find none, one makes it.
pub(super) async fn load_or_create(address: &PostgresAddress) -> Result<[u8; KEY_BYTES], KeysError> {
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(address.options().clone());
    let mut connection = pool.acquire().await?;
    TABLES.migrate(&mut connection).await?;
    let secret = match read(&mut connection).await? {
        Some(secret) => secret,
        None => {
            sqlx::query("INSERT INTO reservoir_keys.signing (secret) VALUES ($1) ON CONFLICT DO NOTHING")
                .bind(&random_secret()?[..])
                .execute(&mut *connection)
                .await?;
            // Another process may have been first: what stands there counts.
            read(&mut connection).await?.unwrap_or_default()
        }
    };
    drop(connection);
    pool.close().await;
    secret.try_into().map_err(|_| KeysError::DamagedRow)
}

async fn read(connection: &mut PgConnection) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("SELECT secret FROM reservoir_keys.signing").fetch_optional(connection).await
}
