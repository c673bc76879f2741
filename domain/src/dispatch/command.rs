//! What can be asked of a dispatch.

use crate::policy::Step;
use crate::{CustomerId, Instant, ItemId, Period, StoreSlug};

/// An order to a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DispatchCommand {
    /// Tell the shop about a confirmed rental.
    Request {
        /// Which shop.
        store: StoreSlug,
        /// For whom.
        customer: CustomerId,
        /// What.
        item: ItemId,
        /// How many.
        quantity: u32,
        /// From when to when.
        period: Option<Period>,
        /// What there is to do.
        steps: Vec<Step>,
        /// When.
        now: Instant,
    },
    /// It is ready.
    Prepare {
        /// Whether the shop is open.
        store_open: bool,
        /// When.
        now: Instant,
    },
    /// The customer has it.
    HandOver {
        /// Whether the shop is open.
        store_open: bool,
        /// When.
        now: Instant,
    },
    /// It is not to be done. Before the request has arrived, too: it will then not be taken up.
    Cancel {
        /// When.
        now: Instant,
    },
}
