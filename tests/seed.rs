//! Chance that can be repeated.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of numbers that follow from a printed seed; `SEED=… cargo test …` repeats them.
#[derive(Debug, Clone)]
pub struct Seed(u64);

impl Seed {
    /// The seed of the environment, else one from the clock.
    ///
    /// # Panics
    /// When `SEED` is not a number.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a failing test is repeated by its seed")]
    pub fn printed(experiment: &str) -> Self {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()));
        let seed = std::env::var("SEED").map_or_else(|_| clock(), |text| text.parse().expect("SEED is a number"));
        eprintln!("{experiment}: SEED={seed}");
        Self(seed)
    }

    /// Another source that follows from this one, for a task of its own.
    #[must_use]
    pub const fn split(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }

    /// The next number below a limit (splitmix64).
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}
