//! What happened to a contact.

use crate::{Instant, Personal};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a contact. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContactEvent {
    /// The customer wants to be written to there.
    #[serde(rename = "ContactGiven")]
    Given {
        /// A mail address, sealed for the customer.
        email: Personal,
        /// When.
        at: Instant,
    },
    /// The customer does not want to be written to any more.
    #[serde(rename = "ContactForgotten")]
    Forgotten {
        /// When.
        at: Instant,
    },
}

impl DomainEvent for ContactEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Given { .. } => "ContactGiven",
            Self::Forgotten { .. } => "ContactForgotten",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
