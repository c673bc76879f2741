//! What a reservation orders, and what may come back instead.

use domain::inventory::ReleaseReason;
use domain::rental::RejectReason;
use domain::{Instant, ItemId, Money, Period};

/// What the process orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Count the rental against the customer's quota.
    TakeQuota,
    /// The rental does not count any more.
    GiveBackQuota,
    /// Keep stock for it.
    HoldStock,
    /// Tell the customer that the turn has come.
    Offer {
        /// From when to when it can be had, where it comes back.
        period: Option<Period>,
        /// Until when it can be accepted.
        until: Instant,
    },
    /// Nobody has come for it.
    CancelUnfetched,
    /// Keep the stock for good.
    CommitStock(ItemId),
    /// Free the stock.
    ReleaseStock(ItemId, ReleaseReason),
    /// The stock has left the shop; whoever handed it over has said so.
    HandOutStock(ItemId),
    /// The stock should be back.
    MarkStockOverdue(ItemId),
    /// The stock is back.
    ReturnStock(ItemId),
    /// Take money.
    RequestPayment(Money),
    /// Take money for being late, in an attempt of that number.
    RequestLateFee(u32, Money),
    /// Give money back.
    RefundPayment(Money),
    /// Give money back that was paid for an extension.
    RefundExtension(u32, Money),
    /// Give money back that was taken for being late in an attempt.
    RefundLateFee(u32, Money),
    /// The shop need not do anything.
    CancelDispatch,
    /// Tell the customer that it stands.
    Confirm(Money),
    /// Tell the customer that it cannot be had.
    Reject(RejectReason),
    /// Tell the customer that time has run out.
    Expire,
    /// Tell the customer that it is late.
    MarkOverdue,
    /// Tell the customer that the fee for being late is owed.
    OweLateFee {
        /// In which attempt it was declined.
        attempt: u32,
        /// Why.
        code: String,
    },
    /// Tell the customer that nothing is owed.
    Complete,
    /// Tell the customer that it was handed over before the cancellation got there.
    RefuseCancellation,
    /// Tell the customer that everything is undone.
    Cancel {
        /// What went back to them.
        refunded: Option<Money>,
    },
}

/// Why something that was ordered was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The customer has as many open rentals as may be.
    QuotaExceeded {
        /// The limit.
        limit: u32,
    },
    /// The stock cannot be had.
    StockRefused(RejectReason),
    /// The payment was not even requested.
    PaymentRefused,
    /// Nothing was freed or taken back: nothing is held.
    NothingHeld,
    /// The customer has it.
    HandedOver,
}
