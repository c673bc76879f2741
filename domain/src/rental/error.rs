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
    /// Nothing is offered.
    #[error("nothing is offered: its turn has not come, or it does not wait in line")]
    NothingOffered,
    /// The offer is over.
    #[error("the offer ended at {until}")]
    OfferOver {
        /// When it ended.
        until: Instant,
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
    /// This business has no reviews.
    #[error("this business has no reviews")]
    NoReviews,
    /// The customer has not had it yet.
    #[error("it can be reviewed once the customer has had it, and it is {status}")]
    NotReviewableYet {
        /// Where the rental stands.
        status: RentalStatus,
    },
    /// There is a review of it.
    #[error("it was reviewed already; that review can be changed, or deleted")]
    AlreadyReviewed,
    /// There is no review of it.
    #[error("there is no review of this rental")]
    NotReviewed,
    /// This business has no kiosk.
    #[error("this business lends nothing at a kiosk")]
    NoKiosk,
}
