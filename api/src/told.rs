//! An event as readers are told of it.

use journal::Recorded;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// One event, with its data out of its wrapping.
#[derive(Serialize)]
pub(crate) struct Told {
    position: u64,
    stream: Arc<str>,
    revision: u64,
    #[serde(rename = "type")]
    event_type: Arc<str>,
    at: String,
    actor: Arc<str>,
    correlation_id: Arc<str>,
    causation_id: Option<Uuid>,
    event_id: Uuid,
    command_id: Uuid,
    pub(crate) data: Value,
}

impl From<&Recorded> for Told {
    fn from(event: &Recorded) -> Self {
        Self {
            position: event.position,
            stream: event.stream.clone(),
            revision: event.revision,
            event_type: event.event_type.clone(),
            at: crate::when::text(event.recorded_at),
            actor: event.actor.clone(),
            correlation_id: event.correlation_id.clone(),
            causation_id: event.causation_id,
            event_id: event.event_id,
            command_id: event.command_id,
            data: data(event),
        }
    }
}

/// Events of the domain are stored as `{"TheirName": {…}}`; the name is told already.
fn data(event: &Recorded) -> Value {
    match serde_json::from_str(&event.payload) {
        Ok(Value::Object(mut wrapped)) if wrapped.len() == 1 => match wrapped.remove(&*event.event_type) {
            Some(data) => data,
            None => Value::Object(wrapped),
        },
        Ok(data) => data,
        Err(_) => Value::Null,
    }
}
