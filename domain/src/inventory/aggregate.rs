//! An item, as everybody may see it, and how it begins.

use super::listing::{Listing, check_stock};
use super::offer::Offer;
use super::queue::Waiter;
use super::{ItemCommand, ItemError, ItemEvent};
use crate::policy::StockKind;
use crate::{Instant, Money, Period, RentalId, StoreSlug};
use serde::{Deserialize, Serialize};

/// Something that a shop lends, sells or seats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// Nobody offers it.
    #[default]
    NotRegistered,
    /// A shop does, or did.
    Registered(Box<Offer>),
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

    /// Who waits for it, in line, with the rental's wish.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiter> {
        self.offer().into_iter().flat_map(|offer| offer.queue.iter())
    }

    /// Whether a rental has some of it.
    #[must_use]
    pub fn holds(&self, rental: RentalId) -> bool {
        self.offer().is_some_and(|offer| offer.allocations.contains_key(&rental))
    }

    /// Which seats a rental has, in the order of registration; none where there are no seats.
    #[must_use]
    pub fn seats_of(&self, rental: RentalId) -> Vec<String> {
        self.offer().map_or_else(Vec::new, |offer| offer.seats_of(rental))
    }

    /// How many units can be had: of a pool those that are free at every instant of the period (turnaround not
    /// included) from `now` on, or at `now` where there is no period. `None` for as many as are asked for. While somebody
    /// waits in line there is nothing for anybody else.
    #[must_use]
    pub fn available(&self, period: Option<Period>, now: Instant) -> Option<u32> {
        match self.offer() {
            Some(offer) if !offer.retired && offer.queue.is_empty() => offer.shelf.available(period, now),
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
                | Cmd::ServeWaiting { .. }
                | Cmd::Hold { .. }
                | Cmd::Commit { .. }
                | Cmd::Release { .. }
                | Cmd::HandOut { .. }
                | Cmd::Extend { .. }
                | Cmd::ReleaseExtension { .. }
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

crate::aggregate::aggregate!(Item, "item", ItemCommand => ItemEvent | ItemError);
