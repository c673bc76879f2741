//! The tables in which subscriptions remember how far they are. Every write of an owner looks at its lease in the same statement;
//! what an administrator asks for may come from any process.

use super::Remembered;
use crate::fence::Fence;
use crate::postgres::{CONNECT, PostgresAddress, signed, unsigned, within};
use crate::subscription::{Parked, SubscriptionError};
use serde_json::Value;
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{PgPool, Row as _};
use std::time::Duration;

/// Connections that write, and one that listens.
const CONNECTIONS: u32 = 5;
/// A row takes milliseconds; a database that takes this long is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// Other processes hear here that there is something to look at.
pub(in crate::subscription) const CHANNEL: &str = "reservoir_subscriptions";

/// The lease is the writer's, and stays it until the statement is committed.
macro_rules! fenced {
    ($then:literal) => {
        concat!(
            "WITH held AS MATERIALIZED (SELECT FROM subscriptions WHERE name = $1 AND epoch = $2 FOR KEY SHARE), ",
            $then
        )
    };
}

const LOAD: &str = fenced!(
    "again AS (UPDATE subscription_retries SET taken = NULL WHERE subscription = $3 AND EXISTS (SELECT FROM held))
     INSERT INTO subscriptions (name, lease) SELECT $3, $1 FROM held
     ON CONFLICT (name) DO UPDATE SET lease = excluded.lease RETURNING checkpoint, paused"
);
const SAVE_CHECKPOINT: &str = fenced!(
    "saved AS (UPDATE subscriptions SET checkpoint = $4 WHERE name = $3 AND EXISTS (SELECT FROM held)),
     forgotten AS (DELETE FROM subscription_attempts
                   WHERE subscription = $3 AND position <= $4 AND EXISTS (SELECT FROM held))
     SELECT FROM held"
);
const COUNT_ATTEMPT: &str = fenced!(
    "counted AS (
        INSERT INTO subscription_attempts AS a (subscription, position, attempts) SELECT $3, $4, 1 FROM held
        ON CONFLICT (subscription, position) DO UPDATE SET attempts = a.attempts + 1 RETURNING attempts
     )
     SELECT attempts FROM counted"
);
const FORGET_ATTEMPTS: &str = fenced!(
    "forgotten AS (DELETE FROM subscription_attempts
                   WHERE subscription = $3 AND position = $4 AND EXISTS (SELECT FROM held))
     SELECT FROM held"
);
const PARK: &str = fenced!(
    "tried AS (DELETE FROM subscription_retries
               WHERE subscription = $3 AND sequence = $4 AND EXISTS (SELECT FROM held)),
     parked AS (
        INSERT INTO subscription_parked (subscription, sequence, position, event_type, attempts, reason, parked_at)
        SELECT $3, $4, $5, $6, $7, $8, $9 FROM held
        ON CONFLICT (subscription, sequence) DO UPDATE SET position = excluded.position,
            event_type = excluded.event_type, attempts = excluded.attempts, reason = excluded.reason,
            parked_at = excluded.parked_at
     )
     SELECT FROM held"
);
const UNPARK: &str = fenced!(
    "unparked AS (DELETE FROM subscription_parked
                  WHERE subscription = $3 AND sequence = $4 AND EXISTS (SELECT FROM held))
     SELECT FROM held"
);
const REBUILT: &str = fenced!(
    "rebuilt AS (UPDATE subscriptions SET rebuild_done = $4, rebuild_outcome = $5
                 WHERE name = $3 AND EXISTS (SELECT FROM held))
     SELECT pg_notify('reservoir_subscriptions', '') FROM held"
);
const PAUSE: &str = "UPDATE subscriptions SET paused = $2 WHERE name = $1 AND lease IS NOT NULL \
                     RETURNING pg_notify('reservoir_subscriptions', '')";
const RETRY: &str = "
WITH asked AS (
    INSERT INTO subscription_retries (subscription, sequence)
    SELECT subscription, sequence FROM subscription_parked WHERE subscription = $1 AND sequence = $2
    FOR KEY SHARE
    ON CONFLICT (subscription, sequence) DO UPDATE SET taken = NULL RETURNING true
)
SELECT EXISTS (SELECT FROM asked), pg_notify('reservoir_subscriptions', '')::text
FROM subscriptions WHERE name = $1 AND lease IS NOT NULL";
const REQUEST_REBUILD: &str = "
UPDATE subscriptions SET rebuild_wanted = rebuild_wanted + 1 WHERE name = $1 AND lease IS NOT NULL
RETURNING rebuild_wanted, pg_notify('reservoir_subscriptions', '')::text";

/// The tables, through a pool of connections.
#[derive(Clone)]
pub(in crate::subscription) struct Database {
    pub(in crate::subscription) pool: PgPool,
}

impl Database {
    pub(in crate::subscription) fn new(address: &PostgresAddress) -> Self {
        let options = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(CONNECT);
        Self { pool: options.connect_lazy_with(address.options().clone()) }
    }

