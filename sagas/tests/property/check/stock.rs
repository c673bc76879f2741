//! No unit is given twice, no seat either, and there are never fewer than none; and in a line nobody is overtaken.

use super::Past;
use chrono::TimeDelta;
use domain::inventory::{ItemEvent, Stock};
use domain::{Instant, Period, RentalId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) fn check(past: &Past) -> Vec<String> {
    let mut faults = vec![];
    for (item, events) in past.items() {
        let mut shelf = Shelf::default();
        for event in events {
            let fault = shelf.take(event).err();
            faults.extend(fault.map(|fault| format!("{item}: {fault} with {event:?}")));
        }
    }
    faults
}

/// What somebody has of an item.
#[derive(Debug, Clone, Default)]
pub(super) struct Hold {
    quantity: i64,
    /// When it is away, rest included; for what comes back.
    away: Option<Period>,
    rest: TimeDelta,
    seats: Vec<String>,
    pub(super) committed: bool,
    pub(super) overdue: bool,
}

impl Hold {
    /// Whether it is away at an instant, as far as is known now: what is not back in time is away until it is.
    fn is_away(&self, then: Instant, now: Instant) -> bool {
        self.away.is_none_or(|away| {
            let late = self.overdue || self.committed && away.to - self.rest <= now;
            away.from <= then && (then < away.to || late)
        })
    }
}

/// One item, by what has happened to it.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// `None` for as many as are asked for.
    pub(super) units: Option<i64>,
    seats: BTreeSet<String>,
    pub(super) holds: BTreeMap<RentalId, Hold>,
    /// Back, and resting until the end of what they were away for.
    resting: Vec<Hold>,
    pub(super) line: VecDeque<(RentalId, i64)>,
    pub(super) retired: bool,
    newest: Option<Instant>,
}

impl Shelf {
    pub(super) fn take(&mut self, event: &ItemEvent) -> Result<(), String> {
        match event {
            ItemEvent::Registered { stock, .. } => self.fill(stock),
            ItemEvent::StockAdjusted { change, units, at, .. } => return self.adjust(*change, *units, *at),
            ItemEvent::Held { rental, quantity, occupies, turnaround_s, seats, at, .. } => {
                let (quantity, rest) = (i64::from(*quantity), TimeDelta::seconds((*turnaround_s).into()));
                let hold = Hold { quantity, away: *occupies, rest, seats: seats.clone(), ..Hold::default() };
                return self.hold(*rental, hold, *at);
            }
            ItemEvent::Extended { rental, occupies, at, .. } => return self.extend(*rental, *occupies, *at),
            ItemEvent::ExtensionReleased { rental, occupies, .. } => self.held(*rental)?.away = Some(*occupies),
            ItemEvent::Committed { rental, .. } => self.held(*rental)?.committed = true,
            ItemEvent::Overdue { rental, .. } => self.held(*rental)?.overdue = true,
            ItemEvent::HandedOut { rental, .. } => drop(self.held(*rental)?),
            ItemEvent::Released { rental, at, .. } => {
                self.held(*rental)?;
                self.holds.remove(rental);
                self.newest = self.newest.max(Some(*at));
            }
            ItemEvent::Returned { rental, at } => self.take_back(*rental, *at)?,
            ItemEvent::Awaited { rental, wanted, .. } => self.line.push_back((*rental, wanted.quantity.into())),
            ItemEvent::WaitingEnded { rental, .. } => self.line.retain(|(waiting, _)| waiting != rental),
            ItemEvent::Retired { .. } => self.retired = true,
            ItemEvent::Renamed { .. } | ItemEvent::Described { .. } | ItemEvent::Repriced { .. } => {}
        }
        Ok(())
    }

    fn fill(&mut self, stock: &Stock) {
        match stock {
            Stock::Pool { units } => self.units = Some((*units).into()),
            Stock::Sale { units } => self.units = units.map(i64::from),
            Stock::Seats { seats } => {
                self.units = Some(seats.len().try_into().unwrap());
                self.seats = seats.iter().cloned().collect();
            }
        }
    }

    fn held(&mut self, rental: RentalId) -> Result<&mut Hold, String> {
        self.holds.get_mut(&rental).ok_or_else(|| format!("{rental} has nothing"))
    }

    fn hold(&mut self, rental: RentalId, hold: Hold, at: Instant) -> Result<(), String> {
        if !self.line.is_empty() {
            match self.line.pop_front() {
                Some((first, _)) if first == rental => {}
                first => return Err(format!("{first:?} was first in line")),
            }
        }
        if self.holds.contains_key(&rental) {
            return Err("it is held already".to_owned());
        }
        for seat in &hold.seats {
            let taken = self.holds.values().any(|other| other.seats.contains(seat));
            if taken || !self.seats.contains(seat) {
                return Err(format!("seat {seat} is somebody's, or there is none"));
            }
        }
        if !self.seats.is_empty() && hold.quantity != i64::try_from(hold.seats.len()).unwrap() {
            return Err("not as many seats as were asked for".to_owned());
        }
        let away = hold.away;
        self.newest = self.newest.max(Some(at));
        self.holds.insert(rental, hold);
        let used = self.busiest(away, at);
        if self.units.is_some_and(|units| used > units) { Err(format!("{used} of {:?}", self.units)) } else { Ok(()) }
    }

    fn extend(&mut self, rental: RentalId, longer: Period, at: Instant) -> Result<(), String> {
        let hold = self.held(rental)?;
        let before = hold.away.replace(longer).ok_or("it does not come back")?;
        let used = self.busiest(Some(Period { from: before.to, to: longer.to }), at);
        if self.units.is_some_and(|units| used > units) { Err(format!("{used} of {:?}", self.units)) } else { Ok(()) }
    }

    fn take_back(&mut self, rental: RentalId, at: Instant) -> Result<(), String> {
        self.held(rental)?;
        let mut hold = self.holds.remove(&rental).unwrap();
        if !hold.committed {
            return Err("it was never paid for".to_owned());
        }
        let away = hold.away.as_mut().ok_or("it does not come back")?;
        away.to = at + hold.rest;
        (hold.committed, hold.overdue) = (false, false);
        self.resting.push(hold);
        self.newest = self.newest.max(Some(at));
        Ok(())
    }

    fn adjust(&mut self, change: i64, units: u32, at: Instant) -> Result<(), String> {
        let after = self.units.ok_or("it is not counted")? + change;
        self.units = Some(after);
        let used = self.busiest(Some(Period { from: at, to: Instant::MAX_UTC }), at);
        if after != i64::from(units) || after < 0 || change < 0 && after < used {
            return Err(format!("{after} remain, {used} are promised"));
        }
        Ok(())
    }

    /// How many are away at the busiest instant of a period; in all, for what does not come back. The number rises only
    /// where somebody's time begins.
    fn busiest(&self, period: Option<Period>, now: Instant) -> i64 {
        let now = self.newest.map_or(now, |newest| newest.max(now));
        let all = || self.holds.values().chain(&self.resting);
        let Some(period) = period else {
            return all().map(|hold| hold.quantity).sum();
        };
        let first = period.from.max(now);
        let begins = all().filter_map(|hold| hold.away).map(|away| away.from);
        let instants = begins.filter(|then| first < *then && *then < period.to).chain([first]);
        let away = |then| all().filter(|hold| hold.is_away(then, now)).map(|hold| hold.quantity).sum();
        instants.map(away).max().unwrap()
    }
}
