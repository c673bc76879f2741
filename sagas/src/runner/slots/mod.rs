//! The processes in memory: what each has handled, what it is busy with, and what waits for it.

mod deadlines;
mod saving;

use super::low_water::LowWater;
use super::process::{Orders, Process, State, decoded};
use super::work::{self, Finished, Outcome, Work};
use domain::Instant;
use futures_util::stream::{FuturesUnordered, StreamExt};
use journal::Shared;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use uuid::Uuid;

/// An event on its way to a process.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) event: Shared,
    /// It belongs to a sequence that was parked and is tried again: the checkpoint has passed it.
    pub(super) again: bool,
    /// It was held up while later ones were not: handled whatever the process has seen since.
    pub(super) late: bool,
}

#[derive(Debug)]
enum Busy<S> {
    Loading,
    /// The stage holds once the commands are carried out.
    Handling(Delivery, S),
    Due,
    /// Its failure is being looked at.
    Failing,
}

struct Slot<S> {
    state: State<S>,
    busy: Option<Busy<S>>,
    waiting: VecDeque<Delivery>,
    /// As it stands in the ordered set.
    deadline: Option<Instant>,
    retries: u32,
    dirty: bool,
    saving: bool,
    /// Whether the file knows of it.
    stored: bool,
}

/// Something that a process could not handle.
pub(super) struct Failure {
    pub(super) id: Uuid,
    /// `None` for a deadline.
    pub(super) delivery: Option<Delivery>,
    pub(super) reason: String,
}

/// All processes of one kind.
pub(super) struct Slots<P: Process, O> {
    work: Arc<Work<O>>,
    slots: HashMap<Uuid, Slot<P::Stage>>,
    deadlines: BTreeSet<(Instant, Uuid)>,
    dirty: Vec<Uuid>,
    saving: Vec<Uuid>,
    pub(super) water: LowWater,
    pub(super) in_flight: FuturesUnordered<work::InFlight<P>>,
    pub(super) waiting: usize,
    pub(super) failures: Vec<Failure>,
    /// Deliveries of a sequence that is tried again.
    pub(super) again: usize,
    /// Events up to here may have been handled before the last stop.
    repeat_to: u64,
}

impl<P: Process, O: Orders<P>> Slots<P, O> {
    pub(super) fn new(work: Work<O>, checkpoint: u64, repeat_to: u64) -> Self {
        Self {
            work: Arc::new(work),
            slots: HashMap::new(),
            deadlines: BTreeSet::new(),
            dirty: Vec::new(),
            saving: Vec::new(),
            water: LowWater::new(checkpoint),
            in_flight: FuturesUnordered::new(),
            waiting: 0,
            failures: Vec::new(),
            again: 0,
            repeat_to,
        }
    }

    /// Takes in what was saved.
    pub(super) fn restore(&mut self, id: Uuid, state: State<P::Stage>) {
        let deadline = P::deadline(&state.stage);
        self.deadlines.extend(deadline.map(|at| (at, id)));
        if P::RESIDENT {
            self.slots.insert(id, Slot { deadline, stored: true, ..Slot::new(state) });
        }
    }

    /// Every process that is open; complete only for a resident kind.
    pub(super) fn open(&self) -> Vec<Uuid> {
        self.slots.keys().copied().collect()
    }

    pub(super) fn deliver(&mut self, id: Uuid, delivery: Delivery, begins: bool) {
        if P::RESIDENT && !begins && !delivery.again && !self.slots.contains_key(&id) {
            return self.handled(&delivery);
        }
        let known = P::RESIDENT || (begins && delivery.event.position > self.repeat_to);
        let slot = self.slots.entry(id).or_insert_with(|| {
            let mut slot = Slot::new(State::new());
            if !known {
                slot.busy = Some(Busy::Loading);
                self.in_flight.push(work::load(self.work.clone(), id));
            }
            slot
        });
        slot.waiting.push_back(delivery);
        self.waiting += 1;
        self.advance(id);
    }

    /// Handles what waits for a process, until something takes its time.
    pub(super) fn advance(&mut self, id: Uuid) {
        while let Some(slot) = self.slots.get_mut(&id) {
            if slot.busy.is_some() {
                return;
            }
            let Some(delivery) = slot.waiting.pop_front() else {
                return;
            };
            self.waiting -= 1;
            if !delivery.late && delivery.event.position <= slot.state.position {
                self.handled(&delivery);
                continue;
            }
            let stage = slot.state.stage.clone();
            let reacted = catch_unwind(AssertUnwindSafe(|| {
                let event = decoded(&delivery.event).map_err(|error| error.to_string())?;
                Ok(P::react(stage, id, &delivery.event, event))
            }));
            match reacted.unwrap_or_else(|panic| Err(work::reason_of(&*panic))) {
                Ok((stage, commands)) if commands.is_empty() => self.completed(id, delivery, stage),
                Ok((stage, commands)) => {
                    let event = &delivery.event;
                    let occasion = (event.position, event.correlation_id.clone(), Some(event.event_id));
                    self.in_flight.push(work::carry_out(self.work.clone(), id, stage.clone(), commands, occasion));
                    slot.busy = Some(Busy::Handling(delivery, stage));
                }
                Err(reason) => {
                    slot.busy = Some(Busy::Failing);
                    self.failures.push(Failure { id, delivery: Some(delivery), reason });
                }
            }
        }
    }

