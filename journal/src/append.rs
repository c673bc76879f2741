//! What is asked of the journal, and what it answers.

use crate::fence::Fence;
use std::any::Any;
use std::sync::Arc;
use uuid::Uuid;

/// Why, for whom and on what occasion something is appended.
#[derive(Debug, Clone)]
pub struct Context {
    /// Names the command.
    pub command_id: Uuid,
    /// The conversation it belongs to.
    pub correlation_id: Arc<str>,
    /// The event that caused it; none where a caller did.
    pub causation_id: Option<Uuid>,
    /// On whose behalf: `customer:alice`, `process:reservation`.
    pub actor: Arc<str>,
    /// The revision that the caller has seen and wants to build on (`If-Match`).
    pub seen_revision: Option<u64>,
    /// The lease under which it is done, by processes that may own it in turns. A single process's own journal needs none.
    pub fence: Option<Fence>,
}

/// An event that is not in the journal yet.
pub struct NewEvent {
    /// Names this event, everywhere.
    pub id: Uuid,
    /// The stored name of what happened.
    pub event_type: String,
    /// Shape of the payload.
    pub version: u32,
    /// JSON.
    pub payload: String,
    /// The event itself, for subscribers in this process: they need not decode the payload.
    pub decoded: Option<Box<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.event_type, self.payload)
    }
}

/// What must be true of a stream for an append to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Any,
    /// Its last revision is this one; 0 for a stream that does not exist.
    Revision(u64),
    /// Its last event is this very one. A revision alone would not do for a decision made on events that are still queued:
    /// others may take the place of those that failed.
    Event {
        /// The last revision.
        revision: u64,
        /// The id of the event at that revision.
        event_id: Uuid,
    },
}

impl Expected {
    /// Whether it is true of a stream whose last event has this revision and id.
    pub(crate) fn holds(self, last: Option<(u64, Uuid)>) -> bool {
        match self {
            Self::Any => true,
            Self::Revision(expected) => last.map_or(0, |(revision, _)| revision) == expected,
            Self::Event { revision, event_id } => last == Some((revision, event_id)),
        }
    }
}

/// What else something was decided on: another stream, as it was then.
#[derive(Debug, Clone)]
pub struct Basis {
    /// Which.
    pub stream: Arc<str>,
    /// How it was.
    pub expected: Expected,
}

/// Events for one stream: all of them, or none.
#[derive(Debug)]
pub struct Append {
    /// `rental-<id>`.
    pub stream: Arc<str>,
    /// The guard.
    pub expected: Expected,
    /// In order. None at all asks only whether the guard holds, and is answered when what it was decided on is durable.
    pub events: Vec<NewEvent>,
    /// For the metadata.
    pub context: Context,
    /// A second guard, of a stream that is only looked at.
    pub basis: Option<Basis>,
}

/// An append that stands, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Position of its last event; of the journal's last event where it had none.
    pub position: u64,
    /// The stream's last revision.
    pub revision: u64,
}

/// An append that does not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The guard did not hold.
    #[error("the stream is at revision {actual}, which is not what the append was decided on")]
    Conflict {
        /// Where the stream is.
        actual: u64,
    },
    /// What it was decided on beside its own stream has changed.
    #[error("{0} is not what the append was decided on any more")]
    Overtaken(Arc<str>),
    /// Whoever decided on it has lost its lease since: another process works there now, and this one must stop.
    #[error("{0} is over: another process owns it")]
    StaleOwner(Fence),
    /// Not written, and the next one may be: the disk is full.
    #[error("the journal cannot be written now: {0}")]
    Unavailable(Arc<str>),
    /// Not acknowledged, and no other one will be until a restart: the disk failed.
    #[error("the journal has stopped: {0}")]
    Stopped(Arc<str>),
}
