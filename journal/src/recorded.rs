//! Events as they stand in the journal.

use chrono::{DateTime, Utc};
use std::any::Any;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// One event of the journal with everything that is known about it.
pub struct Recorded {
    /// Place in the whole journal, from 1, without gaps.
    pub position: u64,
    /// Whose event it is: `rental-<id>`.
    pub stream: Arc<str>,
    /// Place in the stream, from 1, without gaps.
    pub revision: u64,
    /// The stored name of what happened: `RentalRequested`.
    pub event_type: Arc<str>,
    /// Shape of the payload.
    pub version: u32,
    /// JSON, exactly as it was stored.
    pub payload: Box<str>,
    /// When it became part of the journal.
    pub recorded_at: DateTime<Utc>,
    /// Names this event, everywhere.
    pub event_id: Uuid,
    /// The conversation it belongs to.
    pub correlation_id: Arc<str>,
    /// The event that caused it; none where a caller did.
    pub causation_id: Option<Uuid>,
    /// The command that it answers.
    pub command_id: Uuid,
    /// On whose behalf.
    pub actor: Arc<str>,
    /// BLAKE3 over the previous event's hash and all of the above.
    pub hash: [u8; 32],
    pub(crate) decoded: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// The part of a stream's name before the first dash.
#[must_use]
pub fn category_of(stream: &str) -> &str {
    stream.split_once('-').map_or(stream, |(category, _)| category)
}

impl Recorded {
    /// The part of the stream's name before the first dash.
    #[must_use]
    pub fn category(&self) -> &str {
        category_of(&self.stream)
    }

    /// The part of the stream's name after the first dash: the aggregate's id.
    #[must_use]
    pub fn aggregate_id(&self) -> &str {
        self.stream.split_once('-').map_or("", |(_, id)| id)
    }

    /// The event as a `T`, decoded at most once however many subscribers ask: the first result is kept and shared.
    /// **All callers of one process ask for the same `T`.**
    ///
    /// # Errors
    /// Whatever `decode(category, payload)` fails with; a failure is not kept.
    pub fn decoded<T, E>(&self, decode: impl FnOnce(&str, &str) -> Result<T, E>) -> Result<&T, E>
    where
        T: Any + Send + Sync,
    {
        if self.decoded.get().is_none() {
            let event = decode(self.category(), &self.payload)?;
            // Lost races decode the same bytes to the same event.
            let _ = self.decoded.set(Box::new(event));
        }
        match self.decoded.get().and_then(|any| any.downcast_ref::<T>()) {
            Some(event) => Ok(event),
            // One process decodes to one type; this arm is a programming error and not the outside world's.
            None => unreachable!("an event of one journal is decoded to one type"),
        }
    }
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{} {}@{} {}", self.position, self.stream, self.revision, self.event_type)
    }
}

/// A recorded event that many readers hold at once. Cheap to clone; keeps its whole batch alive.
#[derive(Clone)]
pub struct Shared {
    batch: Arc<[Recorded]>,
    index: usize,
}

impl Shared {
    pub(crate) fn new(batch: Arc<[Recorded]>, index: usize) -> Self {
        debug_assert!(index < batch.len());
        Self { batch, index }
    }
}

impl Deref for Shared {
    type Target = Recorded;
    fn deref(&self) -> &Recorded {
        &self.batch[self.index]
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.deref().fmt(f)
    }
}
