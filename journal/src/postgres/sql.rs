//! The statements of the writer.

use super::batch::{Entry, Head, Plan, State};
use super::reader::{signed, unsigned};
use crate::fence::Fence;
use crate::recorded::Recorded;
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, PgConnection, Row as _};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Which of some fences hold, and will until the transaction ends: no lease is given away meanwhile.
macro_rules! holding {
    ($names:literal, $epochs:literal) => {
        concat!(
            "WITH holding AS MATERIALIZED (SELECT f.ordinality FROM UNNEST(",
            $names,
            "::text[], ",
            $epochs,
            "::bigint[]) WITH ORDINALITY AS f (name, epoch, ordinality) ",
            "JOIN subscriptions AS s ON s.name = f.name AND s.epoch = f.epoch ORDER BY s.name FOR KEY SHARE OF s)"
        )
    };
}

/// Moves the head and inserts, if the journal still ends where the batch was planned to begin; else does nothing. One
/// statement, one round trip, one transaction: nobody holds the head while bytes travel.
macro_rules! store {
    ($with:expr, $holds:literal) => {
        concat!(
            $with,
            " moved AS (
    UPDATE journal_head SET position = $1, hash = $2, recorded_at = $3
    WHERE position = $4 AND fence = $5",
            $holds,
            "
    RETURNING true
)
INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                    event_id, correlation_id, causation_id, command_id, actor, hash, position, recorded_at)
SELECT e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::json, e.metadata::json,
       e.event_id, e.correlation_id, e.causation_id, e.command_id, e.actor, e.hash, $4 + e.ordinality, $3
FROM moved, UNNEST($6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[],
                   $13::uuid[], $14::text[], $15::uuid[], $16::uuid[], $17::text[], $18::bytea[])
     WITH ORDINALITY AS e (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                           event_id, correlation_id, causation_id, command_id, actor, hash, ordinality)"
        )
    };
}

/// About what the other columns of an event take.
const BYTES_BESIDE_PAYLOAD: usize = 640;

const STORE: &str = store!("WITH", "");
const STORE_FENCED: &str =
    store!(concat!(holding!("$19", "$20"), ","), " AND (SELECT count(*) FROM holding) = cardinality($19::text[])");
const HEAD: &str = "SELECT position, hash, recorded_at, fence FROM journal_head";
const HEAD_FENCED: &str = "
SELECT position, hash, recorded_at, fence,
       (SELECT count(*) FROM UNNEST($1::text[], $2::bigint[]) AS f (name, epoch)
        JOIN subscriptions AS s ON s.name = f.name AND s.epoch = f.epoch) = cardinality($1::text[])
FROM journal_head";
const LOCKED_HEAD: &str = "SELECT position, hash, recorded_at, fence FROM journal_head FOR UPDATE";
const LOCKED_HEAD_FENCED: &str = concat!(
    holding!("$1", "$2"),
    " SELECT position, hash, recorded_at, fence, ARRAY(SELECT ordinality FROM holding) FROM journal_head",
    " FOR UPDATE OF journal_head"
);
const FENCED_HEAD: &str = "UPDATE journal_head SET fence = fence + 1 RETURNING position, hash, recorded_at, fence";

const STREAM_HEADS: &str = "
SELECT s.ordinality, e.sequence, e.event_id
FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS s (aggregate_type, aggregate_id, ordinality)
CROSS JOIN LATERAL (
    SELECT sequence, event_id FROM events
    WHERE aggregate_type = s.aggregate_type AND aggregate_id = s.aggregate_id
    ORDER BY sequence DESC LIMIT 1
) AS e";

/// Where the journal ends.
pub(super) async fn head(connection: &mut PgConnection) -> Result<State, sqlx::Error> {
    state(&sqlx::query(HEAD).fetch_one(connection).await?)
}

/// Where the journal ends, if all these fences hold.
pub(super) async fn head_of_holders(
    connection: &mut PgConnection,
    fences: &[Fence],
) -> Result<Option<State>, sqlx::Error> {
    if fences.is_empty() {
        return head(connection).await.map(Some);
    }
    let (names, epochs) = columns(fences);
    let row = sqlx::query(HEAD_FENCED).bind(names).bind(epochs).fetch_one(connection).await?;
    row.try_get::<bool, _>(4)?.then(|| state(&row)).transpose()
}

/// Where the journal ends, and stays until the transaction does; and which of some fences are over.
pub(super) async fn locked_head(
    connection: &mut PgConnection,
    mut fences: Vec<Fence>,
) -> Result<(State, Vec<Fence>), sqlx::Error> {
    if fences.is_empty() {
        return Ok((state(&sqlx::query(LOCKED_HEAD).fetch_one(connection).await?)?, fences));
    }
    let (names, epochs) = columns(&fences);
    let row = sqlx::query(LOCKED_HEAD_FENCED).bind(names).bind(epochs).fetch_one(connection).await?;
    let mut holding: Vec<i64> = row.try_get(4)?;
    holding.sort_unstable();
    for place in holding.into_iter().rev() {
        fences.swap_remove(usize::try_from(place).unwrap_or_default().saturating_sub(1));
    }
    Ok((state(&row)?, fences))
}

