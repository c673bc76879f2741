//! What can be asked of an item.

use super::{ReleaseReason, Stock};
use crate::policy::PricePer;
use crate::{CustomerId, Instant, Money, Period, RentalId, StoreSlug};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An order to an item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemCommand {
    /// Offer something new.
    Register {
        /// At which shop.
        store: StoreSlug,
        /// What it is called.
        name: String,
        /// More about it.
        description: Option<String>,
        /// What one of it costs (a day, where prices are per day).
        price: Money,
        /// What the shop has.
        stock: Stock,
        /// When.
        now: Instant,
    },
    /// Change what is said about it. What is `None` stays.
    Revise {
        /// What it is called.
        name: Option<String>,
        /// More about it.
        description: Option<String>,
        /// What one of it costs from now on.
        price: Option<Money>,
        /// When.
        now: Instant,
    },
    /// Offer it no more. Rentals that stand go on.
    Retire {
        /// When.
        now: Instant,
    },
    /// Hold what came free for the first in line.
    ServeWaiting {
        /// When.
        now: Instant,
    },
    /// Units were bought, lost or found.
    AdjustStock {
        /// Names this adjustment, so that a repeat counts once.
        adjustment: Uuid,
        /// How many more, or fewer.
        change: i64,
        /// Why, for the shop's books.
        reason: Option<String>,
        /// When.
        now: Instant,
    },
    /// Keep stock for a rental.
    Hold {
        /// For which rental.
        rental: RentalId,
        /// Whose.
        customer: CustomerId,
        /// How much of it, and when.
        wanted: Wanted,
        /// Until when it is kept without being committed.
        until: Instant,
        /// When.
        now: Instant,
    },
    /// The rental is paid: keep it for good.
    Commit {
        /// Which rental.
        rental: RentalId,
        /// When.
        now: Instant,
    },
    /// The rental is given up.
    Release {
        /// Which rental.
        rental: RentalId,
        /// Why.
        reason: ReleaseReason,
        /// When.
        now: Instant,
    },
    /// It leaves the shop with its customer.
    HandOut {
        /// Which rental.
        rental: RentalId,
        /// Refuse it where as many units are out as there are: somebody's return is not processed yet. A kiosk asks for
        /// this; what a person has handed over is a fact.
        only_if_in: bool,
        /// When.
        now: Instant,
    },
    /// The rental wants to keep it longer.
    Extend {
        /// Which rental.
        rental: RentalId,
        /// Which extension of it; a newer one has a higher number.
        number: u32,
        /// Until when, turnaround not included.
        to: Instant,
        /// How many more days are charged for; none where the price is per unit.
        days: u32,
        /// When.
        now: Instant,
    },
    /// An extension does not stand after all.
    ReleaseExtension {
        /// Of which rental.
        rental: RentalId,
        /// Which extension of it.
        number: u32,
        /// When.
        now: Instant,
    },
    /// It should be back and is not: it blocks until it is.
    MarkOverdue {
        /// Which rental.
        rental: RentalId,
        /// When.
        now: Instant,
    },
    /// It is back.
    Return {
        /// Which rental.
        rental: RentalId,
        /// When.
        now: Instant,
    },
}

/// How much is to be held, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Units, or seats; more than 0.
    pub quantity: u32,
    /// From when to when; for a pool.
    pub period: Option<Period>,
    /// What is charged for: 1 where the price is per unit, the started days where it is per day.
    pub days: u32,
    /// What the price is for.
    pub price_per: PricePer,
    /// Which seats; empty where the shop assigns them.
    pub seats: Vec<String>,
    /// How long a unit rests after the period, in seconds.
    pub turnaround_s: u32,
    /// What to do when it cannot be had now; `None` for a refusal.
    pub wait: Option<Wait>,
}

/// Wait in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// How long what comes free is held without being accepted, in seconds.
    pub offer_s: u32,
    /// In which the period moves on by days while time passes.
    pub zone: Tz,
}
