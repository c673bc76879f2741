//! What can be asked of a webhook.

use crate::{Instant, StoreSlug};
use std::collections::BTreeSet;

/// An order to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookCommand {
    /// Tell a program of a store's rentals.
    Register {
        /// Whose rentals.
        store: StoreSlug,
        /// Where the program is.
        url: String,
        /// Of which events, by their stored names; of all where none is named.
        events: BTreeSet<String>,
        /// When.
        now: Instant,
    },
    /// Send nothing for a while, and keep it.
    Pause {
        /// When.
        now: Instant,
    },
    /// Send what was kept, and go on.
    Resume {
        /// When.
        now: Instant,
    },
    /// The receiver wants no more.
    Stop {
        /// When.
        now: Instant,
    },
    /// The store wants no more sent.
    Remove {
        /// When.
        now: Instant,
    },
}
