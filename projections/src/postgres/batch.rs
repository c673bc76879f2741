//! Folding a batch: what is missing is loaded with one query a view, events are folded in memory, and all that has changed is
//! written with the checkpoints in one transaction.

use super::generation::Generation;
use super::{Postgres, WRITE, check, within};
use crate::error::ViewError;
use crate::fold::{Change, ChangeKind, Documents, Found, Source};
use crate::runner::{Lane, Setback};
use crate::table::signed;
use journal::{Fence, Shared};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection, Row as _};
use std::ops::Range;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// About what the other columns of a document take.
const BYTES_BESIDE_BODY: usize = 128;

/// Documents that are to be written, by columns.
#[derive(Default)]
pub(crate) struct Rows {
    seqs: Vec<i64>,
    pub(super) ids: Vec<String>,
    owners: Vec<String>,
    tags: Vec<String>,
    bodies: Vec<String>,
    /// Whether each of them is taken to be new.
    new: Vec<bool>,
}

impl Rows {
    pub(crate) fn push(&mut self, change: &Change<'_>) {
        self.seqs.push(signed(change.seq));
        self.ids.push(change.key.to_string());
        self.owners.push(change.row.owner.to_owned());
        self.tags.push(change.row.tag.to_owned());
        self.bodies.push(change.body.to_owned());
        self.new.push(change.kind == ChangeKind::New);
    }

    pub(crate) const fn len(&self) -> usize {
        self.seqs.len()
    }

    /// Writes them. One whose place or id is another's fails, and everything with it.
    pub(super) async fn write(&self, connection: &mut PgConnection, generation: &Generation) -> Result<(), ViewError> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} AS d (seq, id, owner, tag, body) \
             SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) \
             ON CONFLICT (seq) DO UPDATE SET owner = excluded.owner, tag = excluded.tag, body = excluded.body \
             WHERE d.id = excluded.id",
            generation.table()
        );
        let mut arguments = PgArguments::default();
        arguments.reserve(5, self.bodies.iter().map(|body| body.len() + BYTES_BESIDE_BODY).sum());
        let query = sqlx::query_with(&sql, arguments).bind(&self.seqs).bind(&self.ids).bind(&self.owners);
        let written = query.bind(&self.tags).bind(&self.bodies).execute(connection).await?;
        if written.rows_affected() == self.len() as u64 { Ok(()) } else { Err(ViewError::Moved) }
    }
}

/// Where a lane believes its view to be, and by what right it goes on.
struct Standing {
    version: &'static str,
    generation: Generation,
    position: u64,
    fence: Option<Fence>,
}

impl Standing {
    fn of(lane: &Lane) -> Self {
        Self {
            version: lane.spec.version,
            generation: lane.generation(),
            position: lane.position,
            fence: lane.fence.clone(),
        }
    }
}

/// Folds events into views that are all at the position before them. After an error nothing of it is written, and nothing of
/// what was in memory is believed.
pub(crate) async fn fold(
    database: &Postgres,
    lanes: Vec<Lane>,
    events: Arc<[Shared]>,
    range: Range<usize>,
    trusting: bool,
) -> Result<(Vec<Lane>, Result<(), Setback>), ViewError> {
    let batch = (events, range);
    let standing: Vec<Standing> = lanes.iter().map(Standing::of).collect();
    let (mut lanes, batch, missing) = blocking(move || {
        let missing: Vec<_> = lanes.iter().map(|lane| lane.missing(&batch.0[batch.1.clone()], trusting)).collect();
        (lanes, batch, missing)
    })
    .await?;
    let mut found = Vec::with_capacity(lanes.len());
    for (view, keys) in standing.iter().zip(missing) {
        match database.load(&view.generation, keys).await {
            Ok(documents) => found.push(documents),
            Err(error) => {
                forget(&mut lanes);
                return Ok((lanes, Err(Setback::Failed(error))));
            }
        }
    }
    let (mut lanes, batch, changed) = blocking(move || {
        let changed = take(&mut lanes, &batch.0[batch.1.clone()], found, trusting);
        (lanes, batch, changed)
    })
    .await?;
    let result = match (changed, batch.0[batch.1].last()) {
        (Ok(changed), Some(last)) => {
            within(WRITE, write(database, &standing, &changed, last)).await.map_err(Setback::Failed)
        }
        (Ok(_), None) => Ok(()),
        (Err(setback), _) => Err(setback),
    };
    if result.is_err() {
        forget(&mut lanes);
    }
    Ok((lanes, result))
}

/// Folding takes a core for as long as a large batch takes; others have to get their turn meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ViewError> {
    spawn_blocking(work).await.map_err(|_| ViewError::Closing)
}

fn forget(lanes: &mut [Lane]) {
    lanes.iter_mut().for_each(|lane| lane.fold.forget());
}

fn take(lanes: &mut [Lane], events: &[Shared], found: Vec<Found>, trusting: bool) -> Result<Vec<Rows>, Setback> {
    let mut changed = Vec::with_capacity(lanes.len());
    for (number, (lane, mut found)) in lanes.iter_mut().zip(found).enumerate() {
        for (index, event) in events.iter().enumerate() {
            let source = Source { documents: Documents::Found(&mut found), trusting };
            lane.take(source, event).map_err(|trouble| Setback::at(number, index, trouble))?;
        }
        let mut rows = Rows::default();
        lane.fold.changes(&mut |change| {
            rows.push(&change);
            Ok(())
        })?;
        changed.push(rows);
    }
    Ok(changed)
}

async fn write(database: &Postgres, views: &[Standing], changed: &[Rows], last: &Shared) -> Result<(), ViewError> {
    let mut transaction = database.writing.begin().await?;
    for view in views {
        check(&mut transaction, view.fence.as_ref()).await?;
    }
    for (view, rows) in views.iter().zip(changed) {
        rows.write(&mut transaction, &view.generation).await?;
    }
    checkpoints(&mut transaction, views, last).await?;
    Ok(transaction.commit().await?)
}

/// Moves the checkpoints on from where they are believed to be, and tells whoever listens once this is committed.
async fn checkpoints(connection: &mut PgConnection, views: &[Standing], last: &Shared) -> Result<(), ViewError> {
    let sql = "WITH moved AS (
            UPDATE reservoir_views.view v SET position = $5, hash = $6
            FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS l (name, version, generation, position)
            WHERE v.name = l.name AND v.version = l.version AND v.generation = l.generation AND v.position = l.position
            RETURNING 1)
        SELECT count(*), pg_notify($7, '') FROM moved";
    let row = sqlx::query(sql)
        .bind(views.iter().map(|view| view.generation.view).collect::<Vec<_>>())
        .bind(views.iter().map(|view| view.version).collect::<Vec<_>>())
        .bind(views.iter().map(|view| signed(view.generation.number)).collect::<Vec<_>>())
        .bind(views.iter().map(|view| signed(view.position)).collect::<Vec<_>>())
        .bind(signed(last.position))
        .bind(last.hash.as_slice())
        .bind(super::news::CHANNEL)
        .fetch_one(connection)
        .await?;
    let moved: i64 = row.try_get(0)?;
    if usize::try_from(moved) == Ok(views.len()) { Ok(()) } else { Err(ViewError::Moved) }
}
