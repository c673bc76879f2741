//! The time for which a process manager is this process's.

use crate::runner::Answer;
use journal::{Lease, Subscriptions};
use serde_json::Value;
use std::sync::Arc;

/// What the outside world may be reached under. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tenure {
    /// `None` where there is nothing but memory.
    held: Option<(Arc<Lease>, Subscriptions)>,
}

impl Tenure {
    pub(crate) const fn under(lease: Arc<Lease>, subscriptions: Subscriptions) -> Self {
        Self { held: Some((lease, subscriptions)) }
    }

    #[cfg(test)]
    pub(crate) const fn for_ever() -> Self {
        Self { held: None }
    }

    /// Asked right before anything outside is reached: by this process's own clock the lease is still its own.
    pub(crate) fn check<R>(&self) -> Result<(), Answer<R>> {
        match &self.held {
            Some((lease, _)) if !lease.is_held() => {
                Err(Answer::Stopped(format!("the lease of `{}` is over", lease.name())))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Tells other processes something beside how far this one is.
    pub(crate) fn tell(&self, note: Value) {
        if let Some((lease, subscriptions)) = &self.held
            && let Err(error) = subscriptions.set_note(lease.name(), note)
        {
            // Whoever has the lease now tells for itself.
            tracing::debug!(subscription = lease.name(), %error, "a note is not told any more");
        }
    }
}
