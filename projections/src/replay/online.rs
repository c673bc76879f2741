//! Rebuilding one view while it is read and goes on.

use super::pass::{self, Part};
use super::{ReplayError, ReplayReport, SEGMENT, compare, index, take_over};
use crate::error::ViewError;
use crate::fold::{Source, Trouble};
use crate::handle::Views;
use crate::refold::{Refold, held};
use crate::runner::{Folder, Request, parked};
use crate::table::Table;
use journal::{Journal, Shared};
use rusqlite::Connection;
use tokio::sync::oneshot;

/// When the new generation is this close, the runner folds the rest and swaps.
const CLOSE: u64 = 4_096;
/// Events that are folded in one transaction at the end.
const PAGE: u64 = 4_096;
/// How often it begins again because sequences were parked or tried again meanwhile.
const MOST_TRIES: u32 = 5;

/// A new generation that is nearly as far as the live one.
pub(crate) struct Swap {
    refold: Refold,
    position: u64,
    answer: oneshot::Sender<Result<Option<ReplayReport>, ReplayError>>,
}

impl Views {
    /// Folds a view anew beside the live one, then puts it in its place. Readers notice nothing.
    ///
    /// # Errors
    /// [`ReplayError`]; the live generation is as it was then.
    pub async fn rebuild(&self, name: &str) -> Result<ReplayReport, ReplayError> {
        let index = self.find(name)?;
        let _alone = self.inner.rebuilding.lock().await;
        for _ in 0..MOST_TRIES {
            if let Some(report) = self.try_rebuild(index).await? {
                return Ok(report);
            }
        }
        Err(ReplayError::Unsettled { view: self.inner.specs[index].name() })
    }

    /// `None` when the parked sequences changed, so that the new generation is not what the live one should be.
    async fn try_rebuild(&self, index_of_view: usize) -> Result<Option<ReplayReport>, ReplayError> {
        let spec = self.inner.specs[index_of_view];
        let runner = self.inner.running.get().ok_or(ViewError::NotRunning)?;
        self.inner
            .writer
            .run(move |connection| {
                Table::next(&spec).create(connection)?;
                index(connection, &spec)
            })
            .await??;
        let held = held(&parked(&runner.subscriptions, &spec));
        let mut parts = vec![Part { refold: Refold::new(spec, held), table: Table::next(&spec) }];
        let mut position = 0;
        loop {
            let live = *self.inner.positions[index_of_view].borrow();
            if live - position <= CLOSE {
                break;
            }
            let to = live.min(position + SEGMENT);
            parts = pass::pass(self, &runner.journal, parts, position..to, &mut |_| {}).await?;
            position = to;
        }
        let Some(part) = parts.pop() else { return Ok(None) };
        let (answer, answered) = oneshot::channel();
        self.request(Request::Swap(Box::new(Swap { refold: part.refold, position, answer }))).await?;
        answered.await.map_err(|_| ViewError::Closing)?
    }

    pub(crate) async fn request(&self, request: Request) -> Result<(), ViewError> {
        let runner = self.inner.running.get().ok_or(ViewError::NotRunning)?;
        runner.requests.send(request).await.map_err(|_| ViewError::NotRunning)
    }
}

impl Folder {
    /// Folds what is missing, compares, and puts the new generation in the place of the live one, between two batches.
    pub(crate) async fn swap(&mut self, swap: Swap) {
        let Swap { refold, position, answer } = swap;
        let result = self.try_swap(refold, position).await;
        // Whoever asked may be gone; the swap stands all the same.
        let _ = answer.send(result);
    }

    async fn try_swap(&mut self, mut refold: Refold, mut position: u64) -> Result<Option<ReplayReport>, ReplayError> {
        let spec = refold.spec;
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.spec.name() == spec.name()) else {
            return Err(ViewError::NotRunning.into());
        };
        if refold.held != held(&parked(&self.subscriptions, &spec)) {
            return Ok(None);
        }
        let writer = &self.views.inner.writer;
        while position < lane.position {
            let events = read(&self.journal, position, lane.position).await?;
            position += events.len() as u64;
            let (returned, result) = writer
                .run(move |connection| {
                    let result = fold(connection, &mut refold, &events);
                    (refold, result)
                })
                .await?;
            result?;
            refold = returned;
        }
        let report = writer.run(move |connection| finish(connection, &refold, position)).await??;
        lane.fold.forget();
        Ok(Some(report))
    }
}

async fn read(journal: &Journal, after: u64, to: u64) -> Result<Vec<Shared>, ReplayError> {
    let wanted = PAGE.min(to - after);
    let events = journal.read_all(after, usize::try_from(wanted).unwrap_or(usize::MAX)).await?;
    let whole = events.len() as u64 == wanted && events.last().is_some_and(|last| last.position == after + wanted);
    if whole { Ok(events) } else { Err(ReplayError::Cut { position: after }) }
}

fn fold(connection: &mut Connection, refold: &mut Refold, events: &[Shared]) -> Result<(), ReplayError> {
    let table = Table::next(&refold.spec);
    let transaction = connection.transaction()?;
    for event in events {
        let source = Source { connection: &transaction, table: &table, trusting: true };
        refold.take(Some(source), event).map_err(|trouble| match trouble {
            Trouble::Poison { sequence, reason } => {
                ReplayError::Poison { view: refold.spec.name(), position: event.position, sequence, reason }
            }
            Trouble::Database(error) => error.into(),
        })?;
    }
    refold.fold.changes(&mut |change| table.write(&transaction, &change))?;
    Ok(transaction.commit()?)
}

fn finish(connection: &mut Connection, refold: &Refold, position: u64) -> rusqlite::Result<ReplayReport> {
    let transaction = connection.transaction()?;
    let report = compare(&transaction, &refold.spec, position)?;
    take_over(&transaction, &refold.spec)?;
    transaction.commit()?;
    Ok(report)
}
