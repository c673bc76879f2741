//! Rentals whose callers have their answer, and that are not decided yet: the queue behind the door has an end too.

use crate::error::OVERLOADED;
use crate::problem::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts them. As each was let in by somebody who had a place then, there are at most as many more as there are places.
#[derive(Debug)]
pub(crate) struct Undecided {
    most: usize,
    count: Arc<AtomicUsize>,
}

/// One of them, for as long as this exists.
#[derive(Debug)]
pub(crate) struct OneUndecided(Arc<AtomicUsize>);

impl Undecided {
    pub(crate) fn at_most(most: usize) -> Self {
        Self { most, count: Arc::default() }
    }

    /// Turns a caller away while there are as many as may be: what is decided more slowly than it is asked for would
    /// otherwise wait longer and longer.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.count() < self.most {
            return Ok(());
        }
        Err(Problem::new(OVERLOADED, "as many rentals as may be are not decided yet").retry_after_s(1))
    }

    pub(crate) fn one_more(&self) -> OneUndecided {
        self.count.fetch_add(1, Ordering::Relaxed);
        OneUndecided(self.count.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for OneUndecided {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
