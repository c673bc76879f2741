//! Where a database is, and how a connection to it is made.

use super::CONNECT;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A session that stops in the middle of a transaction holds up every other process; after so long it is ended.
const IDLE_IN_TRANSACTION_MS: &str = "2000";

/// Why a journal in PostgreSQL could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error("a database's address looks like postgres://user@host/database: {0}")]
    Address(String),
    /// Nobody answers, or not to us.
    #[error("cannot connect to PostgreSQL at {place}")]
    Unreachable {
        /// Host, port and database.
        place: String,
        #[source]
        /// Why.
        source: Box<sqlx::Error>,
    },
    /// No thread can be had to write from.
    #[error("no thread for the journal's writer")]
    Thread(#[source] std::io::Error),
    /// There is no journal to read.
    #[error("there is no journal in {0}")]
    Missing(String),
    /// A newer Reservoir has written it.
    #[error("the journal has schema {found}; this program knows {known}")]
    NewerSchema {
        /// The version in the database.
        found: i32,
        /// The newest one that this program can use.
        known: i32,
    },
    /// A newer Reservoir has made the tables beside it.
    #[error("the tables in `{schema}` have version {found}; this program knows {known}")]
    NewerTables {
        /// Where they are.
        schema: &'static str,
        /// Their version.
        found: i32,
        /// The newest one that this program can use.
        known: i32,
    },
    /// A copy into it was begun and is not finished.
    #[error("the journal is half copied: run the same `reservoir copy` again, which goes on")]
    HalfCopied,
    /// What it acknowledges it may lose.
    #[error("the database at {place} does not keep what it acknowledges: {setting} is off")]
    Unsafe {
        /// Host, port and database.
        place: String,
        /// The setting that has to be on.
        setting: &'static str,
    },
    /// PostgreSQL refuses what the journal needs.
    #[error("cannot use the database")]
    Database(#[source] sqlx::Error),
}

/// `postgres://user:password@host:port/database`. Shows no password.
#[derive(Clone)]
pub struct PostgresAddress {
    options: Arc<PgConnectOptions>,
}

impl PostgresAddress {
    /// Whether a text means to be such an address.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with("postgres:") || text.starts_with("postgresql:")
    }

    /// How to connect, for whoever keeps something else in the same database.
    #[must_use]
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, ConnectError> {
        connect(&self.options)
            .await
            .map_err(|source| ConnectError::Unreachable { place: self.to_string(), source: Box::new(source) })
    }
}

/// A connection within a bounded time.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    within(CONNECT, options.connect()).await
}

/// A database that says nothing is as good as none.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
    tokio::time::timeout(patience, work).await.map_err(late)?
}

impl FromStr for PostgresAddress {
    type Err = ConnectError;

    fn from_str(text: &str) -> Result<Self, ConnectError> {
        if !Self::is_meant_by(text) {
            return Err(ConnectError::Address("it begins with `postgres://`".to_owned()));
        }
        let options: PgConnectOptions = text.parse().map_err(|error: sqlx::Error| match error {
            sqlx::Error::Configuration(why) => ConnectError::Address(why.to_string()),
            other => ConnectError::Address(other.to_string()),
        })?;
        let options = options
            .application_name("reservoir")
            // An acknowledged event survives a power cut. Group commit pays for it once a batch.
            .options([("synchronous_commit", "on"), ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MS)])
            .disable_statement_logging();
        Ok(Self { options: Arc::new(options) })
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.options.get_database().unwrap_or_else(|| self.options.get_username());
        match self.options.get_socket() {
            Some(socket) => write!(f, "{}:{}/{database}", socket.display(), self.options.get_port()),
            None => write!(f, "{}:{}/{database}", self.options.get_host(), self.options.get_port()),
        }
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}
