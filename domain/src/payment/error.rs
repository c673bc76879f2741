//! Why a payment refuses an order.

use super::PaymentStatus;
use crate::Money;

/// A refusal. The payment is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// There is no such payment.
    #[error("there is no such payment")]
    NotRequested,
    /// Nothing, or less, cannot be charged or given back.
    #[error("{0} is not more than nothing")]
    NotPositive(Money),
    /// More cannot go back than came in.
    #[error("{asked} cannot be refunded of {approved}")]
    MoreThanApproved {
        /// The refund that was asked for.
        asked: Money,
        /// What was taken.
        approved: Money,
    },
    /// The same payment was requested before with another charge.
    #[error("this payment was requested before with another charge")]
    AnotherCharge,
    /// In this status the order makes no sense.
    #[error("cannot {attempted} a payment that is {status:?}")]
    WrongStatus {
        /// The order.
        attempted: &'static str,
        /// Where the payment stands.
        status: PaymentStatus,
    },
}
