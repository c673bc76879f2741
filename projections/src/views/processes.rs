//! One rental's story across all streams.

use super::{key, rental_of};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::rental::RentalEvent;
use domain::{CustomerId, Event, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// One rental's story: where in the journal its events are, whatever stream they belong to.
pub struct Processes;

/// Where the events of one rental are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessEntry {
    /// Which rental.
    pub rental: RentalId,
    /// Whose.
    pub customer: CustomerId,
    /// At which shop.
    pub store: StoreSlug,
    /// The conversations that its events belong to, each once, in the order in which they came up.
    pub correlation_ids: Vec<String>,
    /// Journal positions of all its events, in order.
    pub positions: Vec<u64>,
}

impl Projection for Processes {
    const NAME: &'static str = "processes.v1";
    const SUBSCRIPTION: &'static str = "view-processes";
    type State = ProcessEntry;
    type Document = ProcessEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        Ok(key(rental_of(event, decoded)?))
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<ProcessEntry> {
        let Event::Rental(RentalEvent::Requested { terms, .. }) = decoded else { return None };
        Some(ProcessEntry {
            rental: event.aggregate_id().parse().ok()?,
            customer: terms.customer.clone(),
            store: terms.store.clone(),
            correlation_ids: Vec::new(),
            positions: Vec::new(),
        })
    }

    fn apply(entry: &mut ProcessEntry, event: &Recorded, _decoded: &Event) -> Result<(), Indigestible> {
        entry.positions.push(event.position);
        if !entry.correlation_ids.iter().any(|known| **known == *event.correlation_id) {
            entry.correlation_ids.push(event.correlation_id.as_ref().to_owned());
        }
        Ok(())
    }

    fn row(entry: &ProcessEntry) -> Row<'_> {
        Row { owner: entry.customer.as_str(), tag: "" }
    }

    fn document(entry: ProcessEntry) -> ProcessEntry {
        entry
    }
}
