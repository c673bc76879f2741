//! What an extension orders, and what may come back instead.

use domain::Money;
use domain::rental::ExtensionRefusal;

/// What the process orders, each for an extension by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Keep the stock for longer.
    ExtendStock(u32),
    /// Free the additional time.
    ReleaseExtension(u32),
    /// Take money for the additional time.
    RequestPayment(u32, Money),
    /// Give that money back.
    RefundPayment(u32, Money),
    /// Tell the customer that it stands.
    Extend(u32, Option<Money>),
    /// Tell the customer that it cannot be had.
    Refuse(u32, ExtensionRefusal),
}

/// Why something that was ordered was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The additional time cannot be had.
    Stock(ExtensionRefusal),
    /// The payment was not even requested.
    Payment,
    /// The rental takes this extension no more.
    Rental(String),
}
