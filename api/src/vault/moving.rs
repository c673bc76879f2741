//! Takes the keys along when a journal is copied: without them, what is personal in it could not be read again.

use super::database::{self, Database};
use super::{Key, VaultError, file, random};
use crate::keys::{self, KeysError};
use journal::Source;
use journal::postgres::PostgresAddress;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sqlx::{Connection as _, PgConnection, Row as _};
use std::path::Path;

/// Why keys were not taken along.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The target has keys of other people.
    #[error("the target has personal keys of another journal")]
    OtherKeys,
    /// Personal keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The key of tokens.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// All keys of a journal, and where they are to go.
pub struct KeysToMove {
    from: Source,
    to: Source,
}

/// What lies at one end.
#[derive(Default)]
struct Held {
    fingerprint: Option<Key>,
    token: Option<Key>,
    customers: Vec<(String, Key)>,
}

impl KeysToMove {
    /// Looks at both ends; nothing is changed.
    ///
    /// # Errors
    /// When the target has keys that belong to something else, or an end cannot be read.
    pub async fn between(from: &Source, to: &Source) -> Result<Self, MoveError> {
        let (source, target) = (held(from).await?, held(to).await?);
        // Every vault has a fingerprint key of its own, by which it is known.
        if !target.customers.is_empty() && target.fingerprint != source.fingerprint {
            return Err(MoveError::OtherKeys);
        }
        Ok(Self { from: from.clone(), to: to.clone() })
    }

    /// Makes the target's keys those of the source as they are now: what was erased there is erased here. Answers how many
    /// customers have one.
    ///
    /// # Errors
    /// When an end cannot be used; then it may be done again.
    pub async fn move_all(&self) -> Result<usize, MoveError> {
        let held = held(&self.from).await?;
        match &self.to {
            Source::Directory(directory) => put_into_directory(directory, &held)?,
            Source::Postgres(address) => put_into_database(address, &held).await?,
        }
        Ok(held.customers.len())
    }
}

async fn held(source: &Source) -> Result<Held, MoveError> {
    match source {
        Source::Directory(directory) => in_directory(directory),
        Source::Postgres(address) => in_database(address).await,
    }
}

fn in_directory(directory: &Path) -> Result<Held, MoveError> {
    let mut held = Held { token: keys::stored(directory)?, ..Held::default() };
    let path = directory.join(file::FILE);
    if path.exists() {
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(VaultError::from)?;
        (held.fingerprint, held.customers) = in_file(&connection).map_err(VaultError::from)?;
    }
    Ok(held)
}

/// The key of fingerprints, and those of customers.
type InVault = (Option<Key>, Vec<(String, Key)>);

fn in_file(connection: &Connection) -> rusqlite::Result<InVault> {
    let fingerprint = connection.query_row("SELECT key FROM fingerprint_key", [], |row| row.get(0)).optional()?;
    let mut customers = connection.prepare("SELECT customer, key FROM customer_key")?;
    let customers = customers.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok((fingerprint, customers))
}

async fn in_database(address: &PostgresAddress) -> Result<Held, MoveError> {
    let mut connection = database::connect(address).await?;
    let there = "SELECT to_regclass('reservoir_keys.signing') IS NOT NULL, to_regclass('reservoir_keys.customer_key') IS NOT NULL";
    let there = sqlx::query(there).fetch_one(&mut connection).await.map_err(VaultError::from)?;
    let mut held = Held::default();
    if there.try_get(0).map_err(VaultError::from)? {
        held.token = keys::secret_of(&mut connection).await?;
    }
    if there.try_get(1).map_err(VaultError::from)? {
        (held.fingerprint, held.customers) = in_vault(&mut connection).await?;
    }
    connection.close().await.map_err(VaultError::from)?;
    Ok(held)
}

async fn in_vault(connection: &mut PgConnection) -> Result<InVault, VaultError> {
    let fingerprint =
        sqlx::query("SELECT key FROM reservoir_keys.fingerprint").fetch_optional(&mut *connection).await?;
    let rows = sqlx::query("SELECT customer, key FROM reservoir_keys.customer_key").fetch_all(connection).await?;
    let customers = rows.iter().map(|row| Ok((row.try_get("customer")?, database::key_in(row)?)));
    let customers = customers.collect::<Result<_, VaultError>>()?;
    Ok((fingerprint.as_ref().map(database::key_in).transpose()?, customers))
}

fn put_into_directory(directory: &Path, held: &Held) -> Result<(), MoveError> {
    if let Some(token) = held.token {
        keys::store(directory, &token)?;
    }
    let mut connection = file::connect(directory)?;
    put_into_file(&mut connection, held, held.fingerprint.map_or_else(random, Ok)?).map_err(VaultError::from)?;
    Ok(())
}

fn put_into_file(connection: &mut Connection, held: &Held, fingerprint: Key) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("INSERT OR REPLACE INTO fingerprint_key VALUES (1, ?1)", [fingerprint])?;
    transaction.execute("DELETE FROM customer_key", [])?;
    {
        let mut put = transaction.prepare("INSERT INTO customer_key VALUES (?1, ?2)")?;
        for (customer, key) in &held.customers {
            put.execute(params![customer, key])?;
        }
    }
    transaction.commit()?;
    file::empty_log(connection)
}

async fn put_into_database(address: &PostgresAddress, held: &Held) -> Result<(), VaultError> {
    let database = Database::open(address).await?;
    let (customers, keys): (Vec<&str>, Vec<&[u8]>) =
        held.customers.iter().map(|(customer, key)| (customer.as_str(), key.as_slice())).unzip();
    let mut transaction = database.pool.begin().await?;
    if let Some(token) = &held.token {
        keys::put_secret(&mut transaction, token).await?;
    }
    if let Some(fingerprint) = held.fingerprint {
        let put = "INSERT INTO reservoir_keys.fingerprint (key) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET key = EXCLUDED.key";
        sqlx::query(put).bind(fingerprint).execute(&mut *transaction).await?;
    }
    let erase = "DELETE FROM reservoir_keys.customer_key AS old WHERE NOT EXISTS \
                 (SELECT FROM UNNEST($1::text[]) AS kept (customer) WHERE kept.customer = old.customer) \
                 RETURNING old.tableoid::regclass::text";
    let erased = sqlx::query(erase).bind(&customers).fetch_all(&mut *transaction).await?;
    let put = "INSERT INTO reservoir_keys.customer_key (customer, key) SELECT * FROM UNNEST($1::text[], $2::bytea[]) \
               ON CONFLICT (customer) DO UPDATE SET key = EXCLUDED.key WHERE customer_key.key <> EXCLUDED.key";
    sqlx::query(put).bind(&customers).bind(&keys).execute(&mut *transaction).await?;
    transaction.commit().await?;
    let parts: std::collections::BTreeSet<String> =
        erased.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
    for part in &parts {
        database.write_anew(part).await;
    }
    database.pool.close().await;
    Ok(())
}
