//! Keys in a schema of the journal's database, shared by all processes on it.

use super::{Key, VaultError, random};
use crate::keys::tables::TABLES;
use domain::CustomerId;
use journal::postgres::{ConnectError, PostgresAddress};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{ConnectOptions as _, PgConnection, PgPool, Row as _};
use std::time::Duration;

const CONNECTIONS: u32 = 4;
/// How long a connection is waited for.
const CONNECT: Duration = Duration::from_secs(2);
/// A key is a row: a database that takes this long is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever reads a part of the table for longer than this keeps it from being written anew.
const LOCK_MS: &str = "2000";

const FIND: &str = "SELECT key FROM reservoir_keys.customer_key WHERE customer = $1";
const MAKE: &str = "INSERT INTO reservoir_keys.customer_key (customer, key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const DESTROY: &str = "DELETE FROM reservoir_keys.customer_key WHERE customer = $1 RETURNING tableoid::regclass::text";

/// The keys of a database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) pool: PgPool,
}

impl Database {
    /// Makes the tables where they are missing.
    pub(super) async fn open(address: &PostgresAddress) -> Result<Self, VaultError> {
        let mut connection = connect(address).await?;
        TABLES.migrate(&mut connection).await?;
        let options = address.options().clone().options([("lock_timeout", LOCK_MS)]);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(CONNECT);
        Ok(Self { pool: pool.connect_lazy_with(options) })
    }

    /// The key of fingerprints, the same for every process that asks. The first one makes it.
    pub(super) async fn fingerprint_key(&self) -> Result<Key, VaultError> {
        let fresh: Key = random()?;
        within(async {
            let make = "INSERT INTO reservoir_keys.fingerprint (key) VALUES ($1) ON CONFLICT DO NOTHING";
            sqlx::query(make).bind(fresh).execute(&self.pool).await?;
            let find = "SELECT key FROM reservoir_keys.fingerprint";
            key_in(&sqlx::query(find).fetch_one(&self.pool).await?)
        })
        .await
    }

    pub(super) async fn key(&self, customer: &CustomerId) -> Result<Option<Key>, VaultError> {
        within(async {
            let found = sqlx::query(FIND).bind(customer.as_str()).fetch_optional(&self.pool).await?;
            found.as_ref().map(key_in).transpose()
        })
        .await
    }

    /// The customer's key; this one, on the disk, where there was none.
    pub(super) async fn key_or(&self, customer: &CustomerId, fresh: Key) -> Result<Key, VaultError> {
        within(async {
            loop {
                let found = sqlx::query(FIND).bind(customer.as_str()).fetch_optional(&self.pool).await?;
                if let Some(row) = found {
                    return key_in(&row);
                }
                let made = sqlx::query(MAKE).bind(customer.as_str()).bind(fresh).execute(&self.pool).await?;
                if made.rows_affected() == 1 {
                    return Ok(fresh);
                }
                // Another process was first: its key counts.
            }
        })
        .await
    }

    /// Nobody finds the key any more when this answers. Then its part of the table is written anew, without it.
    pub(super) async fn destroy(&self, customer: &CustomerId) -> Result<(), VaultError> {
        let destroyed = within(async {
            let row = sqlx::query(DESTROY).bind(customer.as_str()).fetch_optional(&self.pool).await?;
            Ok(row.map(|row| row.try_get::<String, _>(0)).transpose()?)
        });
        if let Some(part) = destroyed.await? {
            self.write_anew(&part).await;
        }
        Ok(())
    }

    /// Frees the place of what was deleted; in a table that is only vacuumed, its bytes would stay for some time.
    pub(super) async fn write_anew(&self, part: &str) {
        let sql = format!("VACUUM FULL {part}");
        let written = within(async { Ok(sqlx::query(&sql).execute(&self.pool).await?) }).await;
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, part, "the place of an erased key is not written anew yet; VACUUM FULL does that");
        }
    }
}

/// A connection of one's own; a pool would not say why it has none.
pub(super) async fn connect(address: &PostgresAddress) -> Result<PgConnection, VaultError> {
    let connected = tokio::time::timeout(CONNECT, address.options().connect()).await.unwrap_or_else(|_| Err(late()));
    Ok(connected
        .map_err(|source| ConnectError::Unreachable { place: address.to_string(), source: Box::new(source) })?)
}

pub(super) fn key_in(row: &PgRow) -> Result<Key, VaultError> {
    row.try_get::<&[u8], _>("key")?.try_into().map_err(|_| VaultError::Damaged)
}

async fn within<T>(work: impl Future<Output = Result<T, VaultError>>) -> Result<T, VaultError> {
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| late())?
}

fn late() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"))
}
