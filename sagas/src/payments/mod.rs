//! Taking money and giving it back: the only place that reaches a payment provider.
//!
//! **The payment's id is the provider's idempotency key**, so a charge that is asked for again after a crash, or after an answer
//! that was lost, is the same charge. What came back is recorded as an event; where nothing did, the provider is asked for
//! the truth until it tells it.

mod process;
mod provider;
mod simulated;
mod till;

pub use provider::{
    Answered, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Truth, Unavailable,
};
pub use simulated::{Entry, SimulatedProvider};

pub(crate) use process::Payments;
pub(crate) use till::Till;
