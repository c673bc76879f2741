//! Why a quota refuses an order.

/// A refusal. The count is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// As many are open as may be.
    #[error("{limit} rentals may be open at once, and are")]
    Exceeded {
        /// The limit.
        limit: u32,
    },
}
