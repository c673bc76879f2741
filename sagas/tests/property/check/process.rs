//! Every event that a reservation sees is one that its golden table answers where it is, or one of those that it is known to
//! leave alone. Where the table says more than one thing, either will do.

use super::{Fact, Paid, Past, Told};
use domain::dispatch::DispatchEvent;
use domain::inventory::ItemEvent;
use domain::payment::{PaymentEvent, Purpose};
use domain::policy::PaymentTiming;
use domain::quota::QuotaEvent;
use domain::rental::RentalEvent;
use domain::{Event, RentalId};
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("../../../src/processes/reservation/golden.txt");
const LEFT_ALONE: &str = include_str!("../../../src/processes/reservation/left_alone.txt");

type Stages = BTreeSet<&'static str>;

/// What may come of a stage and an event.
struct Table {
    rows: BTreeMap<(&'static str, &'static str), Stages>,
    everywhere: BTreeMap<&'static str, Stages>,
    ignored: BTreeSet<(&'static str, &'static str)>,
}

/// A name, without what is said about it in brackets.
fn plain(name: &'static str) -> &'static str {
    name.split('(').next().unwrap().trim()
}

impl Table {
    fn read() -> Self {
        let (mut rows, mut everywhere) = (BTreeMap::<_, Stages>::new(), BTreeMap::<_, Stages>::new());
        // Refusals and deadlines change no stage.
        for (cause, effect) in TABLE.lines().filter_map(|line| line.split_once(" -> ")) {
            let (stage, event) = cause.split_once(" + ").unwrap();
            let next = plain(effect.split(" ! ").next().unwrap());
            match stage {
                "every other stage" => everywhere.entry(event).or_default().insert(next),
                stage => rows.entry((plain(stage), event)).or_default().insert(next),
            };
        }
        let ignored = LEFT_ALONE.lines().filter_map(|line| line.split_once(" + ")).collect();
        Self { rows, everywhere, ignored }
    }

    fn next(&self, stage: &'static str, event: &'static str) -> Stages {
        let mut next = self.rows.get(&(stage, event)).cloned().unwrap_or_default();
        if next.is_empty() {
            next.extend(self.everywhere.get(event).into_iter().flatten());
        }
        if self.ignored.contains(&(stage, plain(event))) {
            next.insert(stage);
        }
        next
    }
}

pub(super) fn check(past: &Past) -> Vec<String> {
    let table = Table::read();
    let mut faults = BTreeSet::new();
    let rentals = past.rentals();
    let mut stages: BTreeMap<RentalId, Stages> = BTreeMap::new();
    for fact in past.facts {
        let Some((rental, event)) = seen(fact, &rentals) else { continue };
        let at = stages.entry(rental).or_insert_with(|| Stages::from(["New"]));
        let next: Stages = at.iter().flat_map(|stage| table.next(stage, event)).collect();
        if next.is_empty() {
            let at = at.iter().copied().collect::<Vec<_>>().join(" or ");
            faults.insert(format!("{at} + {event} is in no table"));
        } else {
            *at = next;
        }
    }
    faults.into_iter().collect()
}

/// An event as a reservation sees it and as its table calls it, and whose.
fn seen(fact: &Fact, rentals: &BTreeMap<RentalId, Told>) -> Option<(RentalId, &'static str)> {
    let of = |name| Some((RentalId(fact.id()), name));
    match &fact.event {
        Event::Rental(event) => of(rental_event(event)?),
        Event::Item(event) => {
            let rental = event.rental()?;
            Some((rental, item_event(event, rentals[&rental].terms.rules.payment)?))
        }
        Event::Payment(event) => {
            let told = &rentals[&event.rental()];
            let paid = told.payments.iter().find(|paid| paid.id.0 == fact.id()).unwrap();
            Some((event.rental(), payment_event(event, paid, told)?))
        }
        Event::Quota(QuotaEvent::Taken { rental, .. }) => Some((*rental, "QuotaTaken")),
        Event::Dispatch(DispatchEvent::Cancelled { .. }) => of("DispatchCancelled"),
        Event::Quota(_)
        | Event::Dispatch(_)
        | Event::Store(_)
        | Event::Message(_)
        | Event::Contact(_)
        | Event::Webhook(_)
        | Event::Foreign => None,
    }
}

fn rental_event(event: &RentalEvent) -> Option<&'static str> {
    Some(match event {
        RentalEvent::Requested { terms, .. } if terms.rules.quota.is_some() => "RentalRequested(quota)",
        RentalEvent::Requested { .. } => "RentalRequested",
        RentalEvent::Accepted { .. } => "RentalAccepted",
        RentalEvent::Confirmed { .. } => "RentalConfirmed",
        RentalEvent::Rejected { .. } => "RentalRejected",
        RentalEvent::Expired { .. } => "RentalExpired",
        RentalEvent::Extended { extra: Some(_), .. } => "RentalExtended(paid)",
        RentalEvent::Extended { extra: None, .. } => "RentalExtended",
        RentalEvent::LateFeeDemanded { .. } => "LateFeeDemanded",
        RentalEvent::LateFeeWaived { .. } => "LateFeeWaived",
        RentalEvent::HandedOver { .. } => "RentalHandedOver",
        RentalEvent::Overdue { .. } => "RentalOverdue",
        RentalEvent::Returned { late_fee: Some(_), .. } => "RentalReturned(late fee)",
        RentalEvent::Returned { late_fee: None, .. } => "RentalReturned",
        RentalEvent::Completed { .. } => "RentalCompleted",
        RentalEvent::CancellationRequested { .. } => "CancellationRequested",
        RentalEvent::CancellationRefused { .. } => "CancellationRefused",
        RentalEvent::Cancelled { .. } => "RentalCancelled",
        RentalEvent::Prepared { .. }
        | RentalEvent::Offered { .. }
        | RentalEvent::ReviewWritten { .. }
        | RentalEvent::ReviewEdited { .. }
        | RentalEvent::ReviewDeleted { .. }
        | RentalEvent::ExtensionRequested { .. }
        | RentalEvent::ExtensionRefused { .. }
        | RentalEvent::LateFeeDeclined { .. } => return None,
    })
}

