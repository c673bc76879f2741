//! A process manager, as its runner treats it, one step at a time.

use super::known::Id;
use super::memory::{Board, Table, context};
use crate::runner::{Answer, Orders, Process, Route, decoded};
use futures_util::FutureExt;
use journal::Shared;
use std::fmt::Debug;
use std::sync::Arc;
use uuid::Uuid;

/// How far one process is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Actor {
    /// Its events, in the order of the journal. While it may still crash, those that it has handled too.
    pub(super) log: Vec<Id>,
    pub(super) handled: usize,
    pub(super) stage: Id,
    pub(super) busy: Option<Busy>,
    pub(super) crashes_left: u8,
}

/// What it is at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Busy {
    /// Its stage once everything is carried out.
    next: Id,
    /// Whether it handles an event, and not a deadline.
    event: bool,
    /// What is still to be carried out.
    commands: Vec<Id>,
    /// What the first of them has seen so far.
    seen: Vec<Id>,
}

/// A pure answer to an event. The real one, unless a test wants to see what happens with another.
pub(super) type React<P> = Arc<
    dyn Fn(
            <P as Process>::Stage,
            Uuid,
            &Shared,
            &domain::Event,
        ) -> (<P as Process>::Stage, Vec<<P as Process>::Command>)
        + Send
        + Sync,
>;

/// The real answers.
pub(super) fn real<P: Process>() -> React<P> {
    Arc::new(|stage, id, recorded, event| P::react(stage, id, recorded, event))
}

/// What moves an actor.
pub(super) trait Moves {
    fn name(&self) -> &'static str;
    /// Before anything has happened.
    fn start(&self, board: &mut Board, crashes_left: u8) -> Actor;
    /// Whether it listens to an event.
    fn listens(&self, event: &Shared) -> bool;
    /// Takes up its next event.
    fn take(&self, board: &mut Board, actor: &mut Actor);
    /// Whether its deadline has passed.
    fn is_due(&self, board: &Board, actor: &Actor) -> bool;
    /// Its deadline fires.
    fn fire(&self, board: &mut Board, actor: &mut Actor);
    /// One step of what it is at.
    fn step(&self, table: &Table, actor: &mut Actor);
    /// It has forgotten everything after so many events.
    fn crash(&self, board: &mut Board, actor: &mut Actor, handled: usize);
    /// How its stage and what it is at are written.
    fn written(&self, board: &Board, actor: &Actor) -> String;
}

/// One process of a kind.
pub(super) struct One<P: Process, O> {
    pub(super) id: Uuid,
    /// New at each step: what they remember between two is no part of the state.
    pub(super) orders: Box<dyn Fn() -> O>,
    pub(super) react: React<P>,
    /// Its deadlines are short against everything else: they fire at any time.
    pub(super) impatient: bool,
}

impl<P: Process, O: Orders<P>> One<P, O>
where
    P::Command: Clone + Sync,
{
    fn react(&self, board: &mut Board, stage: Id, event: Id) -> (Id, Vec<Id>) {
        let (stage, event) = (board.known.get::<P::Stage>(stage), board.known.get::<Shared>(event));
        let (next, commands) = (self.react)((*stage).clone(), self.id, &event, decoded(&event).unwrap());
        (board.known.id(next), numbers(board, commands))
    }
}

fn numbers<C: Debug + Send + Sync + 'static>(board: &mut Board, commands: Vec<C>) -> Vec<Id> {
    commands.into_iter().map(|command| board.known.id(command)).collect()
}

impl<P: Process, O: Orders<P>> Moves for One<P, O>
where
    P::Command: Clone + Sync,
{
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn start(&self, board: &mut Board, crashes_left: u8) -> Actor {
        Actor { log: vec![], handled: 0, stage: board.known.id(P::Stage::default()), busy: None, crashes_left }
    }

    fn listens(&self, event: &Shared) -> bool {
        match P::route(event, decoded(event).unwrap()) {
            Route::One(id) => id == self.id,
            Route::Nobody => false,
            Route::Everyone => true,
        }
    }

    fn take(&self, board: &mut Board, actor: &mut Actor) {
        let (next, commands) = self.react(board, actor.stage, actor.log[actor.handled]);
        actor.busy = Some(Busy { next, event: true, commands, seen: vec![] });
        actor.settle();
    }

    fn is_due(&self, board: &Board, actor: &Actor) -> bool {
        let deadline = P::deadline(&board.known.get::<P::Stage>(actor.stage));
        actor.busy.is_none() && deadline.is_some_and(|deadline| self.impatient || deadline <= board.now)
    }

    fn fire(&self, board: &mut Board, actor: &mut Actor) {
        let commands = P::due(&board.known.get::<P::Stage>(actor.stage));
        let commands = numbers(board, commands);
        actor.busy = Some(Busy { next: actor.stage, event: false, commands, seen: vec![] });
        actor.settle();
    }

    fn step(&self, table: &Table, actor: &mut Actor) {
        let busy = actor.busy.as_mut().unwrap();
        let command = table.board().known.get::<P::Command>(busy.commands[0]);
        table.board().allow_a_step(std::mem::take(&mut busy.seen));
        let _entered = table.enter();
        let orders = (self.orders)();
        let carried_out = orders.carry_out(self.id, (*command).clone(), &context()).now_or_never();
        let mut board = table.board();
        let mut follow_up = vec![];
        match carried_out {
            None => {
                busy.seen = std::mem::take(&mut board.seen);
                return;
            }
            Some(Ok(())) => {}
            Some(Err(Answer::Refused(refusal))) => {
                let stage = board.known.get::<P::Stage>(busy.next);
                follow_up = numbers(&mut board, P::refused(&stage, refusal));
            }
            Some(Err(Answer::Broken(reason) | Answer::Stopped(reason))) => panic!("{}: {reason}", P::NAME),
        }
        busy.commands.splice(..1, follow_up);
        actor.settle();
    }

    fn crash(&self, board: &mut Board, actor: &mut Actor, handled: usize) {
        let mut stage = board.known.id(P::Stage::default());
        for event in &actor.log[..handled] {
            stage = self.react(board, stage, *event).0;
        }
        (actor.stage, actor.handled, actor.busy) = (stage, handled, None);
        actor.crashes_left -= 1;
        actor.forget();
    }

    fn written(&self, board: &Board, actor: &Actor) -> String {
        let stage = board.known.get::<P::Stage>(actor.stage);
        let command = actor.busy.as_ref().map(|busy| board.known.get::<P::Command>(busy.commands[0]));
        command.map_or_else(|| format!("{stage:?}"), |command| format!("{command:?}"))
    }
}

impl Actor {
    /// An event is handled when everything is carried out.
    fn settle(&mut self) {
        if let Some(busy) = self.busy.take_if(|busy| busy.commands.is_empty()) {
            self.stage = busy.next;
            self.handled += usize::from(busy.event);
            self.forget();
        }
    }

    /// What nobody will ask for again makes no difference.
    fn forget(&mut self) {
        if self.crashes_left == 0 {
            self.log.drain(..self.handled);
            self.handled = 0;
        }
    }
}
