//! Up to where everything is handled, while much is handled at once.

use std::collections::VecDeque;

/// The positions that were taken up, in order, and how many of their deliveries are still open.
#[derive(Debug)]
pub(super) struct LowWater {
    open: VecDeque<(u64, u32)>,
    read: u64,
}

impl LowWater {
    pub(super) const fn new(read: u64) -> Self {
        Self { open: VecDeque::new(), read }
    }

    /// Everything up to here has been read; what is to be handled of it was taken up.
    pub(super) const fn read_to(&mut self, position: u64) {
        self.read = position;
    }

    /// An event is to be handled, by so many.
    pub(super) fn take_up(&mut self, position: u64, deliveries: u32) {
        if deliveries > 0 {
            self.open.push_back((position, deliveries));
        }
    }

    /// One of them has handled it.
    pub(super) fn done(&mut self, position: u64) {
        let index = self.open.partition_point(|(open, _)| *open < position);
        if let Some((open, deliveries)) = self.open.get_mut(index)
            && *open == position
        {
            *deliveries = deliveries.saturating_sub(1);
        }
        while self.open.front().is_some_and(|(_, deliveries)| *deliveries == 0) {
            self.open.pop_front();
        }
    }

    /// Every event up to here is handled completely.
    pub(super) fn mark(&self) -> u64 {
        self.open.front().map_or(self.read, |(position, _)| position - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_waits_for_the_slowest() {
        let mut water = LowWater::new(10);
        water.take_up(12, 1);
        water.take_up(13, 2);
        water.take_up(15, 1);
        water.read_to(20);
        assert_eq!(water.mark(), 11);
        water.done(15);
        water.done(13);
        assert_eq!(water.mark(), 11);
        water.done(12);
        assert_eq!(water.mark(), 12);
        water.done(13);
        assert_eq!(water.mark(), 20);
    }
}