fn item_event(event: &ItemEvent, payment: PaymentTiming) -> Option<&'static str> {
    Some(match event {
        ItemEvent::Awaited { .. } => "StockAwaited",
        ItemEvent::Held { total, .. } if total.is_zero() || payment == PaymentTiming::None => "StockHeld(0)",
        ItemEvent::Held { .. } => "StockHeld(100)",
        ItemEvent::Committed { .. } => "StockCommitted",
        // To leave the line is to give up what one would have got.
        ItemEvent::Released { .. } | ItemEvent::WaitingEnded { .. } => "StockReleased",
        ItemEvent::Returned { .. } => "StockReturned",
        ItemEvent::Registered { .. }
        | ItemEvent::Renamed { .. }
        | ItemEvent::Described { .. }
        | ItemEvent::Repriced { .. }
        | ItemEvent::Retired { .. }
        | ItemEvent::StockAdjusted { .. }
        | ItemEvent::HandedOut { .. }
        | ItemEvent::Extended { .. }
        | ItemEvent::ExtensionReleased { .. }
        | ItemEvent::Overdue { .. } => return None,
    })
}

/// An extension that does not stand is paid back by a process of its own.
fn payment_event(event: &PaymentEvent, paid: &Paid, told: &Told) -> Option<&'static str> {
    match (event, paid.purpose()) {
        (PaymentEvent::Approved { .. }, Purpose::Rental) => Some("PaymentApproved"),
        (PaymentEvent::Declined { .. }, Purpose::Rental) => Some("PaymentDeclined"),
        (PaymentEvent::Refunded { .. }, Purpose::Rental) => Some("PaymentRefunded"),
        (PaymentEvent::Approved { .. }, Purpose::LateFee) => Some("LateFeeApproved"),
        (PaymentEvent::Declined { .. }, Purpose::LateFee) => Some("LateFeeDeclined"),
        (PaymentEvent::Refunded { .. }, Purpose::Extension { .. }) if told.stands(paid.id) => Some("ExtensionRefunded"),
        (
            PaymentEvent::Requested { .. }
            | PaymentEvent::Approved { .. }
            | PaymentEvent::Declined { .. }
            | PaymentEvent::Unknown { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::Refunded { .. }
            | PaymentEvent::RefundFailed { .. },
            _,
        ) => None,
    }
}
