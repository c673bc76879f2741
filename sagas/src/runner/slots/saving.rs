//! What is written into the file, and what is forgotten in memory.

use super::super::process::{Orders, Process};
use super::super::saved::Change;
use super::Slots;

impl<P: Process, O: Orders<P>> Slots<P, O> {
    /// What is to be saved with the checkpoint [`LowWater::mark`] of this moment.
    pub(in crate::runner) fn changes(&mut self) -> Vec<Change<P::Stage>> {
        let mark = self.water.mark();
        let mut changes = Vec::with_capacity(self.dirty.len());
        let mut still_dirty = Vec::new();
        for id in self.dirty.drain(..) {
            let Some(slot) = self.slots.get_mut(&id) else {
                continue;
            };
            slot.saving = true;
            self.saving.push(id);
            let settled = slot.state.stage == P::Stage::default();
            // Ahead of the checkpoint it is remembered: or the events in between would be handled twice.
            if settled && slot.state.position <= mark {
                slot.dirty = false;
                if slot.stored {
                    changes.push(Change { id, state: None, deadline: None });
                }
                continue;
            }
            slot.dirty = settled;
            if settled {
                still_dirty.push(id);
            }
            let deadline = P::deadline(&slot.state.stage);
            changes.push(Change { id, state: Some(slot.state.clone()), deadline });
        }
        self.dirty = still_dirty;
        changes
    }

    /// The changes are in the file, or not.
    pub(in crate::runner) fn saved(&mut self, in_the_file: bool, keep: usize) {
        for id in std::mem::take(&mut self.saving) {
            let Some(slot) = self.slots.get_mut(&id) else {
                continue;
            };
            slot.saving = false;
            if !in_the_file {
                if !slot.dirty {
                    slot.dirty = true;
                    self.dirty.push(id);
                }
                continue;
            }
            slot.stored = true;
            if slot.is_idle() && slot.state.stage == P::Stage::default() {
                self.slots.remove(&id);
            }
        }
        if !P::RESIDENT && self.slots.len() > keep {
            self.forget_the_oldest(keep / 4 * 3);
        }
    }

    fn forget_the_oldest(&mut self, keep: usize) {
        let idle = self.slots.iter().filter(|(_, slot)| slot.is_idle());
        let mut idle: Vec<_> = idle.map(|(id, slot)| (slot.state.position, *id)).collect();
        idle.sort_unstable();
        let surplus = self.slots.len().saturating_sub(keep);
        for (_, id) in idle.into_iter().take(surplus) {
            self.slots.remove(&id);
        }
    }
}
