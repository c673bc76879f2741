//! cqrs-es's interface to this journal.

use super::slot::Held;
use super::{Executable, ExecuteError, Executor, stream_of};
use crate::append::{AppendError, Context};
use cqrs_es::{AggregateError, EventEnvelope, EventStore};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The interface of cqrs-es: whatever is written against its framework runs on this journal. Its framework answers a
/// refusal without asking whether what it was decided on is durable; [`Executor::execute`] asks.
impl<A: Executable> EventStore<A> for Executor<A> {
    type AC = Held<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let recorded = self.inner.journal.read_stream(&stream_of::<A>(id), 0).await.map_err(unexpected)?;
        recorded
            .into_iter()
            .map(|event| {
                let metadata = HashMap::from([
                    ("event_id".to_owned(), event.event_id.to_string()),
                    ("correlation_id".to_owned(), event.correlation_id.to_string()),
                    ("command_id".to_owned(), event.command_id.to_string()),
                    ("actor".to_owned(), event.actor.to_string()),
                ]);
                let sequence = usize::try_from(event.revision).unwrap_or(usize::MAX);
                let payload = serde_json::from_str(&event.payload).map_err(unexpected)?;
                Ok(EventEnvelope { aggregate_id: id.to_owned(), sequence, payload, metadata })
            })
            .collect()
    }

    async fn load_aggregate(&self, id: &str) -> Result<Held<A>, AggregateError<A::Error>> {
        self.hold(id, false).await.map_err(|error| match error {
            ExecuteError::Refused(refusal) => AggregateError::UserError(refusal),
            other => AggregateError::UnexpectedError(other.to_string().into()),
        })
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        mut held: Held<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let id = held.id.to_string();
        let before = held.known().revision;
        let text = |name: &str| metadata.get(name).map(String::as_str);
        let command_id = text("command_id").and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::now_v7);
        let context = Context {
            command_id,
            correlation_id: text("correlation_id").map_or_else(|| command_id.to_string().into(), Arc::from),
            causation_id: text("causation_id").and_then(|id| id.parse().ok()),
            actor: text("actor").unwrap_or("unknown").into(),
            seen_revision: None,
            fence: None,
        };
        // The queue is full only when the disk is the bottleneck; then waiting here holds this one aggregate.
        let place = self.inner.journal.reserve().await.map_err(unexpected)?;
        held.dirty = !events.is_empty();
        let stored = match events.is_empty() {
            true => self.settled(held, place, &context).await,
            false => self.store(&events, held, place, &context, None).await,
        };
        match stored {
            Ok(_) => {}
            Err(AppendError::Conflict { .. }) => return Err(AggregateError::AggregateConflict),
            Err(error) => return Err(unexpected(error)),
        }
        let envelope = |(index, payload)| EventEnvelope {
            aggregate_id: id.clone(),
            sequence: usize::try_from(before).unwrap_or(usize::MAX) + 1 + index,
            payload,
            metadata: metadata.clone(),
        };
        Ok(events.into_iter().enumerate().map(envelope).collect())
    }
}

fn unexpected<T: std::error::Error>(error: impl std::error::Error + Send + Sync + 'static) -> AggregateError<T> {
    AggregateError::UnexpectedError(Box::new(error))
}
