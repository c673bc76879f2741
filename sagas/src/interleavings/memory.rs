//! Aggregates in memory, and the one place where a step may stop: **whoever looks, writes or calls the provider does one
//! such thing a step**, and others may take their steps before the next.

use super::known::{Id, Known};
use super::provider::{Book, Call, Said};
use crate::orders::{Likely, Receiver, Receivers};
use cqrs_es::DomainEvent;
use cqrs_es::event_sink::EventSink;
use domain::Instant;
use futures_util::FutureExt;
use journal::{Append, Context, Done, Executable, ExecuteError, Expected, Journal, NewEvent, Shared};
use std::any::Any;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::runtime::{EnterGuard, Handle, Runtime};
use uuid::Uuid;

/// Real events, as a journal hands them out: each is recorded once, however often it happens in the model.
struct Archive {
    journal: Journal,
    runtime: Runtime,
    _directory: tempfile::TempDir,
}

impl Archive {
    fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { journal: Journal::open(directory.path()).unwrap(), runtime, _directory: directory }
    }

    fn record(&self, stream: &str, new: NewEvent) -> Shared {
        let (stream, expected, events) = (stream.into(), Expected::Any, vec![new]);
        let append = Append { stream, expected, events, context: context(), basis: None };
        self.runtime.block_on(async {
            let position = self.journal.append(append).await.unwrap().position;
            self.journal.read_all(position - 1, 1).await.unwrap().pop().unwrap()
        })
    }
}

pub(super) fn context() -> Context {
    let (correlation_id, actor) = ("model".into(), "model".into());
    Context { command_id: Uuid::nil(), correlation_id, causation_id: None, actor, seen_revision: None, fence: None }
}

/// The state that is being moved, spread out.
pub(super) struct Board {
    pub(super) known: Known,
    archive: Archive,
    /// Streams by their place in `aggregates`.
    streams: Vec<String>,
    pub(super) aggregates: Vec<Id>,
    pub(super) now: Instant,
    pub(super) book: Book,
    /// How the provider behaves when it is called.
    pub(super) call: Call,
    /// What it was called for, if it was.
    pub(super) said: Option<Said>,
    /// What the command that is carried out has seen in earlier steps, and sees in this one.
    pub(super) seen: Vec<Id>,
    replayed: usize,
    may_step: bool,
    pub(super) appended: Vec<Id>,
}

/// The board, as everybody holds it.
#[derive(Clone)]
pub(super) struct Table {
    board: Arc<Mutex<Board>>,
    runtime: Handle,
}

impl Table {
    pub(super) fn laid() -> Self {
        let archive = Archive::open();
        let runtime = archive.runtime.handle().clone();
        let board = Board {
            known: Known::default(),
            archive,
            streams: vec![],
            aggregates: vec![],
            now: Instant::UNIX_EPOCH,
            book: Book::default(),
            call: Call::Away,
            said: None,
            seen: vec![],
            replayed: 0,
            may_step: false,
            appended: vec![],
        };
        Self { board: Arc::new(Mutex::new(board)), runtime }
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap()
    }

    /// What is polled meanwhile may set timers. None of them ever goes off: no step waits.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// All aggregates of a kind. A new one is as new as can be.
    pub(super) fn memory<A: Executable>(&self, copy: fn(&A) -> A) -> Memory<A> {
        Memory { table: self.clone(), copy }
    }

    /// One step: what was seen in earlier ones is seen again; then one thing is done; then nothing more.
    pub(super) async fn step<T, F>(&self, doing: F) -> Arc<T>
    where
        T: Any + Send + Sync,
        F: FnOnce(&mut Board) -> Id + Send,
    {
        let seen = {
            let mut board = self.board();
            board.step(doing).map(|seen| board.known.get(seen))
        };
        match seen {
            Some(seen) => seen,
            None => pending().await,
        }
    }
}

impl Board {
    pub(super) fn allow_a_step(&mut self, seen: Vec<Id>) {
        (self.seen, self.replayed, self.may_step) = (seen, 0, true);
    }

