//! What happened to a webhook.

use crate::{Instant, StoreSlug};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A fact about a webhook. The stored names are part of the journal for ever; its secret is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookEvent {
    /// A program is told of a store's rentals from now on.
    #[serde(rename = "WebhookRegistered")]
    Registered {
        /// Whose rentals.
        store: StoreSlug,
        /// Where the program is.
        url: String,
        /// Of which events, by their stored names; of all where none is named.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        events: BTreeSet<String>,
        /// When.
        at: Instant,
    },
    /// Nothing is sent for a while.
    #[serde(rename = "WebhookPaused")]
    Paused {
        /// When.
        at: Instant,
    },
    /// It is sent again, what was kept first.
    #[serde(rename = "WebhookResumed")]
    Resumed {
        /// When.
        at: Instant,
    },
    /// Its receiver wants no more.
    #[serde(rename = "WebhookStopped")]
    Stopped {
        /// When.
        at: Instant,
    },
    /// The store wants no more sent.
    #[serde(rename = "WebhookRemoved")]
    Removed {
        /// When.
        at: Instant,
    },
}

impl DomainEvent for WebhookEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Registered { .. } => "WebhookRegistered",
            Self::Paused { .. } => "WebhookPaused",
            Self::Resumed { .. } => "WebhookResumed",
            Self::Stopped { .. } => "WebhookStopped",
            Self::Removed { .. } => "WebhookRemoved",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
