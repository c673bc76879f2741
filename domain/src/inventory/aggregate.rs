//! State and rules.

use super::{ItemCommand, ItemError, ItemEvent};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// State.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Item;

impl Aggregate for Item {
    const TYPE: &'static str = "item";
    type Command = ItemCommand;
    type Event = ItemEvent;
    type Error = ItemError;
    type Services = ();

    async fn handle(&mut self, _command: ItemCommand, _services: &(), _sink: &EventSink<Self>) -> Result<(), ItemError> {
        todo!()
    }

    fn apply(&mut self, _event: ItemEvent) {
        todo!()
    }
}
