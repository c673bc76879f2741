//! What happened to a quota.

use crate::{Instant, RentalId};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a quota. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuotaEvent {
    /// One more rental is open.
    #[serde(rename = "QuotaTaken")]
    Taken {
        /// Which.
        rental: RentalId,
        /// When.
        at: Instant,
    },
    /// One rental has ended.
    #[serde(rename = "QuotaGivenBack")]
    GivenBack {
        /// Which.
        rental: RentalId,
        /// When.
        at: Instant,
    },
}

impl QuotaEvent {
    /// Which rental it is about.
    #[must_use]
    pub const fn rental(&self) -> RentalId {
        match self {
            Self::Taken { rental, .. } | Self::GivenBack { rental, .. } => *rental,
        }
    }
}

impl DomainEvent for QuotaEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Taken { .. } => "QuotaTaken",
            Self::GivenBack { .. } => "QuotaGivenBack",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
