//! Nothing waits but for people; nobody has anything that they should not, or lacks what they should have.

use super::stock::Shelf;
use super::{Fact, Paid, Past, Told};
use chrono::TimeDelta;
use domain::dispatch::DispatchEvent;
use domain::payment::PaymentEvent;
use domain::policy::{Action, By};
use domain::rental::{RentalEvent, RentalStatus};
use domain::{Event, Instant, RentalId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(past: &Past) -> Vec<String> {
    unsettled(past.facts, past.now)
}

/// What has not come to rest: it waits for something that will not come, or for something that has not come yet.
pub fn unsettled(facts: &[Fact], now: Instant) -> Vec<String> {
    let books = BTreeMap::new();
    let past = Past { facts, books: &books, now };
    let shelves = shelves(&past);
    let dispatched: BTreeSet<RentalId> = facts
        .iter()
        .filter(|fact| matches!(fact.event, Event::Dispatch(DispatchEvent::Requested { .. })))
        .map(|fact| RentalId(fact.id()))
        .collect();
    let mut faults = vec![];
    for (id, told) in past.rentals() {
        let status = told.status();
        let mut complain = |what: &str| faults.push(format!("{id}, {status}: {what}"));
        if let Some(what) = told.waits_in_vain(now, shelves.iter().any(|shelf| shelf.has_in_line(id))) {
            complain(what);
        }
        let holds: Vec<_> = shelves.iter().filter_map(|shelf| shelf.holds.get(&id)).collect();
        let right = match (told.needs_stock(), holds.as_slice()) {
            (false, []) => true,
            (true, [hold]) => hold.committed && hold.overdue == (status == RentalStatus::Overdue),
            (_, _) => false,
        };
        if !right {
            complain(&format!("its stock is not right: {holds:?}"));
        }
        if status != RentalStatus::Requested && shelves.iter().any(|shelf| shelf.has_in_line(id)) {
            complain("it stands in line");
        }
        if told.is_being_extended() {
            complain("nobody decides about its extension");
        }
        if told.is_for_the_shop() && !dispatched.contains(&id) {
            complain("the shop does not know of it");
        }
        for paid in &told.payments {
            if !paid.is_settled() {
                complain(&format!("payment {} is still under way", paid.id));
            }
        }
    }
    let waits = |shelf: &&Shelf| shelf.keeps_waiting_for_nothing();
    faults.extend(shelves.iter().filter(waits).map(|shelf| format!("nobody is served: {shelf:?}")));
    faults
}

fn shelves(past: &Past) -> Vec<Shelf> {
    let mut shelves = vec![];
    for events in past.items().into_values() {
        let mut shelf = Shelf::default();
        for event in events {
            // What is wrong with it is another check's.
            let _ = shelf.take(event);
        }
        shelves.push(shelf);
    }
    shelves
}

impl Shelf {
    fn has_in_line(&self, rental: RentalId) -> bool {
        self.line.iter().any(|(waiting, _)| *waiting == rental)
    }

    /// Nobody has any of it, and the first in line does not get it.
    fn keeps_waiting_for_nothing(&self) -> bool {
        let enough = |(_, quantity): &(RentalId, i64)| self.units.is_none_or(|units| *quantity <= units);
        self.holds.is_empty() && !self.retired && self.line.front().is_some_and(enough)
    }
}

impl Paid<'_> {
    fn is_settled(&self) -> bool {
        match self.events.last() {
            Some(PaymentEvent::Approved { .. } | PaymentEvent::Declined { .. } | PaymentEvent::Refunded { .. }) => true,
            Some(
                PaymentEvent::Requested { .. }
                | PaymentEvent::Unknown { .. }
                | PaymentEvent::RefundRequested { .. }
                | PaymentEvent::RefundFailed { .. },
            )
            | None => false,
        }
    }
}

impl Told<'_> {
    /// For what it waits although nobody will do that.
    fn waits_in_vain(&self, now: Instant, in_line: bool) -> Option<&'static str> {
        let engine = |action| self.terms.rules.steps.iter().any(|step| step.action == action && step.by == By::Engine);
        match self.status() {
            RentalStatus::Requested if in_line => None,
            RentalStatus::Requested => Some("nobody has answered"),
            RentalStatus::Cancelling => Some("the cancellation does not end"),
            RentalStatus::Confirmed | RentalStatus::Prepared if self.should_have_been_fetched(now) => {
                Some("nobody has fetched it")
            }
            RentalStatus::Confirmed if engine(Action::Prepare) => Some("the engine does not prepare it"),
            RentalStatus::Confirmed if !self.is_prepared_first() && engine(Action::HandOver) => {
                Some("the engine does not hand it over")
            }
            RentalStatus::Prepared if engine(Action::HandOver) => Some("the engine does not hand it over"),
            RentalStatus::HandedOver if self.period().is_some_and(|period| period.to <= now) => {
                Some("nobody has noticed that it is late")
            }
            RentalStatus::Returned if !self.owes_a_late_fee() => Some("it is not completed"),
            RentalStatus::Confirmed
            | RentalStatus::Prepared
            | RentalStatus::HandedOver
            | RentalStatus::Overdue
            | RentalStatus::Returned
            | RentalStatus::Completed
            | RentalStatus::Cancelled
            | RentalStatus::Rejected
            | RentalStatus::Expired => None,
        }
    }

    fn should_have_been_fetched(&self, now: Instant) -> bool {
        let confirmed = self.events.iter().find_map(|event| match event {
            RentalEvent::Confirmed { at, .. } => Some(*at),
            _ => None,
        });
        let start = self.period().zip(confirmed).map(|(period, at)| period.from.max(at));
        let patience = self.terms.rules.no_show_s.map(|seconds| TimeDelta::seconds(seconds.into()));
        start.zip(patience).is_some_and(|(start, patience)| start + patience <= now)
    }

    fn is_prepared_first(&self) -> bool {
        self.terms.rules.steps.iter().any(|step| step.action == Action::Prepare)
    }

    /// The fee was declined: it stays owed until somebody pays in another way, or waives it.
    fn owes_a_late_fee(&self) -> bool {
        let mut attempts = self
            .events
            .iter()
            .filter(|event| matches!(event, RentalEvent::LateFeeDeclined { .. } | RentalEvent::LateFeeDemanded { .. }));
        matches!(attempts.next_back(), Some(RentalEvent::LateFeeDeclined { .. }))
    }

    /// Whether an extension is still being decided.
    fn is_being_extended(&self) -> bool {
        let mut extensions = self.events.iter().filter(|event| {
            matches!(
                event,
                RentalEvent::ExtensionRequested { .. }
                    | RentalEvent::Extended { .. }
                    | RentalEvent::ExtensionRefused { .. }
            )
        });
        matches!(extensions.next_back(), Some(RentalEvent::ExtensionRequested { .. }))
    }

    fn needs_stock(&self) -> bool {
        match self.status() {
            RentalStatus::Confirmed | RentalStatus::Prepared | RentalStatus::HandedOver | RentalStatus::Overdue => true,
            // What was given for good is given.
            RentalStatus::Completed => !self.terms.rules.comes_back,
            RentalStatus::Requested
            | RentalStatus::Cancelling
            | RentalStatus::Returned
            | RentalStatus::Cancelled
            | RentalStatus::Rejected
            | RentalStatus::Expired => false,
        }
    }

    fn is_for_the_shop(&self) -> bool {
        matches!(self.status(), RentalStatus::Confirmed | RentalStatus::Prepared)
    }
}
