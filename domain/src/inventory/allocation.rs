//! What one rental has of an item.

use crate::{Instant, Money, Period};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What one rental has of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Allocation {
    pub(super) quantity: u32,
    pub(super) stage: Stage,
    /// When units of a pool are away.
    pub(super) away: Option<Away>,
    /// What one unit (and day) cost when it was held.
    pub(super) unit_price: Money,
    /// The newest extension.
    pub(super) extension: Option<Extension>,
    /// Which seats, by their place in the order of registration.
    pub(super) seats: Vec<u32>,
    /// Whether units of a pool have left the shop.
    pub(super) out: bool,
}

/// How certain it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Held,
    Committed,
    Overdue,
}

/// An extension of the time for which units are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extension {
    pub(super) number: u32,
    /// As promised before it, turnaround included; nothing once it was given up.
    pub(super) before: Option<Period>,
}

/// When units of a pool are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Away {
    /// As promised, turnaround included.
    pub(super) promised: Period,
    pub(super) turnaround: TimeDelta,
}

impl Away {
    /// The time for which units are taken out of a pool; `None` beyond the end of the calendar.
    pub(super) fn of(period: Period, turnaround_s: u32) -> Option<Self> {
        let turnaround = TimeDelta::seconds(turnaround_s.into());
        let to = period.to.checked_add_signed(turnaround)?;
        Some(Self { promised: Period { from: period.from, to }, turnaround })
    }

    pub(super) fn promised(promised: Period, turnaround_s: u32) -> Self {
        Self { promised, turnaround: TimeDelta::seconds(turnaround_s.into()) }
    }

    /// The same units, away until another instant.
    pub(super) fn until(&self, to: Instant) -> Option<Self> {
        let to = to.checked_add_signed(self.turnaround)?;
        Some(Self { promised: Period { to, ..self.promised }, ..*self })
    }

    /// When the units should be back.
    pub(super) fn due(&self) -> Instant {
        self.promised.to.checked_sub_signed(self.turnaround).unwrap_or(self.promised.from)
    }

    /// From when on the units can go out again if they are back at `at`.
    pub(super) fn free_again(&self, at: Instant) -> Instant {
        at.checked_add_signed(self.turnaround).unwrap_or(Instant::MAX_UTC)
    }
}
