//! One pass over the journal for several views: two threads read and decode, one thread a view folds and serializes.
//!
//! Positions have no gaps, so the readers need not talk to each other: each takes every second page, and the views take
//! pages from them by turns.

use super::ReplayError;
use super::next::{Earlier, Next};
use crate::fold::decode;
use crate::refold::Refold;
use journal::{Journal, Shared};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;

/// Threads that read and decode.
const READERS: u64 = 2;
/// Events that are read at once.
const PAGE: u64 = 4_096;
/// Pages that may wait for a view, of each reader.
const AHEAD: usize = 8;
/// Pages after which a view writes what it has: the disk is busy while the rest is folded.
const PAGES_BETWEEN_WRITES: usize = 12;

/// One view of a pass.
pub(super) struct Part {
    pub(super) refold: Refold,
    pub(super) next: Next,
}

type Events = Arc<Vec<Shared>>;

/// Folds the events of a range of positions (after its start, up to its end), then writes the documents.
pub(super) async fn pass(
    journal: &Journal,
    parts: Vec<Part>,
    range: Range<u64>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<Part>, ReplayError> {
    let (done, mut doing) = unbounded_channel();
    let mut channels: Vec<Vec<SyncSender<Events>>> = (0..READERS).map(|_| Vec::new()).collect();
    let mut folding = Vec::new();
    for part in parts {
        let mut pages = Vec::new();
        for reader in &mut channels {
            let (sender, receiver) = sync_channel(AHEAD);
            reader.push(sender);
            pages.push(receiver);
        }
        let range = range.clone();
        folding.push(spawn_blocking(move || fold(part, &pages, range)));
    }
    let reading: Vec<_> = (0..READERS)
        .zip(channels)
        .map(|(number, sinks)| {
            let (journal, range, done) = (journal.clone(), range.clone(), done.clone());
            let runtime = Handle::current();
            spawn_blocking(move || read(&runtime, &journal, number, range, &sinks, &done))
        })
        .collect();
    drop(done);
    while let Some(position) = doing.recv().await {
        progress(position);
    }
    // A reader's error is the cause of what the views then miss, so it is told first.
    for task in reading {
        task.await.map_err(|_| ReplayError::Panicked)??;
    }
    let mut folded = Vec::new();
    let mut cut = None;
    for task in folding {
        match task.await.map_err(|_| ReplayError::Panicked)? {
            Ok(part) => folded.push(part),
            Err(error @ ReplayError::Cut { .. }) => cut = Some(error),
            Err(error) => return Err(error),
        }
    }
    cut.map_or(Ok(folded), Err)
}

fn read(
    runtime: &Handle,
    journal: &Journal,
    number: u64,
    range: Range<u64>,
    sinks: &[SyncSender<Events>],
    done: &UnboundedSender<u64>,
) -> Result<(), ReplayError> {
    let mut after = range.start + number * PAGE;
    while after < range.end {
        let wanted = PAGE.min(range.end - after);
        let events = runtime.block_on(journal.read_all(after, usize::try_from(wanted).unwrap_or(usize::MAX)))?;
        if let Some((_, position)) = (after + 1..=after + wanted)
            .enumerate()
            .find(|(index, position)| events.get(*index).is_none_or(|event| event.position != *position))
        {
            return Err(ReplayError::Missing { position });
        }
        for event in &events {
            // Kept for all views; an error is told by the view that it stops.
            let _ = decode(event);
        }
        let events: Events = Arc::new(events);
        if sinks.iter().any(|sink| sink.send(events.clone()).is_err()) {
            // A view has failed and says why.
            return Ok(());
        }
        let _ = done.send(after + wanted);
        after += PAGE * READERS;
    }
    Ok(())
}

fn fold(mut part: Part, pages: &[Receiver<Events>], range: Range<u64>) -> Result<Part, ReplayError> {
    let earlier = if range.start > 0 { part.next.earlier()? } else { Earlier::None };
    let mut position = range.start;
    for (number, page) in pages.iter().cycle().enumerate() {
        if position == range.end {
            break;
        }
        let Ok(events) = page.recv() else { return Err(ReplayError::Cut { position }) };
        part.next.take(&mut part.refold, &earlier, &events)?;
        position = events.last().map_or(position, |last| last.position);
        if number % PAGES_BETWEEN_WRITES == PAGES_BETWEEN_WRITES - 1 {
            part.next.write(&mut part.refold)?;
        }
    }
    part.next.write(&mut part.refold)?;
    // The next pass finds them in the table.
    part.refold.fold.forget();
    Ok(part)
}
