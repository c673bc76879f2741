//! Why a dispatch refuses an order.

/// A refusal. The dispatch is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// The shop does not know of it yet.
    #[error("the dispatch has not reached the store yet")]
    NotRequested,
    /// The shop is closed.
    #[error("the store is closed")]
    StoreClosed,
    /// The rental was cancelled.
    #[error("the dispatch was cancelled")]
    Cancelled,
    /// There is a step before this one.
    #[error("it has to be prepared first")]
    NotPrepared,
    /// This business has no such step.
    #[error("this business does not prepare")]
    NoSuchStep,
    /// The customer has it already.
    #[error("it was handed over already")]
    HandedOver,
}
