//! Appends that wait together, and what becomes of each of them when they follow a given end of the journal.

use super::sql;
use crate::append::{AppendError, Appended, Basis, Expected};
use crate::fence::Fence;
use crate::hash::{Chain, GENESIS};
use crate::queue::{Fate, Waiting};
use crate::recorded::Recorded;
use crate::texts::Interner;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Where the journal ends.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) position: u64,
    pub(super) hash: [u8; 32],
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) fence: i64,
}

/// A stream's last event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) revision: u64,
    pub(super) event_id: Uuid,
}

/// What is known of a stream's end.
pub(super) enum Seen {
    Head(Head),
    Absent,
    Unknown,
}

/// An append, its events in the making, and who waits for it.
pub(super) struct Entry {
    pub(super) stream: Arc<str>,
    expected: Expected,
    basis: Option<Basis>,
    pub(super) fence: Option<Fence>,
    pub(super) events: Vec<Recorded>,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
    fate: Fate,
    result: Result<Appended, AppendError>,
}

/// What stands of a batch, and where the journal ends then.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) end: State,
    pub(super) touched: HashMap<Arc<str>, Head>,
    pub(super) events: u64,
    /// Position and id of the first event: where it stands, all of the batch does.
    pub(super) first: Option<(u64, Uuid)>,
}

impl Entry {
    pub(super) fn new(waiting: Waiting, texts: &mut Interner) -> Self {
        let Waiting { append, answer, fate } = waiting;
        let events = append.events.into_iter().map(|event| Recorded {
            position: 0,
            stream: append.stream.clone(),
            revision: 0,
            event_type: texts.text(&event.event_type),
            version: event.version,
            payload: event.payload.into(),
            recorded_at: DateTime::UNIX_EPOCH,
            event_id: event.id,
            correlation_id: append.context.correlation_id.clone(),
            causation_id: append.context.causation_id,
            command_id: append.context.command_id,
            actor: append.context.actor.clone(),
            hash: GENESIS,
            decoded: event.decoded.map_or_else(OnceLock::new, OnceLock::from),
        });
        let events = events.collect();
        let result = Err(AppendError::Unavailable("not written".into()));
        let (stream, expected, fence) = (append.stream, append.expected, append.context.fence);
        Self { stream, expected, basis: append.basis, fence, events, answer, fate, result }
    }

    /// Whether it can be written without looking: the unique index is the guard of a new stream.
    pub(super) fn is_presumed_new(&self) -> bool {
        self.expected == Expected::Revision(0) && !self.events.is_empty()
    }

    /// The streams whose ends are to be known: of all, or without its own where that is presumed new.
    pub(super) fn streams(&self, all: bool) -> impl Iterator<Item = &Arc<str>> {
        let own = (all || !self.is_presumed_new()).then_some(&self.stream);
        own.into_iter().chain(self.basis.as_ref().map(|basis| &basis.stream))
    }

    pub(super) const fn stands(&self) -> bool {
        self.result.is_ok()
    }

    /// Answers whoever waits with what was planned, which is durable now.
    pub(super) fn settle(self) {
        if self.result.is_ok() {
            self.fate.set_durable();
        }
        // A caller that went away needs no answer.
        let _ = self.answer.send(self.result);
    }

    /// Answers that nothing is known to be written.
    pub(super) fn fail(self, reason: &Arc<str>) {
        let _ = self.answer.send(Err(AppendError::Unavailable(reason.clone())));
    }
}

/// Checks every guard and gives every event that stands its place. May be done again on another end of the journal, with other
/// fences known to be over.
pub(super) fn plan(
    entries: &mut [Entry],
    from: &State,
    stale: &[Fence],
    chain: &mut Chain,
    seen: impl Fn(&str) -> Seen,
) -> Plan {
    let mut end = from.clone();
    // A clock that is set back does not make an event older than the one before it.
    end.recorded_at = end.recorded_at.max(now());
    let mut plan = Plan { end, touched: HashMap::new(), events: 0, first: None };
    for entry in entries {
        if let Some(fence) = entry.fence.as_ref().filter(|fence| stale.contains(fence)) {
            entry.result = Err(AppendError::StaleOwner(fence.clone()));
            continue;
        }
        let head = |stream: &Arc<str>, plan: &Plan| {
            plan.touched.get(stream).copied().or_else(|| match seen(stream) {
                Seen::Head(head) => Some(head),
                Seen::Absent | Seen::Unknown => None,
            })
        };
        if let Some(basis) = &entry.basis
            && !holds(basis.expected, head(&basis.stream, &plan))
        {
            entry.result = Err(AppendError::Overtaken(basis.stream.clone()));
            continue;
        }
        let head = head(&entry.stream, &plan);
        entry.result = entry.plan(head, &mut plan, chain);
    }
    plan
}

impl Entry {
    fn plan(&mut self, head: Option<Head>, plan: &mut Plan, chain: &mut Chain) -> Result<Appended, AppendError> {
        // `rental` and `rental-` would be the same rows.
        if self.stream.ends_with('-') && sql::parts(&self.stream).1.is_empty() {
            return Err(AppendError::Unavailable("a stream's name does not end with a dash".into()));
        }
        let mut revision = head.map_or(0, |head| head.revision);
        if !holds(self.expected, head) {
            return Err(AppendError::Conflict { actual: revision });
        }
        for event in &mut self.events {
            revision += 1;
            event.position = plan.end.position + 1;
            event.revision = revision;
            event.recorded_at = plan.end.recorded_at;
            event.hash = chain.next(&plan.end.hash, event);
            plan.end.position = event.position;
            plan.end.hash = event.hash;
            plan.events += 1;
            plan.first.get_or_insert((event.position, event.event_id));
        }
        if let Some(last) = self.events.last() {
            plan.touched.insert(self.stream.clone(), Head { revision, event_id: last.event_id });
        }
        Ok(Appended { position: plan.end.position, revision })
    }
}

fn holds(expected: Expected, head: Option<Head>) -> bool {
    expected.holds(head.map(|head| (head.revision, head.event_id)))
}

/// The fences that some entries carry, each once.
pub(super) fn fences(entries: &[Entry]) -> Vec<Fence> {
    let mut fences: Vec<_> = entries.iter().filter_map(|entry| entry.fence.as_ref()).collect();
    fences.sort_unstable();
    fences.dedup();
    fences.into_iter().cloned().collect()
}

/// Microseconds are what is stored, so that is what is hashed and shown.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap_or_default()
}
