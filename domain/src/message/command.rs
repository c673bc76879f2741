//! What can be asked of a message.

use super::Letter;
use crate::{Instant, RentalId};

/// An order to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageCommand {
    /// Write down what the customer is to be told.
    Record {
        /// Of which rental.
        rental: RentalId,
        /// What, to whom.
        letter: Letter,
        /// When.
        now: Instant,
    },
    /// It has gone out.
    MarkSent {
        /// The messenger's name for the delivery.
        reference: String,
        /// When.
        now: Instant,
    },
    /// It has not gone out this time.
    MarkFailed {
        /// Which attempt it was, from 1.
        attempt: u32,
        /// The messenger's reason.
        reason: String,
        /// Whether it would fail again.
        permanent: bool,
        /// When.
        now: Instant,
    },
    /// Let it go out after all, as if it had not failed yet.
    Retry {
        /// When.
        now: Instant,
    },
}
