//! Every event of a rental is one that the table of its life allows where it stands.

use super::{Fact, Past};
use domain::rental::{RentalEvent, RentalStatus};
use domain::{Event, RentalId};
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("../../../../domain/src/rental/life.txt");

pub(super) fn check(past: &Past) -> Vec<String> {
    let table: BTreeSet<&str> = TABLE.lines().collect();
    let mut stands: BTreeMap<RentalId, (Option<RentalStatus>, RentalStatus)> = BTreeMap::new();
    let mut faults = vec![];
    for Fact { stream, event_type, event } in past.facts {
        let Event::Rental(event) = event else { continue };
        let id = RentalId(stream.split_once('-').unwrap().1.parse().unwrap());
        let (before, reached) = stands.get(&id).copied().unwrap_or((None, RentalStatus::Requested));
        let after = super::status_after(event, before.unwrap_or(RentalStatus::Requested), reached);
        let step = format!("{} + {event_type} -> {after}", before.map_or("nothing", RentalStatus::name));
        if !table.contains(step.as_str()) {
            faults.push(format!("{id}: {step}"));
        }
        if before.is_none() && !matches!(event, RentalEvent::Requested { .. }) {
            faults.push(format!("{id} does not begin with its request"));
        }
        stands.insert(id, (Some(after), if after == RentalStatus::Cancelling { reached } else { after }));
    }
    faults
}
