//! Giving orders to aggregates, with patience.

use crate::runner::Answer;
use journal::{AppendError, Context, Done, Executable, ExecuteError, Executor, ReadError};
use std::time::Duration;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Whether the aggregate is expected to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likely {
    New,
    Known,
}

/// Has a command carried out, however long the journal cannot take it. The inner result is the aggregate's own.
pub(crate) async fn order<A: Executable, R>(
    executor: &Executor<A>,
    id: &str,
    likely: Likely,
    command: A::Command,
    context: &Context,
) -> Result<Result<Done, A::Error>, Answer<R>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let executed = match likely {
            Likely::New => executor.execute_new(id, command.clone(), context).await,
            Likely::Known => executor.execute(id, command.clone(), context).await,
        };
        match executed {
            Ok(done) => return Ok(Ok(done)),
            Err(ExecuteError::Refused(refusal)) => return Ok(Err(refusal)),
            Err(error) => wait_out::<A, R>(id, error, &mut pause).await?,
        }
    }
}

/// Looks at an aggregate, however long it cannot be read.
pub(crate) async fn inspect<A: Executable, T: Send, R>(
    executor: &Executor<A>,
    id: &str,
    look: impl Fn(&A) -> T + Send + Sync,
) -> Result<T, Answer<R>> {
    let mut pause = FIRST_PAUSE;
    loop {
        match executor.inspect(id, |aggregate, _| look(aggregate)).await {
            Ok(seen) => return Ok(seen),
            Err(error) => wait_out::<A, R>(id, error, &mut pause).await?,
        }
    }
}

async fn wait_out<A: Executable, R>(
    id: &str,
    error: ExecuteError<A::Error>,
    pause: &mut Duration,
) -> Result<(), Answer<R>> {
    match error {
        ExecuteError::Journal(AppendError::Stopped(reason)) => {
            return Err(Answer::Stopped(reason.to_string()));
        }
        ExecuteError::Read(ReadError::Closing) => return Err(Answer::Stopped(error.to_string())),
        ExecuteError::Unfoldable { .. } | ExecuteError::Refused(_) | ExecuteError::Stale { .. } => {
            return Err(Answer::Broken(error.to_string()));
        }
        ExecuteError::Contended
        | ExecuteError::Journal(AppendError::Unavailable(_) | AppendError::Conflict { .. })
        | ExecuteError::Read(ReadError::Database(_)) => {}
    }
    tracing::warn!(aggregate = A::TYPE, aggregate.id = id, %error, "an order has to wait");
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
    Ok(())
}

/// A UUID as a stream names it, without a place on the heap.
pub(crate) struct Key([u8; Hyphenated::LENGTH]);

impl Key {
    pub(crate) fn of(id: Uuid) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        // The buffer holds hexadecimal digits and dashes.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
