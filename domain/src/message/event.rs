//! What happened to a message.

use super::Letter;
use crate::{Instant, RentalId};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a message. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageEvent {
    /// The customer is to be told.
    #[serde(rename = "MessageRecorded")]
    Recorded {
        /// Of which rental.
        rental: RentalId,
        /// What, to whom.
        letter: Letter,
        /// When.
        at: Instant,
    },
    /// It has gone out.
    #[serde(rename = "MessageSent")]
    Sent {
        /// Of which rental.
        rental: RentalId,
        /// The messenger's name for the delivery.
        reference: String,
        /// When.
        at: Instant,
    },
    /// It has not gone out this time.
    #[serde(rename = "MessageFailed")]
    Failed {
        /// Of which rental.
        rental: RentalId,
        /// The messenger's reason.
        reason: String,
        /// How often it has failed.
        failures: u32,
        /// Whether it would fail again, so that it is not tried again by itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        permanent: bool,
        /// When.
        at: Instant,
    },
    /// Somebody wants it to go out after all.
    #[serde(rename = "MessageRetried")]
    Retried {
        /// Of which rental.
        rental: RentalId,
        /// How often it had failed: none of that counts any more.
        failures: u32,
        /// When.
        at: Instant,
    },
}

impl MessageEvent {
    /// Of which rental it tells.
    #[must_use]
    pub const fn rental(&self) -> RentalId {
        match self {
            Self::Recorded { rental, .. }
            | Self::Sent { rental, .. }
            | Self::Failed { rental, .. }
            | Self::Retried { rental, .. } => *rental,
        }
    }
}

impl DomainEvent for MessageEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Recorded { .. } => "MessageRecorded",
            Self::Sent { .. } => "MessageSent",
            Self::Failed { .. } => "MessageFailed",
            Self::Retried { .. } => "MessageRetried",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
