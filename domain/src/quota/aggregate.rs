//! Which rentals are counted, and the rules for counting them.

use super::{QuotaCommand, QuotaError, QuotaEvent};
use crate::RentalId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The open rentals of one customer at one shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    open: BTreeSet<RentalId>,
}

impl Quota {
    /// How many rentals are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When as many are open as may be.
    pub fn decide(&self, command: QuotaCommand) -> Result<Vec<QuotaEvent>, QuotaError> {
        match command {
            QuotaCommand::Take { rental, .. } if self.open.contains(&rental) => Ok(vec![]),
            QuotaCommand::Take { limit, .. } if u64::from(limit) <= self.open.len() as u64 => {
                Err(QuotaError::Exceeded { limit })
            }
            QuotaCommand::Take { rental, now, .. } => Ok(vec![QuotaEvent::Taken { rental, at: now }]),
            QuotaCommand::GiveBack { rental, now } if self.open.contains(&rental) => {
                Ok(vec![QuotaEvent::GivenBack { rental, at: now }])
            }
            QuotaCommand::GiveBack { .. } => Ok(vec![]),
        }
    }

    fn fold(&mut self, event: QuotaEvent) {
        match event {
            QuotaEvent::Taken { rental, .. } => self.open.insert(rental),
            QuotaEvent::GivenBack { rental, .. } => self.open.remove(&rental),
        };
    }
}

crate::aggregate::aggregate!(Quota, "quota", QuotaCommand => QuotaEvent | QuotaError);