    fn step(&mut self, doing: impl FnOnce(&mut Self) -> Id) -> Option<Id> {
        if let Some(seen) = self.seen.get(self.replayed) {
            self.replayed += 1;
            return Some(*seen);
        }
        if !std::mem::take(&mut self.may_step) {
            return None;
        }
        let seen = doing(self);
        self.seen.push(seen);
        self.replayed += 1;
        Some(seen)
    }

    /// The last step of a command: nothing of it is told again.
    fn write<T>(&mut self, writing: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let turn = self.replayed == self.seen.len() && std::mem::take(&mut self.may_step);
        turn.then(|| writing(self))
    }

    pub(super) fn place(&mut self, stream: &str) -> usize {
        self.streams.iter().position(|known| known == stream).unwrap_or_else(|| {
            self.streams.push(stream.to_owned());
            self.streams.len() - 1
        })
    }

    /// The number of an aggregate as it is now.
    fn aggregate<A: Executable>(&mut self, id: &str) -> (usize, Id) {
        let place = self.place(&format!("{}-{id}", A::TYPE));
        while self.aggregates.len() <= place {
            let nobody = self.known.id_of("nobody", ());
            self.aggregates.push(nobody);
        }
        if Some(self.aggregates[place]) == self.known.find::<()>("nobody") {
            self.aggregates[place] = self.number(A::default());
        }
        (place, self.aggregates[place])
    }

    fn number<A: Executable>(&mut self, aggregate: A) -> Id {
        let text = serde_json::to_string(&aggregate).unwrap();
        self.known.id_of(&text, aggregate)
    }

    pub(super) fn look<A: Executable, T>(&mut self, id: &str, look: impl Fn(&A) -> T) -> T {
        let (_, number) = self.aggregate::<A>(id);
        look(&self.known.get::<A>(number))
    }

    /// A command is carried out at once.
    pub(super) fn execute<A: Executable>(
        &mut self,
        id: &str,
        copy: fn(&A) -> A,
        command: A::Command,
    ) -> Result<usize, A::Error> {
        let (place, number) = self.aggregate::<A>(id);
        let mut aggregate = copy(&self.known.get::<A>(number));
        let sink = EventSink::default();
        aggregate.handle(command, &(), &sink).now_or_never().unwrap()?;
        let events = sink.collect().now_or_never().unwrap();
        for event in &events {
            let payload = serde_json::to_string(event).unwrap();
            self.append(&format!("{}-{id}", A::TYPE), event, payload);
        }
        if !events.is_empty() {
            self.aggregates[place] = self.number(aggregate);
        }
        Ok(events.len())
    }

    fn append(&mut self, stream: &str, event: &impl DomainEvent, payload: String) {
        let text = format!("{stream} {payload}");
        let number = self.known.find::<Shared>(&text).unwrap_or_else(|| {
            let (id, version) = (Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()), 1);
            let new = NewEvent { id, event_type: event.event_type(), version, payload, decoded: None };
            let recorded = self.archive.record(stream, new);
            self.known.id_of(&text, recorded)
        });
        self.appended.push(number);
    }
}

/// All aggregates of one kind, in memory.
pub(super) struct Memory<A> {
    table: Table,
    copy: fn(&A) -> A,
}

/// Aggregates in memory.
pub(super) struct InMemory;

impl Receivers for InMemory {
    type Of<A: Executable> = Memory<A>;
}

impl<A: Executable> Receiver<A> for Memory<A> {
    async fn execute(
        &self,
        id: &str,
        _: Likely,
        command: A::Command,
        _: &Context,
    ) -> Result<Done, ExecuteError<A::Error>> {
        let answer = self.table.board().write(|board| board.execute(id, self.copy, command));
        match answer {
            Some(Ok(events)) => Ok(Done { position: 0, revision: 0, events }),
            Some(Err(refusal)) => Err(ExecuteError::Refused(refusal)),
            None => pending().await,
        }
    }

    async fn inspect<T: Send>(
        &self,
        id: &str,
        look: impl Fn(&A) -> T + Send + Sync,
    ) -> Result<T, ExecuteError<A::Error>> {
        let seen = self.table.step::<A, _>(|board| board.aggregate::<A>(id).1).await;
        Ok(look(&seen))
    }
}
