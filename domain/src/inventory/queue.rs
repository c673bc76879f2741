//! Who waits in line for an item.

use super::Wanted;
use crate::{CustomerId, Instant, RentalId, days_started, postponed};
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};

/// So many may wait in one line.
pub(super) const MOST_WAITING: usize = 10_000;

/// A rental that waits in line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Which rental.
    pub rental: RentalId,
    /// Whose.
    pub customer: CustomerId,
    /// What is to be held for it.
    pub wanted: Wanted,
    /// Since when.
    pub since: Instant,
}

impl Waiter {
    /// What it wants at this moment: a period that has begun meanwhile moves on, and keeps its length in days.
    pub(super) fn wants_at(&self, now: Instant) -> Wanted {
        let wanted = self.wanted.clone();
        let (Some(period), Some(wait)) = (wanted.period, wanted.wait) else {
            return wanted;
        };
        let period = postponed(period, now, wait.zone).unwrap_or(period);
        Wanted { period: Some(period), days: days_started(period, wait.zone), ..wanted }
    }
}

/// The line for one item: first come, first served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queue {
    line: VecDeque<Waiter>,
    members: HashSet<RentalId>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    pub(super) fn first(&self) -> Option<&Waiter> {
        self.line.front()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.line.iter()
    }

    pub(super) fn contains(&self, rental: RentalId) -> bool {
        self.members.contains(&rental)
    }

    pub(super) fn join(&mut self, waiter: Waiter) {
        if self.members.insert(waiter.rental) {
            self.line.push_back(waiter);
        }
    }

    pub(super) fn leave(&mut self, rental: RentalId) {
        if self.members.remove(&rental) {
            self.line.retain(|waiter| waiter.rental != rental);
        }
    }
}
