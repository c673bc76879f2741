//! What can be asked of a payment.

use super::Charge;
use crate::{Instant, Money, RentalId};

/// An order to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Take money.
    Request {
        /// For which rental.
        rental: RentalId,
        /// How much, from whom.
        charge: Charge,
        /// When.
        now: Instant,
    },
    /// The provider has taken it.
    Approve {
        /// The provider's name for the charge.
        reference: String,
        /// When.
        now: Instant,
    },
    /// The provider will not take it.
    Decline {
        /// The provider's reason.
        code: String,
        /// When.
        now: Instant,
    },
    /// The provider did not answer in time.
    MarkUnknown {
        /// When.
        now: Instant,
    },
    /// Give money back.
    RequestRefund {
        /// How much; at most what was approved.
        amount: Money,
        /// When.
        now: Instant,
    },
    /// The provider has given it back.
    MarkRefunded {
        /// The provider's name for the refund.
        reference: String,
        /// When.
        now: Instant,
    },
    /// The provider could not give it back this time.
    MarkRefundFailed {
        /// The provider's reason.
        code: String,
        /// When.
        now: Instant,
    },
}
