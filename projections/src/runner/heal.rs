//! Trying a parked sequence again: its documents are folded anew beside the live ones, then put in their place.

use super::{Folder, Request};
use crate::error::ViewError;
use crate::fold::{Spec, Trouble, decode};
use crate::handle::Views;
use crate::projection::Key;
use crate::refold::{Held, Only, Refold, held};
use journal::{Journal, Parked, Recorded, Shared, Subscriptions};
use std::collections::{BTreeSet, HashSet};

/// Events that are read at once.
const PAGE: usize = 4_096;

/// Documents of a parked sequence, folded anew up to a position.
pub(crate) struct Heal {
    refold: Refold,
    parked: Parked,
    position: u64,
    /// What it cannot digest this time either.
    poisoned: Option<String>,
}

impl Folder {
    /// Begins to fold parked sequences anew. It goes on beside the live views: there may be a long way to read.
    pub(super) fn retry(&mut self, lane: usize, sequences: BTreeSet<String>) {
        let Some(lane) = self.lanes.get(lane) else { return };
        for sequence in sequences {
            let (views, journal, subscriptions) =
                (self.views.clone(), self.journal.clone(), self.subscriptions.clone());
            let (spec, position) = (lane.spec, lane.position);
            self.healing.spawn(async move {
                let result = refold(&views, &journal, &subscriptions, spec, &sequence, position).await;
                let sent = match result {
                    Ok(Some(heal)) => views.request(Request::Healed(Box::new(heal))).await,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = sent {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        view = spec.name(),
                        sequence,
                        "a parked sequence could not be tried again"
                    );
                }
            });
        }
        while self.healing.try_join_next().is_some() {}
    }

    /// Folds what has come since, writes the documents, and lets the sequence go on.
    pub(super) async fn healed(&mut self, heal: Heal) {
        let (view, sequence) = (heal.refold.spec.name(), heal.parked.sequence.clone());
        if let Err(error) = self.finish(heal).await {
            tracing::error!(error = &error as &dyn std::error::Error, view, sequence, "a sequence stays parked");
        }
    }

    async fn finish(&mut self, mut heal: Heal) -> Result<(), ViewError> {
        let Some(index) = self.lanes.iter().position(|lane| lane.spec.name() == heal.refold.spec.name()) else {
            return Ok(());
        };
        let target = self.lanes[index].position;
        heal.read(&self.journal, target).await?;
        let lane = &mut self.lanes[index];
        if let Some(reason) = heal.poisoned.take() {
            let again = Parked { attempts: heal.parked.attempts + 1, reason, ..heal.parked };
            return Ok(lane.subscription.park(again).await?);
        }
        if heal.position != lane.position {
            // A crash of the database has set the live one back meanwhile.
            return Err(ViewError::Moved);
        }
        let sequences = heal.sequences();
        self.views.inner.store.replace(lane, heal.refold).await?;
        lane.fold.forget();
        for sequence in sequences {
            if lane.subscription.parked_at(&sequence).is_some() {
                lane.subscription.unpark(&sequence).await?;
            }
        }
        Ok(())
    }
}

async fn refold(
    views: &Views,
    journal: &Journal,
    subscriptions: &Subscriptions,
    spec: Spec,
    sequence: &str,
    target: u64,
) -> Result<Option<Heal>, ViewError> {
    let all = parked(subscriptions, &spec);
    let Some(parked) = all.iter().find(|parked| parked.sequence == sequence).cloned() else { return Ok(None) };
    let stream = journal.read_stream(sequence, 0).await?;
    let mut refold = Refold::new(spec, held(&all));
    let keys: HashSet<Key> = if stream.is_empty() {
        [Key::from(sequence)].into()
    } else {
        stream.iter().filter_map(|event| refold.fold.key(event, decode(event).ok()?).ok().flatten()).collect()
    };
    release(&mut refold.held, sequence, &keys);
    let first = first_event(views, &spec, &keys, &stream, parked.position).await?;
    refold.only = Some(Only { sequence: sequence.to_owned(), keys });
    let mut heal = Heal { refold, parked, position: first.saturating_sub(1), poisoned: None };
    heal.read(journal, target).await?;
    Ok(Some(heal))
}

fn release(held: &mut Held, sequence: &str, keys: &HashSet<Key>) {
    held.remove(sequence);
    for key in keys {
        held.remove(&key.to_string());
    }
}

pub(crate) fn parked(subscriptions: &Subscriptions, spec: &Spec) -> Vec<Parked> {
    let all = subscriptions.list();
    all.into_iter().find(|status| status.name == spec.subscription).map(|status| status.parked).unwrap_or_default()
}

/// Where the story of these documents begins.
async fn first_event(
    views: &Views,
    spec: &Spec,
    keys: &HashSet<Key>,
    stream: &[Recorded],
    parked: u64,
) -> Result<u64, ViewError> {
    let stored = views.inner.store.earliest(spec, keys.iter().cloned().collect()).await?;
    let of_stream = stream.first().map(|event| event.position);
    Ok([stored, of_stream, Some(parked)].into_iter().flatten().min().unwrap_or(parked))
}

impl Heal {
    /// Reads on up to a position, or to the first event that cannot be digested.
    async fn read(&mut self, journal: &Journal, target: u64) -> Result<(), ViewError> {
        while self.position < target && self.poisoned.is_none() {
            let limit = PAGE.min(usize::try_from(target - self.position).unwrap_or(PAGE));
            let events = journal.read_all(self.position, limit).await?;
            let Some(last) = events.last() else { return Err(ViewError::Closing) };
            self.position = last.position;
            self.take(&events)?;
        }
        Ok(())
    }

    fn take(&mut self, events: &[Shared]) -> Result<(), ViewError> {
        for event in events {
            match self.refold.take(None, event) {
                Ok(()) => {}
                Err(Trouble::Poison { reason, .. }) => {
                    self.poisoned = Some(reason);
                    break;
                }
                Err(Trouble::Database(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Everything that is parked and good again now.
    fn sequences(&self) -> BTreeSet<String> {
        let keys = self.refold.only.iter().flat_map(|only| only.keys.iter().map(ToString::to_string));
        keys.chain([self.parked.sequence.clone()]).collect()
    }
}
