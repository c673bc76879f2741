//! What was used last is used next: how memory is shared out between what is new and what is used over and over.

use quick_cache::{DefaultHashBuilder, Options, OptionsBuilder, UnitWeighter, sync, unsync};
use std::hash::Hash;

/// For what has been used more than once while it was new. A saga's streams are written a few times within a second and then
/// hardly ever again: were it left to what is used often, they would be forgotten, and read from the disk, between one step and
/// the next.
const FOR_WHAT_IS_USED_OFTEN: f64 = 0.5;

/// Up to so many of them, for one thread.
pub(crate) fn of_one_thread<K: Eq + Hash, V: Clone>(most: usize) -> unsync::Cache<K, V> {
    let lifecycle = unsync::DefaultLifecycle::default();
    unsync::Cache::with_options(options(most), UnitWeighter, DefaultHashBuilder::default(), lifecycle)
}

/// Up to so many of them, for several threads.
pub(crate) fn shared<K: Eq + Hash, V: Clone>(most: usize) -> sync::Cache<K, V> {
    let lifecycle = sync::DefaultLifecycle::default();
    sync::Cache::with_options(options(most), UnitWeighter, DefaultHashBuilder::default(), lifecycle)
}

#[expect(clippy::expect_used, reason = "only a missing capacity fails")]
fn options(most: usize) -> Options {
    OptionsBuilder::new()
        .estimated_items_capacity(most)
        .weight_capacity(most as u64)
        .hot_allocation(FOR_WHAT_IS_USED_OFTEN)
        .build()
        .expect("both capacities are given")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most that lie between two steps of a saga, when thousands of them begin in a second.
    const BETWEEN: usize = 4_096;

    #[test]
    fn what_was_made_once_is_there_for_its_next_step_however_much_is_used_often() {
        let cache = shared::<usize, usize>(16_384);
        for often in 0..20_000 {
            cache.insert(often, often);
            cache.get(&often);
        }
        let mut missed = 0;
        for new in 20_000..40_000 {
            cache.insert(new, new);
            let earlier = new - BETWEEN;
            missed += usize::from(earlier >= 20_000 && cache.get(&earlier).is_none());
        }
        assert_eq!(missed, 0);
    }

    #[test]
    fn what_is_used_over_and_over_outlives_any_number_of_what_is_used_once() {
        let cache = shared::<usize, usize>(16_384);
        for new in 1..100_000 {
            cache.insert(new, new);
            if new % 1_000 == 1 {
                cache.get_or_insert_with(&0, || Ok::<_, std::convert::Infallible>(0)).unwrap();
            }
        }
        assert_eq!(cache.get(&0), Some(0));
        let made = (0..100_000).filter(|key| cache.peek(key).is_some()).count();
        assert!(made <= 16_384 + 64, "{made}");
    }
}
