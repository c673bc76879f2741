//! Exactly the open rentals of a business with a limit are counted, and never more than it allows.

use super::Past;
use domain::quota::QuotaEvent;
use domain::{Event, QuotaId, RentalId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(past: &Past) -> Vec<String> {
    let rentals = past.rentals();
    let mut counted: BTreeMap<&str, BTreeSet<RentalId>> = BTreeMap::new();
    let mut faults = vec![];
    for fact in past.facts {
        let Event::Quota(event) = &fact.event else { continue };
        let counted = counted.entry(&fact.stream).or_default();
        let changed = match event {
            QuotaEvent::Taken { rental, .. } => counted.insert(*rental),
            QuotaEvent::GivenBack { rental, .. } => counted.remove(rental),
        };
        if !changed {
            faults.push(format!("{} twice: {event:?}", fact.event_type));
        }
        let limit = rentals.get(&event.rental()).and_then(|told| told.terms.rules.quota);
        if matches!(event, QuotaEvent::Taken { .. }) && limit.is_none_or(|limit| counted.len() > limit as usize) {
            faults.push(format!("{} are counted of {limit:?}: {event:?}", counted.len()));
        }
    }
    let mut open: BTreeMap<String, BTreeSet<RentalId>> = BTreeMap::new();
    for (id, told) in rentals.iter().filter(|(_, told)| told.terms.rules.quota.is_some() && told.is_open()) {
        let quota = QuotaId { store: told.terms.store.clone(), customer: told.terms.customer.clone() };
        open.entry(format!("quota-{quota}")).or_default().insert(*id);
    }
    for quota in counted.keys().map(|quota| (*quota).to_owned()).chain(open.keys().cloned()).collect::<BTreeSet<_>>() {
        let (open, counted) = (open.remove(&quota).unwrap_or_default(), counted.remove(&*quota).unwrap_or_default());
        if open != counted {
            faults.push(format!("{quota} counts {counted:?}, and open are {open:?}"));
        }
    }
    faults
}
