//! The database as the target of a copy: events come in as they are, with their positions, times and hashes.

use super::address::{ConnectError, PostgresAddress, connect};
use super::batch::State;
use super::reader::signed;
use super::{durability, schema, sql};
use crate::recorded::Recorded;
use sqlx::{PgConnection, Row as _};
use std::time::{Duration, Instant};

/// Names the lock that one copy at a time holds.
const LOCK: i64 = 0x7265_7365_7263_6f70;
/// So this program's other sessions are called, and this one.
const OTHERS: &str = "reservoir";
const NAME: &str = "reservoir copy";
/// The sessions and leases of a process that has just ended are over within this time.
const LAST_SIGNS: Duration = Duration::from_secs(6);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Does nothing where the journal does not end where it was left: then somebody else has written.
const STORE: &str = "
WITH moved AS (
    UPDATE journal_head SET position = $1, hash = $2, recorded_at = $3
    WHERE position = $4 AND fence = $5
    RETURNING true
)
INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                    event_id, correlation_id, causation_id, command_id, actor, hash, recorded_at, position)
SELECT e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::json, e.metadata::json,
       e.event_id, e.correlation_id, e.causation_id, e.command_id, e.actor, e.hash, e.recorded_at, $4 + e.ordinality
FROM moved, UNNEST($6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[],
                   $14::text[], $15::uuid[], $16::uuid[], $17::text[], $18::bytea[], $19::timestamptz[])
     WITH ORDINALITY AS e (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, event_id,
                           correlation_id, causation_id, command_id, actor, hash, recorded_at, ordinality)";

/// A journal in a database while it takes in a copy. Programs that start meanwhile are refused.
pub(crate) struct DatabaseTarget {
    connection: PgConnection,
    state: State,
}

impl DatabaseTarget {
    /// Makes the tables where they are missing. `None` when another copy goes on there.
    pub(crate) async fn open(address: &PostgresAddress) -> Result<Option<Self>, ConnectError> {
        let options = address.options().clone().application_name(NAME);
        let connected = connect(&options).await;
        let mut connection = connected
            .map_err(|source| ConnectError::Unreachable { place: address.to_string(), source: Box::new(source) })?;
        durability::check(&mut connection, address).await?;
        schema::prepare(&mut connection).await?;
        let started = Instant::now();
        while !lock(&mut connection).await.map_err(ConnectError::Database)? {
            if started.elapsed() > LAST_SIGNS {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        // What a copy that lost its connection has left behind fails.
        let state = sql::fenced_head(&mut connection).await.map_err(ConnectError::Database)?;
        Ok(Some(Self { connection, state }))
    }

    /// The last position and its hash.
    pub(crate) const fn end(&self) -> (u64, [u8; 32]) {
        (self.state.position, self.state.hash)
    }

    /// From here on no program that starts takes it for a journal. False, and as before, when one is running.
    ///
    /// The mark comes first and the look second: whoever starts in between sees the one or is seen by the other.
    pub(crate) async fn mark(&mut self) -> Result<bool, sqlx::Error> {
        schema::mark_copying(&mut self.connection).await?;
        let started = Instant::now();
        while self.is_used().await? {
            if started.elapsed() > LAST_SIGNS {
                schema::unmark_copying(&mut self.connection).await?;
                return Ok(false);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(true)
    }

    async fn is_used(&mut self) -> Result<bool, sqlx::Error> {
        // Sessions of other roles hide their names; a lease that is held tells of those.
        let sql = "SELECT EXISTS (SELECT FROM subscriptions WHERE until > now()) OR EXISTS \
                   (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1)";
        sqlx::query(sql).bind(OTHERS).fetch_one(&mut self.connection).await?.try_get(0)
    }

    /// Writes a page of events in one transaction. False when somebody else has written, and then nothing is.
    pub(crate) async fn write(&mut self, events: &[Recorded]) -> Result<bool, sqlx::Error> {
        let Some(last) = events.last() else { return Ok(true) };
        let (types, ids): (Vec<&str>, Vec<&str>) = events.iter().map(|event| sql::parts(&event.stream)).unzip();
        let each = || events.iter();
        let result = sqlx::query(STORE)
            .bind(signed(last.position))
            .bind(last.hash)
            .bind(last.recorded_at)
            .bind(signed(self.state.position))
            .bind(self.state.fence)
            .bind(types)
            .bind(ids)
            .bind(each().map(|event| signed(event.revision)).collect::<Vec<_>>())
            .bind(each().map(|event| &*event.event_type).collect::<Vec<_>>())
            .bind(each().map(|event| event.version.to_string()).collect::<Vec<_>>())
            .bind(each().map(|event| &*event.payload).collect::<Vec<_>>())
            .bind(each().map(sql::metadata).collect::<Vec<_>>())
            .bind(each().map(|event| event.event_id).collect::<Vec<_>>())
            .bind(each().map(|event| &*event.correlation_id).collect::<Vec<_>>())
            .bind(each().map(|event| event.causation_id).collect::<Vec<_>>())
            .bind(each().map(|event| event.command_id).collect::<Vec<_>>())
            .bind(each().map(|event| &*event.actor).collect::<Vec<_>>())
            .bind(each().map(|event| event.hash.as_slice()).collect::<Vec<_>>())
            .bind(each().map(|event| event.recorded_at).collect::<Vec<_>>())
            .execute(&mut self.connection)
            .await?;
        if result.rows_affected() != events.len() as u64 {
            return Ok(false);
        }
        (self.state.position, self.state.hash, self.state.recorded_at) = (last.position, last.hash, last.recorded_at);
        Ok(true)
    }

    /// The journal is whole.
    pub(crate) async fn finish(&mut self) -> Result<(), sqlx::Error> {
        schema::unmark_copying(&mut self.connection).await
    }
}

async fn lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(connection).await?.try_get(0)
}
