//! Building views anew from the first event on.
//!
//! The new generation is folded into tables beside the live ones, compared with them, and takes their place in one
//! transaction: readers see the one or the other. **Whatever does not come to its end is an error and changes nothing.**

mod chunk;
mod next;
mod online;
mod pass;

pub(crate) use next::Next;
pub(crate) use online::{Swap, finish as finish_swap};

use crate::database;
use crate::error::ViewError;
use crate::fold::Spec;
use crate::handle::Views;
use crate::refold::{Held, Refold};
use crate::table::Table;
use journal::{Fence, Journal, ReadError};
use pass::Part;
use rusqlite::Connection;
use std::path::Path;

/// Events that are folded before the documents are written: what bounds the memory.
const SEGMENT: u64 = 1_000_000;

/// Documents that are written at once.
const CHUNK: usize = 2_000;

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayReport {
    /// Which view.
    pub view: &'static str,
    /// Up to which position it was folded.
    pub position: u64,
    /// How many documents it has.
    pub documents: u64,
    /// Whether the live generation was at the same position, so that the two could be compared.
    pub compared: bool,
    /// How many documents were not the same in both.
    pub differed: u64,
    /// The id of the first of them.
    pub first_difference: Option<String>,
}

/// Why a replay did not come to its end. The live generation is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The views cannot be used, or there is none of that name.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal has a gap.
    #[error("the replay stopped early: the journal has no event at position {position}")]
    Missing {
        /// The position.
        position: u64,
    },
    /// The replay lost its events.
    #[error("the replay stopped early, at position {position}")]
    Cut {
        /// The last position that was folded.
        position: u64,
    },
    /// A view cannot digest an event.
    #[error("the view `{view}` cannot digest the event at position {position} of `{sequence}`: {reason}")]
    Poison {
        /// Which view.
        view: &'static str,
        /// Which event.
        position: u64,
        /// The document, or the stream where the document is not known.
        sequence: String,
        /// Why.
        reason: String,
    },
    /// Sequences of the live view were parked or tried again meanwhile, again and again.
    #[error("the view `{view}` did not stand still long enough: its parked sequences changed during the rebuild")]
    Unsettled {
        /// Which view.
        view: &'static str,
    },
    /// A thread ended in a panic.
    #[error("a thread of the replay panicked")]
    Panicked,
}

impl From<rusqlite::Error> for ReplayError {
    fn from(error: rusqlite::Error) -> Self {
        Self::View(error.into())
    }
}

/// Builds views anew and puts them in the place of the live ones, while nothing else uses them. No names mean all.
/// `progress` hears how many events have been read, and how many there are.
///
/// # Errors
/// [`ReplayError`]; the views are as they were then.
pub async fn run(
    journal: &Journal,
    directory: &Path,
    names: &[String],
    progress: impl FnMut(u64, u64) + Send,
) -> Result<Vec<ReplayReport>, ReplayError> {
    replay(journal, directory, names, progress, true).await
}

/// Builds views anew, says what differs from the live ones, and throws the new ones away.
///
/// # Errors
/// [`ReplayError`]; a difference is not an error.
pub async fn verify(
    journal: &Journal,
    directory: &Path,
    names: &[String],
    progress: impl FnMut(u64, u64) + Send,
) -> Result<Vec<ReplayReport>, ReplayError> {
    replay(journal, directory, names, progress, false).await
}

async fn replay(
    journal: &Journal,
    directory: &Path,
    names: &[String],
    progress: impl FnMut(u64, u64) + Send,
    replace: bool,
) -> Result<Vec<ReplayReport>, ReplayError> {
    let views = Views::open(directory)?;
    let result = replay_into(&views, journal, names, &[], progress, replace).await;
    views.close().await;
    result
}

