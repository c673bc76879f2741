//! One running view, and how a batch is folded into several of them in one transaction.

use crate::database::{self, Checkpoint};
use crate::error::ViewError;
use crate::fold::{Documents, Fold, Source, Spec, Trouble, decode, missing};
use crate::postgres::Generation;
use crate::projection::Key;
use crate::store::Claimed;
use crate::table::Table;
use domain::Event;
use journal::{Fence, Parked, Recorded, Shared, Subscription};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

/// How often an event is tried, each time counted durably before, until its sequence is parked.
const MOST_ATTEMPTS: u32 = 3;
/// Position under which starts without progress are counted; no event has it.
const NO_EVENT: u64 = 0;
/// How many events are taken one by one when the process has died again and again behind the checkpoint.
const CAREFUL: u64 = 4_096;

/// One running view.
pub(crate) struct Lane {
    pub(crate) spec: Spec,
    pub(crate) subscription: Subscription,
    pub(crate) fold: Box<dyn Fold>,
    pub(crate) table: Table,
    pub(crate) position: u64,
    pub(crate) reached: watch::Sender<u64>,
    /// The right to fold it, where several processes may.
    pub(crate) fence: Option<Fence>,
    pub(crate) generation: u64,
    /// A failure may have left the view elsewhere than it is believed to be.
    pub(crate) unsure: bool,
    _claimed: Claimed,
    /// Dropped with the lane: that is how one learns of it.
    _ended: oneshot::Sender<()>,
    /// Nothing has been folded since the start.
    fresh: bool,
    /// This start is counted, for as long as it leads to nothing.
    counted: bool,
    /// Up to this position events are taken one by one.
    careful_until: u64,
}

/// What a lane begins with.
pub(crate) struct Begin {
    pub(crate) spec: Spec,
    pub(crate) subscription: Subscription,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) reached: watch::Sender<u64>,
    pub(crate) fence: Option<Fence>,
    pub(crate) claimed: Claimed,
    pub(crate) ended: oneshot::Sender<()>,
}

/// Why a batch was not folded. Nothing of it was written.
pub(crate) enum Setback {
    Poison { lane: usize, event: usize, sequence: String, reason: String },
    Failed(ViewError),
}

impl Lane {
    pub(crate) fn new(begin: Begin) -> Self {
        let Begin { spec, subscription, checkpoint, reached, fence, claimed, ended } = begin;
        subscription.progressed(checkpoint.position);
        reached.send_replace(checkpoint.position);
        Self {
            spec,
            subscription,
            fold: (spec.fold)(),
            table: Table::live(&spec),
            position: checkpoint.position,
            reached,
            fence,
            generation: checkpoint.generation,
            unsure: false,
            _claimed: claimed,
            _ended: ended,
            fresh: true,
            counted: false,
            careful_until: 0,
        }
    }

    /// The table that is read, where each generation has its own.
    pub(crate) fn generation(&self) -> Generation {
        Generation::new(&self.spec, self.generation)
    }

    /// Goes on from where the view really is.
    pub(crate) fn resume(&mut self, checkpoint: &Checkpoint) {
        self.fold.forget();
        self.unsure = false;
        self.generation = checkpoint.generation;
        self.position = checkpoint.position;
        self.subscription.progressed(self.position);
        self.reached.send_replace(self.position);
    }

    /// An event can kill the process. It shows in first batches that lead to no progress; then events are taken one by one. True when
    /// it has just come to that.
    pub(crate) async fn watch_for_deadly_events(&mut self) -> Result<bool, ViewError> {
        if self.counted {
            return Ok(false);
        }
        let deaths = self.subscription.count_attempt(NO_EVENT).await?;
        self.counted = true;
        if deaths <= MOST_ATTEMPTS {
            return Ok(false);
        }
        self.careful_until = self.position + CAREFUL;
        tracing::warn!(
            subscription = self.subscription.name(),
            position = self.position,
            "the process has died again and again here: events are taken one by one"
        );
        Ok(true)
    }

    pub(crate) fn is_careful(&self) -> bool {
        self.position < self.careful_until
    }

    /// Counts before a careful try; an event that was tried too often is parked instead.
    pub(crate) async fn before_careful(&mut self, event: &Recorded) -> Result<(), ViewError> {
        let attempts = self.subscription.count_attempt(event.position).await?;
        if attempts <= MOST_ATTEMPTS {
            return Ok(());
        }
        let key = decode(event).ok().and_then(|decoded| self.fold.key(event, decoded).ok().flatten());
        let sequence = key.map_or_else(|| event.stream.as_ref().to_owned(), |key| key.to_string());
        self.park(event, sequence, "the process died of it".to_owned()).await
    }