    pub(super) async fn load(&self, fence: &Fence, name: &'static str) -> Result<Remembered, SubscriptionError> {
        let row = self.under(fence, sqlx::query(LOAD), |query| query.bind(name)).await?;
        let parked = "SELECT subscription, sequence, position, event_type, attempts, reason, parked_at \
                      FROM subscription_parked WHERE subscription = $1";
        let parked = within(PATIENCE, sqlx::query(parked).bind(name).fetch_all(&self.pool)).await?;
        Ok(Remembered {
            checkpoint: unsigned(row.try_get(0)?),
            paused: row.try_get(1)?,
            parked: parked.iter().map(parked_of).collect::<Result<_, _>>()?,
        })
    }

    pub(super) async fn save_checkpoint(
        &self,
        fence: &Fence,
        name: &'static str,
        position: u64,
    ) -> Result<(), SubscriptionError> {
        self.under(fence, sqlx::query(SAVE_CHECKPOINT), |query| query.bind(name).bind(signed(position))).await.map(drop)
    }

    pub(super) async fn count_attempt(
        &self,
        fence: &Fence,
        name: &'static str,
        position: u64,
    ) -> Result<u32, SubscriptionError> {
        let query = sqlx::query(COUNT_ATTEMPT);
        let row = self.under(fence, query, |query| query.bind(name).bind(signed(position))).await?;
        Ok(count(row.try_get(0)?))
    }

    pub(super) async fn forget_attempts(
        &self,
        fence: &Fence,
        name: &'static str,
        position: u64,
    ) -> Result<(), SubscriptionError> {
        self.under(fence, sqlx::query(FORGET_ATTEMPTS), |query| query.bind(name).bind(signed(position))).await.map(drop)
    }

    pub(super) async fn park(
        &self,
        fence: &Fence,
        name: &'static str,
        parked: Parked,
    ) -> Result<(), SubscriptionError> {
        let bind = |query: Query| {
            let query = query.bind(name).bind(parked.sequence).bind(signed(parked.position)).bind(parked.event_type);
            query.bind(i32::try_from(parked.attempts).unwrap_or(i32::MAX)).bind(parked.reason).bind(parked.parked_at)
        };
        self.under(fence, sqlx::query(PARK), bind).await.map(drop)
    }

    pub(super) async fn unpark(
        &self,
        fence: &Fence,
        name: &'static str,
        sequence: &str,
    ) -> Result<(), SubscriptionError> {
        let sequence = sequence.to_owned();
        self.under(fence, sqlx::query(UNPARK), |query| query.bind(name).bind(sequence)).await.map(drop)
    }

    pub(in crate::subscription) async fn rebuilt(
        &self,
        fence: &Fence,
        name: &str,
        ticket: u64,
        outcome: &Value,
    ) -> Result<(), SubscriptionError> {
        let (name, outcome) = (name.to_owned(), outcome.to_string());
        let bind = |query: Query| query.bind(name).bind(signed(ticket)).bind(outcome);
        self.under(fence, sqlx::query(REBUILT), bind).await.map(drop)
    }

    /// Runs a statement that answers with a row where the lease is held.
    async fn under(
        &self,
        fence: &Fence,
        query: Query,
        bind: impl FnOnce(Query) -> Query,
    ) -> Result<PgRow, SubscriptionError> {
        let query = bind(query.bind(fence.name.to_string()).bind(signed(fence.epoch)));
        let row = within(PATIENCE, query.fetch_optional(&self.pool)).await?;
        row.ok_or_else(|| SubscriptionError::Stale(fence.clone()))
    }

    pub(in crate::subscription) async fn save_paused(&self, name: &str, paused: bool) -> Result<(), SubscriptionError> {
        let query = sqlx::query(PAUSE).bind(name).bind(paused);
        let row = within(PATIENCE, query.fetch_optional(&self.pool)).await?;
        row.map(drop).ok_or_else(|| SubscriptionError::NoSuchSubscription(name.to_owned()))
    }

    pub(in crate::subscription) async fn retry(&self, name: &str, sequence: &str) -> Result<(), SubscriptionError> {
        let query = sqlx::query(RETRY).bind(name).bind(sequence);
        let row = within(PATIENCE, query.fetch_optional(&self.pool)).await?;
        match row.map(|row| row.try_get(0)).transpose()? {
            Some(true) => Ok(()),
            Some(false) => Err(SubscriptionError::NoSuchSequence(sequence.to_owned())),
            None => Err(SubscriptionError::NoSuchSubscription(name.to_owned())),
        }
    }

    pub(in crate::subscription) async fn request_rebuild(&self, name: &str) -> Result<u64, SubscriptionError> {
        let query = sqlx::query(REQUEST_REBUILD).bind(name);
        let row = within(PATIENCE, query.fetch_optional(&self.pool)).await?;
        let row = row.ok_or_else(|| SubscriptionError::NoSuchSubscription(name.to_owned()))?;
        Ok(unsigned(row.try_get(0)?))
    }
}

type Query = sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// A row of what is parked, behind whose it is.
pub(in crate::subscription) fn parked_of(row: &PgRow) -> Result<Parked, sqlx::Error> {
    Ok(Parked {
        sequence: row.try_get(1)?,
        position: unsigned(row.try_get(2)?),
        event_type: row.try_get(3)?,
        attempts: count(row.try_get(4)?),
        reason: row.try_get(5)?,
        parked_at: row.try_get(6)?,
    })
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}
