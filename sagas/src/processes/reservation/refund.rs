//! What goes back when a rental is cancelled: payment by payment, less the fee.

use super::{Command, Deal, Stage};
use domain::Money;
use serde::{Deserialize, Serialize};

/// What was paid for an extension that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paid {
    /// Which extension.
    pub(crate) number: u32,
    /// How much.
    pub(crate) amount: Money,
}

/// What goes back of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    /// Which extension's; `None` for the rental's own.
    pub(crate) extension: Option<u32>,
    /// How much.
    pub(crate) amount: Money,
}

impl Refund {
    pub(super) const fn order(self) -> Command {
        match self.extension {
            None => Command::RefundPayment(self.amount),
            Some(number) => Command::RefundExtension(number, self.amount),
        }
    }
}

impl Stage {
    /// What was paid goes back, less the fee.
    pub(super) fn give_back(deal: Deal, extensions: &[Paid], fee: Option<Money>) -> (Self, Vec<Command>) {
        Self::go_on_giving_back(deal, &refunds(deal.asked, extensions, fee), None)
    }

    pub(super) fn go_on_giving_back(deal: Deal, left: &[Refund], refunded: Option<Money>) -> (Self, Vec<Command>) {
        match left.first() {
            Some(next) => (Self::Refunding { deal, left: left.to_vec(), refunded }, vec![next.order()]),
            None => Self::free(deal, refunded),
        }
    }

    /// For which extension money is on its way back.
    pub(super) fn refunding(&self) -> Option<u32> {
        match self {
            Self::Refunding { left, .. } => left.first().and_then(|refund| refund.extension),
            _ => None,
        }
    }
}

/// What goes back of each payment. The fee is kept from the charge first, and then from the extensions in their order.
fn refunds(charge: Option<Money>, extensions: &[Paid], fee: Option<Money>) -> Vec<Refund> {
    let mut keep = fee.map_or(0, |fee| fee.amount_minor);
    let charge = charge.map(|amount| Refund { extension: None, amount });
    let extensions = extensions.iter().map(|paid| Refund { extension: Some(paid.number), amount: paid.amount });
    let less_the_fee = |Refund { extension, amount }| {
        let kept = keep.clamp(0, amount.amount_minor.max(0));
        keep -= kept;
        Refund { extension, amount: Money { amount_minor: amount.amount_minor - kept, ..amount } }
    };
    charge.into_iter().chain(extensions).map(less_the_fee).filter(|refund| refund.amount.amount_minor > 0).collect()
}

/// What has gone back so far.
pub(super) fn sum(before: Option<Money>, amount: Money) -> Money {
    // What went back came in: the sum was in range before.
    before.map_or(amount, |before| before.plus(amount).unwrap_or(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    fn won(amount_minor: i64) -> Money {
        Money::new(amount_minor, Currency::try_from("KRW".to_owned()).unwrap())
    }

    fn of(charge: i64, extensions: &[i64], fee: i64) -> Vec<(Option<u32>, i64)> {
        let extensions: Vec<_> =
            (1..).zip(extensions).map(|(number, amount)| Paid { number, amount: won(*amount) }).collect();
        let refunds = refunds(Some(won(charge)).filter(|it| !it.is_zero()), &extensions, Some(won(fee)));
        refunds.into_iter().map(|refund| (refund.extension, refund.amount.amount_minor)).collect()
    }

    #[test]
    fn the_fee_is_kept_from_the_charge_first() {
        assert_eq!(of(300, &[100, 50], 0), [(None, 300), (Some(1), 100), (Some(2), 50)]);
        assert_eq!(of(300, &[100, 50], 45), [(None, 255), (Some(1), 100), (Some(2), 50)]);
        assert_eq!(of(300, &[100, 50], 320), [(Some(1), 80), (Some(2), 50)]);
        assert_eq!(of(300, &[100, 50], 450), []);
    }

    #[test]
    fn a_rental_that_was_free_may_have_a_paid_extension() {
        assert_eq!(of(0, &[100], 10), [(Some(1), 90)]);
    }
}
