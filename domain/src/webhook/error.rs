//! Why a webhook refuses an order.

/// A refusal. The webhook is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no such webhook.
    #[error("the webhook has not been registered")]
    NotRegistered,
    /// The id is another webhook's.
    #[error("another webhook has this id")]
    AnotherWebhook,
    /// It was stopped or removed, and does not come back.
    #[error("the webhook has ended")]
    Ended,
    /// Something that is not acceptable.
    #[error("{field}: {why}")]
    DoesNotFit {
        /// What.
        field: &'static str,
        /// Why not.
        why: &'static str,
    },
}
