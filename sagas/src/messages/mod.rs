//! Telling customers what has become of their rentals: the only place that reaches a messenger.
//!
//! What is to be said is **recorded first and goes out afterwards**. The message's id follows from the event that it tells of
//! and is the messenger's idempotency key, so that whatever is repeated after a crash, or after an answer that was
//! lost, is the same message. A subscription of its own: while it is paused nobody else waits, and what was missed goes out later.

#[cfg(test)]
mod golden;
mod log;
mod messenger;
mod pace;
mod post;
mod process;

pub use log::LogMessenger;
pub use messenger::{Delivered, Delivering, Messenger, Outgoing, Undelivered};

pub(crate) use pace::Pace;
pub(crate) use post::Post;
pub(crate) use process::Messages;
