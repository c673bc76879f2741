//! Where a store wants to be told of its rentals by a program of its own.
//!
//! `nothing → active ⇄ paused → stopped`, and removed from each: the receiver stops it by answering that it is gone. What is stopped or
//! removed does not come back; another webhook is registered instead, with a secret of its own.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::{Active, Webhook};
pub use command::WebhookCommand;
pub use error::WebhookError;
pub use event::WebhookEvent;

use serde::{Deserialize, Serialize};

/// Where a webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// Events are sent.
    Active,
    /// They are kept until it is resumed.
    Paused,
    /// Its receiver wants no more of them.
    Stopped,
    /// The store wants no more of them sent.
    Removed,
}

impl WebhookStatus {
    /// The stored name: `active`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Removed => "removed",
        }
    }
}
