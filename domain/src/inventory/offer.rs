//! An item that is offered: its stock, and who may have how much of it.

use super::allocation::{Allocation, Extension, Stage};
use super::listing::{Listing, check_description, check_name, check_price};
use super::queue::{MOST_WAITING, Queue, Waiter};
use super::shelf::{Shelf, Taking, misfit, require};
use super::{ItemCommand, ItemError, ItemEvent, ReleaseReason, Stock, Wanted};
use crate::policy::{PricePer, StockKind};
use crate::{CustomerId, Instant, Money, RentalId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// An item that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub(super) listing: Listing,
    /// What a repeated registration is known by after the item has changed.
    first: (Listing, Option<u32>),
    pub(super) retired: bool,
    pub(super) shelf: Shelf,
    pub(super) allocations: HashMap<RentalId, Allocation>,
    pub(super) queue: Queue,
    adjustments: BTreeSet<Uuid>,
    /// Units of a pool that have left the shop; counted, so that nobody has to look through all allocations.
    out: u32,
}

impl Offer {
    pub(super) fn new(listing: Listing, stock: Stock) -> Self {
        let shelf = Shelf::new(stock);
        Self {
            first: (listing.clone(), shelf.units()),
            listing,
            retired: false,
            shelf,
            allocations: HashMap::new(),
            queue: Queue::default(),
            adjustments: BTreeSet::new(),
            out: 0,
        }
    }

    pub(super) fn decide(&self, command: ItemCommand) -> Result<Vec<ItemEvent>, ItemError> {
        use ItemCommand as Cmd;
        match command {
            Cmd::Register { store, name, description, price, stock, .. } => {
                let again = Listing { store, name, description, price };
                if self.was_registered_as(&again, &stock) { Ok(vec![]) } else { Err(ItemError::AnotherItem) }
            }
            Cmd::Revise { name, description, price, now } => self.revise(name, description, price, now),
            Cmd::Retire { .. } if self.retired => Ok(vec![]),
            Cmd::Retire { now } => Ok(self.retire(now)),
            Cmd::ServeWaiting { now } => Ok(self.serve_the_first(now)),
            Cmd::AdjustStock { adjustment, change, reason, now } => self.adjust(adjustment, change, reason, now),
            Cmd::Hold { rental, customer, wanted, until, now } => self.hold(rental, customer, wanted, until, now),
            Cmd::Commit { rental, now } => match self.stage(rental) {
                None => Err(ItemError::NothingHeld),
                Some(Stage::Held) => Ok(vec![ItemEvent::Committed { rental, at: now }]),
                Some(Stage::Committed | Stage::Overdue) => Ok(vec![]),
            },
            Cmd::Release { rental, reason, now } => match (self.stage(rental), reason) {
                (None, _) if self.queue.contains(rental) => {
                    Ok(vec![ItemEvent::WaitingEnded { rental, reason, at: now }])
                }
                (None, _) => Ok(vec![]),
                (Some(Stage::Committed | Stage::Overdue), ReleaseReason::Expired) => Err(ItemError::Committed),
                (Some(_), _) => Ok(vec![ItemEvent::Released { rental, reason, at: now }]),
            },
            Cmd::HandOut { rental, only_if_in, now } => self.hand_out(rental, only_if_in, now),
            Cmd::Extend { rental, number, to, days, now } => self.extend(rental, number, to, days, now),
            Cmd::ReleaseExtension { rental, number, now } => Ok(self.release_extension(rental, number, now)),
            Cmd::MarkOverdue { rental, now } => match self.stage(rental) {
                None | Some(Stage::Overdue) => Ok(vec![]),
                Some(stage) => {
                    self.check_comes_back(stage)?;
                    Ok(vec![ItemEvent::Overdue { rental, at: now }])
                }
            },
            Cmd::Return { rental, now } => match self.stage(rental) {
                None => Ok(vec![]),
                Some(stage) => {
                    self.check_comes_back(stage)?;
                    Ok(vec![ItemEvent::Returned { rental, at: now }])
                }
            },
        }
    }

    fn stage(&self, rental: RentalId) -> Option<Stage> {
        self.allocations.get(&rental).map(|allocation| allocation.stage)
    }

