//! What is open with the provider.

use crate::runner::{Process, Route, id_of};
use chrono::TimeDelta;
use domain::payment::PaymentEvent;
use domain::{Instant, Money};
use journal::Recorded;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::time::Duration;
use uuid::Uuid;

/// A charge, asked for a second time when no answer was recorded for so long. Longer than any time-out for a call.
const ASK_AGAIN_MS: i64 = 2_000;
/// After an answer that did not come, the truth is asked for soon: a customer is waiting.
const ASK_FOR_TRUTH_MS: i64 = 100;

/// Charges and refunds that are under way.
#[derive(Debug)]
pub(crate) struct Payments;

/// What is open of one payment. An answer that has been recorded leaves nothing to remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    #[default]
    Settled,
    Charging {
        since: Instant,
    },
    AskingForTruth {
        since: Instant,
    },
    Refunding {
        amount: Money,
        since: Instant,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Asked for by an event of that time.
    Charge {
        since: Instant,
    },
    ChargeAgain,
    AskForTruth,
    Refund(Money),
    RefundAgain(Money),
}

impl Stage {
    pub(crate) fn react(self, event: &PaymentEvent) -> (Self, Vec<Command>) {
        match (self, event) {
            (_, PaymentEvent::Requested { at, .. }) => {
                (Self::Charging { since: *at }, vec![Command::Charge { since: *at }])
            }
            // Asked for when the deadline comes: at once, it would hardly know more than it just did.
            (_, PaymentEvent::Unknown { at, .. }) => (Self::AskingForTruth { since: *at }, vec![]),
            (_, PaymentEvent::RefundRequested { amount, at, .. }) => {
                (Self::Refunding { amount: *amount, since: *at }, vec![Command::Refund(*amount)])
            }
            (Self::Refunding { amount, .. }, PaymentEvent::RefundFailed { at, .. }) => {
                (Self::Refunding { amount, since: *at }, vec![])
            }
            (
                stage @ (Self::Settled | Self::Charging { .. } | Self::AskingForTruth { .. }),
                PaymentEvent::RefundFailed { .. },
            ) => (stage, vec![]),
            // A refund that was asked for meanwhile goes on.
            (stage @ Self::Refunding { .. }, PaymentEvent::Approved { .. } | PaymentEvent::Declined { .. }) => {
                (stage, vec![])
            }
            (_, PaymentEvent::Approved { .. } | PaymentEvent::Declined { .. } | PaymentEvent::Refunded { .. }) => {
                (Self::Settled, vec![])
            }
        }
    }

    pub(super) fn deadline(self) -> Option<Instant> {
        let (since, after_ms) = match self {
            Self::Settled => return None,
            Self::Charging { since } | Self::Refunding { since, .. } => (since, ASK_AGAIN_MS),
            Self::AskingForTruth { since } => (since, ASK_FOR_TRUTH_MS),
        };
        Some(since + TimeDelta::milliseconds(after_ms))
    }

    pub(super) fn due(self) -> Vec<Command> {
        match self {
            Self::Settled => vec![],
            Self::Charging { .. } => vec![Command::ChargeAgain],
            Self::AskingForTruth { .. } => vec![Command::AskForTruth],
            Self::Refunding { amount, .. } => vec![Command::RefundAgain(amount)],
        }
    }
}

impl Process for Payments {
    const NAME: &'static str = "payments";
    const CATEGORIES: &'static [&'static str] = &["payment"];
    const SEQUENCE: &'static str = "payment";
    const RESIDENT: bool = true;
    const FIRST_RETRY: Duration = Duration::from_millis(200);
    type Stage = Stage;
    type Command = Command;
    type Refusal = Infallible;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route {
        match event {
            domain::Event::Payment(_) => id_of(recorded).map_or(Route::Nobody, Route::One),
            domain::Event::Rental(_)
            | domain::Event::Item(_)
            | domain::Event::Store(_)
            | domain::Event::Dispatch(_)
            | domain::Event::Quota(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Foreign => Route::Nobody,
        }
    }

    fn begins(_: &domain::Event) -> bool {
        true
    }

    fn react(stage: Stage, _: Uuid, _: &Recorded, event: &domain::Event) -> (Stage, Vec<Command>) {
        match event {
            domain::Event::Payment(event) => stage.react(event),
            domain::Event::Rental(_)
            | domain::Event::Item(_)
            | domain::Event::Store(_)
            | domain::Event::Dispatch(_)
            | domain::Event::Quota(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Foreign => (stage, vec![]),
        }
    }

    fn refused(_: &Stage, refusal: Infallible) -> Vec<Command> {
        match refusal {}
    }

    fn deadline(stage: &Stage) -> Option<Instant> {
        stage.deadline()
    }

    fn due(stage: &Stage) -> Vec<Command> {
        stage.due()
    }
}
