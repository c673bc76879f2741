//! State and rules.

use super::{StoreCommand, StoreError, StoreEvent};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// What a shop is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile;

/// State.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Store;

impl Aggregate for Store {
    const TYPE: &'static str = "store";
    type Command = StoreCommand;
    type Event = StoreEvent;
    type Error = StoreError;
    type Services = ();

    async fn handle(&mut self, _command: StoreCommand, _services: &(), _sink: &EventSink<Self>) -> Result<(), StoreError> {
        todo!()
    }

    fn apply(&mut self, _event: StoreEvent) {
        todo!()
    }
}
