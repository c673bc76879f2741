//! What happened to a rental.

use super::{CancelledBy, ExtensionRefusal, RejectReason, Terms};
use crate::{CustomerId, Instant, ItemId, Money, Period, Personal};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

/// A fact about a rental. The stored names are part of the journal for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RentalEvent {
    /// A customer asked for it, under these terms.
    #[serde(rename = "RentalRequested")]
    Requested {
        /// What was asked for, and by which rules.
        terms: Box<Terms>,
        /// When.
        at: Instant,
    },
    /// Its turn in the line has come: what it waited for is held.
    #[serde(rename = "RentalOffered")]
    Offered {
        /// From when to when it can be had, where it comes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        period: Option<Period>,
        /// Until when it can be accepted.
        until: Instant,
        /// When.
        at: Instant,
    },
    /// The customer takes what was offered.
    #[serde(rename = "RentalAccepted")]
    Accepted {
        /// Until when it is held for the payment.
        pay_by: Instant,
        /// When.
        at: Instant,
    },
    /// It stands: stock and money are certain.
    #[serde(rename = "RentalConfirmed")]
    Confirmed {
        /// What the customer pays in all.
        total: Money,
        /// When.
        at: Instant,
    },
    /// It could not be had; nothing is held and nothing is owed.
    #[serde(rename = "RentalRejected")]
    Rejected {
        /// Why.
        reason: RejectReason,
        /// When.
        at: Instant,
    },
    /// It was not paid in time; nothing is held and nothing is owed.
    #[serde(rename = "RentalExpired")]
    Expired {
        /// When.
        at: Instant,
    },
    /// The shop has it ready.
    #[serde(rename = "RentalPrepared")]
    Prepared {
        /// When.
        at: Instant,
    },
    /// The customer has it.
    #[serde(rename = "RentalHandedOver")]
    HandedOver {
        /// When.
        at: Instant,
    },
    /// It should be back and is not.
    #[serde(rename = "RentalOverdue")]
    Overdue {
        /// When this was noticed.
        at: Instant,
    },
    /// It is back.
    #[serde(rename = "RentalReturned")]
    Returned {
        /// Started days after the end of the period; 0 is in time.
        days_late: u32,
        /// What being late costs; absent when nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late_fee: Option<Money>,
        /// When.
        at: Instant,
    },
    /// The customer wants to keep it longer; whether that can be is being decided.
    #[serde(rename = "ExtensionRequested")]
    ExtensionRequested {
        /// Which extension of the rental, from 1.
        number: u32,
        /// Until when.
        to: Instant,
        /// Until when it has to be paid; absent where nothing is ever paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pay_by: Option<Instant>,
        /// When.
        at: Instant,
    },
    /// The customer may keep it longer: stock and money are certain.
    #[serde(rename = "RentalExtended")]
    Extended {
        /// Which extension of the rental.
        number: u32,
        /// Until when.
        to: Instant,
        /// What it costs in addition; absent when nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extra: Option<Money>,
        /// What the customer pays in all from now on, fees apart.
        total: Money,
        /// When.
        at: Instant,
    },
    /// The customer may not keep it longer; of the extension nothing is held and nothing is owed.
    #[serde(rename = "ExtensionRefused")]
    ExtensionRefused {
        /// Which extension of the rental.
        number: u32,
        /// Why.
        reason: ExtensionRefusal,
        /// When.
        at: Instant,
    },
    /// The fee for being late could not be charged: it stays owed.
    #[serde(rename = "LateFeeDeclined")]
    LateFeeDeclined {
        /// In which attempt, from 1.
        attempt: u32,
        /// The provider's reason.
        code: String,
        /// When.
        at: Instant,
    },
    /// The fee for being late is to be charged again, in another way.
    #[serde(rename = "LateFeeDemanded")]
    LateFeeDemanded {
        /// Which attempt it is.
        attempt: u32,
        /// The payment provider's token for how to pay.
        method: String,
        /// When.
        at: Instant,
    },
    /// The shop does without the fee for being late.
    #[serde(rename = "LateFeeWaived")]
    LateFeeWaived {
        /// When.
        at: Instant,
    },
    /// The end: handed over for good, or back with nothing owed.
    #[serde(rename = "RentalCompleted")]
    Completed {
        /// When.
        at: Instant,
    },
    /// Somebody wants out; the compensations begin.
    #[serde(rename = "RentalCancellationRequested")]
    CancellationRequested {
        /// Who.
        by: CancelledBy,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal>,
        /// What is kept of the price; absent when nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fee: Option<Money>,
        /// When.
        at: Instant,
    },
    /// The cancellation came after the hand-over; the rental goes on.
    #[serde(rename = "RentalCancellationRefused")]
    CancellationRefused {
        /// When.
        at: Instant,
    },
    /// The end: every compensation is recorded.
    #[serde(rename = "RentalCancelled")]
    Cancelled {
        /// What the customer got back; absent when nothing had been paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refunded: Option<Money>,
        /// When.
        at: Instant,
    },
    /// The customer has said how it was.
    #[serde(rename = "ReviewWritten")]
    ReviewWritten {
        /// Of which item.
        item: ItemId,
        /// Who; under their key the text is sealed.
        customer: CustomerId,
        /// Which review of this rental it is, from 1: another one may be written when one was deleted.
        number: u32,
        /// 1 to 5.
        stars: u8,
        /// In their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Personal>,
        /// When.
        at: Instant,
    },
    /// The customer says something else about it.
    #[serde(rename = "ReviewEdited")]
    ReviewEdited {
        /// Of which item.
        item: ItemId,
        /// Which review of this rental.
        number: u32,
        /// 1 to 5.
        stars: u8,
        /// How many stars it had.
        before: u8,
        /// In their words; what was said before is replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Personal>,
        /// When.
        at: Instant,
    },
    /// The customer has taken back what they said.
    #[serde(rename = "ReviewDeleted")]
    ReviewDeleted {
        /// Of which item.
        item: ItemId,
        /// Which review of this rental.
        number: u32,
        /// How many stars it had.
        stars: u8,
        /// When.
        at: Instant,
    },
}

