//! The three kinds of stock.

use super::allocation::{Allocation, Away, Stage};
use super::pool::{Pool, just_after};
use super::seating::Seating;
use super::{ItemError, Stock, Wanted};
use crate::policy::StockKind;
use crate::{Instant, Money, Period};
use serde::{Deserialize, Serialize};

/// An item's stock, and how much of it is whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Shelf {
    Pool(Pool),
    /// Without a number as many as are asked for. What is sold counts as given for ever.
    Sale {
        units: Option<u32>,
        given: u64,
    },
    Seats(Seating),
}

/// What a hold would take.
#[derive(Debug, Default)]
pub(super) struct Taking {
    pub(super) occupies: Option<Period>,
    pub(super) turnaround_s: u32,
    pub(super) seats: Vec<String>,
}

impl Shelf {
    pub(super) fn new(stock: Stock) -> Self {
        match stock {
            Stock::Pool { units } => Self::Pool(Pool::new(units)),
            Stock::Sale { units } => Self::Sale { units, given: 0 },
            Stock::Seats { seats } => Self::Seats(Seating::new(seats)),
        }
    }

    pub(super) const fn kind(&self) -> StockKind {
        match self {
            Self::Pool(_) => StockKind::Pool,
            Self::Sale { .. } => StockKind::Sale,
            Self::Seats(_) => StockKind::Seats,
        }
    }

    /// How many units there are, given ones included; `None` for as many as are asked for.
    pub(super) fn units(&self) -> Option<u32> {
        match self {
            Self::Pool(pool) => Some(pool.units),
            Self::Sale { units, .. } => *units,
            Self::Seats(seating) => Some(seating.len()),
        }
    }

    pub(super) fn available(&self, period: Option<Period>, now: Instant) -> Option<u32> {
        match (self, period) {
            (Self::Pool(pool), Some(period)) => Some(pool.free(period.from, Some(period.to), now)),
            (Self::Pool(pool), None) => Some(pool.free(now, Some(just_after(now)), now)),
            (Self::Sale { units, given }, _) => units.map(|units| left(units, *given)),
            (Self::Seats(seating), _) => Some(seating.free()),
        }
    }

    /// How many units are promised at the busiest instant from now on.
    pub(super) fn busiest(&self, now: Instant) -> u32 {
        match self {
            Self::Pool(pool) => u32::try_from(pool.busiest(now, None, now)).unwrap_or(0),
            Self::Sale { given, .. } => u32::try_from(*given).unwrap_or(u32::MAX),
            Self::Seats(seating) => seating.len() - seating.free(),
        }
    }

    /// What would be taken for a rental, if it can be had.
    pub(super) fn find(&self, wanted: Wanted, now: Instant) -> Result<Taking, ItemError> {
        let Wanted { quantity, period, seats, turnaround_s, .. } = wanted;
        require(quantity > 0, "quantity", "more than 0")?;
        require(seats.is_empty() || self.kind() == StockKind::Seats, "seats", "this item has no seats")?;
        require(period.is_none() || self.kind() == StockKind::Pool, "from", "this item does not come back")?;
        match self {
            Self::Pool(pool) => {
                let period = period.ok_or(misfit("from", "from when to when is needed"))?;
                require(period.from < period.to, "to", "after the start")?;
                let away = Away::of(period, turnaround_s).ok_or(misfit("to", "beyond the calendar"))?;
                let occupies = away.promised;
                enough(quantity, pool.free(occupies.from, Some(occupies.to), now))?;
                Ok(Taking { occupies: Some(occupies), turnaround_s, seats })
            }
            Self::Sale { units, given } => {
                if let Some(units) = *units {
                    enough(quantity, left(units, *given))?;
                }
                Ok(Taking::default())
            }
            Self::Seats(seating) if seats.is_empty() => {
                enough(quantity, seating.free())?;
                Ok(Taking { seats: seating.first_free(quantity), ..Taking::default() })
            }
            Self::Seats(seating) => {
                require(seats.len() == quantity as usize, "seats", "as many as the quantity, or none")?;
                let unique: std::collections::BTreeSet<_> = seats.iter().collect();
                require(unique.len() == seats.len(), "seats", "each once")?;
                let taken = seating.not_free(&seats);
                if !taken.is_empty() {
                    return Err(ItemError::SeatsTaken { seats: taken });
                }
                Ok(Taking { seats, ..Taking::default() })
            }
        }
    }

