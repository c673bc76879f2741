//! What reviews and payments add up to, for one item.

use crate::projection::Indigestible;
use domain::payment::PaymentEvent;
use domain::rental::RentalEvent;
use domain::{Instant, ItemId, Money};
use serde::{Deserialize, Serialize};

/// What was paid for an item. Payments from before they named their item are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemPayments {
    /// How many were approved.
    pub approved: u64,
    /// How much that was; none before the first.
    pub amount: Option<Money>,
    /// How much of it went back.
    pub refunded: Option<Money>,
}

/// The reviews of an item that stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReviews {
    /// How many.
    pub count: u64,
    /// The stars of all of them together.
    pub stars: u64,
}

impl ItemReviews {
    /// Stars of one on average, in hundredths, rounded; `None` where there is no review.
    #[must_use]
    pub const fn average_hundredths(&self) -> Option<u64> {
        match self.count {
            0 => None,
            count => Some((self.stars * 100 + count / 2) / count),
        }
    }
}

/// A review that came, changed or went.
pub(super) struct Reviewed {
    pub(super) item: ItemId,
    /// What it has now; none where it went.
    stars: Option<u8>,
    /// What it had; none where it came.
    before: Option<u8>,
    pub(super) at: Instant,
}

impl Reviewed {
    /// What an event says about the reviews of an item.
    pub(super) const fn of(event: &RentalEvent) -> Option<Self> {
        match event {
            RentalEvent::ReviewWritten { item, stars, at, .. } => {
                Some(Self { item: *item, stars: Some(*stars), before: None, at: *at })
            }
            RentalEvent::ReviewEdited { item, stars, before, at, .. } => {
                Some(Self { item: *item, stars: Some(*stars), before: Some(*before), at: *at })
            }
            RentalEvent::ReviewDeleted { item, stars, at, .. } => {
                Some(Self { item: *item, stars: None, before: Some(*stars), at: *at })
            }
            RentalEvent::Requested { .. }
            | RentalEvent::Offered { .. }
            | RentalEvent::ExtensionRequested { .. }
            | RentalEvent::Extended { .. }
            | RentalEvent::ExtensionRefused { .. }
            | RentalEvent::LateFeeDeclined { .. }
            | RentalEvent::LateFeeDemanded { .. }
            | RentalEvent::LateFeeWaived { .. }
            | RentalEvent::Accepted { .. }
            | RentalEvent::Confirmed { .. }
            | RentalEvent::Rejected { .. }
            | RentalEvent::Expired { .. }
            | RentalEvent::Prepared { .. }
            | RentalEvent::HandedOver { .. }
            | RentalEvent::Overdue { .. }
            | RentalEvent::Returned { .. }
            | RentalEvent::Completed { .. }
            | RentalEvent::CancellationRequested { .. }
            | RentalEvent::CancellationRefused { .. }
            | RentalEvent::Cancelled { .. } => None,
        }
    }
}

impl ItemReviews {
    pub(super) fn count(&mut self, reviewed: &Reviewed) {
        if let Some(before) = reviewed.before {
            self.count = self.count.saturating_sub(1);
            self.stars = self.stars.saturating_sub(before.into());
        }
        if let Some(stars) = reviewed.stars {
            self.count += 1;
            self.stars += u64::from(stars);
        }
    }
}

/// Money that came in or went back.
pub(super) struct Moved {
    pub(super) item: ItemId,
    back: bool,
    amount: Option<Money>,
}

impl Moved {
    /// What an event says about the money that an item brought in.
    pub(super) fn of(event: &PaymentEvent) -> Option<Self> {
        match event {
            PaymentEvent::Approved { item, amount, .. } => item.map(|item| Self { item, back: false, amount: *amount }),
            PaymentEvent::Refunded { item, amount, .. } => {
                item.map(|item| Self { item, back: true, amount: Some(*amount) })
            }
            PaymentEvent::Requested { .. }
            | PaymentEvent::Declined { .. }
            | PaymentEvent::Unknown { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::RefundFailed { .. } => None,
        }
    }
}

impl ItemPayments {
    pub(super) fn count(&mut self, moved: &Moved) -> Result<(), Indigestible> {
        let sum = if moved.back { &mut self.refunded } else { &mut self.amount };
        if let Some(amount) = moved.amount {
            *sum = Some(sum.map_or(Ok(amount), |before| before.plus(amount))?);
        }
        self.approved += u64::from(!moved.back);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_rounded_to_hundredths_and_of_nothing_there_is_none() {
        let average = |count, stars| ItemReviews { count, stars }.average_hundredths();
        assert_eq!(
            [average(0, 0), average(1, 5), average(3, 13), average(3, 14)],
            [None, Some(500), Some(433), Some(467)]
        );
    }
}
