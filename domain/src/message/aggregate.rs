//! Whether a message has gone out. Never back from that.

use super::{Letter, MessageCommand, MessageError, MessageEvent, MessageStatus};
use crate::{Instant, RentalId};
use serde::{Deserialize, Serialize};

/// What a customer is told of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Nothing is to be told.
    #[default]
    NotRecorded,
    /// Something is.
    Recorded(Box<Written>),
}

/// A message that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    rental: RentalId,
    letter: Letter,
    at: Instant,
    sent: bool,
    failures: u32,
    /// How many of its failures do not count any more.
    #[serde(default)]
    forgiven: u32,
}

impl Message {
    /// Where it stands; `None` when there is no such message.
    #[must_use]
    pub fn status(&self) -> Option<MessageStatus> {
        self.written().map(|it| match (it.sent, it.failures > it.forgiven) {
            (true, _) => MessageStatus::Sent,
            (false, false) => MessageStatus::Recorded,
            (false, true) => MessageStatus::Failed,
        })
    }

    /// What is said; `None` when there is no such message.
    #[must_use]
    pub fn letter(&self) -> Option<&Letter> {
        self.written().map(|it| &it.letter)
    }

    /// Of which rental it tells; `None` when there is no such message.
    #[must_use]
    pub fn rental(&self) -> Option<RentalId> {
        self.written().map(|it| it.rental)
    }

    /// When it was recorded; `None` when there is no such message.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Instant> {
        self.written().map(|it| it.at)
    }

    /// How often it has failed to go out.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.written().map_or(0, |it| it.failures)
    }

    fn written(&self) -> Option<&Written> {
        match self {
            Self::NotRecorded => None,
            Self::Recorded(written) => Some(written),
        }
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When there is no such message, and when an attempt failed that cannot have been made.
    pub fn decide(&self, command: MessageCommand) -> Result<Vec<MessageEvent>, MessageError> {
        use {MessageCommand as Cmd, MessageError as Refused, MessageEvent as Evt};
        match (self, command) {
            (Self::NotRecorded, Cmd::Record { rental, letter, now }) => {
                Ok(vec![Evt::Recorded { rental, letter, at: now }])
            }
            (Self::NotRecorded, Cmd::MarkSent { .. } | Cmd::MarkFailed { .. } | Cmd::Retry { .. }) => {
                Err(Refused::NotRecorded)
            }
            // The words may have changed since: what was recorded first is what is said.
            (Self::Recorded(_), Cmd::Record { .. }) => Ok(vec![]),

            (Self::Recorded(it), Cmd::MarkSent { .. } | Cmd::MarkFailed { .. } | Cmd::Retry { .. }) if it.sent => {
                Ok(vec![])
            }
            (Self::Recorded(it), Cmd::MarkSent { reference, now }) => {
                Ok(vec![Evt::Sent { rental: it.rental, reference, at: now }])
            }
            (Self::Recorded(it), Cmd::MarkFailed { attempt, .. }) if attempt <= it.failures => Ok(vec![]),
            (Self::Recorded(it), Cmd::MarkFailed { attempt, reason, permanent, now }) if attempt - 1 == it.failures => {
                Ok(vec![Evt::Failed { rental: it.rental, reason, failures: attempt, permanent, at: now }])
            }
            (Self::Recorded(it), Cmd::MarkFailed { attempt, .. }) => {
                Err(Refused::NotThatAttempt { attempt, failures: it.failures })
            }
            (Self::Recorded(it), Cmd::Retry { now }) if it.failures > it.forgiven => {
                Ok(vec![Evt::Retried { rental: it.rental, failures: it.failures, at: now }])
            }
            (Self::Recorded(_), Cmd::Retry { .. }) => Ok(vec![]),
        }
    }

    fn fold(&mut self, event: MessageEvent) {
        match (event, &mut *self) {
            (MessageEvent::Recorded { rental, letter, at }, _) => {
                let written = Written { rental, letter, at, sent: false, failures: 0, forgiven: 0 };
                *self = Self::Recorded(Box::new(written));
            }
            (MessageEvent::Sent { .. }, Self::Recorded(it)) => it.sent = true,
            (MessageEvent::Failed { failures, .. }, Self::Recorded(it)) => it.failures = failures,
            (MessageEvent::Retried { failures, .. }, Self::Recorded(it)) => it.forgiven = failures,
            // Never written: every other order to a message that was not recorded is refused.
            (_, Self::NotRecorded) => {}
        }
    }
}

crate::aggregate::aggregate!(Message, "message", MessageCommand => MessageEvent | MessageError);
