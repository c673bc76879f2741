//! What being late costs: charged when it is back, charged in another way after a decline, or waived.

use super::aggregate::{Opened, Reached};
use super::{RentalError, RentalEvent};
use crate::{Instant, Money};
use serde::{Deserialize, Serialize};

/// The fee for being late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateFee {
    /// How much.
    pub amount: Money,
    /// Which attempt to charge it is the newest; they are numbered from 1.
    pub attempt: u32,
    /// The payment provider's token for how it is paid.
    pub method: String,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The newest attempt is on its way.
    Charging,
    /// It was declined.
    Owed,
    Waived,
}

impl LateFee {
    pub(super) const fn new(amount: Money, method: String) -> Self {
        Self { amount, attempt: 1, method, stage: Stage::Charging }
    }

    /// Whether the newest attempt to charge it is on its way.
    #[must_use]
    pub fn is_being_charged(&self) -> bool {
        self.stage == Stage::Charging
    }

    pub(super) const fn declined(&mut self) {
        self.stage = Stage::Owed;
    }

    pub(super) const fn waived(&mut self) {
        self.stage = Stage::Waived;
    }

    pub(super) fn demanded(&mut self, attempt: u32, method: String) {
        (self.attempt, self.method, self.stage) = (attempt, method, Stage::Charging);
    }
}

impl Opened {
    pub(super) fn owe_late_fee(
        &self,
        attempt: u32,
        code: String,
        at: Instant,
    ) -> Result<Vec<RentalEvent>, RentalError> {
        let fee = self.late_fee.as_ref().filter(|fee| attempt <= fee.attempt).ok_or(refusal("nothing is owed"))?;
        let open = self.reached == Reached::Returned && fee.attempt == attempt && fee.is_being_charged();
        Ok(if open { vec![RentalEvent::LateFeeDeclined { attempt, code, at }] } else { vec![] })
    }

    pub(super) fn pay_late_fee(&self, method: String, at: Instant) -> Result<Vec<RentalEvent>, RentalError> {
        let fee = self.open_late_fee()?;
        match fee.stage {
            Stage::Charging if fee.method == method => Ok(vec![]),
            Stage::Charging => Err(refusal("it is being charged already")),
            Stage::Waived => Err(refusal("the fee was waived")),
            Stage::Owed if method.len() > 255 => {
                Err(RentalError::DoesNotFit { field: "payment_method", why: "at most 255 bytes" })
            }
            Stage::Owed => Ok(vec![RentalEvent::LateFeeDemanded { attempt: fee.attempt + 1, method, at }]),
        }
    }

    pub(super) fn waive_late_fee(&self, at: Instant) -> Result<Vec<RentalEvent>, RentalError> {
        if self.late_fee.as_ref().is_some_and(|fee| fee.stage == Stage::Waived) {
            return Ok(vec![]);
        }
        self.open_late_fee().map(|_| vec![RentalEvent::LateFeeWaived { at }])
    }

    fn open_late_fee(&self) -> Result<&LateFee, RentalError> {
        match (self.reached, &self.late_fee) {
            (Reached::Returned, Some(fee)) => Ok(fee),
            (Reached::Completed, Some(fee)) if fee.stage != Stage::Waived => Err(refusal("it is paid")),
            (_, _) => Err(refusal("nothing is owed")),
        }
    }
}

const fn refusal(why: &'static str) -> RentalError {
    RentalError::NothingOwed { why }
}
