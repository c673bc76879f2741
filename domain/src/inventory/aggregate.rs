//! An item with its stock, and who may have how much of it.

use super::allocation::{Allocation, Stage};
use super::listing::{Listing, check_description, check_name, check_price, check_stock};
use super::shelf::{Shelf, Taking, misfit, require};
use super::{ItemCommand, ItemError, ItemEvent, ReleaseReason, Stock, Wanted};
use crate::policy::{PricePer, StockKind};
use crate::{CustomerId, Instant, Money, Period, RentalId, StoreSlug};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Something that a shop lends, sells or seats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// Nobody offers it.
    #[default]
    NotRegistered,
    /// A shop does, or did.
    Registered(Box<Offer>),
}

/// An item that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    listing: Listing,
    /// What a repeated registration is known by after the item has changed.
    first: (Listing, Option<u32>),
    retired: bool,
    shelf: Shelf,
    allocations: HashMap<RentalId, Allocation>,
    adjustments: BTreeSet<Uuid>,
}

impl Item {
    /// Whether a shop offers it, or did.
    #[must_use]
    pub fn registered(&self) -> bool {
        self.offer().is_some()
    }

    /// Whose it is.
    #[must_use]
    pub fn store(&self) -> Option<&StoreSlug> {
        self.offer().map(|offer| &offer.listing.store)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.offer().map(|offer| offer.listing.name.as_str())
    }

    /// More about it.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.offer().and_then(|offer| offer.listing.description.as_deref())
    }

    /// What one of it costs now.
    #[must_use]
    pub fn price(&self) -> Option<Money> {
        self.offer().map(|offer| offer.listing.price)
    }

    /// Whether it is offered no more.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.offer().is_some_and(|offer| offer.retired)
    }

    /// What kind of stock it has.
    #[must_use]
    pub fn stock_kind(&self) -> Option<StockKind> {
        self.offer().map(|offer| offer.shelf.kind())
    }

    /// How many units there are, held and sold ones included; `None` for made-to-order.
    #[must_use]
    pub fn units(&self) -> Option<u32> {
        self.offer().map_or(Some(0), |offer| offer.shelf.units())
    }

    /// Whether a rental has some of it.
    #[must_use]
    pub fn holds(&self, rental: RentalId) -> bool {
        self.offer().is_some_and(|offer| offer.allocations.contains_key(&rental))
    }

    /// How many units can be had: of a pool those that are free at every instant of the period (turnaround not
    /// included) from `now` on, or at `now` where there is no period. `None` for as many as are asked for.
    #[must_use]
    pub fn available(&self, period: Option<Period>, now: Instant) -> Option<u32> {
        match self.offer() {
            Some(offer) if !offer.retired => offer.shelf.available(period, now),
            Some(_) | None => Some(0),
        }
    }

    /// How many units are promised or late at the busiest instant from now on.
    #[must_use]
    pub fn busiest(&self, now: Instant) -> u32 {
        self.offer().map_or(0, |offer| offer.shelf.busiest(now))
    }

    fn offer(&self) -> Option<&Offer> {
        match self {
            Self::NotRegistered => None,
            Self::Registered(offer) => Some(offer),
        }
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When stock cannot be had, and when what is asked for does not fit the item.
    pub fn decide(&self, command: ItemCommand) -> Result<Vec<ItemEvent>, ItemError> {
        use ItemCommand as Cmd;
        match (self, command) {
            (Self::NotRegistered, Cmd::Register { store, name, description, price, stock, now }) => {
                let listing = Listing { store, name, description, price };
                listing.check()?;
                check_stock(&stock)?;
                let Listing { store, name, description, price } = listing;
                Ok(vec![ItemEvent::Registered { store, name, description, price, stock, at: now }])
            }
            (
                Self::NotRegistered,
                Cmd::Revise { .. }
                | Cmd::Retire { .. }
                | Cmd::AdjustStock { .. }
                | Cmd::Hold { .. }
                | Cmd::Commit { .. }
                | Cmd::Release { .. }
                | Cmd::MarkOverdue { .. }
                | Cmd::Return { .. },
            ) => Err(ItemError::NotRegistered),
            (Self::Registered(offer), command) => offer.decide(command),
        }
    }

    fn fold(&mut self, event: ItemEvent) {
        match (event, &mut *self) {
            (ItemEvent::Registered { store, name, description, price, stock, .. }, _) => {
                let listing = Listing { store, name, description, price };
                *self = Self::Registered(Box::new(Offer::new(listing, stock)));
            }
            (event, Self::Registered(offer)) => offer.fold(event),
            // Never written: every other order to an item that is not registered is refused.
            (_, Self::NotRegistered) => {}
        }
    }
}

impl Offer {
    fn new(listing: Listing, stock: Stock) -> Self {
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

    fn decide(&self, command: ItemCommand) -> Result<Vec<ItemEvent>, ItemError> {
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

    fn fold(&mut self, event: ItemEvent) {
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
            ItemEvent::Held { rental, quantity, occupies, turnaround_s, seats, at, .. } => {
                let allocation = self.shelf.take(quantity, &Taking { occupies, turnaround_s, seats });
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
            ItemEvent::Returned { rental, at } => {
                if let Some(allocation) = self.allocations.remove(&rental) {
                    self.shelf.put_back(&allocation, at);
                    self.shelf.forget_before(at);
                }
            }
        }
    }
}

crate::aggregate::aggregate!(Item, "item", ItemCommand => ItemEvent | ItemError);
