//! An item and its stock.
//!
//! A hold belongs to a rental and has a deadline; it is then committed (paid for), released (given up) or, when the goods
//! were away and came back, returned. Stock is a `pool` of units that come back, counted at every instant of a period; a
//! `sale` of units that leave for good; or named `seats`. **It is never negative and no unit is given twice.**
//!
//! Where the business has a waiting list, a rental for which there is nothing now waits in line. **While somebody waits, nobody
//! else is given anything**: what comes free is held for the first in line, and the others come after.

mod aggregate;
mod allocation;
mod command;
mod error;
mod event;
mod listing;
mod occupancy;
mod offer;
mod pool;
mod queue;
mod seating;
mod shelf;
#[cfg(test)]
mod tests;

pub use aggregate::Item;
pub use command::{ItemCommand, Wait, Wanted};
pub use error::ItemError;
pub use event::ItemEvent;
pub use queue::Waiter;

use serde::{Deserialize, Serialize};

/// The stock that an item starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    /// Units that come back.
    Pool {
        /// How many there are.
        units: u32,
    },
    /// Units that leave for good; without a number as many as are asked for.
    Sale {
        /// How many there are; `None` for made-to-order.
        units: Option<u32>,
    },
    /// Named units.
    Seats {
        /// Their names, each once.
        seats: Vec<String>,
    },
}

/// Why held stock became free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The hold's deadline passed.
    Expired,
    /// The payment was declined.
    PaymentDeclined,
    /// The rental was cancelled.
    Cancelled,
    /// The rental had ended before the hold was made.
    TooLate,
    /// The item is not offered any more.
    ItemRetired,
}
