//! Whether a journal may be. **It is asked of the stored events alone**, and of the provider's books: nothing here uses an
//! aggregate or a process, so that they cannot agree on something wrong.
//!
//! A new check is a function over a [`Past`] and a line in [`CHECKS`].

mod life;
mod money;
mod process;
mod quota;
mod rest;
mod stock;

pub use rest::unsettled;

use domain::inventory::ItemEvent;
use domain::payment::{PaymentEvent, Purpose};
use domain::rental::{RentalEvent, RentalStatus, Terms};
use domain::{Event, Instant, ItemId, Money, PaymentId, Period, RentalId};
use std::collections::BTreeMap;

/// Says what is wrong.
type Check = fn(&Past) -> Vec<String>;

/// Every check, by the name under which it complains.
const CHECKS: [(&str, Check); 6] = [
    ("stock", stock::check),
    ("life", life::check),
    ("process", process::check),
    ("money", money::check),
    ("quota", quota::check),
    ("rest", rest::check),
];

/// One stored event.
#[derive(Debug, Clone)]
pub struct Fact {
    pub stream: String,
    pub event_type: String,
    pub event: Event,
}

/// What the provider's books say of a payment, in minor units: what was taken, and what went back.
pub type Books = BTreeMap<PaymentId, (i64, i64)>;

/// Everything that has happened, until a moment at which everything had settled.
pub struct Past<'a> {
    pub facts: &'a [Fact],
    pub books: &'a Books,
    pub now: Instant,
}

/// What is wrong, each complaint after the name of its check.
pub fn faults(past: &Past) -> Vec<String> {
    let named = |(name, check): &(&'static str, Check)| {
        check(past).into_iter().map(|fault| format!("{name}: {fault}")).collect::<Vec<_>>()
    };
    CHECKS.iter().flat_map(named).collect()
}

impl Fact {
    /// The aggregate's id, where it is a UUID.
    fn id(&self) -> uuid::Uuid {
        let (_, id) = self.stream.split_once('-').unwrap();
        id.parse().unwrap()
    }
}

/// Everything about one rental.
pub struct Told<'a> {
    pub terms: &'a Terms,
    pub events: Vec<&'a RentalEvent>,
    /// Its payments, in the order in which they were requested.
    pub payments: Vec<Paid<'a>>,
    /// The last stock that was held for it: its price, and from when to when.
    pub held: Option<&'a ItemEvent>,
}

/// One payment.
pub struct Paid<'a> {
    pub id: PaymentId,
    pub events: Vec<&'a PaymentEvent>,
}

impl<'a> Past<'a> {
    pub fn rentals(&self) -> BTreeMap<RentalId, Told<'a>> {
        let mut rentals: BTreeMap<RentalId, Told<'a>> = BTreeMap::new();
        for fact in self.facts {
            match &fact.event {
                Event::Rental(RentalEvent::Requested { terms, .. }) => {
                    let told = Told { terms, events: vec![], payments: vec![], held: None };
                    rentals.insert(RentalId(fact.id()), told);
                }
                Event::Payment(event @ PaymentEvent::Requested { rental, .. }) => {
                    let paid = Paid { id: PaymentId(fact.id()), events: vec![event] };
                    rentals.get_mut(rental).unwrap().payments.push(paid);
                    continue;
                }
                _ => {}
            }
            match &fact.event {
                Event::Rental(event) => rentals.get_mut(&RentalId(fact.id())).unwrap().events.push(event),
                Event::Payment(event) => {
                    let told = rentals.get_mut(&event.rental()).unwrap();
                    told.payments.iter_mut().find(|paid| paid.id.0 == fact.id()).unwrap().events.push(event);
                }
                Event::Item(event @ ItemEvent::Held { rental, .. }) => {
                    rentals.get_mut(rental).unwrap().held = Some(event);
                }
                _ => {}
            }
        }
        rentals
    }

    /// Items with what happened to each.
    pub fn items(&self) -> BTreeMap<ItemId, Vec<&'a ItemEvent>> {
        let mut items: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for fact in self.facts {
            if let Event::Item(event) = &fact.event {
                items.entry(ItemId(fact.id())).or_default().push(event);
            }
        }
        items
    }
}

