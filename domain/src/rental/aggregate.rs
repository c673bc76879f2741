//! State and rules.

use super::{RentalCommand, RentalError, RentalEvent};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// State.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rental;

impl Aggregate for Rental {
    const TYPE: &'static str = "rental";
    type Command = RentalCommand;
    type Event = RentalEvent;
    type Error = RentalError;
    type Services = ();

    async fn handle(&mut self, _command: RentalCommand, _services: &(), _sink: &EventSink<Self>) -> Result<(), RentalError> {
        todo!()
    }

    fn apply(&mut self, _event: RentalEvent) {
        todo!()
    }
}
