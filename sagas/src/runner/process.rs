//! What a process manager is to its runner.

use domain::Instant;
use journal::{Context, Recorded, Shared};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// To whom an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Nobody listens.
    Nobody,
    /// One process.
    One(Uuid),
    /// Every process that is open. Only for kinds that are resident.
    Everyone,
}

/// A process manager: pure, and one instance for each id.
pub(crate) trait Process: Send + Sync + 'static {
    /// Names the subscription, the table of stages and the actor.
    const NAME: &'static str;
    /// Of the streams it listens to.
    const CATEGORIES: &'static [&'static str];
    /// What a sequence that is parked is called, before the dash and the id.
    const SEQUENCE: &'static str;
    /// Whether all open processes stay in memory. Then an unknown id is a new process, without a look into the file.
    const RESIDENT: bool;
    /// How long after a deadline whose commands changed nothing it is tried again for the first time.
    const FIRST_RETRY: Duration;
    /// The default stage is that of a process of which nothing need be remembered.
    type Stage: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    type Command: Debug + Send + 'static;
    type Refusal: Debug + Send + 'static;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route;
    /// Whether this event may be a process's first. Then there is nothing to look up; and where it may not be, a resident kind
    /// that does not know the process has nothing to do with the event.
    fn begins(event: &domain::Event) -> bool;
    fn react(
        stage: Self::Stage,
        id: Uuid,
        recorded: &Recorded,
        event: &domain::Event,
    ) -> (Self::Stage, Vec<Self::Command>);
    fn refused(stage: &Self::Stage, refusal: Self::Refusal) -> Vec<Self::Command>;
    fn deadline(stage: &Self::Stage) -> Option<Instant>;
    fn due(stage: &Self::Stage) -> Vec<Self::Command>;
}

/// Who carries out a process's commands.
pub(crate) trait Orders<P: Process>: Send + Sync + 'static {
    /// Carries out a command, or says why the receiver refuses. A receiver that is away is waited for.
    fn carry_out(
        &self,
        id: Uuid,
        command: P::Command,
        context: &Context,
    ) -> impl Future<Output = Result<(), Answer<P::Refusal>>> + Send;
}

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) enum Answer<R> {
    /// The receiver refuses, and the process may know what to do then.
    Refused(R),
    /// This event of this process cannot be handled.
    Broken(String),
    /// Nothing can, any more.
    Stopped(String),
}

/// The id in the name of an event's stream; `None` where that is not named by a UUID.
pub(crate) fn id_of(recorded: &Recorded) -> Option<Uuid> {
    Uuid::parse_str(recorded.aggregate_id()).ok()
}

/// The domain's event, decoded once for all who listen.
pub(crate) fn decoded(recorded: &Shared) -> Result<&domain::Event, domain::DecodeError> {
    recorded.decoded(domain::Event::decode)
}

/// What is remembered of one process.
#[derive(Debug, Clone)]
pub(crate) struct State<S> {
    pub(crate) stage: S,
    /// Of the last event that it has handled completely.
    pub(crate) position: u64,
    /// Of that event: what a deadline orders belongs to the same conversation.
    pub(crate) correlation_id: Arc<str>,
    pub(crate) event_id: Uuid,
}

impl<S: Default> State<S> {
    pub(crate) fn new() -> Self {
        Self { stage: S::default(), position: 0, correlation_id: "".into(), event_id: Uuid::nil() }
    }
}
