//! Giving orders to aggregates, with patience.

use crate::runner::Answer;
use journal::{AppendError, Context, Done, Executable, ExecuteError, Executor, ReadError};
use std::future::Future;
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

/// Where orders go: to executors over the journal, or into memory while all interleavings are enumerated.
pub(crate) trait Receivers: Send + Sync + 'static {
    type Of<A: Executable>: Receiver<A>;
}

/// All aggregates of one kind.
pub(crate) trait Receiver<A: Executable>: Send + Sync + 'static {
    fn execute(
        &self,
        id: &str,
        likely: Likely,
        command: A::Command,
        context: &Context,
    ) -> impl Future<Output = Result<Done, ExecuteError<A::Error>>> + Send;

    fn inspect<T: Send>(
        &self,
        id: &str,
        look: impl Fn(&A) -> T + Send + Sync,
    ) -> impl Future<Output = Result<T, ExecuteError<A::Error>>> + Send;
}

/// Executors over the journal.
pub(crate) struct Journaled;

impl Receivers for Journaled {
    type Of<A: Executable> = Executor<A>;
}

impl<A: Executable> Receiver<A> for Executor<A> {
    async fn execute(
        &self,
        id: &str,
        likely: Likely,
        command: A::Command,
        context: &Context,
    ) -> Result<Done, ExecuteError<A::Error>> {
        match likely {
            Likely::New => self.execute_new(id, command, context).await,
            Likely::Known => Self::execute(self, id, command, context).await,
        }
    }

    async fn inspect<T: Send>(
        &self,
        id: &str,
        look: impl Fn(&A) -> T + Send + Sync,
    ) -> Result<T, ExecuteError<A::Error>> {
        // What it answers is in the state, and what others have appended since will come to it as events.
        self.glance(id, |aggregate, _| look(aggregate)).await
    }
}

/// Has a command carried out, however long the journal cannot take it. The inner result is the aggregate's own.
pub(crate) async fn order<A: Executable, R>(
    receiver: &impl Receiver<A>,
    id: &str,
    likely: Likely,
    command: A::Command,
    context: &Context,
) -> Result<Result<Done, A::Error>, Answer<R>> {
    let mut pause = FIRST_PAUSE;
    loop {
        match receiver.execute(id, likely, command.clone(), context).await {
            Ok(done) => return Ok(Ok(done)),
            Err(ExecuteError::Refused(refusal)) => return Ok(Err(refusal)),
            Err(error) => wait_out::<A, R>(id, error, &mut pause).await?,
        }
    }
}

/// Looks at an aggregate, however long it cannot be read.
pub(crate) async fn inspect<A: Executable, T: Send, R>(
    receiver: &impl Receiver<A>,
    id: &str,
    look: impl Fn(&A) -> T + Send + Sync,
) -> Result<T, Answer<R>> {
    let mut pause = FIRST_PAUSE;
    loop {
        match receiver.inspect(id, &look).await {
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
        // Another process works on it now.
        ExecuteError::Journal(AppendError::StaleOwner(_)) | ExecuteError::Read(ReadError::Closing) => {
            return Err(Answer::Stopped(error.to_string()));
        }
        ExecuteError::Unfoldable { .. } | ExecuteError::Refused(_) | ExecuteError::Stale { .. } => {
            return Err(Answer::Broken(error.to_string()));
        }
        ExecuteError::Contended
        | ExecuteError::Journal(
            AppendError::Unavailable(_) | AppendError::Conflict { .. } | AppendError::Overtaken(_),
        )
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
