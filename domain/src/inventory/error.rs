//! Why an item refuses an order.

/// A refusal. The item is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// There is no such item.
    #[error("there is no such item")]
    NotRegistered,
    /// This id is another item's.
    #[error("another item has this id")]
    AnotherItem,
    /// It is not offered any more.
    #[error("the item is not offered any more")]
    Retired,
    /// Not enough units, at some instant of the period.
    #[error("{wanted} wanted, {available} available")]
    OutOfStock {
        /// How many were asked for.
        wanted: u32,
        /// How many could have been had.
        available: u32,
    },
    /// These seats are somebody else's, or do not exist.
    #[error("seats that cannot be had: {}", .seats.join(", "))]
    SeatsTaken {
        /// Which.
        seats: Vec<String>,
    },
    /// What was asked for does not fit the kind of stock, or a field is out of range.
    #[error("{field}: {why}")]
    DoesNotFit {
        /// The field of the request.
        field: &'static str,
        /// What the item wants.
        why: &'static str,
    },
    /// The rental holds nothing here.
    #[error("the rental holds nothing of this item")]
    NothingHeld,
    /// What is paid for is given up by a cancellation only.
    #[error("the stock is committed and does not expire")]
    Committed,
    /// As many units as there are have left the shop, and not all of them are counted in again.
    #[error("{out} of {units} are out: the return of the one before is not processed yet")]
    NotBackYet {
        /// How many are out.
        out: u32,
        /// How many there are.
        units: u32,
    },
    /// It cannot be kept longer: somebody waits in line for it.
    #[error("somebody waits in line for it")]
    SomebodyWaits,
    /// Fewer units would remain than are promised to somebody.
    #[error("{promised} are promised, so there cannot be fewer")]
    Promised {
        /// How many are held at the busiest instant.
        promised: u32,
    },
}