    pub(super) fn seats_of(&self, rental: RentalId) -> Vec<String> {
        match (self.allocations.get(&rental), &self.shelf) {
            (Some(allocation), Shelf::Seats(seating)) => seating.called(&allocation.seats),
            (_, Shelf::Pool(_) | Shelf::Sale { .. }) | (None, Shelf::Seats(_)) => Vec::new(),
        }
    }

    fn check_comes_back(&self, stage: Stage) -> Result<(), ItemError> {
        require(self.shelf.kind() == StockKind::Pool, "rental", "this item was given for good")?;
        require(stage != Stage::Held, "rental", "its stock is held and not committed")
    }

    fn hand_out(&self, rental: RentalId, only_if_in: bool, now: Instant) -> Result<Vec<ItemEvent>, ItemError> {
        let Some(allocation) = self.allocations.get(&rental) else { return Err(ItemError::NothingHeld) };
        if allocation.out {
            return Ok(vec![]);
        }
        self.check_comes_back(allocation.stage)?;
        let (out, units) = (self.out, self.shelf.units().unwrap_or(u32::MAX));
        if only_if_in && units.saturating_sub(out) < allocation.quantity {
            return Err(ItemError::NotBackYet { out, units });
        }
        Ok(vec![ItemEvent::HandedOut { rental, at: now }])
    }

    fn was_registered_as(&self, listing: &Listing, stock: &Stock) -> bool {
        let (first, first_units) = &self.first;
        let same_stock = match (stock, &self.shelf) {
            (Stock::Pool { units }, Shelf::Pool(_)) => Some(*units) == *first_units,
            (Stock::Sale { units }, Shelf::Sale { .. }) => units == first_units,
            (Stock::Seats { seats }, Shelf::Seats(seating)) => seats == seating.names(),
            (Stock::Pool { .. } | Stock::Sale { .. } | Stock::Seats { .. }, _) => false,
        };
        same_stock && listing == first
    }

    fn revise(
        &self,
        name: Option<String>,
        description: Option<String>,
        price: Option<Money>,
        at: Instant,
    ) -> Result<Vec<ItemEvent>, ItemError> {
        let listing = &self.listing;
        let mut events = Vec::new();
        if let Some(name) = name.filter(|name| *name != listing.name) {
            check_name(&name)?;
            events.push(ItemEvent::Renamed { name, at });
        }
        if let Some(description) = description.filter(|new| listing.description.as_ref() != Some(new)) {
            check_description(Some(&description))?;
            events.push(ItemEvent::Described { description, at });
        }
        if let Some(price) = price.filter(|price| *price != listing.price) {
            check_price(price, listing.price)?;
            events.push(ItemEvent::Repriced { price, at });
        }
        if self.retired && !events.is_empty() { Err(ItemError::Retired) } else { Ok(events) }
    }

    fn adjust(
        &self,
        adjustment: Uuid,
        change: i64,
        reason: Option<String>,
        now: Instant,
    ) -> Result<Vec<ItemEvent>, ItemError> {
        if self.adjustments.contains(&adjustment) {
            return Ok(vec![]);
        }
        let before = match &self.shelf {
            Shelf::Pool(_) | Shelf::Sale { .. } => self.shelf.units(),
            Shelf::Seats(_) => None,
        };
        let before = before.ok_or(misfit("change", "this item's stock is not counted"))?;
        require(change != 0, "change", "more, or fewer")?;
        let short = reason.as_ref().is_none_or(|reason| reason.chars().count() <= 500);
        require(short, "reason", "at most 500 characters")?;
        let promised = self.shelf.busiest(now);
        let after = i64::from(before).checked_add(change).ok_or(misfit("change", "out of range"))?;
        if after < i64::from(promised) {
            return Err(ItemError::Promised { promised });
        }
        let units = u32::try_from(after).map_err(|_| misfit("change", "out of range"))?;
        Ok(vec![ItemEvent::StockAdjusted { adjustment, change, units, reason, at: now }])
    }