impl Views {
    /// Builds views anew and puts them in the place of the live ones. No names mean all. In a database that several processes
    /// use, whoever does this holds the leases of these views, and `fences` proves it.
    ///
    /// # Errors
    /// [`ReplayError`]; the views are as they were then.
    pub async fn replay(
        &self,
        journal: &Journal,
        names: &[String],
        fences: &[Fence],
        progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Vec<ReplayReport>, ReplayError> {
        replay_into(self, journal, names, fences, progress, true).await
    }
}

pub(crate) async fn replay_into(
    views: &Views,
    journal: &Journal,
    names: &[String],
    fences: &[Fence],
    mut progress: impl FnMut(u64, u64) + Send,
    replace: bool,
) -> Result<Vec<ReplayReport>, ReplayError> {
    let head = journal.head();
    let hash = journal.read_at(vec![head]).await?.first().map_or_else(Vec::new, |event| event.hash.to_vec());
    let mut parts = Vec::new();
    let mut begun = Vec::new();
    for spec in chosen(views, names)? {
        let next = views.inner.store.begin(spec).await?;
        begun.push((spec, next.clone()));
        parts.push(Part { refold: Refold::new(spec, Held::new()), next });
    }
    progress(0, head);
    let mut position = 0;
    while position < head {
        let to = head.min(position + SEGMENT);
        let indexed = position > 0;
        parts = pass::pass(journal, parts, position..to, &mut |done| progress(done, head)).await?;
        // What is not in memory any more is found by its id from now on.
        if !indexed && to < head {
            index_all(&begun).await?;
        }
        position = to;
    }
    if head <= SEGMENT {
        index_all(&begun).await?;
    }
    Ok(views.inner.store.finish(begun, Place { position: head, hash, fences }, replace).await?)
}

fn chosen(views: &Views, names: &[String]) -> Result<Vec<Spec>, ViewError> {
    let found = names.iter().map(|name| views.find(name)).collect::<Result<std::collections::BTreeSet<_>, _>>()?;
    let all = views.inner.specs.iter().enumerate();
    Ok(all.filter(|(index, _)| names.is_empty() || found.contains(index)).map(|(_, spec)| *spec).collect())
}

async fn index_all(begun: &[(Spec, Next)]) -> Result<(), ReplayError> {
    for (spec, next) in begun {
        next.index(*spec).await?;
    }
    Ok(())
}

fn index(connection: &Connection, spec: &Spec) -> rusqlite::Result<()> {
    let generation = database::generation(connection, spec)?;
    Table::next(spec).index(connection, spec, generation + 1)
}

/// Up to where views were built, and by what right.
pub(crate) struct Place<'a> {
    pub(crate) position: u64,
    pub(crate) hash: Vec<u8>,
    pub(crate) fences: &'a [Fence],
}

/// One transaction: all views get their new generation, or none.
pub(crate) fn finish(
    connection: &mut Connection,
    specs: &[Spec],
    head: u64,
    hash: &[u8],
    replace: bool,
) -> rusqlite::Result<Vec<ReplayReport>> {
    let transaction = connection.transaction()?;
    let mut reports = Vec::new();
    for spec in specs {
        reports.push(compare(&transaction, spec, head)?);
        if replace {
            take_over(&transaction, spec)?;
            database::save_checkpoint(&transaction, spec, head, hash)?;
        } else {
            transaction.execute_batch(&format!("DROP TABLE {}", Table::next(spec).name()))?;
        }
    }
    transaction.commit()?;
    Ok(reports)
}

fn compare(connection: &Connection, spec: &Spec, position: u64) -> rusqlite::Result<ReplayReport> {
    let (live, next) = (Table::live(spec), Table::next(spec));
    let compared = database::checkpoint(connection, spec)?.position == position;
    let (differed, first_difference) = if compared { next.differences(connection, &live)? } else { (0, None) };
    let documents = next.count(connection)?;
    Ok(ReplayReport { view: spec.name(), position, documents, compared, differed, first_difference })
}

fn take_over(connection: &Connection, spec: &Spec) -> rusqlite::Result<()> {
    Table::next(spec).replace(connection, &Table::live(spec))?;
    database::next_generation(connection, spec)
}
