//! The customer's side of a reservation.
//!
//! `requested → confirmed | rejected | expired`; then `prepared → handed over → (overdue) → returned → completed`, where
//! goods that do not come back are completed on hand-over. A cancellation may be requested until the hand-over;
//! `cancelled` is recorded only when stock and money are back where they were.
//!
//! A rental that waits in line stays `requested`. When its turn comes it is offered, and goes on once the customer accepts.
//!
//! From the hand-over on its customer may review it, once; a review that was deleted may be written again.
//!
//! Until it is due, what comes back may be extended: one extension at a time is asked for, and then stands or is refused. A
//! fee for being late that was declined stays owed until it is paid in another way or waived.

mod aggregate;
mod command;
mod error;
mod event;
mod extension;
mod late_fee;
mod review;
mod terms;
#[cfg(test)]
mod tests;

pub use aggregate::Rental;
pub use command::RentalCommand;
pub use error::RentalError;
pub use event::RentalEvent;
pub use extension::Pending;
pub use late_fee::LateFee;

use crate::policy::Rules;
use crate::{CustomerId, ItemId, Language, Period, StoreSlug};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a customer asked for, and the rules it is under for all its life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Who.
    pub customer: CustomerId,
    /// At which shop.
    pub store: StoreSlug,
    /// What.
    pub item: ItemId,
    /// How many; for seats, how many seats.
    pub quantity: u32,
    /// From when to when, for what comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The seats that were chosen; empty where the shop assigns them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// Whether to wait in line when there is nothing now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
    /// The payment provider's token for how to pay.
    pub payment_method: String,
    /// The name of the policy.
    pub policy: String,
    /// The rules, as they were when it was asked for.
    pub rules: Rules,
    /// The shop's time zone, in which days are counted.
    pub time_zone: Tz,
    /// In which the customer is written to.
    #[serde(default, skip_serializing_if = "Language::is_default")]
    pub language: Language,
}

/// Who asked for a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The customer.
    Customer,
    /// The shop; never for a fee.
    Store,
    /// Nobody: it was not fetched.
    NoShow,
}

/// Why a rental could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum RejectReason {
    /// Not enough units, at some instant of the period.
    OutOfStock {
        /// How many could have been had.
        available: u32,
    },
    /// These seats are somebody else's, or do not exist.
    SeatsTaken {
        /// Which.
        seats: Vec<String>,
    },
    /// The customer has as many open rentals as the shop allows.
    QuotaExceeded {
        /// The limit.
        limit: u32,
    },
    /// The item is not offered any more.
    ItemRetired,
    /// There is no such item.
    NoSuchItem,
    /// What was asked for does not fit the item's stock.
    DoesNotFit {
        /// What is wrong.
        detail: String,
    },
    /// The provider said no.
    PaymentDeclined {
        /// The provider's reason.
        code: String,
    },
}

/// Why a rental could not be kept longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum ExtensionRefusal {
    /// Somebody else has it for some of the additional time.
    OutOfStock {
        /// How many could have been kept.
        available: u32,
    },
    /// The provider said no.
    PaymentDeclined {
        /// The provider's reason.
        code: String,
    },
    /// It was not paid in time.
    Expired,
    /// It was cancelled or brought back first.
    Overtaken,
    /// Somebody is waiting for it.
    SomebodyWaits,
    /// The payment of an earlier extension is still being undone.
    Busy,
    /// The item is not offered any more.
    ItemRetired,
    /// What was asked for does not fit the item.
    DoesNotFit {
        /// What is wrong.
        detail: String,
    },
}

/// Where a rental stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RentalStatus {
    /// Asked for.
    Requested,
    /// Stock and money are certain.
    Confirmed,
    /// Ready at the shop.
    Prepared,
    /// With the customer.
    HandedOver,
    /// With the customer, and late.
    Overdue,
    /// Back.
    Returned,
    /// Done.
    Completed,
    /// Being undone.
    Cancelling,
    /// Undone.
    Cancelled,
    /// Could not be had.
    Rejected,
    /// Not paid in time.
    Expired,
}

impl RentalStatus {
    /// The stored name: `handed_over`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Confirmed => "confirmed",
            Self::Prepared => "prepared",
            Self::HandedOver => "handed_over",
            Self::Overdue => "overdue",
            Self::Returned => "returned",
            Self::Completed => "completed",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for RentalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
