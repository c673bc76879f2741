//! How many units are away at each instant: a step function that is raised and lowered over ranges and asked for its
//! highest step, each in O(log n) of the number of its steps, however many holds made them.

#[cfg(test)]
mod tests;
mod tree;

use crate::Instant;
use serde::{Deserialize, Serialize};
use tree::Tree;

/// A step function over all instants.
///
/// The past may be forgotten: everything before that instant then counts as if it were that instant, and orders about it
/// are narrowed to what is remembered, so that a range is lowered by just what is left of its being raised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Steps", into = "Steps")]
pub(super) struct Occupancy {
    /// The level before the first step.
    base: i64,
    /// How much each step goes up or down; never zero.
    steps: Tree,
    forgotten: Option<Instant>,
}

/// The stored form.
#[derive(Clone, Serialize, Deserialize)]
struct Steps {
    base: i64,
    /// From when on which level holds, in order.
    levels: Vec<(Instant, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Instant>,
}

impl Occupancy {
    /// Raises (or with a negative `change` lowers) the level in `[from, to)`; without an end, for ever.
    pub(super) fn raise(&mut self, from: Instant, to: Option<Instant>, change: i64) {
        let remembered = |at: Instant| self.forgotten.is_none_or(|forgotten| forgotten < at);
        let end = match to {
            Some(to) if to <= from || !remembered(to) => return,
            end => end,
        };
        if remembered(from) {
            self.steps.add(from, change);
        } else {
            self.base += change;
        }
        if let Some(end) = end {
            self.steps.add(end, -change);
        }
    }

    /// The level at one instant.
    pub(super) fn level(&self, at: Instant) -> i64 {
        self.base + self.steps.sum_until(at)
    }

    /// The highest level in `[from, to)`; without an end, for ever after. An empty range counts as its first instant.
    pub(super) fn highest(&self, from: Instant, to: Option<Instant>) -> i64 {
        self.level(from) + self.steps.peak_between(from, to)
    }

    /// Forgets what was before an instant. The level at it and after it stays.
    pub(super) fn forget_before(&mut self, at: Instant) {
        if self.forgotten.is_some_and(|forgotten| at <= forgotten) {
            return;
        }
        self.forgotten = Some(at);
        while let Some((first, change)) = self.steps.first()
            && first <= at
        {
            self.base += change;
            self.steps.add(first, -change);
        }
    }

    /// Until when the past is forgotten.
    pub(super) const fn forgotten(&self) -> Option<Instant> {
        self.forgotten
    }

    /// How many steps are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.steps.changes().len()
    }
}

impl From<Occupancy> for Steps {
    fn from(occupancy: Occupancy) -> Self {
        let mut level = occupancy.base;
        let climb = |(at, change)| {
            level += change;
            (at, level)
        };
        let levels = occupancy.steps.changes().into_iter().map(climb).collect();
        Self { base: occupancy.base, levels, forgotten: occupancy.forgotten }
    }
}

impl From<Steps> for Occupancy {
    fn from(stored: Steps) -> Self {
        let mut steps = Tree::default();
        let mut before = stored.base;
        for (at, level) in stored.levels {
            steps.add(at, level - before);
            before = level;
        }
        Self { base: stored.base, steps, forgotten: stored.forgotten }
    }
}
