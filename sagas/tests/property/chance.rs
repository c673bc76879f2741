//! Chance that can be repeated.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of numbers that follow from a seed.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From the seed in the environment (`SEED=…`), else from one of the clock; with that seed.
    pub fn of_today() -> (Self, u64) {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()));
        let seed = std::env::var("SEED").map_or_else(|_| clock(), |text| text.parse().unwrap());
        (Self(seed), seed)
    }

    pub const fn from(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub const fn below(&mut self, limit: u32) -> u32 {
        (self.next() % limit as u64) as u32
    }

    /// Once in so many times.
    pub const fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len().try_into().unwrap()) as usize]
    }
}
