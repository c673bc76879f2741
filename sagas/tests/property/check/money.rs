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
    faults.extend(told_too_early(past, &rentals));
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
    // For what one unit and day, how many units, how long they rest, and when they are away.
    let mut paid: BTreeMap<RentalId, (Money, i64, TimeDelta, Option<Period>)> = BTreeMap::new();
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
                paid.insert(*rental, (*unit_price, i64::from(*quantity), rest, *occupies));
                if prices.get(&item) != Some(unit_price) || total.amount_minor != right {
                    faults.push(format!("{rental}: {total} for {days} days, {unit_price} each, instead of {right}"));
                }
            }
            ItemEvent::Extended { rental, occupies, extra, .. } => {
                let per_day = rentals[rental].terms.rules.price_per == PricePer::Day;
                let Some((unit_price, quantity, rest, Some(before))) = paid.get(rental).copied() else { continue };
                let used = |away: Period| Period { to: away.to - rest, ..away };
                let more = if per_day { days(used(*occupies)) - days(used(before)) } else { 0 };
                let right = unit_price.amount_minor * quantity * more;
                if extra.amount_minor != right {
                    faults
                        .push(format!("{rental}: {extra} for {more} more days, {unit_price} each, instead of {right}"));
                }
                paid.insert(*rental, (unit_price, quantity, rest, Some(*occupies)));
            }
            ItemEvent::ExtensionReleased { rental, occupies, .. } => {
                if let Some((_, _, _, away)) = paid.get_mut(rental) {
                    *away = Some(*occupies);
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

    /// What was taken and what went back for some of it.
    fn paid(&self, of: impl Fn(Purpose) -> bool) -> (i64, i64) {
        let of = self.payments.iter().filter(|paid| of(paid.purpose()));
        of.fold((0, 0), |(approved, refunded), paid| (approved + paid.approved(), refunded + paid.refunded()))
    }

    fn pays_its_price(&self) -> Result<(), String> {
        let (approved, _) = self.paid(|purpose| purpose == Purpose::Rental);
        if let Some(total) = self.total() {
            let is_total =
                |held: &ItemEvent| matches!(held, ItemEvent::Held { total: it, .. } if it.amount_minor == total);
            require(self.held.is_some_and(is_total), || format!("{total} was confirmed, and something else held"))?;
            require(approved == self.upfront(total), || format!("{approved} was paid of {total}"))?;
        }
        self.pays_for_extensions()?;
        let (approved, refunded) = self.paid(|purpose| purpose != Purpose::LateFee);
        let kept = match self.status() {
            RentalStatus::Confirmed
            | RentalStatus::Prepared
            | RentalStatus::HandedOver
            | RentalStatus::Overdue
            | RentalStatus::Returned
            | RentalStatus::Completed => self.upfront(self.price_until(self.events.len())),
            RentalStatus::Cancelled => self.fee().filter(|_| approved > 0).unwrap_or(0),
            RentalStatus::Requested | RentalStatus::Cancelling | RentalStatus::Rejected | RentalStatus::Expired => 0,
        };
        require(approved - refunded == kept, || {
            format!("{}: {approved} paid, {refunded} refunded, and {kept} is to be kept", self.status())
        })
    }

    fn upfront(&self, amount: i64) -> i64 {
        if self.terms.rules.payment == PaymentTiming::Upfront { amount } else { 0 }
    }

    /// The price with all extensions, after so many events.
    fn price_until(&self, events: usize) -> i64 {
        let extra = |event: &&RentalEvent| match event {
            RentalEvent::Confirmed { total, .. } => Some(total.amount_minor),
            RentalEvent::Extended { extra, .. } => extra.map(|extra| extra.amount_minor),
            _ => None,
        };
        self.events.iter().take(events).filter_map(extra).sum()
    }

    /// What is extended is paid for, and what is not is not.
    fn pays_for_extensions(&self) -> Result<(), String> {
        for (place, event) in (1..).zip(&self.events) {
            if let RentalEvent::Extended { number, extra, total, .. } = event {
                let (approved, _) = self.paid(|purpose| purpose == Purpose::Extension { number: *number });
                let due = self.upfront(extra.map_or(0, |extra| extra.amount_minor));
                require(approved == due, || format!("{approved} was paid for extension {number} instead of {due}"))?;
                let right = self.price_until(place);
                require(total.amount_minor == right, || {
                    format!("{total} in all with extension {number}, not {right}")
                })?;
            }
            if let RentalEvent::ExtensionRefused { number, .. } = event {
                let (approved, refunded) = self.paid(|purpose| purpose == Purpose::Extension { number: *number });
                require(approved == refunded, || format!("{approved} paid, {refunded} refunded for no extension"))?;
            }
        }
        Ok(())
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
        for (place, event) in self.events.iter().enumerate() {
            if let RentalEvent::CancellationRequested { by, fee, at, .. } = event {
                let free_until = TimeDelta::seconds(rule.free_until_s.into());
                let late = |period: Period| *at > period.from - free_until && *by != CancelledBy::Store;
                let price = if self.period().is_some_and(late) { self.price_until(place) } else { 0 };
                let right = price * i64::from(rule.fee_percent) / 100;
                let fee = fee.map_or(0, |fee| fee.amount_minor);
                require(fee == right, || format!("a cancellation costs {fee} instead of {right}"))?;
            }
        }
        Ok(())
    }

    fn pays_for_being_late(&self) -> Result<(), String> {
        let returned = self.events.iter().find_map(|event| match event {
            RentalEvent::Returned { days_late, late_fee, at } => Some((*days_late, *late_fee, *at)),
            _ => None,
        });
        let (approved, refunded) = self.paid(|purpose| purpose == Purpose::LateFee);
        let approved = approved - refunded;
        let Some((days_late, late_fee, at)) = returned else {
            return require(approved == 0, || format!("{approved} was paid for being late, and it is not back"));
        };
        let right = self.late_fee(at);
        let said = (i64::from(days_late), late_fee.map_or(0, |fee| fee.amount_minor));
        require(said == right, || format!("days late and fee are {said:?} instead of {right:?}"))?;
        let waived = self.events.iter().any(|event| matches!(event, RentalEvent::LateFeeWaived { .. }));
        let due = if self.status() == RentalStatus::Completed && !waived { said.1 } else { 0 };
        require(approved == due, || format!("{approved} was paid for being late instead of {due}"))
    }

    /// How many days late, and what that costs.
    fn late_fee(&self, at: Instant) -> (i64, i64) {
        let Some(period) = self.period() else { return (0, 0) };
        let late = if at > period.to { days(Period { from: period.to, to: at }) } else { 0 };
        let percent = late * i64::from(self.terms.rules.late_fee_percent);
        (late, self.price_until(self.events.len()) * percent / (100 * days(period)))
    }
}

/// A cancellation is told to be complete when what goes back has gone back, and says how much that was. An extension that
/// never stood is paid back apart from it.
fn told_too_early(past: &Past, rentals: &BTreeMap<RentalId, Told>) -> Vec<String> {
    let mut on_their_way: BTreeMap<RentalId, bool> = BTreeMap::new();
    let mut gone: BTreeMap<RentalId, i64> = BTreeMap::new();
    let mut faults = vec![];
    for fact in past.facts {
        match &fact.event {
            Event::Payment(event) if !rentals[&event.rental()].stands(PaymentId(fact.id())) => {}
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
