//! What happens to a sequence that cannot be handled: it is tried again, then parked; and one day tried again in order.

use super::process::{Orders, Process, Route, decoded};
use super::slots::{Delivery, Failure};
use super::{BATCH, Runner};
use crate::SagaError;
use chrono::Utc;
use futures_util::FutureExt;
use journal::{Journal, Parked, Recorded, Shared};
use uuid::Uuid;

/// The journal's database may be away for a while.
const READ_AGAIN: std::time::Duration = std::time::Duration::from_millis(200);

/// How often an event is tried before its sequence is parked.
pub(super) const TRIES: u32 = 3;

/// A parked sequence that is being handled again. Until it is done, nothing new is read: so it catches up for certain.
pub(super) struct Retrying {
    sequence: String,
    failed: bool,
    /// Whether the outcome is being saved.
    saving: bool,
}

impl<P: Process, O: Orders<P>> Runner<P, O> {
    /// Whether an event waits because its process's sequence, or its stream, is parked.
    pub(super) fn is_parked(&self, event: &Recorded, id: Uuid) -> bool {
        self.subscription.has_parked()
            && (self.subscription.parked_at(&sequence_of::<P>(id)).is_some()
                || self.subscription.parked_at(&event.stream).is_some())
    }

    pub(super) async fn look_at_failures(&mut self) -> Result<(), SagaError> {
        for failure in std::mem::take(&mut self.slots.failures) {
            let position = failure.delivery.as_ref().map(|delivery| delivery.event.position);
            let position = position.unwrap_or_else(|| self.slots.position(failure.id));
            let attempts = self.subscription.count_attempt(position).await?;
            tracing::warn!(
                subscription = P::NAME, position, process.id = %failure.id, attempts, reason = failure.reason,
                "an event could not be handled"
            );
            if attempts < TRIES {
                self.slots.resume(failure);
            } else {
                self.park(failure, position, attempts).await?;
            }
        }
        Ok(())
    }

    async fn park(&mut self, failure: Failure, position: u64, attempts: u32) -> Result<(), SagaError> {
        let event_type =
            failure.delivery.as_ref().map_or_else(|| "deadline".to_owned(), |it| it.event.event_type.to_string());
        let sequence = sequence_of::<P>(failure.id);
        if let Some(retrying) = self.retrying.as_mut().filter(|retrying| retrying.sequence == sequence) {
            retrying.failed = true;
        }
        let reason = failure.reason.clone();
        let parked_at = Utc::now();
        self.subscription.park(Parked { sequence, position, event_type, attempts, reason, parked_at }).await?;
        self.slots.set_aside(failure);
        Ok(())
    }

    /// An event whose bytes say nothing: its stream waits.
    pub(super) async fn park_undecodable(&mut self, event: &Shared, reason: String) -> Result<(), SagaError> {
        if self.subscription.parked_at(&event.stream).is_some() {
            return Ok(());
        }
        let mut attempts = 0;
        while attempts < TRIES {
            attempts = self.subscription.count_attempt(event.position).await?;
            if decoded(event).is_ok() {
                return Ok(());
            }
        }
        let parked = Parked {
            sequence: event.stream.to_string(),
            position: event.position,
            event_type: event.event_type.to_string(),
            attempts,
            reason,
            parked_at: Utc::now(),
        };
        Ok(self.subscription.park(parked).await?)
    }

    /// Counts a try before it is made; whether it has ended this process too often, and its sequence is parked for it.
    pub(super) async fn is_deadly(&mut self, event: &Shared) -> Result<bool, SagaError> {
        let Some(Route::One(id)) = decoded(event).ok().map(|domain| P::route(event, domain)) else {
            return Ok(false);
        };
        let attempts = self.subscription.count_attempt(event.position).await?;
        if attempts <= TRIES || self.is_parked(event, id) {
            return Ok(false);
        }
        let parked = Parked {
            sequence: sequence_of::<P>(id),
            position: event.position,
            event_type: event.event_type.to_string(),
            attempts: attempts - 1,
            reason: "every try ended the whole process".to_owned(),
            parked_at: Utc::now(),
        };
        self.subscription.park(parked).await?;
        Ok(true)
    }

