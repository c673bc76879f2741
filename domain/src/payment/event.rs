//! What happened to a payment.

use super::Charge;
use crate::{Instant, ItemId, Money, RentalId};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a payment. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentEvent {
    /// Money is to be taken.
    #[serde(rename = "PaymentRequested")]
    Requested {
        /// For which rental.
        rental: RentalId,
        /// How much, from whom.
        charge: Charge,
        /// When.
        at: Instant,
    },
    /// Money was taken.
    #[serde(rename = "PaymentApproved")]
    Approved {
        /// For which rental.
        rental: RentalId,
        /// Of which item; where the charge says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemId>,
        /// How much; absent from what was recorded without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
        /// The provider's name for the charge.
        reference: String,
        /// When.
        at: Instant,
    },
    /// No money was taken and none will be.
    #[serde(rename = "PaymentDeclined")]
    Declined {
        /// For which rental.
        rental: RentalId,
        /// The provider's reason.
        code: String,
        /// When.
        at: Instant,
    },
    /// Nobody knows yet whether money was taken.
    #[serde(rename = "PaymentUnknown")]
    Unknown {
        /// For which rental.
        rental: RentalId,
        /// When.
        at: Instant,
    },
    /// Money is to go back.
    #[serde(rename = "RefundRequested")]
    RefundRequested {
        /// For which rental.
        rental: RentalId,
        /// How much.
        amount: Money,
        /// When.
        at: Instant,
    },
    /// Money went back.
    #[serde(rename = "PaymentRefunded")]
    Refunded {
        /// For which rental.
        rental: RentalId,
        /// Of which item; where the charge says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemId>,
        /// How much.
        amount: Money,
        /// The provider's name for the refund.
        reference: String,
        /// When.
        at: Instant,
    },
    /// Money did not go back this time.
    #[serde(rename = "RefundFailed")]
    RefundFailed {
        /// For which rental.
        rental: RentalId,
        /// The provider's reason.
        code: String,
        /// How often it has failed.
        failures: u32,
        /// When.
        at: Instant,
    },
}

impl PaymentEvent {
    /// For which rental.
    #[must_use]
    pub const fn rental(&self) -> RentalId {
        match self {
            Self::Requested { rental, .. }
            | Self::Approved { rental, .. }
            | Self::Declined { rental, .. }
            | Self::Unknown { rental, .. }
            | Self::RefundRequested { rental, .. }
            | Self::Refunded { rental, .. }
            | Self::RefundFailed { rental, .. } => *rental,
        }
    }
}

impl DomainEvent for PaymentEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Requested { .. } => "PaymentRequested",
            Self::Approved { .. } => "PaymentApproved",
            Self::Declined { .. } => "PaymentDeclined",
            Self::Unknown { .. } => "PaymentUnknown",
            Self::RefundRequested { .. } => "RefundRequested",
            Self::Refunded { .. } => "PaymentRefunded",
            Self::RefundFailed { .. } => "RefundFailed",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