/// Where a rental stands after an event, `before` being where it stood and `reached` how far it had come without the
/// cancellation that is in flight.
fn status_after(event: &RentalEvent, before: RentalStatus, reached: RentalStatus) -> RentalStatus {
    match event {
        RentalEvent::Requested { .. } => RentalStatus::Requested,
        RentalEvent::Confirmed { .. } => RentalStatus::Confirmed,
        RentalEvent::Rejected { .. } => RentalStatus::Rejected,
        RentalEvent::Expired { .. } => RentalStatus::Expired,
        RentalEvent::Prepared { .. } => RentalStatus::Prepared,
        RentalEvent::HandedOver { .. } => RentalStatus::HandedOver,
        RentalEvent::Overdue { .. } => RentalStatus::Overdue,
        RentalEvent::Returned { .. } => RentalStatus::Returned,
        RentalEvent::Completed { .. } => RentalStatus::Completed,
        RentalEvent::CancellationRequested { .. } => RentalStatus::Cancelling,
        RentalEvent::CancellationRefused { .. } => reached,
        RentalEvent::Cancelled { .. } => RentalStatus::Cancelled,
        RentalEvent::Offered { .. }
        | RentalEvent::Accepted { .. }
        | RentalEvent::ReviewWritten { .. }
        | RentalEvent::ReviewEdited { .. }
        | RentalEvent::ReviewDeleted { .. }
        | RentalEvent::ExtensionRequested { .. }
        | RentalEvent::Extended { .. }
        | RentalEvent::ExtensionRefused { .. }
        | RentalEvent::LateFeeDeclined { .. }
        | RentalEvent::LateFeeDemanded { .. }
        | RentalEvent::LateFeeWaived { .. } => before,
    }
}

impl Told<'_> {
    /// Where it stands after each of its events.
    pub fn statuses(&self) -> Vec<RentalStatus> {
        let (mut status, mut reached) = (RentalStatus::Requested, RentalStatus::Requested);
        let mut statuses = vec![];
        for event in &self.events {
            status = status_after(event, status, reached);
            if status != RentalStatus::Cancelling {
                reached = status;
            }
            statuses.push(status);
        }
        statuses
    }

    pub fn status(&self) -> RentalStatus {
        self.statuses().pop().unwrap()
    }

    /// From when to when, as it was asked for, offered or extended.
    pub fn period(&self) -> Option<Period> {
        let change = |period: Option<Period>, event: &&RentalEvent| match event {
            RentalEvent::Offered { period, .. } => *period,
            RentalEvent::Extended { to, .. } => period.map(|period| Period { to: *to, ..period }),
            _ => period,
        };
        self.events.iter().fold(self.terms.period, change)
    }

    /// Whether a payment is for the rental as it stands, and not for an extension that was refused.
    pub fn stands(&self, payment: PaymentId) -> bool {
        let paid = self.payments.iter().find(|paid| paid.id == payment).unwrap();
        let granted = |asked| {
            let is_it = |event: &RentalEvent| matches!(event, RentalEvent::Extended { number, .. } if *number == asked);
            self.events.iter().any(|event| is_it(event))
        };
        match paid.purpose() {
            Purpose::Extension { number } => granted(number),
            Purpose::Rental | Purpose::LateFee => true,
        }
    }

    /// Whether it counts against a quota.
    pub fn is_open(&self) -> bool {
        let ends = [RentalStatus::Rejected, RentalStatus::Expired, RentalStatus::Cancelled, RentalStatus::Completed];
        !ends.contains(&self.status())
    }
}

impl Paid<'_> {
    /// What was taken, by the events.
    pub fn approved(&self) -> i64 {
        let approved = self.events.iter().any(|event| matches!(event, PaymentEvent::Approved { .. }));
        if approved { self.charge().amount_minor } else { 0 }
    }

    /// What went back, by the events.
    pub fn refunded(&self) -> i64 {
        let amount = |event: &&PaymentEvent| match event {
            PaymentEvent::Refunded { amount, .. } => Some(amount.amount_minor),
            _ => None,
        };
        self.events.iter().filter_map(amount).sum()
    }

    pub fn purpose(&self) -> Purpose {
        match self.events.first() {
            Some(PaymentEvent::Requested { charge, .. }) => charge.purpose,
            _ => unreachable!("a payment begins with its request"),
        }
    }

    pub fn charge(&self) -> Money {
        match self.events.first() {
            Some(PaymentEvent::Requested { charge, .. }) => charge.amount,
            _ => unreachable!("a payment begins with its request"),
        }
    }
}
