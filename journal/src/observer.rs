//! Who is told of every event before anybody in this process can read it.

use crate::recorded::Recorded;

/// Keeps something in memory that events of other processes make old.
pub(crate) trait Observer: Send + Sync {
    /// These have happened, and come next.
    fn happened(&self, events: &[Recorded]);
    /// Something has happened that nobody tells of.
    fn missed_some(&self);
}
