//! Every sum is the one that the rules give, what was taken and given back is what the rental says, and the provider's books
//! say the same.

use super::{Paid, Past, Told};
use chrono::TimeDelta;
use domain::inventory::ItemEvent;
use domain::payment::{PaymentEvent, Purpose};
use domain::policy::{PaymentTiming, PricePer};
use domain::rental::{CancelledBy, RentalEvent, RentalStatus};
use domain::{Event, Instant, ItemId, Money, PaymentId, Period, RentalId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(past: &Past) -> Vec<String> {
    let rentals = past.rentals();
    let mut faults = prices(past, &rentals);
    faults.extend(books(past, &rentals));
    for (id, told) in &rentals {
        let found = [told.pays_its_price(), told.pays_for_being_late(), told.cancels_at_its_price()];
        let payments = told.payments.iter().map(Paid::goes_forward);
        faults.extend(found.into_iter().chain(payments).filter_map(Result::err).map(|fault| format!("{id}: {fault}")));
    }
    faults.extend(told_too_early(past));
    faults
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Started days by the clock of a shop at UTC.
fn days(period: Period) -> i64 {
    let day = TimeDelta::days(1).num_seconds();
    ((period.to - period.from).num_seconds() + day - 1) / day
}

/// What is held costs what the item cost then.
fn prices(past: &Past, rentals: &BTreeMap<RentalId, Told>) -> Vec<String> {
    let mut prices: BTreeMap<ItemId, Money> = BTreeMap::new();
    let mut faults = vec![];
    for fact in past.facts {
        let Event::Item(event) = &fact.event else { continue };
        let item = ItemId(fact.id());
        match event {
            ItemEvent::Registered { price, .. } | ItemEvent::Repriced { price, .. } => _ = prices.insert(item, *price),
            ItemEvent::Held { rental, quantity, occupies, turnaround_s, unit_price, total, .. } => {
                let per_day = rentals[rental].terms.rules.price_per == PricePer::Day;
                let rest = TimeDelta::seconds((*turnaround_s).into());
                let used = occupies.map(|away| Period { from: away.from, to: away.to - rest });
                let days = used.filter(|_| per_day).map_or(1, days);
                let right = unit_price.amount_minor * i64::from(*quantity) * days;
                if prices.get(&item) != Some(unit_price) || total.amount_minor != right {
                    faults.push(format!("{rental}: {total} for {days} days, {unit_price} each, instead of {right}"));
                }
            }
            _ => {}
        }
    }
    faults
}

fn books(past: &Past, rentals: &BTreeMap<RentalId, Told>) -> Vec<String> {
    let ours: BTreeMap<PaymentId, (i64, i64)> = rentals
        .values()
        .flat_map(|told| &told.payments)
        .map(|paid| (paid.id, (paid.approved(), paid.refunded())))
        .collect();
    let all: BTreeSet<_> = ours.keys().chain(past.books.keys()).collect();
    let different = |id: &&&PaymentId| {
        ours.get(**id).copied().unwrap_or_default() != past.books.get(**id).copied().unwrap_or_default()
    };
    let told = |id: &PaymentId| {
        format!("payment {id}: {:?} by the events, {:?} by the provider's books", ours.get(id), past.books.get(id))
    };
    all.iter().filter(different).map(|id| told(id)).collect()
}

impl Paid<'_> {
    fn goes_forward(&self) -> Result<(), String> {
        let count = |is: fn(&PaymentEvent) -> bool| self.events.iter().filter(|event| is(event)).count();
        let approved = count(|event| matches!(event, PaymentEvent::Approved { .. }));
        let declined = count(|event| matches!(event, PaymentEvent::Declined { .. }));
        let refunded = count(|event| matches!(event, PaymentEvent::Refunded { .. }));
        require(approved + declined <= 1 && refunded <= approved, || {
            format!("payment {}: approved {approved}, declined {declined}, refunded {refunded} times", self.id)
        })?;
        require(self.refunded() <= self.approved(), || format!("payment {}: more went back than came in", self.id))
    }
}

impl Told<'_> {
    fn total(&self) -> Option<i64> {
        self.events.iter().find_map(|event| match event {
            RentalEvent::Confirmed { total, .. } => Some(total.amount_minor),
            _ => None,
        })
    }

    /// From when to when, as it was offered or asked for.
    pub(super) fn period(&self) -> Option<Period> {
        let offered = self.events.iter().find_map(|event| match event {
            RentalEvent::Offered { period, .. } => Some(*period),
            _ => None,
        });
        offered.unwrap_or(self.terms.period)
    }

    fn of(&self, purpose: Purpose) -> impl Iterator<Item = &Paid<'_>> {
        self.payments.iter().filter(move |paid| paid.purpose() == purpose)
    }

    fn pays_its_price(&self) -> Result<(), String> {
        let approved: i64 = self.of(Purpose::Rental).map(Paid::approved).sum();
        let refunded: i64 = self.of(Purpose::Rental).map(Paid::refunded).sum();
        let upfront = self.terms.rules.payment == PaymentTiming::Upfront;
        if let Some(total) = self.total() {
            let held = self
                .held
                .is_some_and(|held| matches!(held, ItemEvent::Held { total: held, .. } if held.amount_minor == total));
            require(held, || format!("{total} was confirmed, and something else held"))?;
            require(approved == if upfront { total } else { 0 }, || format!("{approved} was paid of {total}"))?;
        }
        let kept = match self.status() {
            RentalStatus::Confirmed
            | RentalStatus::Prepared
            | RentalStatus::HandedOver
            | RentalStatus::Overdue
            | RentalStatus::Returned
            | RentalStatus::Completed => approved,
            RentalStatus::Cancelled => self.fee().filter(|_| approved > 0).unwrap_or(0),
            RentalStatus::Requested | RentalStatus::Cancelling | RentalStatus::Rejected | RentalStatus::Expired => 0,
        };
        require(approved - refunded == kept, || {
            format!("{}: {approved} paid, {refunded} refunded, and {kept} is to be kept", self.status())
        })
    }

    /// What is kept, as the last request for a cancellation says.
    fn fee(&self) -> Option<i64> {
        self.events.iter().rev().find_map(|event| match event {
            RentalEvent::CancellationRequested { fee, .. } => Some(fee.map_or(0, |fee| fee.amount_minor)),
            _ => None,
        })
    }

    fn cancels_at_its_price(&self) -> Result<(), String> {
        let rule = self.terms.rules.cancellation;
        let mut confirmed = None;
        for event in &self.events {
            match event {
                RentalEvent::Confirmed { total, .. } => confirmed = Some(total.amount_minor),
                RentalEvent::CancellationRequested { by, fee, at, .. } => {
                    let free_until = TimeDelta::seconds(rule.free_until_s.into());
                    let late = |period: Period| *at > period.from - free_until && *by != CancelledBy::Store;
                    let due = confirmed.filter(|_| self.period().is_some_and(late));
                    let right = due.map_or(0, |total| total * i64::from(rule.fee_percent) / 100);
                    let fee = fee.map_or(0, |fee| fee.amount_minor);
                    require(fee == right, || format!("a cancellation costs {fee} instead of {right}"))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn pays_for_being_late(&self) -> Result<(), String> {
        let returned = self.events.iter().find_map(|event| match event {
            RentalEvent::Returned { days_late, late_fee, at } => Some((*days_late, *late_fee, *at)),
            _ => None,
        });
        let approved: i64 = self.of(Purpose::LateFee).map(|paid| paid.approved() - paid.refunded()).sum();
        let Some((days_late, late_fee, at)) = returned else {
            return require(approved == 0, || format!("{approved} was paid for being late, and it is not back"));
        };
        let right = self.late_fee(at);
        let said = (i64::from(days_late), late_fee.map_or(0, |fee| fee.amount_minor));
        require(said == right, || format!("days late and fee are {said:?} instead of {right:?}"))?;
        let due = if self.status() == RentalStatus::Completed { said.1 } else { 0 };
        require(approved == due, || format!("{approved} was paid for being late instead of {due}"))
    }

    /// How many days late, and what that costs.
    fn late_fee(&self, at: Instant) -> (i64, i64) {
        let Some(period) = self.period() else { return (0, 0) };
        let late = if at > period.to { days(Period { from: period.to, to: at }) } else { 0 };
        let percent = late * i64::from(self.terms.rules.late_fee_percent);
        (late, self.total().unwrap_or(0) * percent / (100 * days(period)))
    }
}

/// A cancellation is told to be complete when what goes back has gone back, and says how much that was.
fn told_too_early(past: &Past) -> Vec<String> {
    let mut on_their_way: BTreeMap<RentalId, bool> = BTreeMap::new();
    let mut gone: BTreeMap<RentalId, i64> = BTreeMap::new();
    let mut faults = vec![];
    for fact in past.facts {
        match &fact.event {
            Event::Payment(PaymentEvent::RefundRequested { rental, .. }) => _ = on_their_way.insert(*rental, true),
            Event::Payment(PaymentEvent::Refunded { rental, amount, .. }) => {
                on_their_way.insert(*rental, false);
                *gone.entry(*rental).or_default() += amount.amount_minor;
            }
            Event::Rental(RentalEvent::Cancelled { refunded, .. }) => {
                let rental = RentalId(fact.id());
                let (said, gone) = (refunded.map_or(0, |it| it.amount_minor), gone.get(&rental).copied().unwrap_or(0));
                if said != gone || on_their_way.get(&rental).copied().unwrap_or(false) {
                    faults.push(format!("{rental} says that {said} went back, when {gone} had"));
                }
            }
            _ => {}
        }
    }
    faults
}
