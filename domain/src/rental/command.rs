//! What can be asked of a rental.

use super::{CancelledBy, ExtensionRefusal, RejectReason, Terms};
use crate::{Instant, Money, Period, Personal};

/// An order to a rental. `now` is when the order was given.
#[derive(Debug, Clone, PartialEq)]
pub enum RentalCommand {
    /// A customer asks for it.
    Request {
        /// What was asked for, and by which rules.
        terms: Box<Terms>,
        /// When.
        now: Instant,
    },
    /// Its turn has come: what it waited for is held.
    Offer {
        /// From when to when it can be had, where it comes back.
        period: Option<Period>,
        /// Until when it can be accepted.
        until: Instant,
        /// When.
        now: Instant,
    },
    /// The customer takes what was offered.
    Accept {
        /// When.
        now: Instant,
    },
    /// The customer does not take what was offered.
    Decline {
        /// When.
        now: Instant,
    },
    /// Stock and money are certain.
    Confirm {
        /// What the customer pays in all.
        total: Money,
        /// When.
        now: Instant,
    },
    /// It cannot be had.
    Reject {
        /// Why.
        reason: RejectReason,
        /// When.
        now: Instant,
    },
    /// It was not paid before the hold's deadline.
    Expire {
        /// When.
        now: Instant,
    },
    /// The shop has it ready.
    MarkPrepared {
        /// When.
        now: Instant,
    },
    /// The shop has given it to the customer.
    MarkHandedOver {
        /// When.
        now: Instant,
    },
    /// It should be back by now.
    MarkOverdue {
        /// When.
        now: Instant,
    },
    /// It is back.
    Return {
        /// When.
        now: Instant,
    },
    /// It is back, counted in, and nothing is owed.
    Complete {
        /// When.
        now: Instant,
    },
    /// The customer wants to keep it longer.
    RequestExtension {
        /// Until when.
        to: Instant,
        /// When.
        now: Instant,
    },
    /// Stock and money for an extension are certain.
    Extend {
        /// Which extension.
        number: u32,
        /// What it costs in addition; `None` for nothing.
        extra: Option<Money>,
        /// When.
        now: Instant,
    },
    /// An extension cannot be had.
    RefuseExtension {
        /// Which extension.
        number: u32,
        /// Why.
        reason: ExtensionRefusal,
        /// When.
        now: Instant,
    },
    /// The fee for being late could not be charged.
    OweLateFee {
        /// In which attempt.
        attempt: u32,
        /// The provider's reason.
        code: String,
        /// When.
        now: Instant,
    },
    /// The customer pays the fee for being late in another way.
    PayLateFee {
        /// The payment provider's token for how.
        method: String,
        /// When.
        now: Instant,
    },
    /// The shop does without the fee for being late.
    WaiveLateFee {
        /// When.
        now: Instant,
    },
    /// The customer or the shop wants out.
    RequestCancellation {
        /// Who.
        by: CancelledBy,
        /// Why, in their words.
        reason: Option<Personal>,
        /// When.
        now: Instant,
    },
    /// It was handed over before the cancellation got there.
    RefuseCancellation {
        /// When.
        now: Instant,
    },
    /// Every compensation is recorded.
    Cancel {
        /// What the customer got back.
        refunded: Option<Money>,
        /// When.
        now: Instant,
    },
    /// The customer says how it was.
    WriteReview {
        /// 1 to 5.
        stars: u8,
        /// In their words.
        text: Option<Personal>,
        /// When.
        now: Instant,
    },
    /// The customer says something else about it.
    EditReview {
        /// 1 to 5.
        stars: u8,
        /// In their words; what was said before is replaced.
        text: Option<Personal>,
        /// When.
        now: Instant,
    },
    /// The customer takes back what they said.
    DeleteReview {
        /// When.
        now: Instant,
    },
}
