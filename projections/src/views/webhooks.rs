//! Where stores are told of their rentals.

use super::{unexpected, webhook_of};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::webhook::{WebhookEvent, WebhookStatus};
use domain::{Event, Instant, StoreSlug, WebhookId};
use journal::Recorded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Stores' webhooks and whether they are active.
pub struct Webhooks;

/// One webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEntry {
    /// Which webhook.
    pub id: WebhookId,
    /// Whose rentals.
    pub store: StoreSlug,
    /// Where the program is.
    pub url: String,
    /// Of which events it is told; of all where none is named.
    pub events: BTreeSet<String>,
    /// Where it stands.
    pub status: WebhookStatus,
    /// When it was registered.
    pub registered_at: Instant,
    /// When it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
}

impl Projection for Webhooks {
    const NAME: &'static str = "webhooks.v1";
    const SUBSCRIPTION: &'static str = "view-webhooks";
    const LISTED_BY_TAG: bool = true;
    type State = WebhookEntry;
    type Document = WebhookEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Webhook(_) => Ok(Some(webhook_of(event)?.0.into())),
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<WebhookEntry> {
        let Event::Webhook(WebhookEvent::Registered { store, url, events, at }) = decoded else { return None };
        Some(WebhookEntry {
            id: webhook_of(event).ok()?,
            store: store.clone(),
            url: url.clone(),
            events: events.clone(),
            status: WebhookStatus::Active,
            registered_at: *at,
            ended_at: None,
        })
    }

    fn apply(entry: &mut WebhookEntry, _event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        let webhook = match decoded {
            Event::Webhook(webhook) => webhook,
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Foreign => return Err(unexpected(decoded)),
        };
        match webhook {
            WebhookEvent::Registered { .. } => {}
            WebhookEvent::Paused { .. } => entry.status = WebhookStatus::Paused,
            WebhookEvent::Resumed { .. } => entry.status = WebhookStatus::Active,
            WebhookEvent::Stopped { at } => (entry.status, entry.ended_at) = (WebhookStatus::Stopped, Some(*at)),
            WebhookEvent::Removed { at } => (entry.status, entry.ended_at) = (WebhookStatus::Removed, Some(*at)),
        }
        Ok(())
    }

    fn row(entry: &WebhookEntry) -> Row<'_> {
        Row { owner: entry.store.as_str(), tag: entry.status.name() }
    }

    fn document(entry: WebhookEntry) -> WebhookEntry {
        entry
    }
}
