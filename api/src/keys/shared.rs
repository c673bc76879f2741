//! The signing key of a database, so that a token is good at each of its processes.

use super::tables::TABLES;
use super::{KEY_BYTES, KeysError, random_secret};
use journal::postgres::PostgresAddress;
use sqlx::PgConnection;
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

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

/// The key of a database whose tables are there, if one was made.
pub(crate) async fn secret_of(connection: &mut PgConnection) -> Result<Option<[u8; KEY_BYTES]>, KeysError> {
    let secret = read(connection).await?;
    secret.map(|secret| secret.try_into().map_err(|_| KeysError::DamagedRow)).transpose()
}

/// Puts a key into a database, also in the place of another one.
pub(crate) async fn put_secret(connection: &mut PgConnection, secret: &[u8; KEY_BYTES]) -> Result<(), sqlx::Error> {
    let put = "INSERT INTO reservoir_keys.signing (secret) VALUES ($1) \
               ON CONFLICT (only_row) DO UPDATE SET secret = EXCLUDED.secret, created_at = now()";
    sqlx::query(put).bind(&secret[..]).execute(connection).await.map(drop)
}

async fn read(connection: &mut PgConnection) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("SELECT secret FROM reservoir_keys.signing").fetch_optional(connection).await
}
