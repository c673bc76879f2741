//! What the shop does for one confirmed rental: `requested → prepared → handed over`, or `cancelled`.
//!
//! Whether a cancellation or a hand-over came first is decided here, in one stream, and nowhere else.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::Dispatch;
pub use command::DispatchCommand;
pub use error::DispatchError;
pub use event::DispatchEvent;

use serde::{Deserialize, Serialize};

/// Where a dispatch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchStatus {
    /// The shop knows.
    Requested,
    /// Ready.
    Prepared,
    /// With the customer.
    HandedOver,
    /// Not to be done.
    Cancelled,
}

impl DispatchStatus {
    /// The stored name: `handed_over`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Prepared => "prepared",
            Self::HandedOver => "handed_over",
            Self::Cancelled => "cancelled",
        }
    }
}
