//! What happened to a dispatch.

use crate::policy::Step;
use crate::{CustomerId, Instant, ItemId, Period, StoreSlug};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a dispatch. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DispatchEvent {
    /// The shop knows.
    #[serde(rename = "DispatchRequested")]
    Requested {
        /// Which shop.
        store: StoreSlug,
        /// For whom.
        customer: CustomerId,
        /// What.
        item: ItemId,
        /// How many.
        quantity: u32,
        /// From when to when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        period: Option<Period>,
        /// What there is to do.
        steps: Vec<Step>,
        /// When.
        at: Instant,
    },
    /// Ready.
    #[serde(rename = "DispatchPrepared")]
    Prepared {
        /// When.
        at: Instant,
    },
    /// With the customer.
    #[serde(rename = "DispatchHandedOver")]
    HandedOver {
        /// When.
        at: Instant,
    },
    /// Not to be done.
    #[serde(rename = "DispatchCancelled")]
    Cancelled {
        /// When.
        at: Instant,
    },
}

impl DomainEvent for DispatchEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Requested { .. } => "DispatchRequested",
            Self::Prepared { .. } => "DispatchPrepared",
            Self::HandedOver { .. } => "DispatchHandedOver",
            Self::Cancelled { .. } => "DispatchCancelled",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
