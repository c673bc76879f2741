//! The port to whoever carries messages to customers.

use domain::message::Letter;
use domain::{Instant, MessageId, RentalId};
use std::future::Future;
use std::pin::Pin;

/// What a messenger answers, some time.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<Delivered, Undelivered>> + Send + 'a>>;

/// Carries messages to customers. The same message may be given to it again, and must then go out only once.
pub trait Messenger: Send + Sync + 'static {
    /// Has a message go out. The caller waits a limited time and then drops the call.
    fn deliver(&self, message: Outgoing) -> Delivering<'_>;
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The idempotency key.
    pub message: MessageId,
    /// Of which rental it tells.
    pub rental: RentalId,
    /// What is said, to whom.
    pub letter: Letter,
    /// When it was recorded.
    pub recorded_at: Instant,
}

/// It has gone out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The messenger's name for the delivery.
    pub reference: String,
}

/// It has not gone out this time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not delivered: {reason}")]
pub struct Undelivered {
    /// The messenger's reason. It stands in the journal for ever: nothing personal belongs into it.
    pub reason: String,
    /// Whether the same message would fail again, so that only a person can have it tried again.
    pub permanent: bool,
}

impl Undelivered {
    /// The next attempt may succeed.
    #[must_use]
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), permanent: false }
    }

    /// It would not.
    #[must_use]
    pub fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), permanent: true }
    }
}