    /// One event at a time, where one of them may be deadly. Those that are handled are not: whatever ends this process before
    /// the checkpoint is saved.
    pub(super) async fn wait_if_careful(&mut self, position: u64) -> Result<(), SagaError> {
        if position > self.careful_to {
            return Ok(());
        }
        loop {
            let Some(finished) = self.slots.next_finished().await else {
                break;
            };
            let now = self.clock.now();
            self.slots.finished(finished, now).map_err(SagaError::Stopped)?;
            if !self.slots.failures.is_empty() {
                self.look_at_failures().await?;
            }
        }
        Ok(self.subscription.forget_attempts(position).await?)
    }

    /// Begins with the next sequence that an administrator wants tried again.
    pub(super) fn look_for_retries(&mut self) {
        if self.subscription.has_parked()
            && let Some(Ok(asked)) = self.subscription.retries().now_or_never()
        {
            self.asked.extend(asked);
        }
    }

    /// Hands out what a parked sequence has missed.
    pub(super) async fn retry_next(&mut self) -> Result<(), SagaError> {
        if self.retrying.is_some() {
            return Ok(());
        }
        let Some(sequence) = self.asked.pop_front() else {
            return Ok(());
        };
        let Some(from) = self.subscription.parked_at(&sequence) else {
            return Ok(());
        };
        let journal = self.subscription.journal().clone();
        let missed = missed::<P>(&journal, &sequence, from, self.after).await;
        let Some(missed) = missed? else {
            tracing::warn!(subscription = P::NAME, sequence, "the sequence still cannot be read");
            return Ok(());
        };
        let late = process_of::<P>(&sequence).is_none();
        self.retrying = Some(Retrying { sequence, failed: false, saving: false });
        self.slots.again += missed.len();
        for (id, event) in missed {
            self.slots.deliver(id, Delivery { event, again: true, late }, false);
        }
        Ok(())
    }

    /// Everything missed is handled: first that is saved, and only then the sequence counts as handled again.
    pub(super) async fn settle_retry(&mut self) -> Result<(), SagaError> {
        let Some(retrying) = &mut self.retrying else {
            return Ok(());
        };
        if self.slots.again > 0 {
            return Ok(());
        }
        if !retrying.saving {
            retrying.saving = true;
            return Ok(());
        }
        if !retrying.failed {
            self.subscription.unpark(&retrying.sequence).await?;
            if let Some(id) = process_of::<P>(&retrying.sequence) {
                self.slots.rearm(id);
            }
            tracing::info!(subscription = P::NAME, sequence = retrying.sequence, "a sequence is handled again");
        }
        self.retrying = None;
        Ok(())
    }
}

fn sequence_of<P: Process>(id: Uuid) -> String {
    format!("{}-{id}", P::SEQUENCE)
}

fn process_of<P: Process>(sequence: &str) -> Option<Uuid> {
    sequence.strip_prefix(P::SEQUENCE)?.strip_prefix('-')?.parse().ok()
}

/// The events of a sequence from a position to another, and whose they are; `None` when one of them cannot be decoded.
async fn missed<P: Process>(
    journal: &Journal,
    sequence: &str,
    from: u64,
    to: u64,
) -> Result<Option<Vec<(Uuid, Shared)>>, SagaError> {
    let process = process_of::<P>(sequence);
    let mut missed = Vec::new();
    let mut after = from.saturating_sub(1);
    while after < to {
        let events = match journal.read_all(after, BATCH).await {
            Err(error @ journal::ReadError::Database(_)) => {
                tracing::warn!(sequence, %error, "a parked sequence cannot be read, and is tried again");
                tokio::time::sleep(READ_AGAIN).await;
                continue;
            }
            read => read.map_err(journal::SubscriptionError::from)?,
        };
        let Some(last) = events.last() else { break };
        after = last.position;
        for event in events.into_iter().filter(|event| event.position <= to) {
            if !P::CATEGORIES.contains(&event.category()) {
                continue;
            }
            let of_the_stream = *event.stream == *sequence;
            let id = match decoded(&event).map(|domain| P::route(&event, domain)) {
                Ok(Route::One(id)) if of_the_stream || process == Some(id) => id,
                Ok(Route::Everyone) if process.is_some() => process.unwrap_or_default(),
                Err(_) if of_the_stream => return Ok(None),
                Ok(Route::One(_) | Route::Nobody | Route::Everyone) | Err(_) => continue,
            };
            missed.push((id, event));
        }
    }
    Ok(Some(missed))
}
