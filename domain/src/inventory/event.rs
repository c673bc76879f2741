//! What happened to an item and its stock.

use super::{ReleaseReason, Stock, Wanted};
use crate::{CustomerId, Instant, Money, Period, RentalId, StoreSlug};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A fact about an item. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ItemEvent {
    /// A shop offers something new.
    #[serde(rename = "ItemRegistered")]
    Registered {
        /// At which shop.
        store: StoreSlug,
        /// What it is called.
        name: String,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// What one of it costs.
        price: Money,
        /// What the shop has.
        stock: Stock,
        /// When.
        at: Instant,
    },
    /// It is called something else now.
    #[serde(rename = "ItemRenamed")]
    Renamed {
        /// The new name.
        name: String,
        /// When.
        at: Instant,
    },
    /// There is more, or something else, to say about it.
    #[serde(rename = "ItemDescribed")]
    Described {
        /// The new description.
        description: String,
        /// When.
        at: Instant,
    },
    /// It costs something else now; what is held keeps its price.
    #[serde(rename = "ItemRepriced")]
    Repriced {
        /// The new price.
        price: Money,
        /// When.
        at: Instant,
    },
    /// It is not offered any more.
    #[serde(rename = "ItemRetired")]
    Retired {
        /// When.
        at: Instant,
    },
    /// Units were bought, lost or found.
    #[serde(rename = "StockAdjusted")]
    StockAdjusted {
        /// Names this adjustment.
        adjustment: Uuid,
        /// How many more, or fewer.
        change: i64,
        /// How many there are after it, held ones included.
        units: u32,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// When.
        at: Instant,
    },
    /// Stock is kept for a rental.
    #[serde(rename = "StockHeld")]
    Held {
        /// For which rental.
        rental: RentalId,
        /// Whose.
        customer: CustomerId,
        /// How many.
        quantity: u32,
        /// When it is away, turnaround included; for a pool.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occupies: Option<Period>,
        /// How long it rests once it is back, in seconds.
        #[serde(default, skip_serializing_if = "is_zero")]
        turnaround_s: u32,
        /// Which seats.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seats: Vec<String>,
        /// The price at this moment, of one unit (and day).
        unit_price: Money,
        /// The price of it all; every later sum starts here.
        total: Money,
        /// Until when it is kept without being committed.
        until: Instant,
        /// When.
        at: Instant,
    },
    /// There is nothing for a rental now, and it waits in line.
    #[serde(rename = "StockAwaited")]
    Awaited {
        /// Which rental.
        rental: RentalId,
        /// Whose.
        customer: CustomerId,
        /// What is to be held when its turn comes.
        wanted: Box<Wanted>,
        /// Its place in the line; 1 is next.
        place: u32,
        /// When.
        at: Instant,
    },
    /// A rental does not wait in line any more, and got nothing.
    #[serde(rename = "WaitingEnded")]
    WaitingEnded {
        /// Which rental.
        rental: RentalId,
        /// Why.
        reason: ReleaseReason,
        /// When.
        at: Instant,
    },
    /// Held stock is paid for.
    #[serde(rename = "StockCommitted")]
    Committed {
        /// By which rental.
        rental: RentalId,
        /// When.
        at: Instant,
    },
    /// Held or committed stock is free again.
    #[serde(rename = "StockReleased")]
    Released {
        /// By which rental.
        rental: RentalId,
        /// Why.
        reason: ReleaseReason,
        /// When.
        at: Instant,
    },
    /// Units left the shop with their customer; they are out until they are returned.
    #[serde(rename = "StockHandedOut")]
    HandedOut {
        /// With which rental.
        rental: RentalId,
        /// When.
        at: Instant,
    },
    /// What is committed stays away for longer.
    #[serde(rename = "StockExtended")]
    Extended {
        /// With which rental.
        rental: RentalId,
        /// Which extension of it.
        number: u32,
        /// When it is away from now on, turnaround included.
        occupies: Period,
        /// The price of the additional time.
        extra: Money,
        /// When.
        at: Instant,
    },
    /// An extension does not stand after all: the additional time is free again.
    #[serde(rename = "StockExtensionReleased")]
    ExtensionReleased {
        /// Of which rental.
        rental: RentalId,
        /// Which extension of it.
        number: u32,
        /// When it is away again, turnaround included.
        occupies: Period,
        /// When.
        at: Instant,
    },
    /// A unit did not come back in time: it blocks until it does.
    #[serde(rename = "StockOverdue")]
    Overdue {
        /// With which rental.
        rental: RentalId,
        /// When.
        at: Instant,
    },
    /// Units came back.
    #[serde(rename = "StockReturned")]
    Returned {
        /// From which rental.
        rental: RentalId,
        /// When.
        at: Instant,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl ItemEvent {
    /// Which rental it is about, if it is about one.
    #[must_use]
    pub const fn rental(&self) -> Option<RentalId> {
        match self {
            Self::Held { rental, .. }
            | Self::Awaited { rental, .. }
            | Self::WaitingEnded { rental, .. }
            | Self::Committed { rental, .. }
            | Self::Released { rental, .. }
            | Self::HandedOut { rental, .. }
            | Self::Extended { rental, .. }
            | Self::ExtensionReleased { rental, .. }
            | Self::Overdue { rental, .. }
            | Self::Returned { rental, .. } => Some(*rental),
            Self::Registered { .. }
            | Self::Renamed { .. }
            | Self::Described { .. }
            | Self::Repriced { .. }
            | Self::Retired { .. }
            | Self::StockAdjusted { .. } => None,
        }
    }
}

impl DomainEvent for ItemEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Registered { .. } => "ItemRegistered",
            Self::Renamed { .. } => "ItemRenamed",
            Self::Described { .. } => "ItemDescribed",
            Self::Repriced { .. } => "ItemRepriced",
            Self::Retired { .. } => "ItemRetired",
            Self::StockAdjusted { .. } => "StockAdjusted",
            Self::Held { .. } => "StockHeld",
            Self::Awaited { .. } => "StockAwaited",
            Self::WaitingEnded { .. } => "WaitingEnded",
            Self::Committed { .. } => "StockCommitted",
            Self::Released { .. } => "StockReleased",
            Self::HandedOut { .. } => "StockHandedOut",
            Self::Extended { .. } => "StockExtended",
            Self::ExtensionReleased { .. } => "StockExtensionReleased",
            Self::Overdue { .. } => "StockOverdue",
            Self::Returned { .. } => "StockReturned",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
