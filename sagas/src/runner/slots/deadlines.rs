//! Time is data: deadlines follow from stages, and stand here in order.

use super::super::process::{Orders, Process, State};
use super::super::work;
use super::{Busy, Slot, Slots};
use domain::Instant;
use std::time::Duration;
use uuid::Uuid;

/// The longest pause before a deadline whose commands changed nothing is tried again.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Full jitter, out of the random bytes of the process's id: what failed together does not come back together.
const fn spread(id: Uuid, retries: u32) -> u8 {
    id.as_bytes()[15 - (retries % 7) as usize]
}

impl<P: Process, O: Orders<P>> Slots<P, O> {
    /// The commands of a deadline are carried out. Should they change nothing, it is tried again, ever more slowly.
    pub(super) fn try_again_later(&mut self, id: Uuid, now: Instant) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if P::deadline(&slot.state.stage).is_none() || slot.deadline.is_some() {
            return;
        }
        let pause = P::FIRST_RETRY.saturating_mul(1 << slot.retries.min(16)).min(LONGEST_RETRY);
        let at = now + pause * (u32::from(spread(id, slot.retries)) + 1) / 256;
        slot.retries += 1;
        slot.deadline = Some(at);
        self.deadlines.insert((at, id));
    }

    /// Carries out what is due. A process that still has events to handle comes later: one of them may be what it waits for.
    pub(in crate::runner) fn fire(&mut self, now: Instant, most: usize) {
        let mut later = Vec::new();
        while let Some((at, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            if self.in_flight.len() >= most {
                break;
            }
            self.deadlines.pop_first();
            let Some(slot) = self.slots.get_mut(&id) else {
                self.slots.insert(id, Slot { busy: Some(Busy::Loading), ..Slot::new(State::new()) });
                self.in_flight.push(work::load(self.work.clone(), id));
                continue;
            };
            if slot.deadline != Some(at) {
                // Of an earlier life in memory.
                continue;
            }
            if slot.busy.is_some() || !slot.waiting.is_empty() {
                later.push((at, id));
                continue;
            }
            slot.deadline = None;
            let commands = P::due(&slot.state.stage);
            let occasion = (slot.state.position, slot.state.correlation_id.clone(), None);
            slot.busy = Some(Busy::Due);
            self.in_flight.push(work::carry_out(self.work.clone(), id, slot.state.stage.clone(), commands, occasion));
        }
        self.deadlines.extend(later);
    }

    /// Its deadline counts again.
    pub(in crate::runner) fn rearm(&mut self, id: Uuid) {
        if let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.deadline.is_none()) {
            slot.deadline = P::deadline(&slot.state.stage);
            self.deadlines.extend(slot.deadline.map(|at| (at, id)));
        }
    }
}
