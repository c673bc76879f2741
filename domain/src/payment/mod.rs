//! One charge and its refunds.
//!
//! `requested → approved | declined | unknown`, `unknown → approved | declined` once the provider has told the truth;
//! `approved → refund requested → refunded | refund failed`, and a failed refund may be requested again. The payment's id
//! is the provider's idempotency key, so that asking twice charges once.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::Payment;
pub use command::PaymentCommand;
pub use error::PaymentError;
pub use event::PaymentEvent;

use crate::{CustomerId, ItemId, Money, StoreSlug};
use serde::{Deserialize, Serialize};

/// What a charge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The rental itself.
    Rental,
    /// Bringing it back late.
    LateFee,
    /// Keeping it longer.
    Extension {
        /// Which extension of the rental.
        number: u32,
    },
}

/// What is to be charged, to whom and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Who pays.
    pub customer: CustomerId,
    /// Who is paid.
    pub store: StoreSlug,
    /// What is rented; unknown of charges from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// What for.
    pub purpose: Purpose,
    /// How much; more than nothing.
    pub amount: Money,
    /// The provider's token for how to pay.
    pub method: String,
}

impl Charge {
    /// Whether another one is the same, as far as this one says what it is for.
    pub(crate) fn is_asked_again_by(&self, other: &Self) -> bool {
        *self == Self { item: self.item.and(other.item), ..other.clone() }
    }
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The provider has not answered yet.
    Requested,
    /// The money is ours.
    Approved,
    /// The provider said no; no money moved.
    Declined,
    /// The provider did not say; the truth is being asked for.
    Unknown,
    /// Money is on its way back.
    Refunding,
    /// Money went back.
    Refunded,
    /// Money should have gone back and has not yet.
    RefundFailed,
}

impl PaymentStatus {
    /// The stored name: `refund_failed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
        }
    }
}
