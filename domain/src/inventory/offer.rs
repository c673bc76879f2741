//! An item that is offered: its stock, and who may have how much of it.

use super::allocation::{Allocation, Extension, Stage};
use super::listing::{Listing, check_description, check_name, check_price};
use super::shelf::{Shelf, Taking, misfit, require};
use super::{ItemCommand, ItemError, ItemEvent, ReleaseReason, Stock, Wanted};
use crate::policy::{PricePer, StockKind};
use crate::{CustomerId, Instant, Money, RentalId};
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
    adjustments: BTreeSet<Uuid>,
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
            adjustments: BTreeSet::new(),
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
            Cmd::Retire { now } => Ok(vec![ItemEvent::Retired { at: now }]),
            Cmd::AdjustStock { adjustment, change, reason, now } => self.adjust(adjustment, change, reason, now),
            Cmd::Hold { rental, customer, wanted, until, now } => self.hold(rental, customer, wanted, until, now),
            Cmd::Commit { rental, now } => match self.stage(rental) {
                None => Err(ItemError::NothingHeld),
                Some(Stage::Held) => Ok(vec![ItemEvent::Committed { rental, at: now }]),
                Some(Stage::Committed | Stage::Overdue) => Ok(vec![]),
            },
            Cmd::Release { rental, reason, now } => match (self.stage(rental), reason) {
                (None, _) => Ok(vec![]),
                (Some(Stage::Committed | Stage::Overdue), ReleaseReason::Expired) => Err(ItemError::Committed),
                (Some(_), _) => Ok(vec![ItemEvent::Released { rental, reason, at: now }]),
            },
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

    fn check_comes_back(&self, stage: Stage) -> Result<(), ItemError> {
        require(self.shelf.kind() == StockKind::Pool, "rental", "this item was given for good")?;
        require(stage != Stage::Held, "rental", "its stock is held and not committed")
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
        if self.allocations.contains_key(&rental) {
            return Ok(vec![]);
        }
        if self.retired {
            return Err(ItemError::Retired);
        }
        let quantity = wanted.quantity;
        let total = self.total(&wanted)?;
        let Taking { occupies, turnaround_s, seats } = self.shelf.find(wanted, now)?;
        let unit_price = self.listing.price;
        Ok(vec![ItemEvent::Held {
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
        }])
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
                let allocation = self.shelf.take(quantity, &Taking { occupies, turnaround_s, seats }, unit_price);
                self.allocations.insert(rental, allocation);
                self.shelf.forget_before(at);
            }
            ItemEvent::Committed { rental, .. } => {
                if let Some(allocation) = self.allocations.get_mut(&rental) {
                    self.shelf.commit(allocation);
                    allocation.stage = Stage::Committed;
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
                    self.shelf.forget_before(at);
                }
            }
        }
    }
}
