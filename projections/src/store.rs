//! Where documents are kept: in a file of this process, or in a database that several share.

use crate::database::{self, Checkpoint, Readers, Writer};
use crate::error::ViewError;
use crate::fold::Spec;
use crate::postgres::{self, Candidate, News, Postgres, Rows, Waiting};
use crate::projection::Key;
use crate::refold::Refold;
use crate::replay::{self, Next, Place, ReplayReport};
use crate::runner::{Lane, Setback, fold_batch};
use crate::table::Table;
use journal::{Fence, Shared};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) enum Store {
    /// SQLite: one process writes.
    File { writer: Writer, readers: Readers },
    /// PostgreSQL: one process a view writes.
    Postgres { database: Arc<Postgres>, news: News },
}

/// Which views this process folds.
#[derive(Clone)]
pub(crate) struct Here(Arc<[AtomicBool]>);

/// Says that this process folds a view, for as long as this exists.
pub(crate) struct Claimed {
    here: Here,
    index: usize,
}

impl Here {
    pub(crate) fn none_of(views: usize) -> Self {
        Self((0..views).map(|_| AtomicBool::new(false)).collect())
    }

    pub(crate) fn is(&self, index: usize) -> bool {
        self.0[index].load(Ordering::Acquire)
    }

    /// `None` where it is folded here already.
    pub(crate) fn claim(&self, index: usize) -> Option<Claimed> {
        let was = self.0[index].swap(true, Ordering::AcqRel);
        (!was).then(|| Claimed { here: self.clone(), index })
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.here.0[self.index].store(false, Ordering::Release);
    }
}

impl Store {
    pub(crate) async fn close(&self) {
        match self {
            Self::File { writer, readers } => {
                readers.close();
                writer.close().await;
            }
            Self::Postgres { database, .. } => database.close().await,
        }
    }

    /// Somebody waits for a position of a view that may be folded elsewhere.
    pub(crate) fn wait(&self, position: u64) -> Option<Waiting<'_>> {
        match self {
            Self::File { .. } => None,
            Self::Postgres { news, .. } => Some(news.wait(position)),
        }
    }

    /// Where a view is, for whoever begins to fold it.
    pub(crate) async fn claim(&self, spec: Spec, fence: Option<&Fence>) -> Result<Checkpoint, ViewError> {
        match self {
            Self::File { writer, .. } => {
                Ok(writer.run(move |connection| database::checkpoint(connection, &spec)).await??)
            }
            Self::Postgres { database, .. } => database.claim(&spec, fence).await,
        }
    }

    /// Where a view is, for its owner after a failure. A file is always where its only writer believes it to be.
    pub(crate) async fn checkpoint_after_failure(&self, spec: &Spec) -> Result<Option<Checkpoint>, ViewError> {
        match self {
            Self::File { .. } => Ok(None),
            Self::Postgres { database, .. } => database.checkpoint(spec).await.map(Some),
        }
    }

    /// Folds events into views that are all at the position before them.
    pub(crate) async fn fold(
        &self,
        mut lanes: Vec<Lane>,
        events: Arc<[Shared]>,
        range: Range<usize>,
        trusting: bool,
    ) -> Result<(Vec<Lane>, Result<(), Setback>), ViewError> {
        match self {
            Self::File { writer, .. } => {
                writer
                    .run(move |connection| {
                        let result = fold_batch(connection, &mut lanes, &events[range], trusting);
                        (lanes, result)
                    })
                    .await
            }
            Self::Postgres { database, .. } => postgres::fold(database, lanes, events, range, trusting).await,
        }
    }

    /// Position of the first event of the earliest of some documents.
    pub(crate) async fn earliest(&self, spec: &Spec, keys: Vec<Key>) -> Result<Option<u64>, ViewError> {
        match self {
            Self::File { readers, .. } => {
                let table = Table::live(spec);
                let read = readers.run(move |connection| {
                    let mut first = None;
                    for key in &keys {
                        let seq = table.load(connection, key)?.map(|stored| stored.seq);
                        first = [first, seq].into_iter().flatten().min();
                    }
                    Ok(first)
                });
                read.await
            }
            Self::Postgres { database, .. } => {
                Ok(database.documents(spec, &keys).await?.iter().map(|stored| stored.seq).min())
            }
        }
    }

    /// Puts documents that were folded anew in the place of those that there are.
    pub(crate) async fn replace(&self, lane: &mut Lane, mut refold: Refold) -> Result<(), ViewError> {
        match self {
            Self::File { writer, .. } => {
                let table = lane.table.clone();
                Ok(writer.run(move |connection| replace(connection, &table, &mut refold)).await??)
            }
            Self::Postgres { database, .. } => {
                let mut rows = Rows::default();
                refold.fold.changes(&mut |change| {
                    rows.push(&change);
                    Ok(())
                })?;
                database.replace(&lane.spec, lane.fence.as_ref(), (lane.generation, lane.position), &rows).await
            }
        }
    }

    /// Begins a generation beside the live one, empty and without what finds its documents by id.
    pub(crate) async fn begin(&self, spec: Spec) -> Result<Next, ViewError> {
        match self {
            Self::File { writer, readers } => {
                writer.run(move |connection| Table::next(&spec).create(connection)).await??;
                Ok(Next::File { table: Table::next(&spec), writer: writer.clone(), readers: readers.clone() })
            }
            Self::Postgres { database, .. } => {
                let generation = database.draw(&spec).await?;
                Ok(Next::Postgres { generation, database: database.clone() })
            }
        }
    }
}

