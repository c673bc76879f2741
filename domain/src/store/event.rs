//! What happened to a shop.

use crate::policy::Policy;
use crate::{Currency, Instant, StoreSlug};
use chrono_tz::Tz;
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a shop. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StoreEvent {
    /// It was founded, and is open.
    #[serde(rename = "StoreRegistered")]
    Registered {
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
        at: Instant,
    },
    /// There is another name on the sign.
    #[serde(rename = "StoreRenamed")]
    Renamed {
        /// The new name.
        name: String,
        /// When.
        at: Instant,
    },
    /// New rentals follow another policy; those that stand keep theirs.
    #[serde(rename = "PolicyAdopted")]
    PolicyAdopted {
        /// The new policy.
        policy: Box<Policy>,
        /// When.
        at: Instant,
    },
    /// Dispatches go on.
    #[serde(rename = "StoreOpened")]
    Opened {
        /// When.
        at: Instant,
    },
    /// Dispatches wait.
    #[serde(rename = "StoreClosed")]
    Closed {
        /// When.
        at: Instant,
    },
}

impl DomainEvent for StoreEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Registered { .. } => "StoreRegistered",
            Self::Renamed { .. } => "StoreRenamed",
            Self::PolicyAdopted { .. } => "PolicyAdopted",
            Self::Opened { .. } => "StoreOpened",
            Self::Closed { .. } => "StoreClosed",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
