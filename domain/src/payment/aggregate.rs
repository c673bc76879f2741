//! State and rules.

use super::{PaymentCommand, PaymentError, PaymentEvent};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// State.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Payment;

impl Aggregate for Payment {
    const TYPE: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;
    type Services = ();

    async fn handle(&mut self, _command: PaymentCommand, _services: &(), _sink: &EventSink<Self>) -> Result<(), PaymentError> {
        todo!()
    }

    fn apply(&mut self, _event: PaymentEvent) {
        todo!()
    }
}