    pub(super) fn adjust(&mut self, now_units: u32) {
        match self {
            Self::Pool(pool) => pool.units = now_units,
            Self::Sale { units, .. } => *units = Some(now_units),
            Self::Seats(_) => {}
        }
    }

    pub(super) fn take(&mut self, quantity: u32, taking: &Taking, unit_price: Money) -> Allocation {
        let away = taking.occupies.map(|occupies| Away::promised(occupies, taking.turnaround_s));
        let (stage, extension, seats) = (Stage::Held, None, vec![]);
        let mut allocation = Allocation { quantity, stage, away, unit_price, extension, seats, out: false };
        match (self, away) {
            (Self::Pool(pool), Some(away)) => pool.hold(&away, quantity),
            // Never written: a pool is held for a period.
            (Self::Pool(_), None) => {}
            (Self::Sale { given, .. }, _) => *given += u64::from(quantity),
            (Self::Seats(seating), _) => allocation.seats = seating.take(&taking.seats),
        }
        allocation
    }

    pub(super) fn commit(&mut self, allocation: &Allocation) {
        if let (Self::Pool(pool), Some(away)) = (self, &allocation.away) {
            pool.commit(away, allocation.quantity);
        }
    }

    pub(super) fn mark_overdue(&mut self, allocation: &Allocation) {
        if let (Self::Pool(pool), Some(away)) = (self, &allocation.away) {
            pool.mark_overdue(away, allocation.quantity);
        }
    }

    /// When units would be away if they stayed longer, if they can.
    pub(super) fn find_longer(&self, allocation: &Allocation, to: Instant, now: Instant) -> Result<Period, ItemError> {
        let (Self::Pool(pool), Some(away)) = (self, &allocation.away) else {
            return Err(misfit("rental", "this item was given for good"));
        };
        let longer = away.until(to).ok_or(misfit("to", "beyond the calendar"))?;
        require(longer.promised.to > away.promised.to, "to", "after the end")?;
        enough(allocation.quantity, pool.free_after(allocation, away, longer.promised.to, now))?;
        Ok(longer.promised)
    }

    /// Units are away until later, or until earlier again.
    pub(super) fn reschedule(&mut self, allocation: &mut Allocation, occupies: Period) {
        if let (Self::Pool(pool), Some(away)) = (self, allocation.away) {
            let rescheduled = Away { promised: occupies, ..away };
            pool.reschedule(allocation, &away, &rescheduled);
            allocation.away = Some(rescheduled);
        }
    }

    /// Units of a pool came back.
    pub(super) fn put_back(&mut self, allocation: &Allocation, at: Instant) {
        if let (Self::Pool(pool), Some(away)) = (self, &allocation.away) {
            pool.end(allocation, away, away.free_again(at));
        }
    }

    /// It is as if they had never been taken.
    pub(super) fn give_up(&mut self, allocation: &Allocation) {
        match (self, &allocation.away) {
            (Self::Pool(pool), Some(away)) => pool.end(allocation, away, away.promised.from),
            (Self::Pool(_), None) => {}
            (Self::Sale { given, .. }, _) => *given = given.saturating_sub(allocation.quantity.into()),
            (Self::Seats(seating), _) => seating.give_back(&allocation.seats),
        }
    }

    /// History does not pile up: nothing is decided about instants before the newest event.
    pub(super) fn forget_before(&mut self, at: Instant) {
        if let Self::Pool(pool) = self {
            pool.forget_before(at);
        }
    }
}

fn left(units: u32, given: u64) -> u32 {
    u32::try_from(u64::from(units).saturating_sub(given)).unwrap_or(0)
}

const fn enough(wanted: u32, available: u32) -> Result<(), ItemError> {
    if wanted <= available { Ok(()) } else { Err(ItemError::OutOfStock { wanted, available }) }
}

pub(super) const fn misfit(field: &'static str, why: &'static str) -> ItemError {
    ItemError::DoesNotFit { field, why }
}

pub(super) const fn require(holds: bool, field: &'static str, why: &'static str) -> Result<(), ItemError> {
    if holds { Ok(()) } else { Err(misfit(field, why)) }
}
