//! The compact list that a kiosk or a counter shows.

use super::{key, rental_of, status_after, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::rental::{RentalEvent, RentalStatus};
use domain::{CustomerId, Event, Instant, ItemId, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// A shop's rentals, as a kiosk or a counter lists them.
pub struct Reservations;

/// One rental, in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationEntry {
    /// Which rental.
    pub rental: RentalId,
    /// At which shop.
    pub store: StoreSlug,
    /// What.
    pub item: ItemId,
    /// Whose.
    pub customer: CustomerId,
    /// How many.
    pub quantity: u32,
    /// From when, for what comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    /// Where it stands.
    pub status: RentalStatus,
}

impl Projection for Reservations {
    const NAME: &'static str = "reservations.v1";
    const SUBSCRIPTION: &'static str = "view-reservations";
    const LISTED_BY_TAG: bool = true;
    type State = ReservationEntry;
    type Document = ReservationEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Rental(_) => Ok(key(rental_of(event, decoded)?)),
            Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<ReservationEntry> {
        let Event::Rental(RentalEvent::Requested { terms, .. }) = decoded else { return None };
        Some(ReservationEntry {
            rental: event.aggregate_id().parse().ok()?,
            store: terms.store.clone(),
            item: terms.item,
            customer: terms.customer.clone(),
            quantity: terms.quantity,
            from: terms.period.map(|period| period.from),
            to: terms.period.map(|period| period.to),
            status: RentalStatus::Requested,
        })
    }

    fn apply(entry: &mut ReservationEntry, _event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        match decoded {
            Event::Rental(event) => {
                entry.status = status_after(entry.status, event);
                match event {
                    RentalEvent::Extended { to, .. } => entry.to = Some(*to),
                    RentalEvent::Offered { period: Some(period), .. } => {
                        (entry.from, entry.to) = (Some(period.from), Some(period.to));
                    }
                    _ => {}
                }
                Ok(())
            }
            Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Err(unexpected(decoded)),
        }
    }

    fn row(entry: &ReservationEntry) -> Row<'_> {
        Row { owner: entry.store.as_str(), tag: entry.status.name() }
    }

    fn document(entry: ReservationEntry) -> ReservationEntry {
        entry
    }
}
