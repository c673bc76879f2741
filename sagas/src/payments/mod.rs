//! Taking money and giving it back: the only place that reaches a payment provider.
//!
//! **The payment's id is the provider's idempotency key**, so a charge that is asked for again after a crash, or after an answer
//! that was lost, is the same charge. What came back is recorded as an event; where nothing did, the provider is asked for
//! the truth until it tells it. A provider that fails is left alone for a while by a [`Breaker`]; what is asked again is asked
//! ever more seldom, and is a bounded part of all that is asked.

mod breaker;
mod door;
mod process;
mod provider;
mod simulated;
mod till;

pub use breaker::{Breaker, BreakerSettings, BreakerState, Passage};
pub use door::Door;
pub use provider::{
    Answered, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Truth, Unavailable,
};
pub use simulated::{Entry, SimulatedProvider};

pub(crate) use door::Telling;
pub(crate) use process::Payments;
pub(crate) use till::Till;
