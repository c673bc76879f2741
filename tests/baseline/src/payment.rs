//! A payment, which the provider approves at once.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) enum PaymentCommand {
    Request { rental: Uuid, amount_minor: i64 },
    Approve { reference: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum PaymentEvent {
    PaymentRequested { rental: Uuid, amount_minor: i64 },
    PaymentApproved { reference: String },
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("the payment is not in a state for that")]
pub(crate) struct PaymentError;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Payment {
    #[default]
    NotRequested,
    Requested,
    Approved,
}

impl DomainEvent for PaymentEvent {
    fn event_type(&self) -> String {
        let name = match self {
            Self::PaymentRequested { .. } => "PaymentRequested",
            Self::PaymentApproved { .. } => "PaymentApproved",
        };
        name.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Payment {
    const TYPE: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;
    type Services = ();

    async fn handle(&mut self, command: PaymentCommand, (): &(), sink: &EventSink<Self>) -> Result<(), PaymentError> {
        let event = match (&self, command) {
            (Self::NotRequested, PaymentCommand::Request { rental, amount_minor }) => {
                PaymentEvent::PaymentRequested { rental, amount_minor }
            }
            (Self::Requested, PaymentCommand::Approve { reference }) => PaymentEvent::PaymentApproved { reference },
            _ => return Err(PaymentError),
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: PaymentEvent) {
        *self = match event {
            PaymentEvent::PaymentRequested { .. } => Self::Requested,
            PaymentEvent::PaymentApproved { .. } => Self::Approved,
        };
    }
}
