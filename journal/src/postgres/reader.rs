//! Reading what is committed. Readers never wait for a writer.

use super::address::{ConnectError, PostgresAddress, within};
use super::presence::Presence;
use super::{schema, sql};
use crate::journal::ReadError;
use crate::recorded::Recorded;
use crate::texts::Interner;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A page of events takes milliseconds; a database that takes this long is away.
const PATIENCE: Duration = Duration::from_secs(5);

const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text, \
                       recorded_at, event_id, correlation_id, causation_id, command_id, actor, hash";

/// A pool of connections that read.
#[derive(Clone)]
pub(crate) struct Reader {
    pool: PgPool,
    presence: Arc<Presence>,
}

impl Reader {
    pub(super) const fn new(pool: PgPool, presence: Arc<Presence>) -> Self {
        Self { pool, presence }
    }

    /// Reads also while the database is known to be away: to find out whether it is still.
    pub(super) async fn probe(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        self.try_run(async |connection| events_after(connection, after, limit).await).await
    }

    pub(crate) async fn stream(&self, stream: &str, after_revision: u64) -> Result<Vec<Recorded>, ReadError> {
        self.run(async |connection| events_of(connection, stream, after_revision).await).await
    }

    pub(crate) async fn all(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        self.run(async |connection| events_after(connection, after, limit).await).await
    }

    pub(crate) async fn at(&self, positions: &[u64]) -> Result<Vec<Recorded>, ReadError> {
        self.run(async |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM UNNEST($1::bigint[]) WITH ORDINALITY AS wanted (at, nth) \
                 JOIN events ON position = wanted.at ORDER BY wanted.nth"
            );
            let positions: Vec<i64> = positions.iter().map(|position| signed(*position)).collect();
            recorded(&sqlx::query(&sql).bind(positions).fetch_all(connection).await?)
        })
        .await
    }

    /// Where the journal ends in the database; this process may not have seen all of it yet.
    pub(crate) async fn head(&self) -> Result<u64, ReadError> {
        self.run(async |connection| Ok(sql::head(connection).await?.position)).await
    }

    async fn run<T>(
        &self,
        read: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, ReadError> {
        // Nobody waits for a connection that is known not to come.
        if !self.presence.is_readable() {
            return Err(ReadError::Database("the database is away".into()));
        }
        self.try_run(read).await
    }

    async fn try_run<T>(
        &self,
        read: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, ReadError> {
        let work = async {
            let mut connection = self.pool.acquire().await?;
            read(&mut connection).await
        };
        within(PATIENCE, work).await.map_err(|error| match error {
            sqlx::Error::PoolClosed => ReadError::Closing,
            error => ReadError::Database(error.to_string().into()),
        })
    }
}

/// A journal in PostgreSQL, opened for reading only: nothing is made or changed.
pub struct JournalDatabase {
    connection: PgConnection,
}

/// What the head row and the events say of the journal's end.
pub(crate) struct Ends {
    pub(crate) head: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) last: u64,
}

impl JournalDatabase {
    /// Opens the journal of a database.
    ///
    /// # Errors
    /// When there is none, or it cannot be reached.
    pub async fn open(address: &PostgresAddress) -> Result<Self, ConnectError> {
        let mut connection = address.connect().await?;
        schema::check(&mut connection, address).await?;
        Ok(Self { connection })
    }

    /// Up to `limit` events after a position, of one stream or of all.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn read(
        &mut self,
        stream: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, ConnectError> {
        let read = match stream {
            None => events_after(&mut self.connection, after, limit).await,
            Some(stream) => events_of(&mut self.connection, stream, 0).await,
        };
        let mut events = read.map_err(ConnectError::Database)?;
        events.retain(|event| event.position > after);
        events.truncate(limit);
        Ok(events)
    }

    pub(crate) async fn ends(&mut self) -> Result<Ends, ConnectError> {
        let sql = "SELECT position, hash, coalesce((SELECT max(position) FROM events), 0) FROM journal_head";
        let ends = |row: &PgRow| {
            Ok(Ends { head: unsigned(row.try_get(0)?), hash: row.try_get(1)?, last: unsigned(row.try_get(2)?) })
        };
        let row = sqlx::query(sql).fetch_one(&mut self.connection).await;
        row.and_then(|row| ends(&row)).map_err(ConnectError::Database)
    }
}

async fn events_of(
    connection: &mut PgConnection,
    stream: &str,
    after_revision: u64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let (aggregate_type, aggregate_id) = sql::parts(stream);
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3 ORDER BY sequence"
    );
    let query = sqlx::query(&sql).bind(aggregate_type).bind(aggregate_id).bind(signed(after_revision));
    recorded(&query.fetch_all(connection).await?)
}

async fn events_after(connection: &mut PgConnection, after: u64, limit: usize) -> Result<Vec<Recorded>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    recorded(&sqlx::query(&sql).bind(signed(after)).bind(limit).fetch_all(connection).await?)
}

fn recorded(rows: &[PgRow]) -> Result<Vec<Recorded>, sqlx::Error> {
    let mut texts = Interner::default();
    rows.iter().map(|row| event(row, &mut texts)).collect()
}

fn event(row: &PgRow, texts: &mut Interner) -> Result<Recorded, sqlx::Error> {
    let text = |index: usize| row.try_get::<&str, _>(index);
    let version = text(5)?.parse().map_err(|error| sqlx::Error::ColumnDecode {
        index: "event_version".to_owned(),
        source: Box::<dyn std::error::Error + Send + Sync>::from(error),
    });
    Ok(Recorded {
        position: unsigned(row.try_get(0)?),
        stream: stream_of(text(1)?, text(2)?),
        revision: unsigned(row.try_get(3)?),
        event_type: texts.text(text(4)?),
        version: version.map_err(|error: sqlx::Error| error)?,
        payload: text(6)?.into(),
        recorded_at: row.try_get(7)?,
        event_id: row.try_get(8)?,
        correlation_id: texts.correlation(text(9)?),
        causation_id: row.try_get(10)?,
        command_id: row.try_get(11)?,
        actor: texts.text(text(12)?),
        hash: row.try_get(13)?,
        decoded: OnceLock::new(),
    })
}

fn stream_of(aggregate_type: &str, aggregate_id: &str) -> Arc<str> {
    if aggregate_id.is_empty() {
        return aggregate_type.into();
    }
    let mut stream = String::with_capacity(aggregate_type.len() + 1 + aggregate_id.len());
    stream.push_str(aggregate_type);
    stream.push('-');
    stream.push_str(aggregate_id);
    stream.into()
}

/// PostgreSQL's integers are signed; positions and revisions stay far below 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
