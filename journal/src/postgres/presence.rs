//! Whether the database answers, as those who use it find out.

use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by whoever reads, writes and asks. All is well until somebody says otherwise.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    unreadable: AtomicBool,
    unwritable: AtomicBool,
}

impl Presence {
    pub(super) fn set_readable(&self, readable: bool) {
        tell(&self.unreadable, !readable, "the journal cannot be read: the database is away");
    }

    pub(super) fn set_writable(&self, writable: bool) {
        tell(&self.unwritable, !writable, "the journal cannot be written: the database is away");
    }

    pub(super) fn is_readable(&self) -> bool {
        !self.unreadable.load(Ordering::Acquire)
    }

    pub(crate) fn is_away(&self) -> bool {
        self.unreadable.load(Ordering::Acquire) || self.unwritable.load(Ordering::Acquire)
    }
}

fn tell(flag: &AtomicBool, now: bool, what: &'static str) {
    if !flag.swap(now, Ordering::AcqRel) && now {
        tracing::warn!("{what}");
    }
}
