//! Executes commands: decide on the newest state in memory, let go of it, and only then wait for the disk.
//!
//! A thousand commands on one aggregate are decided back to back and share a few fsyncs. **What was decided on events that
//! are not durable is not answered before they are: not a success, not "already so", and not a refusal either.**

mod event_store;
mod slot;

use crate::append::{Append, AppendError, Appended, Basis, Context, NewEvent};
use crate::journal::{Journal, ReadError};
use crate::observer::Observer;
use crate::queue::{Fate, Place};
use crate::recent;
use crate::recorded::Recorded;
use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, AggregateContext, DomainEvent};
use quick_cache::sync::Cache;
use slot::{Held, Known, Slot};
use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;
use uuid::Uuid;

/// Aggregates of one kind that are kept in memory.
const CACHED: usize = 16_384;
/// How often a command is decided again after its append lost to another one.
const TRIES: u32 = 16;

/// A command that was carried out, or had been before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Reading the journal up to here shows the effect.
    pub position: u64,
    /// The aggregate's revision.
    pub revision: u64,
    /// How many events it made; 0 means "already so".
    pub events: usize,
}

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E: std::error::Error + 'static> {
    /// The aggregate refuses; durably so.
    #[error(transparent)]
    Refused(E),
    /// The caller built on a revision that is not the last one any more.
    #[error("the revision is {actual}")]
    Stale {
        /// The aggregate's revision.
        actual: u64,
    },
    /// Others were faster each time.
    #[error("too many others change the same thing")]
    Contended,
    /// The journal cannot take it.
    #[error(transparent)]
    Journal(AppendError),
    /// The state cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A stored event is not one of this aggregate's.
    #[error("{stream} cannot be folded: {reason}")]
    Unfoldable {
        /// Which stream.
        stream: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Executes the commands of one kind of aggregate. Cheap to clone.
pub struct Executor<A: Aggregate> {
    inner: Arc<Inner<A>>,
}

impl<A: Aggregate> Clone for Executor<A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

type Share<E> = Box<dyn Fn(&E) -> Box<dyn Any + Send + Sync> + Send + Sync>;

struct Inner<A: Aggregate> {
    journal: Journal,
    slots: Cache<Arc<str>, Arc<Slot<A>>>,
    share: Share<A::Event>,
}

/// What others append makes the state in memory old: it is folded anew when it is asked for. Because this is told before any
/// subscriber of this process reads the event, **whoever answers an event finds it in the state**.
impl<A: Executable> Observer for Inner<A> {
    fn happened(&self, events: &[Recorded]) {
        for event in events.iter().filter(|event| event.category() == A::TYPE) {
            if let Some(slot) = self.slots.peek(event.aggregate_id()) {
                slot.tell_of(event.revision);
            }
        }
    }

    fn missed_some(&self) {
        self.slots.clear();
    }
}

/// What an aggregate must be for its commands to be executed here. Every pure aggregate is.
pub trait Executable:
    Aggregate<Services = (), Command: Clone + Send + Sync, Event: 'static, Error: Send + Sync + 'static> + 'static
{
}

impl<A> Executable for A where
    A: Aggregate<Services = (), Command: Clone + Send + Sync, Event: 'static, Error: Send + Sync + 'static> + 'static
{
}

impl<A: Executable> Executor<A> {
    /// An executor over a journal. Subscribers of this process receive each event as a `T` without decoding it.
    pub fn new<T>(journal: Journal) -> Self
    where
        T: From<A::Event> + Any + Send + Sync,
    {
        let share: Share<A::Event> = Box::new(|event| Box::new(T::from(event.clone())));
        let inner = Arc::new(Inner { journal, slots: recent::shared(CACHED), share });
        let observer: Weak<Inner<A>> = Arc::downgrade(&inner);
        inner.journal.observe(observer);
        Self { inner }
    }

    /// Carries out a command and answers when its effect, or the reason for refusing it, is durable.
    ///
    /// # Errors
    /// [`ExecuteError`]; nothing was changed then.
    pub async fn execute(
        &self,
        id: &str,
        command: A::Command,
        context: &Context,
    ) -> Result<Done, ExecuteError<A::Error>> {
        self.run(id, command, context, (false, None)).await
    }

    /// The same for an aggregate that is most likely new: nothing is read unless that proves wrong.
    ///
    /// # Errors
    /// [`ExecuteError`]; nothing was changed then.
    pub async fn execute_new(
        &self,
        id: &str,
        command: A::Command,
        context: &Context,
    ) -> Result<Done, ExecuteError<A::Error>> {
        self.run(id, command, context, (true, None)).await
    }

    /// The same for what was also decided on another aggregate, as [`Self::glance_at_basis`] has shown it: its events stand only if
    /// that is still so.
    ///
    /// # Errors
    /// [`ExecuteError`]; nothing was changed then. Where the other one has changed, the journal says [`AppendError::Overtaken`].
    pub async fn execute_new_on(
        &self,
        id: &str,
        command: A::Command,
        context: &Context,
        basis: Basis,
    ) -> Result<Done, ExecuteError<A::Error>> {
        self.run(id, command, context, (true, Some(basis))).await
    }

    async fn run(
        &self,
        id: &str,
        command: A::Command,
        context: &Context,
        (mut presumed_new, basis): (bool, Option<Basis>),
    ) -> Result<Done, ExecuteError<A::Error>> {
        for attempt in 0..TRIES {
            let place = self.inner.journal.reserve().await.map_err(ExecuteError::Journal)?;
            let mut held = self.hold(id, presumed_new).await?;
            presumed_new = false;
            let actual = held.known().revision;
            if context.seen_revision.is_some_and(|seen| seen != actual) {
                match self.settled(held, place, context).await {
                    Ok(_) => return Err(ExecuteError::Stale { actual }),
                    Err(AppendError::Conflict { .. }) => continue,
                    Err(error) => return Err(ExecuteError::Journal(error)),
                }
            }
            let sink = EventSink::default();
            let decided = held.aggregate().handle(command.clone(), &(), &sink).await;
            let events = sink.collect().await;
            held.dirty = !events.is_empty();
            let (count, outcome) = match decided {
                Ok(()) if !events.is_empty() => {
                    (events.len(), self.store(&events, held, place, context, basis.clone()).await)
                }
                Ok(()) => (0, self.settled(held, place, context).await),
                Err(refusal) => match self.settled(held, place, context).await {
                    Ok(_) => return Err(ExecuteError::Refused(refusal)),
                    Err(error) => (0, Err(error)),
                },
            };
            match outcome {
                Ok(Appended { position, revision }) => return Ok(Done { position, revision, events: count }),
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(ExecuteError::Journal(error)),
            }
            if attempt > 2 {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt))).await;
            }
        }
        Err(ExecuteError::Contended)
    }

    /// Looks at an aggregate's state and revision; the answer is durable. `look` may run more than once.
    ///
    /// # Errors
    /// When the state cannot be read, or never becomes durable.
    pub async fn inspect<R>(&self, id: &str, look: impl Fn(&A, u64) -> R + Send) -> Result<R, ExecuteError<A::Error>>
    where
        R: Send,
    {
        let context = Context {
            command_id: Uuid::nil(),
            correlation_id: "".into(),
            causation_id: None,
            actor: "".into(),
            seen_revision: None,
            fence: None,
        };
        for attempt in 0..TRIES {
            let place = self.inner.journal.reserve().await.map_err(ExecuteError::Journal)?;
            let mut held = self.hold(id, false).await?;
            let known = held.known();
            let seen = look(&known.state, known.revision);
            // What was remembered was thrown away, and this was read since: it is as new as the question, however fast others write.
            if attempt > 0 && known.is_durable() {
                return Ok(seen);
            }
            match self.settled(held, place, &context).await {
                Ok(_) => return Ok(seen),
                // What it was decided on has failed: look again.
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(ExecuteError::Journal(error)),
            }
        }
        Err(ExecuteError::Contended)
    }

    /// Looks at an aggregate as this process has been told of it: what any subscriber here has read is in the state, and all of
    /// it is durable. Another process may have appended since, which costs a look at the database to find out ([`Self::inspect`]).
    ///
    /// # Errors
    /// When the state cannot be read, or never becomes durable.
    pub async fn glance<R>(&self, id: &str, look: impl Fn(&A, u64) -> R + Send) -> Result<R, ExecuteError<A::Error>>
    where
        R: Send,
    {
        let mut held = self.hold(id, false).await?;
        let known = held.known();
        if known.is_durable() {
            return Ok(look(&known.state, known.revision));
        }
        drop(held);
        self.inspect(id, look).await
    }

    /// Looks at an aggregate as this process has been told of it, for a decision that stands only while it stays so.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn glance_at_basis<R>(
        &self,
        id: &str,
        look: impl Fn(&A) -> R + Send,
    ) -> Result<(R, Basis), ExecuteError<A::Error>>
    where
        R: Send,
    {
        let mut held = self.hold(id, false).await?;
        let known = held.known();
        let basis = Basis { stream: stream_of::<A>(id), expected: known.expected() };
        Ok((look(&known.state), basis))
    }

    /// Takes the aggregate's lock, with the state in place. The fold of a miss happens without the lock, once for all.
    async fn hold(&self, id: &str, presumed_new: bool) -> Result<Held<A>, ExecuteError<A::Error>> {
        let slot = self.slot(id);
        loop {
            let mut cell = slot.cell.clone().lock_owned().await;
            if cell.known.as_ref().is_some_and(|known| slot.is_past(known.revision)) {
                cell.known = None;
                cell.generation += 1;
            }
            if cell.known.is_none() && presumed_new && !slot.is_past(0) {
                cell.known = Some(Known::presumed_new());
            }
            if cell.known.is_some() {
                return Ok(Held { id: id.into(), slot: slot.clone(), cell, dirty: false });
            }
            let folded = slot.folded.notified();
            tokio::pin!(folded);
            folded.as_mut().enable();
            if cell.folding {
                drop(cell);
                folded.await;
                continue;
            }
            cell.folding = true;
            let generation = cell.generation;
            drop(cell);
            self.fold_into(&slot, id, generation).await?;
        }
    }

    /// Folds the stream and puts the state in place, in a task of its own: a caller that goes away does not leave others waiting.
    async fn fold_into(&self, slot: &Arc<Slot<A>>, id: &str, generation: u64) -> Result<(), ExecuteError<A::Error>> {
        let (slot, journal, stream) = (slot.clone(), self.inner.journal.clone(), stream_of::<A>(id));
        let task = tokio::spawn(async move {
            let folded = fold::<A>(&journal, &stream).await;
            let mut cell = slot.cell.lock().await;
            cell.folding = false;
            let result = match folded {
                Ok(known) => {
                    if cell.generation == generation && cell.known.is_none() {
                        cell.known = Some(known);
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            };
            drop(cell);
            slot.folded.notify_waiters();
            result
        });
        task.await.unwrap_or_else(|_| Err(ExecuteError::Read(ReadError::Closing)))
    }

    fn slot(&self, id: &str) -> Arc<Slot<A>> {
        if let Some(slot) = self.inner.slots.get(id) {
            return slot;
        }
        let made: Result<_, std::convert::Infallible> =
            self.inner.slots.get_or_insert_with(&Arc::from(id), || Ok(Arc::new(Slot::new())));
        match made {
            Ok(slot) => slot,
        }
    }

    /// Waits until what was seen is durable. A conflict means that it never will be.
    async fn settled(&self, mut held: Held<A>, place: Place, context: &Context) -> Result<Appended, AppendError> {
        let known = held.known();
        // Where others append too, what is durable may be old: the guard finds out.
        if known.is_durable() && !self.inner.journal.is_shared() {
            return Ok(Appended { position: self.inner.journal.head(), revision: known.revision });
        }
        let guard = Append {
            stream: stream_of::<A>(&held.id),
            expected: held.known().expected(),
            events: Vec::new(),
            context: context.clone(),
            basis: None,
        };
        // Where the guard holds, what it guards is durable, and the next one need not ask.
        let fate = held.known().fate.clone().unwrap_or_default();
        self.send(guard, held, place, fate).await
    }

    /// Queues the events, moves the state's guards on, lets go of the lock, and waits for the disk.
    async fn store(
        &self,
        events: &[A::Event],
        mut held: Held<A>,
        place: Place,
        context: &Context,
        basis: Option<Basis>,
    ) -> Result<Appended, AppendError> {
        let events = match self.encode(events) {
            Ok(events) => events,
            // The drop of `held` throws the state away.
            Err(error) => return Err(AppendError::Unavailable(error.to_string().into())),
        };
        let stream = stream_of::<A>(&held.id);
        let fate = Fate::default();
        let known = held.known();
        let expected = known.expected();
        known.revision += events.len() as u64;
        known.last_event = events.last().map(|event| event.id);
        known.fate = Some(fate.clone());
        held.dirty = false;
        self.send(Append { stream, expected, events, context: context.clone(), basis }, held, place, fate).await
    }

    async fn send(&self, append: Append, held: Held<A>, place: Place, fate: Fate) -> Result<Appended, AppendError> {
        let (slot, generation) = (held.slot.clone(), held.cell.generation);
        let answer = place.send(append, fate);
        // The lock is released before the wait for durability: that is what makes a hot aggregate fast.
        drop(held);
        let result = self.inner.journal.answered(answer).await;
        if result.is_err() {
            // Everything that was decided on this state fails in the writer, by its guard, and is decided again.
            let mut cell = slot.cell.lock().await;
            if cell.generation == generation {
                cell.known = None;
                cell.generation += 1;
            }
        }
        result
    }

    fn encode(&self, events: &[A::Event]) -> Result<Vec<NewEvent>, serde_json::Error> {
        events
            .iter()
            .map(|event| {
                Ok(NewEvent {
                    id: Uuid::now_v7(),
                    event_type: event.event_type(),
                    version: event.event_version().parse().unwrap_or(1),
                    payload: serde_json::to_string(event)?,
                    decoded: Some((self.inner.share)(event)),
                })
            })
            .collect()
    }
}

fn stream_of<A: Aggregate>(id: &str) -> Arc<str> {
    let mut stream = String::with_capacity(A::TYPE.len() + 1 + id.len());
    stream.push_str(A::TYPE);
    stream.push('-');
    stream.push_str(id);
    stream.into()
}

async fn fold<A: Executable>(journal: &Journal, stream: &str) -> Result<Known<A>, ExecuteError<A::Error>> {
    let mut known: Known<A> = Known::default();
    for event in journal.read_stream(stream, 0).await? {
        let payload = serde_json::from_str(&event.payload).map_err(|error| ExecuteError::Unfoldable {
            stream: stream.to_owned(),
            reason: format!("revision {}: {error}", event.revision),
        })?;
        known.state.apply(payload);
        known.revision = event.revision;
        known.last_event = Some(event.event_id);
    }
    Ok(known)
}
