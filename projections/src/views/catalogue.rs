//! What the shops offer, and what has become of it: the one screen of whoever manages it.

use super::tally::{ItemPayments, ItemReviews, Moved, Reviewed};
use super::{item_of, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::inventory::{ItemEvent, Stock};
use domain::policy::StockKind;
use domain::{Event, Instant, ItemId, Money, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the shops offer: price, stock, how much of it is free, who wants it, what was paid for it, and how it was.
pub struct Catalogue;

impl Catalogue {
    /// The tag of what is offered; what is not any more has another one.
    pub const OFFERED: &'static str = "offered";
    const RETIRED: &'static str = "retired";
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Which item.
    pub id: ItemId,
    /// At which shop.
    pub store: StoreSlug,
    /// What it is called.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// What one of it costs.
    pub price: Money,
    /// What the shop has of it.
    pub stock: ItemStock,
    /// Units that no rental holds at any time; `None` for as many as are asked for. For a pool, a period may find more.
    pub available: Option<u32>,
    /// It is not offered any more.
    pub retired: bool,
    /// Rentals that have stock of it: neither given up nor brought back.
    pub reservations: u64,
    /// Rentals that wait in line for it; while there are any, it is there for nobody else.
    #[serde(default)]
    pub waiting: u64,
    /// What was paid for it, late fees included.
    pub payments: ItemPayments,
    /// How those who have had it say it was.
    pub reviews: ItemReviews,
    /// What was done to it last.
    pub last_action: LastAction,
    /// Revision of the item's stream.
    pub revision: u64,
}

/// What a shop has of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemStock {
    /// Of what kind.
    pub kind: StockKind,
    /// How many in all, held and sold ones included; `None` for as many as are asked for.
    pub units: Option<u32>,
    /// The names of the seats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
}

/// What was done to an item last, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAction {
    /// What.
    pub action: ItemAction,
    /// When.
    pub at: Instant,
}

/// What can be done to an item, in a customer's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemAction {
    /// It is new.
    Register,
    /// What is said about it has changed.
    Edit,
    /// There is more or less of it.
    Stock,
    /// It is not offered any more.
    Retire,
    /// Somebody wants it.
    Reserve,
    /// Somebody has paid for it.
    Pay,
    /// Somebody does not want it any more.
    Cancel,
    /// Somebody has it.
    HandOver,
    /// Somebody keeps it longer.
    Extend,
    /// It is not back in time.
    Overdue,
    /// It is back.
    Return,
    /// Somebody has said how it was, or something else about it, or nothing any more.
    Review,
}

/// A stored item.
#[derive(Debug, Serialize, Deserialize)]
pub struct CatalogueState {
    entry: CatalogueEntry,
    given: i64,
    /// Quantities of the rentals that have more than one unit: a release does not say how many it frees.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    several: BTreeMap<RentalId, u32>,
    /// Who waits.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    line: BTreeSet<RentalId>,
}

impl Projection for Catalogue {
    const NAME: &'static str = "catalogue.v2";
    const SUBSCRIPTION: &'static str = "view-catalogue";
    type State = CatalogueState;
    type Document = CatalogueEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Item(_) => Ok(Some(item_of(event)?.into())),
            Event::Rental(rental) => Ok(Reviewed::of(rental).map(|reviewed| reviewed.item.into())),
            Event::Payment(payment) => Ok(Moved::of(payment).map(|moved| moved.item.into())),
            Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<CatalogueState> {
        let Event::Item(ItemEvent::Registered { store, name, description, price, stock, at }) = decoded else {
            return None;
        };
        let stock = ItemStock::from(stock);
        let entry = CatalogueEntry {
            id: item_of(event).ok()?,
            store: store.clone(),
            name: name.clone(),
            description: description.clone(),
            price: *price,
            available: stock.units,
            stock,
            retired: false,
            reservations: 0,
            waiting: 0,
            payments: ItemPayments::default(),
            reviews: ItemReviews::default(),
            last_action: LastAction { action: ItemAction::Register, at: *at },
            revision: event.revision,
        };
        Some(CatalogueState { entry, given: 0, several: BTreeMap::new(), line: BTreeSet::new() })
    }

