//! What takes a process's time: carrying out commands, and looking a process up.

use super::process::{Answer, Orders, Process, State};
use super::saved::Saved;
use crate::SagaError;
use futures_util::FutureExt;
use journal::{Context, Fence};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What all work of one kind of process shares.
pub(super) struct Work<O> {
    orders: Arc<O>,
    saved: Saved,
    actor: Arc<str>,
    namespace: Uuid,
    /// Everything is ordered under it.
    fence: Fence,
}

impl<O> Work<O> {
    pub(super) fn new<P: Process>(orders: Arc<O>, saved: Saved, fence: Fence) -> Self {
        let actor: Arc<str> = format!("process:{}", P::NAME).into();
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_OID, actor.as_bytes());
        Self { orders, saved, actor, namespace, fence }
    }

    /// The same for the same event and place, in every repeat.
    fn command_id(&self, id: Uuid, position: u64, index: u32) -> Uuid {
        let mut name = [0; 28];
        name[..16].copy_from_slice(id.as_bytes());
        name[16..24].copy_from_slice(&position.to_be_bytes());
        name[24..].copy_from_slice(&index.to_be_bytes());
        Uuid::new_v5(&self.namespace, &name)
    }
}

pub(super) type InFlight<P> = Pin<Box<dyn Future<Output = Finished<P>> + Send>>;

/// Work that has ended.
pub(super) struct Finished<P: Process> {
    pub(super) id: Uuid,
    pub(super) outcome: Outcome<P::Stage>,
}

pub(super) enum Outcome<S> {
    Loaded(Option<State<S>>),
    Done,
    Broken(String),
    Stopped(String),
}

/// Position, conversation and cause of what is ordered; a deadline has no cause.
pub(super) type Occasion = (u64, Arc<str>, Option<Uuid>);

pub(super) fn load<P: Process, O: Orders<P>>(work: Arc<Work<O>>, id: Uuid) -> InFlight<P> {
    Box::pin(async move {
        let outcome = loop {
            match work.saved.load_one::<P>(id).await {
                Ok(state) => break Outcome::Loaded(state),
                Err(error @ SagaError::Closing) => break Outcome::Stopped(error.to_string()),
                Err(error) => {
                    tracing::warn!(process = P::NAME, process.id = %id, %error, "a process cannot be looked up");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        Finished { id, outcome }
    })
}

pub(super) fn carry_out<P: Process, O: Orders<P>>(
    work: Arc<Work<O>>,
    id: Uuid,
    stage: P::Stage,
    commands: Vec<P::Command>,
    occasion: Occasion,
) -> InFlight<P> {
    Box::pin(async move {
        let carried_out = AssertUnwindSafe(carry_out_all::<P, O>(&work, id, &stage, commands, occasion));
        let outcome = carried_out.catch_unwind().await.unwrap_or_else(|panic| Outcome::Broken(reason_of(&*panic)));
        Finished { id, outcome }
    })
}

async fn carry_out_all<P: Process, O: Orders<P>>(
    work: &Work<O>,
    id: Uuid,
    stage: &P::Stage,
    mut commands: Vec<P::Command>,
    (position, correlation_id, causation_id): Occasion,
) -> Outcome<P::Stage> {
    let (actor, fence) = (work.actor.clone(), Some(work.fence.clone()));
    let mut context =
        Context { command_id: Uuid::nil(), correlation_id, causation_id, actor, seen_revision: None, fence };
    let mut index = 0;
    commands.reverse();
    while let Some(command) = commands.pop() {
        context.command_id = work.command_id(id, position, index);
        index += 1;
        match work.orders.carry_out(id, command, &context).await {
            Ok(()) => {}
            Err(Answer::Refused(refusal)) => commands.extend(P::refused(stage, refusal).into_iter().rev()),
            Err(Answer::Broken(reason)) => return Outcome::Broken(reason),
            Err(Answer::Stopped(reason)) => return Outcome::Stopped(reason),
        }
    }
    Outcome::Done
}

/// What a panic said.
pub(super) fn reason_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a word"))
}
