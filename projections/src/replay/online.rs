//! Rebuilding one view while it is read and goes on.

use super::next::{Next, told};
use super::pass::{self, Part};
use super::{ReplayError, ReplayReport, SEGMENT, compare, take_over};
use crate::error::ViewError;
use crate::fold::{Documents, Source, Spec};
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
    next: Next,
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
        let runner = self.runner()?;
        if !self.inner.here.is(index_of_view) {
            return Err(ViewError::FoldedElsewhere { view: spec.name() }.into());
        }
        let next = self.inner.store.begin(spec).await?;
        next.index(spec).await?;
        let held = held(&parked(&runner.subscriptions, &spec));
        let mut parts = vec![Part { refold: Refold::new(spec, held), next }];
        let mut position = 0;
        loop {
            let live = *self.inner.positions[index_of_view].borrow();
            if live.saturating_sub(position) <= CLOSE {
                break;
            }
            let to = live.min(position + SEGMENT);
            parts = pass::pass(&runner.journal, parts, position..to, &mut |_| {}).await?;
            position = to;
        }
        let Some(Part { refold, next }) = parts.pop() else { return Ok(None) };
        let (answer, answered) = oneshot::channel();
        self.request(Request::Swap(Box::new(Swap { refold, next, position, answer }))).await?;
        answered.await.map_err(|_| ViewError::Closing)?
    }

    pub(crate) async fn request(&self, request: Request) -> Result<(), ViewError> {
        self.runner()?.requests.send(request).await.map_err(|_| ViewError::NotRunning)
    }
}

impl Folder {
    /// Folds what is missing, compares, and puts the new generation in the place of the live one, between two batches.
    pub(crate) async fn swap(&mut self, swap: Swap) {
        let Swap { refold, next, position, answer } = swap;
        let result = self.try_swap(refold, next, position).await;
        // Whoever asked may be gone; the swap stands all the same.
        let _ = answer.send(result);
    }

    async fn try_swap(
        &mut self,
        mut refold: Refold,
        next: Next,
        mut position: u64,
    ) -> Result<Option<ReplayReport>, ReplayError> {
        let spec = refold.spec;
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.spec.name() == spec.name()) else {
            return Err(ViewError::FoldedElsewhere { view: spec.name() }.into());
        };
        if refold.held != held(&parked(&self.subscriptions, &spec)) {
            return Ok(None);
        }
        while position < lane.position {
            let events = read(&self.journal, position, lane.position).await?;
            position += events.len() as u64;
            refold = fold(&next, refold, events).await?;
        }
        if position > lane.position {
            // A crash of the database has set the live one back meanwhile.
            return Ok(None);
        }
        // What comes next is right only if this is known to stand: a failure leaves both possible.
        lane.unsure = true;
        let report = self.views.inner.store.swap(lane, &next).await?;
        lane.unsure = false;
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

async fn fold(next: &Next, mut refold: Refold, events: Vec<Shared>) -> Result<Refold, ReplayError> {
    match next {
        Next::File { writer, .. } => {
            let (refold, result) = writer
                .run(move |connection| {
                    let result = fold_into_file(connection, &mut refold, &events);
                    (refold, result)
                })
                .await?;
            result.map(|()| refold)
        }
        Next::Postgres { .. } => {
            let next = next.clone();
            let folding = tokio::task::spawn_blocking(move || {
                next.take(&mut refold, &next.earlier()?, &events)?;
                next.write(&mut refold)?;
                Ok(refold)
            });
            folding.await.map_err(|_| ReplayError::Panicked)?
        }
    }
}

fn fold_into_file(connection: &mut Connection, refold: &mut Refold, events: &[Shared]) -> Result<(), ReplayError> {
    let table = Table::next(&refold.spec);
    let transaction = connection.transaction()?;
    for event in events {
        let source = Source { documents: Documents::File(&transaction, &table), trusting: true };
        refold.take(Some(source), event).map_err(|trouble| told(refold, event, trouble))?;
    }
    refold.fold.changes(&mut |change| table.write(&transaction, &change))?;
    Ok(transaction.commit()?)
}

pub(crate) fn finish(connection: &mut Connection, spec: &Spec, position: u64) -> rusqlite::Result<ReplayReport> {
    let transaction = connection.transaction()?;
    let report = compare(&transaction, spec, position)?;
    take_over(&transaction, spec)?;
    transaction.commit()?;
    Ok(report)
}
