//! Which messages of a rental have not gone out yet.
//!
//! **A rental's messages go out in the order in which things happened**: the next one is sent when the one before has gone
//! out, or was given up. Nothing is remembered of a rental that owes its customer no message.

use crate::runner::{Process, Route, id_of};
use chrono::TimeDelta;
use domain::message::{MessageEvent, occasion_of};
use domain::policy::Occasion;
use domain::rental::RentalEvent;
use domain::{Instant, MessageId, Money};
use journal::Recorded;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use uuid::Uuid;

/// After so many failures a message stays `failed`, for everyone to see, until somebody wants it tried again.
pub(super) const MOST_ATTEMPTS: u32 = 12;
const LONGEST_PAUSE_S: i64 = 600;

/// Messages that are under way, by their rental.
#[derive(Debug)]
pub(crate) struct Messages;

/// A rental's messages that have not gone out, in the order in which they were recorded. Only the first is on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stage {
    waiting: VecDeque<Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    message: MessageId,
    failures: u32,
    /// How many of them were before somebody wanted it tried again.
    #[serde(default)]
    forgiven: u32,
    /// When it is tried again; only after a failure.
    retry_at: Option<Instant>,
}

/// What has become of a rental.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct News {
    pub(super) occasion: Occasion,
    /// What it is about, in money: the total, the fee or the refund.
    pub(super) amount: Option<Money>,
    /// Until when an offer stands.
    pub(super) until: Option<Instant>,
}

/// A fact that is told of, or that changes what is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Something has become of the rental, which a message might tell of.
    RentalChanged {
        message: MessageId,
        news: News,
    },
    MessageRecorded(MessageId),
    MessageSent(MessageId),
    MessageFailed {
        message: MessageId,
        failures: u32,
        /// It would fail again.
        permanent: bool,
        at: Instant,
    },
    MessageRetried {
        message: MessageId,
        failures: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Write down what is to be said, if the rental's rules want it said.
    Record { message: MessageId, news: News },
    /// Have it go out, unless what came of this attempt is known already.
    Send { message: MessageId, attempt: u32 },
}

impl Stage {
    pub(super) fn react(mut self, event: Event) -> (Self, Vec<Command>) {
        let first = self.first();
        let mut at_once = false;
        match event {
            Event::RentalChanged { message, news } => return (self, vec![Command::Record { message, news }]),
            Event::MessageRecorded(message) => {
                if self.find(message).is_none() {
                    self.waiting.push_back(Waiting { message, failures: 0, forgiven: 0, retry_at: None });
                }
            }
            Event::MessageSent(message) => self.waiting.retain(|one| one.message != message),
            Event::MessageFailed { message, permanent: true, .. } => self.waiting.retain(|one| one.message != message),
            Event::MessageFailed { message, failures, permanent: false, at } => {
                self.waiting.retain(|one| one.message != message || failures < one.forgiven + MOST_ATTEMPTS);
                if let Some(one) = self.find(message) {
                    one.failures = failures;
                    one.retry_at = Some(at + pause_after(failures.saturating_sub(one.forgiven)));
                }
            }
            Event::MessageRetried { message, failures } => {
                at_once = first == Some(message);
                match self.find(message) {
                    Some(one) => (one.forgiven, one.retry_at) = (failures, None),
                    // What is said of later changes was not held up for it and goes out first now.
                    None => {
                        self.waiting.push_back(Waiting { message, failures, forgiven: failures, retry_at: None });
                    }
                }
            }
        }
        // Whoever has become the first goes out.
        let sends = if self.first() == first && !at_once { vec![] } else { self.due() };
        (self, sends)
    }

    /// Each message with its failures and when it is tried again.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> impl Iterator<Item = (MessageId, u32, Option<Instant>)> {
        self.waiting.iter().map(|one| (one.message, one.failures, one.retry_at))
    }

    fn first(&self) -> Option<MessageId> {
        self.waiting.front().map(|one| one.message)
    }

    fn find(&mut self, message: MessageId) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|one| one.message == message)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().and_then(|one| one.retry_at)
    }

    pub(super) fn due(&self) -> Vec<Command> {
        let first = self.waiting.front();
        first.map(|one| Command::Send { message: one.message, attempt: one.failures + 1 }).into_iter().collect()
    }
}

