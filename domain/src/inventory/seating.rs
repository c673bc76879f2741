//! Named units, each given once.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// The seats of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seating {
    /// In the order of registration.
    names: Vec<String>,
    places: HashMap<String, u32>,
    free: BTreeSet<u32>,
}

impl Seating {
    pub(super) fn new(names: Vec<String>) -> Self {
        let numbered = || names.iter().cloned().zip(0..);
        let (places, free) = (numbered().collect(), numbered().map(|(_, place)| place).collect());
        Self { names, places, free }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// What the seats at some places are called, in the order of registration.
    pub(super) fn called(&self, places: &[u32]) -> Vec<String> {
        let mut places = places.to_vec();
        places.sort_unstable();
        places.iter().filter_map(|place| self.names.get(*place as usize)).cloned().collect()
    }

    /// How many seats there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }

    /// How many seats are free.
    pub(super) fn free(&self) -> u32 {
        u32::try_from(self.free.len()).unwrap_or(u32::MAX)
    }

    /// The first free seats, in the order of registration.
    pub(super) fn first_free(&self, quantity: u32) -> Vec<String> {
        let first = self.free.iter().take(quantity as usize);
        first.filter_map(|place| self.names.get(*place as usize)).cloned().collect()
    }

    /// Those of some seats that are somebody's or do not exist.
    pub(super) fn not_free(&self, seats: &[String]) -> Vec<String> {
        let free = |seat: &&String| self.places.get(*seat).is_some_and(|place| self.free.contains(place));
        seats.iter().filter(|seat| !free(seat)).cloned().collect()
    }

    /// Takes seats; their places.
    pub(super) fn take(&mut self, seats: &[String]) -> Vec<u32> {
        let places: Vec<u32> = seats.iter().filter_map(|seat| self.places.get(seat).copied()).collect();
        for place in &places {
            self.free.remove(place);
        }
        places
    }

    pub(super) fn give_back(&mut self, places: &[u32]) {
        self.free.extend(places);
    }
}
