//! Whether events are sent, and where to.

use super::{WebhookCommand, WebhookError, WebhookEvent, WebhookStatus};
use crate::StoreSlug;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const MOST_URL_BYTES: usize = 2_048;
const MOST_EVENTS: usize = 64;

/// A program that a store wants to be told by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Webhook {
    /// Nobody is told.
    #[default]
    NotRegistered,
    /// Somebody is.
    Active(Active),
    /// The store wants nothing sent for a while. It is kept until then.
    Paused(Active),
    /// The receiver has wanted no more.
    Stopped(Active),
    /// The store has wanted no more sent.
    Removed(Active),
}

/// What was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Whose rentals.
    pub store: StoreSlug,
    /// Where the program is.
    pub url: String,
    /// Of which events; of all where none is named.
    pub events: BTreeSet<String>,
}

impl Webhook {
    /// Where it stands; `None` when there is no such webhook.
    #[must_use]
    pub const fn status(&self) -> Option<WebhookStatus> {
        match self {
            Self::NotRegistered => None,
            Self::Active(_) => Some(WebhookStatus::Active),
            Self::Paused(_) => Some(WebhookStatus::Paused),
            Self::Stopped(_) => Some(WebhookStatus::Stopped),
            Self::Removed(_) => Some(WebhookStatus::Removed),
        }
    }

    /// What was registered; `None` when there is no such webhook.
    #[must_use]
    pub const fn registered(&self) -> Option<&Active> {
        match self {
            Self::NotRegistered => None,
            Self::Active(it) | Self::Paused(it) | Self::Stopped(it) | Self::Removed(it) => Some(it),
        }
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When there is no such webhook, another one has its id, or it has ended.
    pub fn decide(&self, command: WebhookCommand) -> Result<Vec<WebhookEvent>, WebhookError> {
        use {WebhookCommand as Cmd, WebhookError as Refused, WebhookEvent as Evt};
        match (self, command) {
            (Self::NotRegistered, Cmd::Register { url, .. }) if !(1..=MOST_URL_BYTES).contains(&url.len()) => {
                Err(Refused::DoesNotFit { field: "url", why: "1 to 2048 bytes" })
            }
            (Self::NotRegistered, Cmd::Register { events, .. }) if events.len() > MOST_EVENTS => {
                Err(Refused::DoesNotFit { field: "events", why: "at most 64" })
            }
            (Self::NotRegistered, Cmd::Register { store, url, events, now }) => {
                Ok(vec![Evt::Registered { store, url, events, at: now }])
            }
            (Self::NotRegistered, _) => Err(Refused::NotRegistered),
            (
                Self::Active(it) | Self::Paused(it) | Self::Stopped(it) | Self::Removed(it),
                Cmd::Register { store, url, events, .. },
            ) => {
                if *it == (Active { store, url, events }) {
                    Ok(vec![])
                } else {
                    Err(Refused::AnotherWebhook)
                }
            }
            (Self::Active(_), Cmd::Pause { now }) => Ok(vec![Evt::Paused { at: now }]),
            (Self::Paused(_), Cmd::Resume { now }) => Ok(vec![Evt::Resumed { at: now }]),
            (Self::Active(_) | Self::Paused(_), Cmd::Stop { now }) => Ok(vec![Evt::Stopped { at: now }]),
            (Self::Active(_) | Self::Paused(_) | Self::Stopped(_), Cmd::Remove { now }) => {
                Ok(vec![Evt::Removed { at: now }])
            }
            (Self::Paused(_), Cmd::Pause { .. })
            | (Self::Active(_), Cmd::Resume { .. })
            | (Self::Stopped(_) | Self::Removed(_), Cmd::Stop { .. })
            | (Self::Removed(_), Cmd::Remove { .. }) => Ok(vec![]),
            (Self::Stopped(_) | Self::Removed(_), Cmd::Pause { .. } | Cmd::Resume { .. }) => Err(Refused::Ended),
        }
    }

    fn fold(&mut self, event: WebhookEvent) {
        let (registered, has_ended) = match std::mem::take(self) {
            Self::NotRegistered => (None, false),
            Self::Active(it) | Self::Paused(it) => (Some(it), false),
            Self::Stopped(it) => (Some(it), true),
            Self::Removed(it) => return *self = Self::Removed(it),
        };
        *self = match (event, registered) {
            (WebhookEvent::Registered { store, url, events, .. }, _) => Self::Active(Active { store, url, events }),
            // Never written: every other order to a webhook that was not registered is refused.
            (_, None) => Self::NotRegistered,
            (WebhookEvent::Removed { .. }, Some(it)) => Self::Removed(it),
            (WebhookEvent::Stopped { .. }, Some(it)) => Self::Stopped(it),
            (_, Some(it)) if has_ended => Self::Stopped(it),
            (WebhookEvent::Paused { .. }, Some(it)) => Self::Paused(it),
            (WebhookEvent::Resumed { .. }, Some(it)) => Self::Active(it),
        };
    }
}

crate::aggregate::aggregate!(Webhook, "webhook", WebhookCommand => WebhookEvent | WebhookError);