    fn hold(
        &self,
        rental: RentalId,
        customer: CustomerId,
        wanted: Wanted,
        until: Instant,
        now: Instant,
    ) -> Result<Vec<ItemEvent>, ItemError> {
        if self.allocations.contains_key(&rental) || self.queue.contains(rental) {
            return Ok(vec![]);
        }
        if self.retired {
            return Err(ItemError::Retired);
        }
        let can_wait = wanted.wait.is_some() && self.has_at_all(wanted.quantity);
        // Found out first, also for who waits: a wish that fits no stock is refused and not kept waiting.
        match self.held(rental, &customer, wanted.clone(), until, now) {
            Err(ItemError::OutOfStock { .. }) if can_wait => self.join_the_line(rental, customer, wanted, now),
            Ok(_) if !self.queue.is_empty() && can_wait => self.join_the_line(rental, customer, wanted, now),
            Ok(_) if !self.queue.is_empty() => Err(ItemError::OutOfStock { wanted: wanted.quantity, available: 0 }),
            held => Ok(vec![held?]),
        }
    }

    /// Whether there could ever be so many.
    fn has_at_all(&self, quantity: u32) -> bool {
        self.shelf.units().is_none_or(|units| quantity <= units)
    }

    fn join_the_line(
        &self,
        rental: RentalId,
        customer: CustomerId,
        wanted: Wanted,
        at: Instant,
    ) -> Result<Vec<ItemEvent>, ItemError> {
        require(self.queue.len() < MOST_WAITING, "wait", "10000 wait already")?;
        let place = u32::try_from(self.queue.len() + 1).unwrap_or(u32::MAX);
        Ok(vec![ItemEvent::Awaited { rental, customer, wanted: Box::new(wanted), place, at }])
    }

    /// Who is first and cannot be served keeps everybody else waiting: nobody is overtaken.
    fn serve_the_first(&self, now: Instant) -> Vec<ItemEvent> {
        let Some(first) = self.queue.first().filter(|_| !self.retired) else {
            return vec![];
        };
        let offer_s = first.wanted.wait.map_or(0, |wait| wait.offer_s);
        let until = now + TimeDelta::seconds(offer_s.into());
        self.held(first.rental, &first.customer, first.wants_at(now), until, now).into_iter().collect()
    }

    fn retire(&self, at: Instant) -> Vec<ItemEvent> {
        let reason = ReleaseReason::ItemRetired;
        let ended = self.queue.iter().map(|waiter| ItemEvent::WaitingEnded { rental: waiter.rental, reason, at });
        ended.chain([ItemEvent::Retired { at }]).collect()
    }

    fn held(
        &self,
        rental: RentalId,
        customer: &CustomerId,
        wanted: Wanted,
        until: Instant,
        now: Instant,
    ) -> Result<ItemEvent, ItemError> {
        let quantity = wanted.quantity;
        let total = self.total(&wanted)?;
        let Taking { occupies, turnaround_s, seats } = self.shelf.find(wanted, now)?;
        let (unit_price, customer) = (self.listing.price, customer.clone());
        Ok(ItemEvent::Held {
            rental,
            customer,
            quantity,
            occupies,
            turnaround_s,
            seats,
            unit_price,
            total,
            until,
            at: now,
        })
    }

    fn total(&self, wanted: &Wanted) -> Result<Money, ItemError> {
        let days = match wanted.price_per {
            PricePer::Unit => 1,
            PricePer::Day => wanted.days,
        };
        // Nothing is free by being for no time.
        require(days > 0, "days", "more than 0")?;
        let all = self.listing.price.times(wanted.quantity.into()).and_then(|price| price.times(days.into()));
        all.map_err(|_| misfit("quantity", "the price of it all is out of range"))
    }

    /// What stands goes on although the item is retired; it does not become more.
    fn extend(
        &self,
        rental: RentalId,
        number: u32,
        to: Instant,
        days: u32,
        now: Instant,
    ) -> Result<Vec<ItemEvent>, ItemError> {
        let allocation = self.allocations.get(&rental).ok_or(ItemError::NothingHeld)?;
        // Given up since, perhaps: what comes late does not bring it back.
        if allocation.extension.is_some_and(|newest| number <= newest.number) {
            return Ok(vec![]);
        }
        if self.retired {
            return Err(ItemError::Retired);
        }
        self.check_comes_back(allocation.stage)?;
        require(allocation.stage != Stage::Overdue, "rental", "it should be back already")?;
        if !self.queue.is_empty() {
            return Err(ItemError::SomebodyWaits);
        }
        let occupies = self.shelf.find_longer(allocation, to, now)?;
        let all = allocation.unit_price.times(allocation.quantity.into()).and_then(|price| price.times(days.into()));
        let extra = all.map_err(|_| misfit("to", "the price of it all is out of range"))?;
        Ok(vec![ItemEvent::Extended { rental, number, occupies, extra, at: now }])
    }

