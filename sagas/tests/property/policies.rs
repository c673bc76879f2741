//! Lines of business that nobody has thought of.

use super::chance::Chance;
use domain::policy::{
    Action, By, Cancellation, Extension, PaymentTiming, Policy, PricePer, Rules, Step, StockKind, WaitingList,
};

/// Other rules for a business, such as its check lets pass.
pub fn vary(preset: &str, chance: &mut Chance) -> Rules {
    let mut policy = Policy::preset(preset).unwrap();
    let usual = policy.rules.clone();
    loop {
        policy.rules = varied(&usual, chance);
        if policy.check().is_ok() {
            return policy.rules;
        }
    }
}

fn varied(usual: &Rules, chance: &mut Chance) -> Rules {
    let pool = usual.stock == StockKind::Pool;
    let by = |chance: &mut Chance| *chance.of(&[By::Staff, By::Engine]);
    let prepare = chance.once_in(2).then(|| Step { action: Action::Prepare, by: by(chance) });
    let hand_over = Step { action: Action::HandOver, by: by(chance) };
    let fee_percent = if pool { *chance.of(&[0, 10, 50, 100]) } else { 0 };
    Rules {
        price_per: if pool { *chance.of(&[PricePer::Unit, PricePer::Day]) } else { PricePer::Unit },
        payment: *chance.of(&[PaymentTiming::Upfront, PaymentTiming::Upfront, PaymentTiming::None]),
        steps: prepare.into_iter().chain([hand_over]).collect(),
        hold_s: *chance.of(&[10, 60, 900]),
        quota: *chance.of(&[None, Some(1), Some(2), Some(5)]),
        turnaround_s: if pool { *chance.of(&[0, 0, 3_600]) } else { 0 },
        cancellation: Cancellation { free_until_s: *chance.of(&[0, 86_400, 864_000]), fee_percent },
        extension: (pool && chance.once_in(2)).then(|| Extension { most: 1 + chance.below(2) }),
        late_fee_percent: if pool { *chance.of(&[0, 33, 150]) } else { 0 },
        waiting_list: chance.once_in(2).then(|| WaitingList { offer_s: *chance.of(&[60, 86_400]) }),
        no_show_s: (pool && chance.once_in(2)).then(|| *chance.of(&[60, 86_400])),
        reviews: chance.once_in(2),
        kiosk: false,
        ..usual.clone()
    }
}
