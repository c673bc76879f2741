//! What can be asked of a contact.

use crate::{Instant, Personal};

/// An order to a contact. None is ever refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactCommand {
    /// Write to this address from now on.
    Give {
        /// A mail address, sealed for the customer.
        email: Personal,
        /// When.
        now: Instant,
    },
    /// Write to none any more.
    Forget {
        /// When.
        now: Instant,
    },
}
