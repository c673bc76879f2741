//! What a shop says about an item, and what it may say.

use super::shelf::require;
use super::{ItemError, Stock};
use crate::aggregate::fits;
use crate::{Money, StoreSlug};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

const MOST_UNITS: u32 = 1_000_000_000;
const MOST_SEATS: usize = 10_000;

/// What a shop says about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing {
    pub(super) store: StoreSlug,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) price: Money,
}

impl Listing {
    pub(super) fn check(&self) -> Result<(), ItemError> {
        check_name(&self.name)?;
        check_description(self.description.as_deref())?;
        require(self.price.amount_minor >= 0, "price", "not less than nothing")
    }
}

pub(super) fn check_name(name: &str) -> Result<(), ItemError> {
    require(fits(name, 200), "name", "1 to 200 characters")
}

pub(super) fn check_description(description: Option<&str>) -> Result<(), ItemError> {
    let short = description.is_none_or(|text| text.chars().count() <= 4000);
    require(short, "description", "at most 4000 characters")
}

pub(super) fn check_price(price: Money, before: Money) -> Result<(), ItemError> {
    require(price.amount_minor >= 0, "price", "not less than nothing")?;
    require(price.currency == before.currency, "price", "in the currency that it was in")
}

pub(super) fn check_stock(stock: &Stock) -> Result<(), ItemError> {
    match stock {
        Stock::Pool { units } | Stock::Sale { units: Some(units) } => {
            require(*units <= MOST_UNITS, "units", "at most 1000000000")
        }
        Stock::Sale { units: None } => Ok(()),
        Stock::Seats { seats } => {
            require((1..=MOST_SEATS).contains(&seats.len()), "seats", "1 to 10000 of them")?;
            require(seats.iter().all(|seat| fits(seat, 32)), "seats", "1 to 32 characters each")?;
            let unique: HashSet<_> = seats.iter().collect();
            require(unique.len() == seats.len(), "seats", "each once")
        }
    }
}