impl RentalEvent {
    /// Every stored name.
    pub const NAMES: &[&str] = &[
        "RentalRequested",
        "RentalOffered",
        "RentalAccepted",
        "RentalConfirmed",
        "RentalRejected",
        "RentalExpired",
        "RentalPrepared",
        "RentalHandedOver",
        "RentalOverdue",
        "RentalReturned",
        "ExtensionRequested",
        "RentalExtended",
        "ExtensionRefused",
        "LateFeeDeclined",
        "LateFeeDemanded",
        "LateFeeWaived",
        "RentalCompleted",
        "RentalCancellationRequested",
        "RentalCancellationRefused",
        "RentalCancelled",
        "ReviewWritten",
        "ReviewEdited",
        "ReviewDeleted",
    ];

    /// Which review of the rental it is about, if it is about one.
    #[must_use]
    pub const fn review_number(&self) -> Option<u32> {
        match self {
            Self::ReviewWritten { number, .. }
            | Self::ReviewEdited { number, .. }
            | Self::ReviewDeleted { number, .. } => Some(*number),
            Self::Requested { .. }
            | Self::Offered { .. }
            | Self::Accepted { .. }
            | Self::Confirmed { .. }
            | Self::Rejected { .. }
            | Self::Expired { .. }
            | Self::Prepared { .. }
            | Self::HandedOver { .. }
            | Self::Overdue { .. }
            | Self::Returned { .. }
            | Self::Completed { .. }
            | Self::CancellationRequested { .. }
            | Self::ExtensionRequested { .. }
            | Self::Extended { .. }
            | Self::ExtensionRefused { .. }
            | Self::LateFeeDeclined { .. }
            | Self::LateFeeDemanded { .. }
            | Self::LateFeeWaived { .. }
            | Self::CancellationRefused { .. }
            | Self::Cancelled { .. } => None,
        }
    }
}

impl DomainEvent for RentalEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Requested { .. } => "RentalRequested",
            Self::Offered { .. } => "RentalOffered",
            Self::Accepted { .. } => "RentalAccepted",
            Self::Confirmed { .. } => "RentalConfirmed",
            Self::Rejected { .. } => "RentalRejected",
            Self::Expired { .. } => "RentalExpired",
            Self::Prepared { .. } => "RentalPrepared",
            Self::HandedOver { .. } => "RentalHandedOver",
            Self::Overdue { .. } => "RentalOverdue",
            Self::Returned { .. } => "RentalReturned",
            Self::ExtensionRequested { .. } => "ExtensionRequested",
            Self::Extended { .. } => "RentalExtended",
            Self::ExtensionRefused { .. } => "ExtensionRefused",
            Self::LateFeeDeclined { .. } => "LateFeeDeclined",
            Self::LateFeeDemanded { .. } => "LateFeeDemanded",
            Self::LateFeeWaived { .. } => "LateFeeWaived",
            Self::Completed { .. } => "RentalCompleted",
            Self::CancellationRequested { .. } => "RentalCancellationRequested",
            Self::CancellationRefused { .. } => "RentalCancellationRefused",
            Self::Cancelled { .. } => "RentalCancelled",
            Self::ReviewWritten { .. } => "ReviewWritten",
            Self::ReviewEdited { .. } => "ReviewEdited",
            Self::ReviewDeleted { .. } => "ReviewDeleted",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
