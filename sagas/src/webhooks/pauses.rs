//! How long an event, and a receiver, is left alone after a failure. **Full jitter**: somewhere between nothing and the longest that it
//! may be, so that what failed together does not come back together.

use chrono::TimeDelta;
use domain::{Instant, WebhookId};
use std::collections::HashMap;

/// How long an event is tried.
const PATIENCE: TimeDelta = TimeDelta::days(3);
const LONGEST_OF_AN_EVENT_S: i64 = 3_600;
const LONGEST_OF_A_RECEIVER_S: i64 = 60;

/// When an event is tried again after so many failures, the first of which was then; `None` once it has been tried for three days.
pub(super) fn again_at(
    webhook: WebhookId,
    position: u64,
    failures: u32,
    first_at: Instant,
    now: Instant,
) -> Option<Instant> {
    let again_at = now + jittered(longest(failures).min(LONGEST_OF_AN_EVENT_S), webhook, position, failures);
    (again_at - first_at <= PATIENCE).then_some(again_at)
}

/// Receivers that have not taken the last that they were sent. They are asked rarely, and not with everything at once.
#[derive(Debug, Default)]
pub(super) struct Failing(HashMap<WebhookId, Rest>);

#[derive(Debug, Clone, Copy)]
struct Rest {
    times: u32,
    until: Instant,
}

impl Failing {
    /// It has not taken what was sent. What had been sent at the same time counts once.
    pub(super) fn refused(&mut self, webhook: WebhookId, now: Instant) {
        let times = match self.0.get(&webhook) {
            Some(rest) if now < rest.until => return,
            Some(rest) => rest.times + 1,
            None => 1,
        };
        let until = now + jittered(longest(times).min(LONGEST_OF_A_RECEIVER_S), webhook, 0, times);
        self.0.insert(webhook, Rest { times, until });
    }

    /// It is well again, or is to be treated so.
    pub(super) fn forget(&mut self, webhook: WebhookId) {
        self.0.remove(&webhook);
    }

    pub(super) fn is_failing(&self, webhook: WebhookId) -> bool {
        self.0.contains_key(&webhook)
    }

    /// When it may be sent something.
    pub(super) fn not_before(&self, webhook: WebhookId, now: Instant) -> Instant {
        self.0.get(&webhook).map_or(now, |rest| rest.until.max(now))
    }
}

/// A second, and twice as long after each further failure.
fn longest(failures: u32) -> i64 {
    1 << failures.saturating_sub(1).min(16)
}

/// A part of some seconds, of which nothing depends but that it differs for everybody and each time: so no chance is needed.
fn jittered(seconds: i64, webhook: WebhookId, position: u64, failures: u32) -> TimeDelta {
    let (high, low) = webhook.0.as_u64_pair();
    let mut mixed =
        (high ^ low).wrapping_add((position << 8 | u64::from(failures & 0xFF)).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let thousandths = i64::try_from((mixed ^ (mixed >> 31)) % 1_000).unwrap_or_default() + 1;
    TimeDelta::milliseconds(seconds * thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const WEBHOOK: WebhookId = WebhookId(Uuid::from_u128(7));
    const NOW: Instant = Instant::UNIX_EPOCH;

    fn pause(webhook: u128, position: u64, failures: u32) -> i64 {
        let again = again_at(WebhookId(Uuid::from_u128(webhook)), position, failures, NOW, NOW).unwrap();
        (again - NOW).num_milliseconds()
    }

    #[test]
    fn the_longest_pause_doubles_up_to_an_hour_and_every_shorter_one_is_as_likely() {
        for failures in 1..=30 {
            let longest = (1_000_i64 << (failures - 1).min(20)).min(3_600_000);
            let pauses: Vec<_> = (1..=2_000).map(|position| pause(7, position, failures)).collect();
            assert!(pauses.iter().all(|pause| (1..=longest).contains(pause)), "{failures}");
            for quarter in 1..=4 {
                let within = |pause: &&i64| **pause > longest * (quarter - 1) / 4 && **pause <= longest * quarter / 4;
                let share = pauses.iter().filter(within).count();
                assert!((400..=600).contains(&share), "{failures} failures, quarter {quarter}: {share} of 2000");
            }
        }
    }

    #[test]
    fn what_failed_together_does_not_come_back_together() {
        let apart = |pauses: Vec<i64>| {
            let different = pauses.iter().collect::<std::collections::BTreeSet<_>>().len();
            assert!(different > 50, "{pauses:?}");
        };
        apart((1..=100).map(|webhook| pause(webhook, 1, 12)).collect());
        apart((1..=100).map(|position| pause(7, position, 12)).collect());
        apart((13..=112).map(|failures| pause(7, 1, failures)).collect());
    }

    #[test]
    fn an_event_is_given_up_after_three_days() {
        assert!(again_at(WEBHOOK, 1, 99, NOW, NOW + TimeDelta::hours(70)).is_some());
        assert_eq!(again_at(WEBHOOK, 1, 99, NOW, NOW + PATIENCE), None);
    }

    #[test]
    fn a_receiver_that_fails_rests_for_a_minute_at_the_most_and_not_after_it_has_taken_something() {
        let mut failing = Failing::default();
        assert_eq!((failing.not_before(WEBHOOK, NOW), failing.is_failing(WEBHOOK)), (NOW, false));
        let mut now = NOW;
        for times in 1..=100 {
            failing.refused(WEBHOOK, now);
            let until = failing.not_before(WEBHOOK, now);
            let rest = (until - now).num_milliseconds();
            assert!((1..=(1_000_i64 << (times - 1).min(10)).min(60_000)).contains(&rest), "{times}: {rest}");
            // Another line of the same moment.
            failing.refused(WEBHOOK, now);
            assert_eq!((failing.not_before(WEBHOOK, now), failing.is_failing(WEBHOOK)), (until, true));
            now = until;
        }
        failing.forget(WEBHOOK);
        assert_eq!((failing.not_before(WEBHOOK, now), failing.is_failing(WEBHOOK)), (now, false));
    }
}
