//! A rental, and the page on which its customer sees it.

use chrono::NaiveDate;
use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, View};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) customer: String,
    pub(crate) item: Uuid,
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
}

#[derive(Debug, Clone)]
pub(crate) enum RentalCommand {
    Request { terms: Terms },
    Confirm { payment: Uuid, total_minor: i64 },
    Reject { reason: String },
    Dispatch,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum RentalEvent {
    RentalRequested { terms: Terms },
    RentalConfirmed { payment: Uuid, total_minor: i64 },
    RentalRejected { reason: String },
    DispatchRequested,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("the rental is not in a state for that")]
pub(crate) struct RentalError;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Rental {
    #[default]
    NotRequested,
    Requested,
    Confirmed,
    Rejected,
    Dispatched,
}

impl DomainEvent for RentalEvent {
    fn event_type(&self) -> String {
        let name = match self {
            Self::RentalRequested { .. } => "RentalRequested",
            Self::RentalConfirmed { .. } => "RentalConfirmed",
            Self::RentalRejected { .. } => "RentalRejected",
            Self::DispatchRequested => "DispatchRequested",
        };
        name.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Rental {
    const TYPE: &'static str = "rental";
    type Command = RentalCommand;
    type Event = RentalEvent;
    type Error = RentalError;
    type Services = ();

    async fn handle(&mut self, command: RentalCommand, (): &(), sink: &EventSink<Self>) -> Result<(), RentalError> {
        let event = match (&self, command) {
            (Self::NotRequested, RentalCommand::Request { terms }) => RentalEvent::RentalRequested { terms },
            (Self::Requested, RentalCommand::Confirm { payment, total_minor }) => {
                RentalEvent::RentalConfirmed { payment, total_minor }
            }
            (Self::Requested, RentalCommand::Reject { reason }) => RentalEvent::RentalRejected { reason },
            (Self::Confirmed, RentalCommand::Dispatch) => RentalEvent::DispatchRequested,
            _ => return Err(RentalError),
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: RentalEvent) {
        *self = match event {
            RentalEvent::RentalRequested { .. } => Self::Requested,
            RentalEvent::RentalConfirmed { .. } => Self::Confirmed,
            RentalEvent::RentalRejected { .. } => Self::Rejected,
            RentalEvent::DispatchRequested => Self::Dispatched,
        };
    }
}

/// What a customer sees of a rental.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct MyPage {
    status: Option<String>,
    terms: Option<Terms>,
    payment: Option<Uuid>,
    total_minor: Option<i64>,
    reason: Option<String>,
}

impl View<Rental> for MyPage {
    fn update(&mut self, event: &EventEnvelope<Rental>) {
        let status = match &event.payload {
            RentalEvent::RentalRequested { terms } => {
                self.terms = Some(terms.clone());
                "requested"
            }
            RentalEvent::RentalConfirmed { payment, total_minor } => {
                (self.payment, self.total_minor) = (Some(*payment), Some(*total_minor));
                "confirmed"
            }
            RentalEvent::RentalRejected { reason } => {
                self.reason = Some(reason.clone());
                "rejected"
            }
            RentalEvent::DispatchRequested => "dispatched",
        };
        self.status = Some(status.to_owned());
    }
}
