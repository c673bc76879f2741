//! Whether a customer can ask for this at all, before anybody looks at stock or money.

use super::{RentalError, Terms};
use crate::aggregate::fits;
use crate::policy::StockKind;
use crate::{Instant, days_started, start_of_day};
use std::collections::BTreeSet;

const MOST_UNITS: u32 = 1000;
pub(super) const MOST_DAYS: u32 = 366;

impl Terms {
    /// Whether what is asked for fits the rules of the business, `now` being when it is asked for.
    pub(super) fn check(&self, now: Instant) -> Result<(), RentalError> {
        require((1..=MOST_UNITS).contains(&self.quantity), "quantity", "1 to 1000")?;
        require(self.payment_method.len() <= 255, "payment_method", "at most 255 bytes")?;
        require(!self.wait || self.rules.waiting_list.is_some(), "wait", "this business has no waiting list")?;
        self.check_seats()?;
        self.check_period(now)
    }

    fn check_seats(&self) -> Result<(), RentalError> {
        if self.seats.is_empty() {
            return Ok(());
        }
        require(self.rules.stock == StockKind::Seats, "seats", "this business has no seats")?;
        require(self.seats.len() == self.quantity as usize, "seats", "as many as the quantity, or none")?;
        let unique: BTreeSet<_> = self.seats.iter().collect();
        require(unique.len() == self.seats.len(), "seats", "each once")?;
        require(self.seats.iter().all(|seat| fits(seat, 32)), "seats", "1 to 32 characters each")
    }

    fn check_period(&self, now: Instant) -> Result<(), RentalError> {
        let pool = self.rules.stock == StockKind::Pool;
        match self.period {
            None => require(!pool, "from", "from when to when is needed"),
            Some(period) => {
                require(pool, "from", "this business has no periods")?;
                require(period.from < period.to, "to", "after the start")?;
                let today = start_of_day(now, self.time_zone);
                if period.from < today {
                    return Err(RentalError::StartsInThePast { from: period.from, today });
                }
                require(days_started(period, self.time_zone) <= MOST_DAYS, "to", "at most 366 days after the start")
            }
        }
    }
}

const fn require(holds: bool, field: &'static str, why: &'static str) -> Result<(), RentalError> {
    if holds { Ok(()) } else { Err(RentalError::DoesNotFit { field, why }) }
}
