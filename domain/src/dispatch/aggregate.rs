//! State and rules.

use super::{DispatchCommand, DispatchError, DispatchEvent};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// State.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dispatch;

impl Aggregate for Dispatch {
    const TYPE: &'static str = "dispatch";
    type Command = DispatchCommand;
    type Event = DispatchEvent;
    type Error = DispatchError;
    type Services = ();

    async fn handle(&mut self, _command: DispatchCommand, _services: &(), _sink: &EventSink<Self>) -> Result<(), DispatchError> {
        todo!()
    }

    fn apply(&mut self, _event: DispatchEvent) {
        todo!()
    }
}
