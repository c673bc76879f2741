//! Everything that anybody may do next.

use super::known::Id;
use super::provider::{Book, Call, Charging};
use super::world::{ITEM, OTHER, PRICE, RENTAL, State, World};
use domain::Instant;
use domain::dispatch::{Dispatch, DispatchCommand};
use domain::inventory::{Item, ItemCommand, ReleaseReason};
use domain::rental::{CancelledBy, Rental, RentalCommand};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Take(usize),
    Step(usize, Call),
    Fire(usize),
    Crash(usize, usize),
    TheDeadlinePasses,
    TheProviderIsDone(Charging),
    Cancel(CancelledBy),
    TheOtherGivesUp,
    Accept,
    Decline,
    Prepare,
    HandOver,
}

impl Move {
    /// Whether it happens by itself, some time: neither people nor crashes are needed for it.
    pub(super) const fn is_certain(self) -> bool {
        match self {
            Self::Take(_) | Self::Step(..) | Self::Fire(_) | Self::TheDeadlinePasses | Self::TheProviderIsDone(_) => {
                true
            }
            Self::Crash(..)
            | Self::Cancel(_)
            | Self::TheOtherGivesUp
            | Self::Accept
            | Self::Decline
            | Self::Prepare
            | Self::HandOver => false,
        }
    }
}

/// What may come next.
pub(super) struct Next {
    pub(super) by: Move,
    pub(super) state: State,
    /// What is written into the journal on the way.
    pub(super) events: Vec<Id>,
}

impl World {
    fn now_is(&self, by: Move, state: State) -> Next {
        Next { by, state, events: self.table.board().appended.clone() }
    }

    /// Every state that may be the next one.
    pub(super) fn next(&self, state: &State) -> Vec<Next> {
        let mut next = vec![];
        for index in 0..self.actors.len() {
            self.by_process(state, index, &mut next);
        }
        self.by_people(state, &mut next);
        let mut by_itself = |by, state| next.push(Next { by, state, events: vec![] });
        if state.notes.held && !state.late {
            by_itself(Move::TheDeadlinePasses, State { late: true, ..state.clone() });
        }
        if state.book.charge == Charging::InProgress {
            for charge in [Charging::Charged(PRICE), Charging::Declined] {
                let book = Book { charge, ..state.book };
                by_itself(Move::TheProviderIsDone(charge), State { book, ..state.clone() });
            }
        }
        next.retain(|next| next.state != *state);
        next
    }

    fn by_process(&self, state: &State, index: usize, next: &mut Vec<Next>) {
        let actor = &state.actors[index];
        if actor.busy.is_some() {
            let mut step = |call| {
                self.table.board().call = call;
                let stepped = self.process(state, index, |moves, actor| moves.step(&self.table, actor));
                next.push(self.now_is(Move::Step(index, call), stepped));
                self.table.board().said
            };
            for call in step(Call::Away).map_or(&[][..], |said| state.book.calls(said)) {
                step(*call);
            }
        } else if actor.handled < actor.log.len() {
            let taken = self.process(state, index, |moves, actor| moves.take(&mut self.table.board(), actor));
            next.push(self.now_is(Move::Take(index), taken));
        }
        self.set_up(state);
        let due = self.actors[index].is_due(&self.table.board(), actor);
        if due {
            let fired = self.process(state, index, |moves, actor| moves.fire(&mut self.table.board(), actor));
            next.push(self.now_is(Move::Fire(index), fired));
        }
        if actor.crashes_left > 0 && actor.log.len() > 1 {
            for handled in 0..=actor.handled {
                let crashed =
                    self.process(state, index, |moves, actor| moves.crash(&mut self.table.board(), actor, handled));
                next.push(self.now_is(Move::Crash(index, handled), crashed));
            }
        }
    }

    fn by_people(&self, state: &State, next: &mut Vec<Next>) {
        let rental = RENTAL.to_string();
        let cancel = |by, left: State| {
            let cancelled = self.people(&left, |board, now| {
                let command = RentalCommand::RequestCancellation { by, reason: None, now };
                let _ = board.execute(&rental, Rental::clone, command);
            });
            self.now_is(Move::Cancel(by), cancelled)
        };
        if let Some(cancellations_left) = state.cancellations_left.checked_sub(1) {
            next.push(cancel(CancelledBy::Customer, State { cancellations_left, ..state.clone() }));
        }
        if let Some(cancellations_by_the_shop_left) = state.cancellations_by_the_shop_left.checked_sub(1) {
            next.push(cancel(CancelledBy::Store, State { cancellations_by_the_shop_left, ..state.clone() }));
        }
        if self.waits() {
            self.in_line(state, next);
        }
        let mut dispatch = |action, command: fn(Instant) -> DispatchCommand| {
            let done = self.people(state, |board, now| {
                let _ = board.execute(&rental, Dispatch::clone, command(now));
            });
            next.push(self.now_is(action, done));
        };
        dispatch(Move::Prepare, |now| DispatchCommand::Prepare { store_open: true, now });
        dispatch(Move::HandOver, |now| DispatchCommand::HandOver { store_open: true, now });
    }

    /// What may happen where one waits in line.
    fn in_line(&self, state: &State, next: &mut Vec<Next>) {
        let given_up = self.people(state, |board, now| {
            let command = ItemCommand::Release { rental: OTHER, reason: ReleaseReason::Cancelled, now };
            let _ = board.execute(&ITEM.to_string(), Item::clone, command);
        });
        next.push(self.now_is(Move::TheOtherGivesUp, given_up));
        let mut answer = |answer, command: fn(Instant) -> RentalCommand| {
            let answered = self.people(state, |board, now| {
                let _ = board.execute(&RENTAL.to_string(), Rental::clone, command(now));
            });
            next.push(self.now_is(answer, answered));
        };
        answer(Move::Accept, |now| RentalCommand::Accept { now });
        answer(Move::Decline, |now| RentalCommand::Decline { now });
    }
}
