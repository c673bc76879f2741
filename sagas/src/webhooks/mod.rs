//! Telling stores' own programs of their rentals.
//!
//! A subscription of its own reads each rental's events and notes in an outbox which receiver is still to be told of which,
//! together with how far it has read. **A rental's events reach a receiver in order**: the next one is sent when the one before was
//! taken, or given up after three days. Each receiver has so many lines of its own, so that none waits for another. An event may
//! be sent twice, and is the same by its id then.

mod attempt;
mod body;
mod outbox;
mod pauses;
mod runner;
mod start;

pub use outbox::{Deliveries, GivenUp, Standing};
pub use start::{WebhookParts, Webhooks, WebhooksRunning};

use domain::WebhookId;
use std::future::Future;
use std::pin::Pin;
use uuid::Uuid;

/// Of the subscription.
pub const NAME: &str = "webhooks";

/// Carries what a store is told to its program.
pub trait Courier: Send + Sync + 'static {
    /// Makes one attempt. The caller waits a limited time and then drops the call.
    fn carry(&self, parcel: Parcel) -> Carrying<'_>;
}

/// What a courier answers, some time.
pub type Carrying<'a> = Pin<Box<dyn Future<Output = Carried> + Send + 'a>>;

/// One event on its way to one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// To which webhook.
    pub webhook: WebhookId,
    /// Where it is.
    pub url: String,
    /// Names the event, however often it is sent.
    pub event: Uuid,
    /// Its place in the journal.
    pub position: u64,
    /// What is said, as JSON.
    pub body: String,
}

/// What has become of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// The receiver has it.
    Taken,
    /// The receiver wants nothing any more.
    Gone,
    /// It has not got it this time.
    Refused {
        /// Why not, for the store.
        reason: String,
    },
}
