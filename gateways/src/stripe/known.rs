//! Intents whose names are remembered. Stripe's search takes a minute until it finds what is new.

use domain::PaymentId;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use std::sync::Arc;

const MOST: usize = 16_384;
/// For what was asked for more than once. The usual share leaves room for some 500 that are new, which is what a busy shop makes
/// within seconds.
const FOR_WHAT_IS_USED_OFTEN: f64 = 0.5;

/// Their names by payment.
pub(super) type Known = Cache<PaymentId, Arc<str>>;

/// With room for as many as are made before a search finds the first of them.
#[expect(clippy::expect_used, reason = "only a missing capacity fails")]
pub(super) fn known() -> Known {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(MOST)
        .weight_capacity(MOST as u64)
        .hot_allocation(FOR_WHAT_IS_USED_OFTEN)
        .build()
        .expect("both capacities are given");
    Cache::with_options(options, UnitWeighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_intent_is_known_by_name_until_a_search_would_find_it_however_much_is_asked_for_often() {
        let known = known();
        let payment = |number: u128| PaymentId(Uuid::from_u128(number));
        let name: Arc<str> = "pi_1".into();
        for often in 0..20_000 {
            known.insert(payment(often), name.clone());
            known.get(&payment(often));
        }
        // Of the last minute, at seventy a second.
        let new = 20_000..24_200;
        new.clone().for_each(|new| known.insert(payment(new), name.clone()));
        let forgotten = new.filter(|new| known.get(&payment(*new)).is_none()).count();
        assert_eq!(forgotten, 0);
    }
}