    fn apply(state: &mut CatalogueState, event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        match decoded {
            Event::Item(item) => {
                state.entry.last_action = state.item_went_on(item);
                state.entry.revision = event.revision;
                Ok(())
            }
            Event::Rental(rental) => {
                let reviewed = Reviewed::of(rental).ok_or_else(|| unexpected(decoded))?;
                state.entry.reviews.count(&reviewed);
                state.entry.last_action = LastAction { action: ItemAction::Review, at: reviewed.at };
                Ok(())
            }
            Event::Payment(payment) => {
                let moved = Moved::of(payment).ok_or_else(|| unexpected(decoded))?;
                state.entry.payments.count(&moved)
            }
            Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Err(unexpected(decoded)),
        }
    }

    fn row(state: &CatalogueState) -> Row<'_> {
        Row { owner: state.entry.store.as_str(), tag: if state.entry.retired { Self::RETIRED } else { Self::OFFERED } }
    }

    fn document(state: CatalogueState) -> CatalogueEntry {
        state.entry
    }
}

impl CatalogueState {
    fn item_went_on(&mut self, event: &ItemEvent) -> LastAction {
        let entry = &mut self.entry;
        let (action, at) = match event {
            ItemEvent::Registered { at, .. } => (ItemAction::Register, at),
            ItemEvent::Renamed { name, at } => {
                entry.name.clone_from(name);
                (ItemAction::Edit, at)
            }
            ItemEvent::Described { description, at } => {
                entry.description = Some(description.clone());
                (ItemAction::Edit, at)
            }
            ItemEvent::Repriced { price, at } => {
                entry.price = *price;
                (ItemAction::Edit, at)
            }
            ItemEvent::Retired { at } => {
                entry.retired = true;
                (ItemAction::Retire, at)
            }
            ItemEvent::StockAdjusted { units, at, .. } => {
                entry.stock.units = Some(*units);
                (ItemAction::Stock, at)
            }
            ItemEvent::Held { rental, quantity, at, .. } => {
                self.line.remove(rental);
                self.take(*rental, *quantity);
                (ItemAction::Reserve, at)
            }
            ItemEvent::Awaited { rental, at, .. } => {
                self.line.insert(*rental);
                (ItemAction::Reserve, at)
            }
            ItemEvent::WaitingEnded { rental, at, .. } => {
                self.line.remove(rental);
                (ItemAction::Cancel, at)
            }
            ItemEvent::Committed { at, .. } => (ItemAction::Pay, at),
            ItemEvent::Released { rental, at, .. } => {
                self.give_back(*rental);
                (ItemAction::Cancel, at)
            }
            ItemEvent::HandedOut { at, .. } => (ItemAction::HandOver, at),
            ItemEvent::Extended { at, .. } => (ItemAction::Extend, at),
            ItemEvent::ExtensionReleased { at, .. } => (ItemAction::Cancel, at),
            ItemEvent::Overdue { at, .. } => (ItemAction::Overdue, at),
            ItemEvent::Returned { rental, at } => {
                self.give_back(*rental);
                (ItemAction::Return, at)
            }
        };
        let given = self.given;
        self.entry.waiting = self.line.len() as u64;
        let given = if self.line.is_empty() { given } else { i64::MAX };
        let left = |units: u32| u32::try_from(i64::from(units).saturating_sub(given).max(0)).unwrap_or(u32::MAX);
        self.entry.available = self.entry.stock.units.map(left);
        LastAction { action, at: *at }
    }

    fn take(&mut self, rental: RentalId, quantity: u32) {
        self.entry.reservations += 1;
        self.given += i64::from(quantity);
        if quantity != 1 {
            self.several.insert(rental, quantity);
        }
    }

    fn give_back(&mut self, rental: RentalId) {
        self.entry.reservations = self.entry.reservations.saturating_sub(1);
        self.given -= i64::from(self.several.remove(&rental).unwrap_or(1));
    }
}

impl From<&Stock> for ItemStock {
    fn from(stock: &Stock) -> Self {
        match stock {
            Stock::Pool { units } => Self { kind: StockKind::Pool, units: Some(*units), seats: Vec::new() },
            Stock::Sale { units } => Self { kind: StockKind::Sale, units: *units, seats: Vec::new() },
            Stock::Seats { seats } => Self {
                kind: StockKind::Seats,
                units: Some(u32::try_from(seats.len()).unwrap_or(u32::MAX)),
                seats: seats.clone(),
            },
        }
    }
}
