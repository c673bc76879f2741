//! Folding anew what was folded before: for a rebuild, and for a sequence that was parked.

use crate::fold::{Fold, Source, Spec, Trouble, decode, missing};
use crate::projection::Key;
use domain::Event;
use journal::{Parked, Recorded, Shared};
use std::collections::{HashMap, HashSet};

/// Sequences that wait, and the position from which each does.
pub(crate) type Held = HashMap<String, u64>;

pub(crate) fn held(parked: &[Parked]) -> Held {
    parked.iter().map(|parked| (parked.sequence.clone(), parked.position)).collect()
}

/// A second fold of a view, beside the live one.
pub(crate) struct Refold {
    pub(crate) spec: Spec,
    pub(crate) fold: Box<dyn Fold>,
    /// What stays parked meanwhile.
    pub(crate) held: Held,
    /// Only the documents of one parked sequence.
    pub(crate) only: Option<Only>,
}

/// What is folded anew because one sequence is tried again.
pub(crate) struct Only {
    pub(crate) sequence: String,
    pub(crate) keys: HashSet<Key>,
}

impl Refold {
    /// Of the whole view.
    pub(crate) fn new(spec: Spec, held: Held) -> Self {
        Self { spec, fold: (spec.fold)(), held, only: None }
    }

    fn waits(&self, sequence: &str, position: u64) -> bool {
        self.held.get(sequence).is_some_and(|from| position >= *from)
    }

    /// The document that an event is about, if it is one of those.
    fn key<'e>(&self, event: &'e Recorded) -> Result<Option<(Key, &'e Event)>, Trouble> {
        if !self.held.is_empty() && self.waits(&event.stream, event.position) {
            return Ok(None);
        }
        let decoded = match decode(event) {
            Ok(decoded) => decoded,
            // Whose it is cannot be known; that is why its own stream is parked, and not this sequence.
            Err(_) if self.only.as_ref().is_some_and(|only| *only.sequence != *event.stream) => return Ok(None),
            Err(reason) => {
                return Err(Trouble::Poison { sequence: event.stream.as_ref().to_owned(), reason });
            }
        };
        let Some(key) = self.fold.key(event, decoded)? else { return Ok(None) };
        if self.only.as_ref().is_some_and(|only| !only.keys.contains(&key)) {
            return Ok(None);
        }
        let waits = !self.held.is_empty() && self.waits(&key.to_string(), event.position);
        Ok((!waits).then_some((key, decoded)))
    }

    /// The documents that have to be loaded before these events can be taken in.
    pub(crate) fn missing(&self, events: &[Shared]) -> Vec<Key> {
        // What cannot be digested is told when it is taken in.
        let about = events.iter().filter_map(|event| {
            let (key, decoded) = self.key(event).ok()??;
            Some((key, event, decoded))
        });
        missing(&*self.fold, about, true)
    }

    /// Takes an event in, if it is one of those.
    pub(crate) fn take(&mut self, source: Option<Source<'_>>, event: &Recorded) -> Result<(), Trouble> {
        match self.key(event)? {
            Some((key, decoded)) => self.fold.take(source, key, event, decoded),
            None => Ok(()),
        }
    }
}
