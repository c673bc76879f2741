//! The shops.

use super::{store_of, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use chrono_tz::Tz;
use domain::store::StoreEvent;
use domain::{Currency, Event, Instant, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// The shops and whether they are open.
pub struct Stores;

/// One shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEntry {
    /// Its name in addresses.
    pub slug: StoreSlug,
    /// Its name on the sign.
    pub name: String,
    /// The name of its policy.
    pub policy: String,
    /// In which its days are counted.
    pub time_zone: Tz,
    /// In which its prices are.
    pub currency: Currency,
    /// Whether dispatches go on.
    pub open: bool,
    /// When it was founded.
    pub registered_at: Instant,
    /// Revision of the shop's stream.
    pub revision: u64,
}

impl Projection for Stores {
    const NAME: &'static str = "stores.v1";
    const SUBSCRIPTION: &'static str = "view-stores";
    type State = StoreEntry;
    type Document = StoreEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Store(_) => Ok(Some(Key::from(&store_of(event)?))),
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<StoreEntry> {
        let Event::Store(StoreEvent::Registered { slug, name, policy, time_zone, currency, at }) = decoded else {
            return None;
        };
        Some(StoreEntry {
            slug: slug.clone(),
            name: name.clone(),
            policy: policy.name.clone(),
            time_zone: *time_zone,
            currency: *currency,
            open: true,
            registered_at: *at,
            revision: event.revision,
        })
    }

    fn apply(entry: &mut StoreEntry, event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        let store = match decoded {
            Event::Store(store) => store,
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => return Err(unexpected(decoded)),
        };
        match store {
            StoreEvent::Registered { .. } => {}
            StoreEvent::Renamed { name, .. } => entry.name.clone_from(name),
            StoreEvent::PolicyAdopted { policy, .. } => entry.policy.clone_from(&policy.name),
            StoreEvent::Opened { .. } => entry.open = true,
            StoreEvent::Closed { .. } => entry.open = false,
        }
        entry.revision = event.revision;
        Ok(())
    }

    /// Shops belong to nobody: they are listed all together.
    fn row(_entry: &StoreEntry) -> Row<'_> {
        Row { owner: "", tag: "" }
    }

    fn document(entry: StoreEntry) -> StoreEntry {
        entry
    }
}
