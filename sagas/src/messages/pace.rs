//! How many messages go out in a second: evenly spread, and each has its turn in the order in which it asked.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Gives everybody a turn, none sooner after another than may be.
#[derive(Debug)]
pub(crate) struct Pace {
    every: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many turns in a second; as many as are asked for where nothing is said.
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Self {
        let every = per_second.map_or(Duration::ZERO, |per_second| Duration::from_secs(1) / per_second.get());
        Self { every, next: Mutex::new(None) }
    }

    /// Waits for a turn. Whoever goes away while waiting leaves theirs unused.
    pub(crate) async fn turn(&self) {
        if self.every.is_zero() {
            return;
        }
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.every);
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn turns(pace: &Pace, how_many: u32) -> Vec<u128> {
        let begun = Instant::now();
        let mut at = Vec::new();
        for _ in 0..how_many {
            pace.turn().await;
            at.push(begun.elapsed().as_millis());
        }
        at
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_evenly_spread_and_time_that_nobody_used_is_not_made_up_for() {
        let pace = Pace::new(NonZeroU32::new(5));
        assert_eq!(turns(&pace, 4).await, [0, 200, 400, 600]);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(turns(&pace, 3).await, [0, 200, 400]);
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_have_their_turns_one_after_the_other() {
        let pace = Pace::new(NonZeroU32::new(100));
        let begun = Instant::now();
        futures_util::future::join_all((0..500).map(|_| pace.turn())).await;
        assert_eq!(begun.elapsed().as_millis(), 4_990);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits() {
        assert_eq!(turns(&Pace::new(None), 3).await, [0, 0, 0]);
    }
}
