//! What can be asked of a quota.

use crate::{Instant, RentalId};

/// An order to a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotaCommand {
    /// Count this rental.
    Take {
        /// Which.
        rental: RentalId,
        /// How many may be open at once.
        limit: u32,
        /// When.
        now: Instant,
    },
    /// This rental has ended.
    GiveBack {
        /// Which.
        rental: RentalId,
        /// When.
        now: Instant,
    },
}