impl Store {
    /// Compares generations that are complete with the live ones; puts them in their place, or throws them away.
    pub(crate) async fn finish(
        &self,
        begun: Vec<(Spec, Next)>,
        place: Place<'_>,
        replace: bool,
    ) -> Result<Vec<ReplayReport>, ViewError> {
        let Place { position, hash, fences } = place;
        match self {
            Self::File { writer, .. } => {
                let specs: Vec<Spec> = begun.into_iter().map(|(spec, _)| spec).collect();
                let finish = move |connection: &mut _| replay::finish(connection, &specs, position, &hash, replace);
                Ok(writer.run(finish).await??)
            }
            Self::Postgres { database, .. } => {
                let candidate = |(spec, next): (Spec, Next)| match next {
                    Next::Postgres { generation, .. } => Some(Candidate {
                        fence: fences.iter().find(|fence| *fence.name == *spec.subscription),
                        hash: Some(&hash),
                        live: None,
                        generation,
                        position,
                        spec,
                    }),
                    Next::File { .. } => None,
                };
                let candidates: Vec<Candidate<'_>> = begun.into_iter().filter_map(candidate).collect();
                database.finish(&candidates, replace).await
            }
        }
    }

    /// Compares a generation that is as far as the live one with it, and puts it in its place.
    pub(crate) async fn swap(&self, lane: &mut Lane, next: &Next) -> Result<ReplayReport, ViewError> {
        let (spec, position) = (lane.spec, lane.position);
        match next {
            Next::File { writer, .. } => {
                Ok(writer.run(move |connection| replay::finish_swap(connection, &spec, position)).await??)
            }
            Next::Postgres { generation, database } => {
                let fence = lane.fence.as_ref();
                let live = Some((lane.generation, position));
                let candidate = Candidate { spec, generation: generation.clone(), position, hash: None, fence, live };
                let mut reports = database.finish(&[candidate], true).await?;
                lane.generation = generation.number;
                reports.pop().ok_or(ViewError::Moved)
            }
        }
    }
}

fn replace(connection: &mut rusqlite::Connection, table: &Table, refold: &mut Refold) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    refold.fold.changes(&mut |change| {
        debug_assert_eq!(change.kind, crate::fold::ChangeKind::New);
        table.delete(&transaction, change.key)?;
        table.write(&transaction, &change)
    })?;
    transaction.commit()
}
