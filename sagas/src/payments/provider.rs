//! The port to a payment provider.

use domain::{Money, PaymentId};
use std::future::Future;
use std::pin::Pin;
use uuid::Uuid;

/// What a provider answers, some time.
pub type Answered<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// A payment provider. Any call may be made again with the same key, and must then have its effect only once.
pub trait PaymentProvider: Send + Sync + 'static {
    /// Takes money. The caller waits a limited time and then drops the call.
    fn charge(&self, request: ChargeRequest) -> Answered<'_, Charged, ChargeError>;

    /// What became of a charge.
    fn truth(&self, payment: PaymentId) -> Answered<'_, Truth, Unavailable>;

    /// Gives money back.
    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError>;
}

/// Money to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The idempotency key.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// The provider's token for how to pay.
    pub method: String,
}

/// Money to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Of which charge.
    pub payment: PaymentId,
    /// The provider's name for the charge, as it was approved.
    pub reference: Option<String>,
    /// The idempotency key of this refund.
    pub key: Uuid,
    /// How much.
    pub amount: Money,
}

/// Money was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The provider's name for the charge.
    pub reference: String,
}

/// Money was given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// The provider's name for the refund.
    pub reference: String,
}

/// The provider said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("declined: {code}")]
pub struct Declined {
    /// The provider's reason.
    pub code: String,
}

/// The provider cannot be reached: it has not seen the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment provider is not available")]
pub struct Unavailable;

/// Why a charge has no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargeError {
    /// No money was taken and none will be.
    #[error(transparent)]
    Declined(#[from] Declined),
    /// Money may have been taken.
    #[error("the payment provider did not say what became of the charge")]
    Unknown,
    /// No money was taken, and it may be asked for again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a refund has no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    /// The provider did not do it this time.
    #[error(transparent)]
    Failed(#[from] Declined),
    /// It did not say, or was not reached: it is asked again, with the same key.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What became of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// Money was taken.
    Charged(Charged),
    /// None was, and none will be.
    Declined(Declined),
    /// The provider is still at it.
    InProgress,
    /// The request never arrived.
    NeverSeen,
}
