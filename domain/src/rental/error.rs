//! Why a rental refuses an order.

use super::RentalStatus;
use crate::Instant;

/// A refusal. The rental is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RentalError {
    /// There is no such rental.
    #[error("there is no such rental")]
    NotRequested,
    /// Its period starts before today.
    #[error("the period starts at {from}, which is in the past")]
    StartsInThePast {
        /// The start that was asked for.
        from: Instant,
        /// Today's first instant at the shop.
        today: Instant,
    },
    /// What was asked for does not fit the rules of the business.
    #[error("{field}: {why}")]
    DoesNotFit {
        /// The field of the request.
        field: &'static str,
        /// What the rules want.
        why: &'static str,
    },
    /// In this status the order makes no sense.
    #[error("cannot {attempted} a rental that is {status}")]
    WrongStatus {
        /// The order.
        attempted: &'static str,
        /// Where the rental stands.
        status: RentalStatus,
    },
    /// It cannot be kept longer, or not now.
    #[error("cannot be extended: {why}")]
    NotExtendable {
        /// By which rule.
        why: &'static str,
    },
    /// No such extension is being decided.
    #[error("extension {number} is not being decided")]
    NoExtension {
        /// Which.
        number: u32,
    },
    /// There is no fee for being late that could be paid or waived now.
    #[error("no late fee is owed: {why}")]
    NothingOwed {
        /// What there is instead.
        why: &'static str,
    },
    /// What was handed over for good does not come back.
    #[error("this rental is not returned: it was handed over for good")]
    DoesNotComeBack,
}
