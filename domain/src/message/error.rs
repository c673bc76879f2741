//! Why a message refuses an order.

/// A refusal. The message is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// There is no such message.
    #[error("the message has not been recorded")]
    NotRecorded,
    /// Attempts are made one after the other.
    #[error("attempt {attempt} cannot have failed: {failures} have")]
    NotThatAttempt {
        /// Which was said to have failed.
        attempt: u32,
        /// How many have.
        failures: u32,
    },
}