    fn handled(&mut self, delivery: &Delivery) {
        if delivery.again {
            self.again = self.again.saturating_sub(1);
        } else {
            self.water.done(delivery.event.position);
        }
    }

    /// An event is handled completely: its stage holds.
    fn completed(&mut self, id: Uuid, delivery: Delivery, stage: P::Stage) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        let event = &delivery.event;
        let (before, after) = (P::deadline(&slot.state.stage), P::deadline(&stage));
        slot.state = State {
            stage,
            position: event.position.max(slot.state.position),
            correlation_id: event.correlation_id.clone(),
            event_id: event.event_id,
        };
        if before != after {
            self.deadlines.extend(after.map(|at| (at, id)));
            if let Some(old) = std::mem::replace(&mut slot.deadline, after) {
                self.deadlines.remove(&(old, id));
            }
            slot.retries = 0;
        }
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push(id);
        }
        self.handled(&delivery);
    }

    /// Something that took its time has ended.
    ///
    /// # Errors
    /// When nothing can go on.
    pub(super) fn finished(&mut self, finished: Finished<P>, now: Instant) -> Result<(), String> {
        let Finished { id, outcome } = finished;
        let Some(slot) = self.slots.get_mut(&id) else {
            return Ok(());
        };
        let busy = slot.busy.take();
        match (outcome, busy) {
            (Outcome::Loaded(state), _) => {
                slot.stored = state.is_some();
                slot.state = state.unwrap_or_else(State::new);
                slot.deadline = P::deadline(&slot.state.stage);
                self.deadlines.extend(slot.deadline.map(|at| (at, id)));
            }
            (Outcome::Done, Some(Busy::Handling(delivery, stage))) => self.completed(id, delivery, stage),
            (Outcome::Done, _) => self.try_again_later(id, now),
            (Outcome::Broken(reason), busy) => {
                slot.busy = Some(Busy::Failing);
                let delivery = match busy {
                    Some(Busy::Handling(delivery, _)) => Some(delivery),
                    Some(Busy::Loading | Busy::Due | Busy::Failing) | None => None,
                };
                self.failures.push(Failure { id, delivery, reason });
                return Ok(());
            }
            (Outcome::Stopped(reason), _) => return Err(reason),
        }
        self.advance(id);
        Ok(())
    }

    /// Tries again what has failed.
    pub(super) fn resume(&mut self, failure: Failure) {
        let Some(slot) = self.slots.get_mut(&failure.id) else {
            return;
        };
        slot.busy = None;
        match failure.delivery {
            Some(delivery) => {
                slot.waiting.push_front(delivery);
                self.waiting += 1;
                self.advance(failure.id);
            }
            None => self.rearm(failure.id),
        }
    }

    /// Its sequence is parked: what waits is read again one day.
    pub(super) fn set_aside(&mut self, failure: Failure) {
        let Some(slot) = self.slots.get_mut(&failure.id) else {
            return;
        };
        slot.busy = None;
        if let Some(at) = slot.deadline.take() {
            self.deadlines.remove(&(at, failure.id));
        }
        let waiting = std::mem::take(&mut slot.waiting);
        self.waiting -= waiting.len();
        for delivery in failure.delivery.iter().chain(&waiting) {
            self.handled(delivery);
        }
    }

    pub(super) fn position(&self, id: Uuid) -> u64 {
        self.slots.get(&id).map_or(0, |slot| slot.state.position)
    }

    pub(super) fn unsaved(&self) -> usize {
        self.dirty.len()
    }

    /// The next thing that took its time.
    pub(super) async fn next_finished(&mut self) -> Option<Finished<P>> {
        self.in_flight.next().await
    }
}

impl<S> Slot<S> {
    const fn new(state: State<S>) -> Self {
        Self {
            state,
            busy: None,
            waiting: VecDeque::new(),
            deadline: None,
            retries: 0,
            dirty: false,
            saving: false,
            stored: false,
        }
    }

    fn is_idle(&self) -> bool {
        self.busy.is_none() && self.waiting.is_empty() && !self.dirty && !self.saving
    }
}
