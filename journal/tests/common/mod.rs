//! A toy aggregate and short ways to append, shared by the journal's tests.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its own part")]

pub mod kept;
pub mod wire;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use journal::{Append, Context, Expected, Journal, NewEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Counts up to a limit.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    pub count: u64,
}

#[derive(Debug, Clone)]
pub enum CounterCommand {
    /// Count one more, up to a limit.
    Count { limit: u64 },
    /// Do what stands already.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CounterEvent {
    Counted { now: u64 },
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{count} is enough")]
pub struct Enough {
    pub count: u64,
}

impl DomainEvent for CounterEvent {
    fn event_type(&self) -> String {
        "Counted".to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Counter {
    const TYPE: &'static str = "counter";
    type Command = CounterCommand;
    type Event = CounterEvent;
    type Error = Enough;
    type Services = ();

    async fn handle(&mut self, command: CounterCommand, _: &(), sink: &EventSink<Self>) -> Result<(), Enough> {
        match command {
            CounterCommand::Count { limit } if self.count >= limit => Err(Enough { count: self.count }),
            CounterCommand::Count { .. } => {
                sink.write(CounterEvent::Counted { now: self.count + 1 }, self).await;
                Ok(())
            }
            CounterCommand::Nothing => Ok(()),
        }
    }

    fn apply(&mut self, CounterEvent::Counted { now }: CounterEvent) {
        self.count = now;
    }
}

pub fn context() -> Context {
    Context {
        command_id: Uuid::now_v7(),
        correlation_id: "a conversation".into(),
        causation_id: None,
        actor: "a test".into(),
        seen_revision: None,
        fence: None,
    }
}

pub fn event(payload: &str) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: "Noted".to_owned(),
        version: 1,
        payload: payload.to_owned(),
        decoded: None,
    }
}

pub fn append(stream: &str, expected: Expected, payloads: &[&str]) -> Append {
    Append {
        stream: stream.into(),
        expected,
        events: payloads.iter().map(|payload| event(payload)).collect(),
        context: context(),
        basis: None,
    }
}

/// Appends `count` events to streams of their own.
pub async fn fill(journal: &Journal, count: usize) {
    for index in 0..count {
        let payload = format!("{{\"note\":{index}}}");
        journal.append(append(&format!("note-{index}"), Expected::Revision(0), &[&payload])).await.unwrap();
    }
}
