//! Units that come back, counted at every instant.
//!
//! What is promised is in a step function. Units that should be back and are not may not be promised to anybody else,
//! although their promised time is over: when they are marked as overdue, or with the next event after they were due, the
//! step function has them for ever; until then they are found by their due instants. The past is forgotten as time goes by,
//! and nothing is decided about it.

use super::allocation::{Allocation, Away, Stage};
use super::occupancy::Occupancy;
use crate::Instant;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The units of an item that come back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pool {
    pub(super) units: u32,
    promised: Occupancy,
    /// By when they are due, and then by when their promised time is over: units that are committed and not yet had for
    /// ever.
    due: BTreeMap<Instant, BTreeMap<Instant, i64>>,
}

impl Pool {
    pub(super) fn new(units: u32) -> Self {
        Self { units, ..Self::default() }
    }

    /// How many units can be had for all of a range; what is before `now` is over and does not count.
    pub(super) fn free(&self, from: Instant, to: Option<Instant>, now: Instant) -> u32 {
        let free = i64::from(self.units) - self.busiest(from, to, now);
        u32::try_from(free.max(0)).unwrap_or(u32::MAX)
    }

    /// The highest number of units that are promised or late at any instant of a range, from `now` on.
    pub(super) fn busiest(&self, from: Instant, to: Option<Instant>, now: Instant) -> i64 {
        // A clock that lags behind the newest event must not find units free that were given since.
        let now = self.promised.forgotten().map_or(now, |forgotten| forgotten.max(now));
        let mut from = from.max(now);
        let to = to.map(|to| to.max(just_after(from)));
        let mut late_before = 0_i64;
        let mut highest = i64::MIN;
        for (end, units) in self.late(now) {
            if to.is_some_and(|to| to <= end) {
                break;
            }
            if from < end {
                highest = highest.max(late_before + self.promised.highest(from, Some(end)));
                from = end;
            }
            late_before += units;
        }
        highest.max(late_before + self.promised.highest(from, to))
    }

    /// Units that became late since the newest event, in the order in which their promised times end.
    fn late(&self, now: Instant) -> Vec<(Instant, i64)> {
        let late = self.due.range(..=now).flat_map(|(_, ends)| ends);
        let mut late: Vec<_> = late.map(|(end, units)| (*end, *units)).collect();
        late.sort_unstable();
        late
    }

    pub(super) fn hold(&mut self, away: &Away, quantity: u32) {
        self.promised.raise(away.promised.from, Some(away.promised.to), quantity.into());
    }

    pub(super) fn commit(&mut self, away: &Away, quantity: u32) {
        if self.is_late(away) {
            return self.promised.raise(away.promised.to, None, quantity.into());
        }
        *self.due.entry(away.due()).or_default().entry(away.promised.to).or_default() += i64::from(quantity);
    }

    pub(super) fn mark_overdue(&mut self, away: &Away, quantity: u32) {
        if !self.is_late(away) {
            self.forget_due(away, quantity);
            self.promised.raise(away.promised.to, None, quantity.into());
        }
    }

    /// Gives units back: what they had is taken from them from `until` on, or granted to them until then.
    pub(super) fn end(&mut self, allocation: &Allocation, away: &Away, until: Instant) {
        let quantity = i64::from(allocation.quantity);
        let until = until.max(away.promised.from);
        match allocation.stage {
            Stage::Overdue => return self.promised.raise(until, None, -quantity),
            Stage::Committed if self.is_late(away) => return self.promised.raise(until, None, -quantity),
            Stage::Committed => self.forget_due(away, allocation.quantity),
            Stage::Held => {}
        }
        self.promised.raise(until, Some(away.promised.to), -quantity);
        self.promised.raise(away.promised.to, Some(until), quantity);
    }

    /// How many units could stay away from the end of what is promised until `to`, as far as others need them.
    pub(super) fn free_after(&self, allocation: &Allocation, away: &Away, to: Instant, now: Instant) -> u32 {
        let busiest = self.busiest(away.promised.to, Some(to), now);
        let now = self.promised.forgotten().map_or(now, |forgotten| forgotten.max(now));
        let late = match allocation.stage {
            Stage::Held => false,
            Stage::Committed => away.due() <= now,
            Stage::Overdue => true,
        };
        // What is late is had for ever, and it is not in its own way.
        let own = if late { i64::from(allocation.quantity) } else { 0 };
        u32::try_from((i64::from(self.units) - (busiest - own)).max(0)).unwrap_or(u32::MAX)
    }

    /// Units are away at another time: as if they had been taken for it from the start.
    pub(super) fn reschedule(&mut self, allocation: &Allocation, from: &Away, to: &Away) {
        self.end(allocation, from, from.promised.from);
        self.hold(to, allocation.quantity);
        match allocation.stage {
            Stage::Held => {}
            Stage::Committed => self.commit(to, allocation.quantity),
            Stage::Overdue => self.promised.raise(to.promised.to, None, allocation.quantity.into()),
        }
    }

    /// Forgets the past; what was due in it and is not back is had for ever from now on.
    pub(super) fn forget_before(&mut self, at: Instant) {
        self.promised.forget_before(at);
        while let Some(due) = self.due.first_entry()
            && *due.key() <= at
        {
            for (end, units) in due.remove() {
                self.promised.raise(end, None, units);
            }
        }
    }

    /// Whether committed units were due before the newest event, so that the step function has them for ever.
    fn is_late(&self, away: &Away) -> bool {
        self.promised.forgotten().is_some_and(|forgotten| away.due() <= forgotten)
    }

    fn forget_due(&mut self, away: &Away, quantity: u32) {
        let due = away.due();
        if let Some(ends) = self.due.get_mut(&due) {
            if let Some(units) = ends.get_mut(&away.promised.to) {
                *units -= i64::from(quantity);
            }
            ends.retain(|_, units| *units > 0);
            if ends.is_empty() {
                self.due.remove(&due);
            }
        }
    }
}

/// The end of the shortest range there is.
pub(super) fn just_after(at: Instant) -> Instant {
    at.checked_add_signed(TimeDelta::nanoseconds(1)).unwrap_or(at)
}
