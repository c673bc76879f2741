//! Serves who waits in line for an item: whenever something of it may have come free, it is held for the first.
//!
//! The line itself is the item's, and so is the decision whose turn it is; here is only remembered where a line is.

#[cfg(test)]
mod golden;
mod orders;

pub(crate) use orders::{Steward, Waiting};

use domain::inventory::ItemEvent;
use serde::{Deserialize, Serialize};

/// How many wait for one item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nobody.
    #[default]
    Nobody,
    /// So many, at least one.
    Line(u32),
}

/// What the process orders. A refusal needs no answer: an item that is retired keeps nobody waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Hold for the first in line what can be had.
    ServeTheFirst,
}

/// A fact about an item that may concern its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    StockAwaited,
    WaitingEnded,
    StockHeld,
    StockReleased,
    StockReturned,
    StockAdjusted,
}

impl Event {
    /// The item's event as a line sees it; `None` when nothing comes free and nobody comes or goes.
    pub(crate) const fn of(event: &ItemEvent) -> Option<Self> {
        Some(match event {
            ItemEvent::Awaited { .. } => Self::StockAwaited,
            ItemEvent::WaitingEnded { .. } => Self::WaitingEnded,
            ItemEvent::Held { .. } => Self::StockHeld,
            // Additional time is time that others may have now.
            ItemEvent::Released { .. } | ItemEvent::ExtensionReleased { .. } => Self::StockReleased,
            ItemEvent::Returned { .. } => Self::StockReturned,
            ItemEvent::StockAdjusted { .. } => Self::StockAdjusted,
            ItemEvent::Registered { .. }
            | ItemEvent::Renamed { .. }
            | ItemEvent::Described { .. }
            | ItemEvent::Repriced { .. }
            | ItemEvent::Retired { .. }
            | ItemEvent::Committed { .. }
            | ItemEvent::HandedOut { .. }
            | ItemEvent::Extended { .. }
            | ItemEvent::Overdue { .. } => return None,
        })
    }
}

impl Stage {
    /// Answers an event.
    #[must_use]
    pub(crate) fn react(self, event: Event) -> (Self, Vec<Command>) {
        match (self, event) {
            (Self::Nobody, Event::StockAwaited) => (Self::Line(1), vec![]),
            (Self::Line(waiting), Event::StockAwaited) => (Self::Line(waiting.saturating_add(1)), vec![]),
            // While somebody waits, stock is held for nobody but the first in line.
            (Self::Line(1), Event::StockHeld | Event::WaitingEnded) => (Self::Nobody, vec![]),
            // The next one may want less, or there may be more.
            (Self::Line(waiting), Event::StockHeld | Event::WaitingEnded) => {
                (Self::Line(waiting - 1), vec![Command::ServeTheFirst])
            }
            (Self::Line(_), Event::StockReleased | Event::StockReturned | Event::StockAdjusted) => {
                (self, vec![Command::ServeTheFirst])
            }
            (
                Self::Nobody,
                Event::StockHeld
                | Event::WaitingEnded
                | Event::StockReleased
                | Event::StockReturned
                | Event::StockAdjusted,
            ) => (self, vec![]),
        }
    }
}
