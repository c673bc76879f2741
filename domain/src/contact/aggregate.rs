//! The address that stands, if one does.

use super::{ContactCommand, ContactEvent};
use crate::{Instant, Personal};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// Where one customer wants to be written to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contact {
    /// Nowhere.
    #[default]
    Nothing,
    /// There.
    Given {
        /// A mail address, sealed for the customer.
        email: Personal,
        /// Since when.
        since: Instant,
    },
}

impl Contact {
    /// The sealed address and since when it stands; `None` where there is none.
    #[must_use]
    pub const fn email(&self) -> Option<(&Personal, Instant)> {
        match self {
            Self::Nothing => None,
            Self::Given { email, since } => Some((email, *since)),
        }
    }

    /// The rules. An empty list means "already so". Sealed twice, an address looks like two: whoever seals it compares first.
    ///
    /// # Errors
    /// Never.
    pub fn decide(&self, command: ContactCommand) -> Result<Vec<ContactEvent>, Infallible> {
        use {ContactCommand as Cmd, ContactEvent as Evt};
        Ok(match (self, command) {
            (Self::Given { email: known, .. }, Cmd::Give { email, .. }) if *known == email => vec![],
            (Self::Nothing | Self::Given { .. }, Cmd::Give { email, now }) => vec![Evt::Given { email, at: now }],
            (Self::Given { .. }, Cmd::Forget { now }) => vec![Evt::Forgotten { at: now }],
            (Self::Nothing, Cmd::Forget { .. }) => vec![],
        })
    }

    fn fold(&mut self, event: ContactEvent) {
        *self = match event {
            ContactEvent::Given { email, at } => Self::Given { email, since: at },
            ContactEvent::Forgotten { .. } => Self::Nothing,
        };
    }
}

crate::aggregate::aggregate!(Contact, "contact", ContactCommand => ContactEvent | Infallible);
