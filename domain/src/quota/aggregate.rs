//! State and rules.

use super::{QuotaCommand, QuotaError, QuotaEvent};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// State.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Quota;

impl Aggregate for Quota {
    const TYPE: &'static str = "quota";
    type Command = QuotaCommand;
    type Event = QuotaEvent;
    type Error = QuotaError;
    type Services = ();

    async fn handle(&mut self, _command: QuotaCommand, _services: &(), _sink: &EventSink<Self>) -> Result<(), QuotaError> {
        todo!()
    }

    fn apply(&mut self, _event: QuotaEvent) {
        todo!()
    }
}
