//! A shop's work queue.

use super::{key, rental_of, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::dispatch::{DispatchEvent, DispatchStatus};
use domain::policy::Step;
use domain::{CustomerId, Event, Instant, ItemId, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// A shop's work queue: what it has to do for each confirmed rental.
pub struct Dispatches;

/// What a shop has to do for one rental.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchEntry {
    /// For which rental.
    pub rental: RentalId,
    /// Which shop.
    pub store: StoreSlug,
    /// What.
    pub item: ItemId,
    /// For whom.
    pub customer: CustomerId,
    /// How many.
    pub quantity: u32,
    /// From when, for what comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    /// What there is to do, in order.
    pub steps: Vec<Step>,
    /// How far it is.
    pub status: DispatchStatus,
    /// When the shop was asked.
    pub requested_at: Instant,
    /// When its status was recorded.
    pub changed_at: Instant,
}

impl Projection for Dispatches {
    const NAME: &'static str = "dispatches.v1";
    const SUBSCRIPTION: &'static str = "view-dispatches";
    const LISTED_BY_TAG: bool = true;
    type State = DispatchEntry;
    type Document = DispatchEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            // The cancellation got there before the request: the shop never hears of it.
            Event::Dispatch(DispatchEvent::Cancelled { .. }) if event.revision == 1 => Ok(None),
            Event::Dispatch(_) => Ok(key(rental_of(event, decoded)?)),
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<DispatchEntry> {
        let Event::Dispatch(DispatchEvent::Requested { store, customer, item, quantity, period, steps, at }) = decoded
        else {
            return None;
        };
        Some(DispatchEntry {
            rental: event.aggregate_id().parse().ok()?,
            store: store.clone(),
            item: *item,
            customer: customer.clone(),
            quantity: *quantity,
            from: period.map(|period| period.from),
            to: period.map(|period| period.to),
            steps: steps.clone(),
            status: DispatchStatus::Requested,
            requested_at: *at,
            changed_at: event.recorded_at,
        })
    }

    fn apply(entry: &mut DispatchEntry, event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        entry.status = match decoded {
            Event::Dispatch(dispatch) => match dispatch {
                DispatchEvent::Requested { .. } => DispatchStatus::Requested,
                DispatchEvent::Prepared { .. } => DispatchStatus::Prepared,
                DispatchEvent::HandedOver { .. } => DispatchStatus::HandedOver,
                DispatchEvent::Cancelled { .. } => DispatchStatus::Cancelled,
            },
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => return Err(unexpected(decoded)),
        };
        entry.changed_at = event.recorded_at;
        Ok(())
    }

    fn row(entry: &DispatchEntry) -> Row<'_> {
        Row { owner: entry.store.as_str(), tag: entry.status.name() }
    }

    fn document(entry: DispatchEntry) -> DispatchEntry {
        entry
    }
}
