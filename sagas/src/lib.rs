//! The process managers: they answer events with commands, and undo what was done when a later step fails.
//!
//! **The answers are pure; one runner carries them out.** Stages follow from the journal's events alone, every command may be
//! repeated, and the outside world is reached only here, behind a port and with an idempotency key.

mod cashier;
mod clock;
mod crew;
mod error;
#[cfg(test)]
mod interleavings;
pub mod messages;
mod orders;
pub mod payments;
mod processes;
mod runner;
mod sagas;
mod supervisor;
mod tenure;

pub use clock::{Clock, SystemClock};
pub use error::SagaError;
pub use messages::{LogMessenger, Messenger};
pub use payments::{Breaker, BreakerSettings, BreakerState, Door, PaymentProvider, SimulatedProvider};
pub use sagas::{Parts, Running, Sagas, Settings};