    /// Counts a failure; parks the sequence when there were too many.
    pub(crate) async fn failed(&mut self, event: &Recorded, sequence: String, reason: String) -> Result<(), ViewError> {
        if self.subscription.count_attempt(event.position).await? <= MOST_ATTEMPTS {
            return Ok(());
        }
        self.park(event, sequence, reason).await
    }

    async fn park(&mut self, event: &Recorded, sequence: String, reason: String) -> Result<(), ViewError> {
        let parked = Parked {
            sequence,
            position: event.position,
            event_type: event.event_type.as_ref().to_owned(),
            attempts: MOST_ATTEMPTS,
            reason,
            parked_at: chrono::Utc::now(),
        };
        Ok(self.subscription.park(parked).await?)
    }

    /// What was folded is committed.
    pub(crate) async fn advance(&mut self, position: u64) {
        self.position = position;
        self.fold.trim();
        self.subscription.progressed(position);
        self.reached.send_replace(position);
        if std::mem::take(&mut self.fresh)
            && let Err(error) = self.subscription.save(position).await
        {
            // Then this start counts as one without progress; it takes several of those to matter.
            tracing::warn!(error = &error as &dyn std::error::Error, "progress was not remembered");
        }
    }

    /// Whether a sequence is parked, and the event behind that.
    fn waits(&self, sequence: &str, event: &Recorded) -> bool {
        self.subscription.parked_at(sequence).is_some_and(|from| event.position >= from)
    }

    /// The document that an event is about, unless the event is about none or waits.
    fn key<'e>(&self, event: &'e Recorded) -> Result<Option<(Key, &'e Event)>, Trouble> {
        let anything_waits = self.subscription.has_parked();
        if anything_waits && self.waits(&event.stream, event) {
            return Ok(None);
        }
        let decoded =
            decode(event).map_err(|reason| Trouble::Poison { sequence: event.stream.as_ref().to_owned(), reason })?;
        let Some(key) = self.fold.key(event, decoded)? else { return Ok(None) };
        let waits = anything_waits && self.waits(&key.to_string(), event);
        Ok((!waits).then_some((key, decoded)))
    }

    /// The documents that have to be loaded before these events can be taken in.
    pub(crate) fn missing(&self, events: &[Shared], trusting: bool) -> Vec<Key> {
        // What cannot be digested is told when it is taken in.
        let about = events.iter().filter_map(|event| {
            let (key, decoded) = self.key(event).ok()??;
            Some((key, event, decoded))
        });
        missing(&*self.fold, about, trusting)
    }

    pub(crate) fn take(&mut self, source: Source<'_>, event: &Recorded) -> Result<(), Trouble> {
        match self.key(event)? {
            Some((key, decoded)) => self.fold.take(Some(source), key, event, decoded),
            None => Ok(()),
        }
    }
}

impl Setback {
    /// What stands in the way of the event with that number in the lane with that number.
    pub(crate) fn at(lane: usize, event: usize, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Poison { sequence, reason } => Self::Poison { lane, event, sequence, reason },
            Trouble::Database(error) => Self::Failed(error.into()),
        }
    }
}

impl From<rusqlite::Error> for Setback {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Folds events into views that are all at the position before them: one transaction, each document written once.
pub(crate) fn fold_batch(
    connection: &mut Connection,
    lanes: &mut [Lane],
    events: &[Shared],
    trusting: bool,
) -> Result<(), Setback> {
    let result = try_fold(connection, lanes, events, trusting);
    if result.is_err() {
        // What is in memory is ahead of the table now, and one document may be half changed.
        lanes.iter_mut().for_each(|lane| lane.fold.forget());
    }
    result
}

fn try_fold(connection: &mut Connection, lanes: &mut [Lane], events: &[Shared], trusting: bool) -> Result<(), Setback> {
    let Some(last) = events.last() else { return Ok(()) };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (number, lane) in lanes.iter_mut().enumerate() {
        let table = lane.table.clone();
        for (index, event) in events.iter().enumerate() {
            let source = Source { documents: Documents::File(&transaction, &table), trusting };
            lane.take(source, event).map_err(|trouble| Setback::at(number, index, trouble))?;
        }
        lane.fold.changes(&mut |change| table.write(&transaction, &change))?;
        database::save_checkpoint(&transaction, &lane.spec, last.position, &last.hash)?;
    }
    Ok(transaction.commit()?)
}
