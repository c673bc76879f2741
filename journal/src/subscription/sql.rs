//! The statements of what keeps leases going. Times are the database's: `clock_timestamp()` is when a statement really writes, also
//! where it had to wait for a lock.

use super::board::{Entry, Rebuild, Row, locked};
use super::lease::Holding;
use super::ledger::parked_of;
use crate::fence::Fence;
use crate::postgres::{signed, unsigned};
use serde_json::Value;
use sqlx::{PgConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const RENEW: &str = "
WITH held AS (
    SELECT s.name FROM UNNEST($1::text[], $2::bigint[]) AS h (name, epoch)
    JOIN subscriptions AS s ON s.name = h.name AND s.epoch = h.epoch ORDER BY s.name FOR NO KEY UPDATE OF s
)
UPDATE subscriptions AS s SET until = clock_timestamp() + $3 * interval '1 microsecond'
FROM held WHERE s.name = held.name RETURNING s.name";

/// A lease whose last owner still writes something is left for a moment later: nothing here waits for that.
const ACQUIRE: &str = "
WITH free AS (
    SELECT name FROM subscriptions
    WHERE name = ANY($1) AND (until IS NULL OR until <= clock_timestamp()) ORDER BY name FOR UPDATE SKIP LOCKED
)
UPDATE subscriptions AS s SET owner = $2, epoch = epoch + 1, since = clock_timestamp(), note = NULL,
                              until = clock_timestamp() + $3 * interval '1 microsecond'
FROM free WHERE s.name = free.name RETURNING s.name, s.epoch";

const RELEASE: &str = "
UPDATE subscriptions SET owner = NULL, since = NULL, until = NULL WHERE name = $1 AND epoch = $2 AND owner = $3
RETURNING pg_notify('reservoir_subscriptions', $3)::text";

/// A row that is being written is left for the next time.
const TELL: &str = "
WITH told AS MATERIALIZED (
    SELECT t.name, t.position, t.note
    FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[]) AS t (name, position, note, lease, epoch)
    JOIN subscriptions AS l ON l.name = t.lease AND l.epoch = t.epoch
    JOIN subscriptions AS s ON s.name = t.name
    FOR KEY SHARE OF l FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE subscriptions AS s SET position = told.position, note = told.note FROM told WHERE s.name = told.name
RETURNING s.name";

const TAKE_RETRIES: &str = "
UPDATE subscription_retries AS r SET taken = t.epoch
FROM UNNEST($1::text[], $2::text[], $3::bigint[]) AS t (name, lease, epoch)
JOIN subscriptions AS l ON l.name = t.lease AND l.epoch = t.epoch
WHERE r.subscription = t.name AND r.taken IS DISTINCT FROM t.epoch
RETURNING r.subscription, r.sequence";

const ROWS: &str = "
SELECT s.name, greatest(s.position, s.checkpoint), s.paused, s.rebuild_wanted, s.rebuild_done, s.rebuild_outcome,
       CASE WHEN l.until > clock_timestamp() THEN l.owner END, l.epoch, l.since, l.until, s.note
FROM subscriptions AS s JOIN subscriptions AS l ON l.name = s.lease";

const PARKED: &str = "
SELECT subscription, sequence, position, event_type, attempts, reason, parked_at
FROM subscription_parked ORDER BY subscription, sequence";

/// What others were told of a subscription last.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Told {
    position: u64,
    note: Option<Arc<Value>>,
    epoch: u64,
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Makes leases last from now on; answers which of them are still what they were.
pub(super) async fn renew(
    connection: &mut PgConnection,
    held: &[Arc<Holding>],
    length: Duration,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let (names, epochs): (Vec<&str>, Vec<i64>) =
        held.iter().map(|holding| (&*holding.fence.name, signed(holding.fence.epoch))).unzip();
    let rows = sqlx::query(RENEW).bind(names).bind(epochs).bind(microseconds(length)).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Takes those of some leases that nobody has.
pub(super) async fn acquire(
    connection: &mut PgConnection,
    names: &[String],
    owner: &str,
    length: Duration,
) -> Result<Vec<Fence>, sqlx::Error> {
    sqlx::query("INSERT INTO subscriptions (name) SELECT * FROM UNNEST($1::text[]) ON CONFLICT DO NOTHING")
        .bind(names)
        .execute(&mut *connection)
        .await?;
    let rows = sqlx::query(ACQUIRE).bind(names).bind(owner).bind(microseconds(length)).fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok(Fence { name: row.try_get::<&str, _>(0)?.into(), epoch: unsigned(row.try_get(1)?) }))
        .collect()
}

/// How long it takes until the first of some leases is anybody's, where nobody renews it; no time where one is, and was only locked.
pub(super) async fn free_in(connection: &mut PgConnection, names: &[String]) -> Result<Option<Duration>, sqlx::Error> {
    let left = "SELECT min(coalesce(greatest(extract(epoch FROM until - clock_timestamp()), 0), 0) * 1000)::bigint \
                FROM subscriptions WHERE name = ANY($1)";
    let row = sqlx::query(left).bind(names).fetch_one(connection).await?;
    // Rounded up: a moment too early would be in vain.
    Ok(row.try_get::<Option<i64>, _>(0)?.map(|left| Duration::from_millis(unsigned(left) + 2)))
}

/// Nobody has the lease any more, if it was still this one.
pub(super) async fn release(connection: &mut PgConnection, fence: &Fence, owner: &str) -> Result<(), sqlx::Error> {
    let query = sqlx::query(RELEASE).bind(&*fence.name).bind(signed(fence.epoch)).bind(owner);
    query.fetch_optional(connection).await.map(drop)
}

/// Writes down what has changed about this process's subscriptions, and wakes the others where they are to look at once.
pub(super) async fn tell(
    connection: &mut PgConnection,
    own: &[Arc<Entry>],
    told: &mut BTreeMap<&'static str, Told>,
    signal: Option<&str>,
) -> Result<(), sqlx::Error> {
    let now = |entry: &Entry| Told {
        position: entry.position.load(Ordering::Acquire),
        note: locked(&entry.note).clone(),
        epoch: entry.holding.fence.epoch,
    };
    let news: Vec<_> = own.iter().map(|entry| (entry, now(entry))).collect();
    let news: Vec<_> = news.into_iter().filter(|(entry, now)| told.get(entry.name) != Some(now)).collect();
    if news.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(TELL)
        .bind(news.iter().map(|(entry, _)| entry.name).collect::<Vec<_>>())
        .bind(news.iter().map(|(_, now)| signed(now.position)).collect::<Vec<_>>())
        .bind(news.iter().map(|(_, now)| now.note.as_ref().map(ToString::to_string)).collect::<Vec<_>>())
        .bind(news.iter().map(|(entry, _)| &*entry.holding.fence.name).collect::<Vec<_>>())
        .bind(news.iter().map(|(_, now)| signed(now.epoch)).collect::<Vec<_>>())
        .fetch_all(&mut *connection)
        .await?;
    let written = rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<&str>, _>>()?;
    if let Some(owner) = signal {
        let signal = sqlx::query("SELECT pg_notify('reservoir_subscriptions', $1)::text").bind(owner);
        signal.execute(connection).await?;
    }
    told.extend(
        news.into_iter().filter(|(entry, _)| written.contains(entry.name)).map(|(entry, now)| (entry.name, now)),
    );
    Ok(())
}

/// The parked sequences that somebody wants tried again and this owner has not taken up yet.
pub(super) async fn take_retries(
    connection: &mut PgConnection,
    own: &[Arc<Entry>],
) -> Result<Vec<(String, String)>, sqlx::Error> {
    if own.iter().all(|entry| !entry.has_parked()) {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(TAKE_RETRIES)
        .bind(own.iter().map(|entry| entry.name).collect::<Vec<_>>())
        .bind(own.iter().map(|entry| &*entry.holding.fence.name).collect::<Vec<_>>())
        .bind(own.iter().map(|entry| signed(entry.holding.fence.epoch)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// All that is known of all subscriptions.
pub(super) async fn rows(connection: &mut PgConnection) -> Result<BTreeMap<String, Row>, sqlx::Error> {
    let mut rows = BTreeMap::new();
    for row in sqlx::query(ROWS).fetch_all(&mut *connection).await? {
        let name: String = row.try_get(0)?;
        let read = Row {
            name: name.clone(),
            position: unsigned(row.try_get(1)?),
            paused: row.try_get(2)?,
            rebuild: Rebuild {
                wanted: unsigned(row.try_get(3)?),
                done: unsigned(row.try_get(4)?),
                outcome: json(row.try_get(5)?)?,
            },
            owner: row.try_get::<Option<&str>, _>(6)?.map(Arc::from),
            epoch: unsigned(row.try_get(7)?),
            since: row.try_get(8)?,
            until: row.try_get(9)?,
            note: json(row.try_get(10)?)?,
            parked: Vec::new(),
        };
        rows.insert(name, read);
    }
    for row in sqlx::query(PARKED).fetch_all(connection).await? {
        if let Some(subscription) = rows.get_mut(row.try_get::<&str, _>(0)?) {
            subscription.parked.push(parked_of(&row)?);
        }
    }
    Ok(rows)
}

fn json(text: Option<&str>) -> Result<Option<Value>, sqlx::Error> {
    text.map(serde_json::from_str).transpose().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
