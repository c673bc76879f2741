//! What can be asked of a shop.

use crate::policy::Policy;
use crate::{Currency, Instant, StoreSlug};
use chrono_tz::Tz;

/// An order to a shop.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreCommand {
    /// Found it. It is open from the start.
    Register {
        /// Its name in addresses.
        slug: StoreSlug,
        /// Its name on the sign.
        name: String,
        /// How it does business.
        policy: Box<Policy>,
        /// In which its days are counted.
        time_zone: Tz,
        /// In which its prices are.
        currency: Currency,
        /// When.
        now: Instant,
    },
    /// Change the sign, or how it does business from now on. What is `None` stays.
    Revise {
        /// Its name on the sign.
        name: Option<String>,
        /// How it does business; of the same kind of stock.
        policy: Option<Box<Policy>>,
        /// When.
        now: Instant,
    },
    /// Dispatches go on.
    Open {
        /// When.
        now: Instant,
    },
    /// Dispatches wait.
    Close {
        /// When.
        now: Instant,
    },
}
