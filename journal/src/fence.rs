//! What a write carries so that nobody can write who has lost the right to.

use std::fmt;
use std::sync::Arc;

/// The right to write for whoever holds a lease: the lease's name, and how often it had been given when it was given to the
/// writer. Once it is given again, whatever still carries the old number is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence {
    /// Of the lease.
    pub name: Arc<str>,
    /// How often the lease has been given. 0 where a single process owns everything.
    pub epoch: u64,
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {} of `{}`", self.epoch, self.name)
    }
}
