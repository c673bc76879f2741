//! What a customer is told of one change of a rental.
//!
//! `recorded → sent`, with any number of `failed` in between: a message that is recorded goes out some time, however long
//! whoever delivers it is away. What failed for good, or too often, stays `failed` until somebody wants it tried again. Its id follows from the event that it tells of and is the idempotency key of its delivery, so
//! that one event never makes two messages. What has gone out stays so.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;
mod text;

pub use aggregate::Message;
pub use command::MessageCommand;
pub use error::MessageError;
pub use event::MessageEvent;
pub use text::Particulars;

use crate::policy::Occasion;
use crate::rental::RentalEvent;
use crate::{CustomerId, Language, StoreSlug};
use serde::{Deserialize, Serialize};

/// What is said, to whom, on whose behalf and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// To whom.
    pub customer: CustomerId,
    /// On whose behalf.
    pub store: StoreSlug,
    /// Why.
    pub occasion: Occasion,
    /// In which language.
    pub language: Language,
    /// What is said.
    pub text: String,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It has not gone out yet.
    Recorded,
    /// It has.
    Sent,
    /// It did not go out the last time it was tried.
    Failed,
}

impl MessageStatus {
    /// The stored name: `recorded`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// What a customer may be told of because of an event.
#[must_use]
pub const fn occasion_of(event: &RentalEvent) -> Option<Occasion> {
    match event {
        RentalEvent::Requested { .. } => Some(Occasion::Requested),
        RentalEvent::Offered { .. } => Some(Occasion::Offered),
        RentalEvent::Confirmed { .. } => Some(Occasion::Confirmed),
        RentalEvent::Rejected { .. } => Some(Occasion::Rejected),
        RentalEvent::Expired { .. } => Some(Occasion::Expired),
        RentalEvent::Prepared { .. } => Some(Occasion::Prepared),
        RentalEvent::HandedOver { .. } => Some(Occasion::HandedOver),
        RentalEvent::Overdue { .. } => Some(Occasion::Overdue),
        RentalEvent::Returned { .. } => Some(Occasion::Returned),
        RentalEvent::Completed { .. } => Some(Occasion::Completed),
        RentalEvent::CancellationRequested { .. } => Some(Occasion::Cancelling),
        RentalEvent::CancellationRefused { .. } => Some(Occasion::CancellationRefused),
        RentalEvent::Cancelled { .. } => Some(Occasion::Cancelled),
        RentalEvent::Extended { .. } => Some(Occasion::Extended),
        RentalEvent::ExtensionRefused { .. } => Some(Occasion::ExtensionRefused),
        // Done by the customer, who need not be told; or told of when money moves.
        RentalEvent::Accepted { .. }
        | RentalEvent::ExtensionRequested { .. }
        | RentalEvent::LateFeeDeclined { .. }
        | RentalEvent::LateFeeDemanded { .. }
        | RentalEvent::LateFeeWaived { .. }
        | RentalEvent::ReviewWritten { .. }
        | RentalEvent::ReviewEdited { .. }
        | RentalEvent::ReviewDeleted { .. } => None,
    }
}