fn columns(fences: &[Fence]) -> (Vec<&str>, Vec<i64>) {
    fences.iter().map(|fence| (&*fence.name, signed(fence.epoch))).unzip()
}

/// Waits for whatever moves the head now, and makes what was sent before and did not arrive yet fail.
pub(super) async fn fenced_head(connection: &mut PgConnection) -> Result<State, sqlx::Error> {
    state(&sqlx::query(FENCED_HEAD).fetch_one(connection).await?)
}

fn state(row: &PgRow) -> Result<State, sqlx::Error> {
    Ok(State {
        position: unsigned(row.try_get(0)?),
        hash: row.try_get(1)?,
        recorded_at: row.try_get(2)?,
        fence: row.try_get(3)?,
    })
}

/// The last events of streams; none of those that do not exist.
pub(super) async fn stream_heads(
    connection: &mut PgConnection,
    streams: &[Arc<str>],
) -> Result<HashMap<Arc<str>, Head>, sqlx::Error> {
    let (types, ids): (Vec<&str>, Vec<&str>) = streams.iter().map(|stream| parts(stream)).unzip();
    let rows = sqlx::query(STREAM_HEADS).bind(types).bind(ids).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let index = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default().saturating_sub(1);
            let head = Head { revision: unsigned(row.try_get(1)?), event_id: row.try_get(2)? };
            Ok((streams[index].clone(), head))
        })
        .collect()
}

/// The id of the event at a position.
pub(super) async fn event_at(connection: &mut PgConnection, position: u64) -> Result<Option<Uuid>, sqlx::Error> {
    let row = sqlx::query("SELECT event_id FROM events WHERE position = $1")
        .bind(signed(position))
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Writes what stands of a batch. False when the journal has moved on, or a fence is over, and then nothing was written.
pub(super) async fn store(
    connection: &mut PgConnection,
    from: &State,
    plan: &Plan,
    entries: &[Entry],
    fences: &[Fence],
) -> Result<bool, sqlx::Error> {
    let events = || entries.iter().filter(|entry| entry.stands()).flat_map(|entry| &entry.events);
    let (types, ids): (Vec<&str>, Vec<&str>) = events().map(|event| parts(&event.stream)).unzip();
    let metadata: Vec<String> = events().map(metadata).collect();
    let (names, epochs) = columns(fences);
    let mut arguments = PgArguments::default();
    // What grows bit by bit is copied again and again.
    arguments.reserve(20, events().map(|event| event.payload.len() + BYTES_BESIDE_PAYLOAD).sum());
    let query = sqlx::query_with(if fences.is_empty() { STORE } else { STORE_FENCED }, arguments)
        .bind(signed(plan.end.position))
        .bind(plan.end.hash)
        .bind(plan.end.recorded_at)
        .bind(signed(from.position))
        .bind(from.fence)
        .bind(types)
        .bind(ids)
        .bind(events().map(|event| signed(event.revision)).collect::<Vec<_>>())
        .bind(events().map(|event| &*event.event_type).collect::<Vec<_>>())
        .bind(events().map(|event| event.version.to_string()).collect::<Vec<_>>())
        .bind(events().map(|event| &*event.payload).collect::<Vec<_>>())
        .bind(metadata)
        .bind(events().map(|event| event.event_id).collect::<Vec<_>>())
        .bind(events().map(|event| &*event.correlation_id).collect::<Vec<_>>())
        .bind(events().map(|event| event.causation_id).collect::<Vec<_>>())
        .bind(events().map(|event| event.command_id).collect::<Vec<_>>())
        .bind(events().map(|event| &*event.actor).collect::<Vec<_>>())
        .bind(events().map(|event| event.hash.as_slice()).collect::<Vec<_>>());
    let query = if fences.is_empty() { query } else { query.bind(names).bind(epochs) };
    let result = query.execute(connection).await?;
    Ok(result.rows_affected() == plan.events)
}

#[derive(Serialize)]
struct Metadata<'a> {
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<Uuid>,
    command_id: Uuid,
    correlation_id: &'a str,
    event_id: Uuid,
}

/// What postgres-es knows as metadata.
pub(super) fn metadata(event: &Recorded) -> String {
    let metadata = Metadata {
        actor: &event.actor,
        causation_id: event.causation_id,
        command_id: event.command_id,
        correlation_id: &event.correlation_id,
        event_id: event.event_id,
    };
    // Strings under names of our own: that can always be written.
    serde_json::to_string(&metadata).unwrap_or_default()
}

/// How postgres-es names a stream.
pub(super) fn parts(stream: &str) -> (&str, &str) {
    stream.split_once('-').unwrap_or((stream, ""))
}