/// One second after the first failure, and twice as long after each further one.
fn pause_after(failures: u32) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    TimeDelta::seconds((1 << doublings).min(LONGEST_PAUSE_S))
}

/// What an event of a rental is about, in money.
fn amount_of(event: &RentalEvent) -> Option<Money> {
    match event {
        RentalEvent::Confirmed { total, .. } => Some(*total),
        RentalEvent::Returned { late_fee, .. } => *late_fee,
        RentalEvent::CancellationRequested { fee, .. } => *fee,
        RentalEvent::Cancelled { refunded, .. } => *refunded,
        RentalEvent::Extended { extra, .. } => *extra,
        RentalEvent::Requested { .. }
        | RentalEvent::ExtensionRequested { .. }
        | RentalEvent::ExtensionRefused { .. }
        | RentalEvent::LateFeeDeclined { .. }
        | RentalEvent::LateFeeDemanded { .. }
        | RentalEvent::LateFeeWaived { .. }
        | RentalEvent::Offered { .. }
        | RentalEvent::Accepted { .. }
        | RentalEvent::Rejected { .. }
        | RentalEvent::Expired { .. }
        | RentalEvent::Prepared { .. }
        | RentalEvent::HandedOver { .. }
        | RentalEvent::Overdue { .. }
        | RentalEvent::Completed { .. }
        | RentalEvent::CancellationRefused { .. }
        | RentalEvent::ReviewWritten { .. }
        | RentalEvent::ReviewEdited { .. }
        | RentalEvent::ReviewDeleted { .. } => None,
    }
}

const fn until_of(event: &RentalEvent) -> Option<Instant> {
    if let RentalEvent::Offered { until, .. } = event { Some(*until) } else { None }
}

fn event_of(recorded: &Recorded, event: &domain::Event) -> Option<Event> {
    match event {
        domain::Event::Rental(event) => occasion_of(event).map(|occasion| Event::RentalChanged {
            message: MessageId::telling_of(recorded.event_id),
            news: News { occasion, amount: amount_of(event), until: until_of(event) },
        }),
        domain::Event::Message(event) => {
            let message = id_of(recorded).map(MessageId)?;
            Some(match event {
                MessageEvent::Recorded { .. } => Event::MessageRecorded(message),
                MessageEvent::Sent { .. } => Event::MessageSent(message),
                MessageEvent::Failed { failures, permanent, at, .. } => {
                    Event::MessageFailed { message, failures: *failures, permanent: *permanent, at: *at }
                }
                MessageEvent::Retried { failures, .. } => Event::MessageRetried { message, failures: *failures },
            })
        }
        domain::Event::Payment(_)
        | domain::Event::Item(_)
        | domain::Event::Store(_)
        | domain::Event::Dispatch(_)
        | domain::Event::Quota(_)
        | domain::Event::Contact(_)
        | domain::Event::Webhook(_)
        | domain::Event::Foreign => None,
    }
}

impl Process for Messages {
    const NAME: &'static str = "messages";
    const CATEGORIES: &'static [&'static str] = &["rental", "message"];
    const SEQUENCE: &'static str = "rental";
    // Only rentals with a message on its way are open.
    const RESIDENT: bool = true;
    const FIRST_RETRY: Duration = Duration::from_secs(1);
    type Stage = Stage;
    type Command = Command;
    type Refusal = Infallible;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route {
        match event {
            // The rules are at hand here: a rental that says nothing of its beginning costs nothing.
            domain::Event::Rental(RentalEvent::Requested { terms, .. })
                if !terms.rules.messages.contains(&Occasion::Requested) =>
            {
                Route::Nobody
            }
            domain::Event::Rental(event) if occasion_of(event).is_some() => {
                id_of(recorded).map_or(Route::Nobody, Route::One)
            }
            domain::Event::Message(event) => Route::One(event.rental().0),
            domain::Event::Rental(_)
            | domain::Event::Payment(_)
            | domain::Event::Item(_)
            | domain::Event::Store(_)
            | domain::Event::Dispatch(_)
            | domain::Event::Quota(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
            | domain::Event::Foreign => Route::Nobody,
        }
    }

    fn begins(_: &domain::Event) -> bool {
        true
    }

    fn react(stage: Stage, _: Uuid, recorded: &Recorded, event: &domain::Event) -> (Stage, Vec<Command>) {
        match event_of(recorded, event) {
            Some(event) => stage.react(event),
            None => (stage, vec![]),
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