    fn release_extension(&self, rental: RentalId, number: u32, now: Instant) -> Vec<ItemEvent> {
        let newest = self.allocations.get(&rental).and_then(|allocation| allocation.extension);
        let before = newest.filter(|newest| newest.number == number).and_then(|newest| newest.before);
        let released = before.map(|occupies| ItemEvent::ExtensionReleased { rental, number, occupies, at: now });
        released.into_iter().collect()
    }

    pub(super) fn fold(&mut self, event: ItemEvent) {
        match event {
            ItemEvent::Registered { .. } => {}
            ItemEvent::Renamed { name, .. } => self.listing.name = name,
            ItemEvent::Described { description, .. } => self.listing.description = Some(description),
            ItemEvent::Repriced { price, .. } => self.listing.price = price,
            ItemEvent::Retired { .. } => self.retired = true,
            ItemEvent::StockAdjusted { adjustment, units, .. } => {
                self.adjustments.insert(adjustment);
                self.shelf.adjust(units);
            }
            ItemEvent::Held { rental, quantity, occupies, turnaround_s, seats, unit_price, at, .. } => {
                self.queue.leave(rental);
                let allocation = self.shelf.take(quantity, &Taking { occupies, turnaround_s, seats }, unit_price);
                self.allocations.insert(rental, allocation);
                self.shelf.forget_before(at);
            }
            ItemEvent::Awaited { rental, customer, wanted, at, .. } => {
                self.queue.join(Waiter { rental, customer, wanted: *wanted, since: at });
            }
            ItemEvent::WaitingEnded { rental, .. } => self.queue.leave(rental),
            ItemEvent::Committed { rental, .. } => {
                if let Some(allocation) = self.allocations.get_mut(&rental) {
                    self.shelf.commit(allocation);
                    allocation.stage = Stage::Committed;
                }
            }
            ItemEvent::HandedOut { rental, .. } => {
                if let Some(allocation) = self.allocations.get_mut(&rental) {
                    allocation.out = true;
                    self.out = self.out.saturating_add(allocation.quantity);
                }
            }
            ItemEvent::Overdue { rental, .. } => {
                if let Some(allocation) = self.allocations.get_mut(&rental) {
                    self.shelf.mark_overdue(allocation);
                    allocation.stage = Stage::Overdue;
                }
            }
            ItemEvent::Released { rental, at, .. } => {
                if let Some(allocation) = self.allocations.remove(&rental) {
                    self.shelf.give_up(&allocation);
                    self.count_in(&allocation);
                    self.shelf.forget_before(at);
                }
            }
            ItemEvent::Extended { rental, number, occupies, at, .. } => {
                if let Some(allocation) = self.allocations.get_mut(&rental) {
                    let before = allocation.away.map(|away| away.promised);
                    self.shelf.reschedule(allocation, occupies);
                    allocation.extension = Some(Extension { number, before });
                    self.shelf.forget_before(at);
                }
            }
            ItemEvent::ExtensionReleased { rental, number, occupies, at } => {
                if let Some(allocation) = self.allocations.get_mut(&rental) {
                    self.shelf.reschedule(allocation, occupies);
                    allocation.extension = Some(Extension { number, before: None });
                    self.shelf.forget_before(at);
                }
            }
            ItemEvent::Returned { rental, at } => {
                if let Some(allocation) = self.allocations.remove(&rental) {
                    self.shelf.put_back(&allocation, at);
                    self.count_in(&allocation);
                    self.shelf.forget_before(at);
                }
            }
        }
    }

    const fn count_in(&mut self, allocation: &Allocation) {
        if allocation.out {
            self.out = self.out.saturating_sub(allocation.quantity);
        }
    }
}
