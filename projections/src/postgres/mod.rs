//! The views in a PostgreSQL database, beside the journal: any process reads them, and each view has one process that folds it.
//!
//! **Whoever folds writes documents, checkpoint and the proof that it still may in one transaction**, and moves the checkpoint only
//! from where it believes it to be: what was lost or done by somebody else meanwhile is noticed and never written over.

mod batch;
mod generation;
mod news;
mod reading;
mod schema;

pub(crate) use batch::{Rows, fold};
pub(crate) use generation::{Candidate, Generation};
pub(crate) use news::{News, Waiting};

use crate::error::ViewError;
use crate::fold::Spec;
use journal::Fence;
use journal::postgres::{FenceError, PostgresAddress, check_fence};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Connections that read, and one that listens.
const READERS: u32 = 9;
/// Connections that write: one folds, the others build generations beside the live ones.
const WRITERS: u32 = 4;
/// How long a connection, or a free one of the pool, is waited for.
const CONNECT: Duration = Duration::from_secs(2);
/// A document takes a millisecond; a database that takes this long is away.
const READ: Duration = Duration::from_secs(5);
/// A batch takes milliseconds.
const WRITE: Duration = Duration::from_secs(10);

/// How the database is reached.
pub(crate) struct Postgres {
    reading: PgPool,
    writing: PgPool,
    /// The generation of each view that was read last. It may be over; then the read itself says so.
    seen: BTreeMap<&'static str, AtomicU64>,
}

impl Postgres {
    /// Connects, and makes what is missing.
    pub(crate) async fn open(address: &PostgresAddress, specs: &[Spec]) -> Result<Self, ViewError> {
        // A power cut may take the last transactions, whole and in order: they are folded again.
        let options: PgConnectOptions = address.options().clone().options([("synchronous_commit", "off")]);
        let mut connection = within(CONNECT, async { Ok(options.connect().await?) }).await?;
        within(WRITE, schema::prepare(&mut connection, specs)).await?;
        let pool = |most| {
            PgPoolOptions::new().max_connections(most).acquire_timeout(CONNECT).connect_lazy_with(options.clone())
        };
        let seen = specs.iter().map(|spec| (spec.name(), AtomicU64::new(1))).collect();
        Ok(Self { reading: pool(READERS), writing: pool(WRITERS), seen })
    }

    pub(crate) async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }
}

/// A database that says nothing is as good as none.
async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, ViewError>>) -> Result<T, ViewError> {
    let late = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
    tokio::time::timeout(patience, work).await.map_err(|_| late())?
}

/// Holds everything that is written behind it to the right to write it.
async fn check(connection: &mut PgConnection, fence: Option<&Fence>) -> Result<(), ViewError> {
    let Some(fence) = fence else { return Ok(()) };
    check_fence(connection, fence).await.map_err(|error| match error {
        FenceError::Stale(fence) => ViewError::Stale(fence),
        FenceError::Database(error) => error.into(),
    })
}

/// A document that was taken to be new was there before.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
