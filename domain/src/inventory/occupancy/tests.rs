//! The step function agrees with a list of ranges that is walked from end to end.

use super::Occupancy;
use crate::Instant;
use proptest::prelude::*;

fn at(second: i64) -> Instant {
    Instant::from_timestamp(second, 0).unwrap()
}

/// Every range that was ever raised.
#[derive(Default)]
struct Naive(Vec<(i64, Option<i64>, i64)>);

impl Naive {
    fn level(&self, second: i64) -> i64 {
        let there = |(from, to, _): &&(i64, Option<i64>, i64)| *from <= second && to.is_none_or(|to| second < to);
        self.0.iter().filter(there).map(|(_, _, change)| change).sum()
    }

    fn highest(&self, from: i64, to: Option<i64>) -> i64 {
        let end = to.unwrap_or(200).max(from + 1);
        (from..end).map(|second| self.level(second)).max().unwrap()
    }
}

#[derive(Debug, Clone)]
enum Act {
    Raise(i64, Option<i64>, i64),
    LowerAgain(usize),
    Forget(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let end = prop_oneof![4 => (0..120i64).prop_map(Some), 1 => Just(None)];
    let act = prop_oneof![
        6 => (0..100i64, end, 1..5i64).prop_map(|(from, to, change)| Act::Raise(from, to, change)),
        4 => any::<usize>().prop_map(Act::LowerAgain),
        1 => (0..60i64).prop_map(Act::Forget),
    ];
    prop::collection::vec(act, 0..120)
}

proptest! {
    #[test]
    fn levels_and_peaks_are_those_of_the_naive_model(
        acts in acts(),
        asked in prop::collection::vec((0..130i64, prop::option::of(0..140i64)), 20),
    ) {
        let (mut fast, mut naive, mut forgotten) = (Occupancy::default(), Naive::default(), 0);
        for act in acts {
            match act {
                Act::Raise(from, to, change) => {
                    fast.raise(at(from), to.map(at), change);
                    if to.is_none_or(|to| from < to) {
                        naive.0.push((from, to, change));
                    }
                }
                Act::LowerAgain(which) if !naive.0.is_empty() => {
                    let (from, to, change) = naive.0.remove(which % naive.0.len());
                    fast.raise(at(from), to.map(at), -change);
                }
                Act::LowerAgain(_) => {}
                Act::Forget(before) => {
                    forgotten = forgotten.max(before);
                    fast.forget_before(at(before));
                }
            }
        }
        for (from, to) in asked {
            let from = from.max(forgotten);
            prop_assert_eq!(fast.level(at(from)), naive.level(from));
            prop_assert_eq!(fast.highest(at(from), to.map(at)), naive.highest(from, to));
        }
        let stored = serde_json::to_string(&fast).unwrap();
        prop_assert_eq!(serde_json::from_str::<Occupancy>(&stored).unwrap(), fast);
    }
}

#[test]
fn the_order_of_changes_does_not_matter_and_what_is_lowered_again_is_gone() {
    let (mut one, mut other) = (Occupancy::default(), Occupancy::default());
    for second in 0..50 {
        one.raise(at(second), Some(at(second + 7)), 1);
        other.raise(at(49 - second), Some(at(49 - second + 7)), 1);
    }
    assert_eq!(one, other);
    for second in 0..50 {
        one.raise(at(second), Some(at(second + 7)), -1);
    }
    assert_eq!(one, Occupancy::default());
    assert_eq!(one.len(), 0);
}

#[test]
fn ranges_that_meet_leave_no_step_between_them() {
    let mut occupancy = Occupancy::default();
    occupancy.raise(at(0), Some(at(10)), 1);
    occupancy.raise(at(10), Some(at(20)), 1);
    assert_eq!(occupancy.len(), 2);
}

#[test]
fn a_hundred_thousand_steps_are_at_most_twenty_four_levels_deep() {
    let mut occupancy = Occupancy::default();
    for second in 0..50_000 {
        occupancy.raise(at(second * 3), Some(at(second * 3 + 2)), 1);
    }
    assert_eq!(occupancy.len(), 100_000);
    assert!(occupancy.steps.levels() <= 24);
    occupancy.forget_before(at(149_000));
    assert!(occupancy.len() < 1_000);
    assert!(occupancy.steps.levels() <= 14);
}
