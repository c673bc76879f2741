//! The checks are tried on pasts that must not be. A check that has nothing to say about them is no check.

use super::check::{Books, Fact, Past, faults};
use super::forgeries::{FORGERIES, Forgery};
use super::shop::{books, facts};
use super::world::{World, at};
use domain::policy::Rules;
use domain::rental::{RentalCommand, RentalStatus};
use domain::{Event, Instant, RentalId};
use uuid::Uuid;

pub const LATE: RentalId = RentalId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001));
pub const CANCELLED: RentalId = RentalId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0002));
pub const CONFIRMED: RentalId = RentalId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0003));

pub struct Story {
    pub facts: Vec<Fact>,
    pub books: Books,
    pub now: Instant,
}

/// One car comes back late, one is cancelled too late for all of the money, and one has not been fetched.
async fn good() -> Story {
    let rules = |rules: &mut Rules| (rules.quota, rules.no_show_s) = (Some(1), None);
    let world = World::with_rules("car-rental", rules).await;
    let running = world.start().await;
    for (rental, customer) in [(LATE, "alice"), (CONFIRMED, "carol"), (CANCELLED, "bob")] {
        world.request_as(rental, customer, "pm_ok").await;
        world.until_status(rental, RentalStatus::Confirmed).await;
        world.quiet().await;
    }
    world.hands.set(at("2026-07-09T12:00:00Z"));
    world.cancel(CANCELLED).await;
    world.until_status(CANCELLED, RentalStatus::Cancelled).await;
    world.prepare(LATE).await;
    world.until_status(LATE, RentalStatus::Prepared).await;
    world.hand_over(LATE).await;
    world.until_status(LATE, RentalStatus::HandedOver).await;
    world.hands.set(at("2026-07-14T12:00:00Z"));
    world.until_event("StockOverdue").await;
    world.rental(LATE, RentalCommand::Return { now: world.hands.now() }).await;
    world.until_status(LATE, RentalStatus::Completed).await;
    world.quiet().await;
    running.stop().await.unwrap();
    Story { facts: facts(&world).await, books: books(&world), now: world.hands.now() }
}

impl Story {
    fn faults(&self) -> Vec<String> {
        faults(&Past { facts: &self.facts, books: &self.books, now: self.now })
    }

    pub fn place(&self, event_type: &str, rental: RentalId) -> usize {
        let found = |fact: &Fact| fact.event_type == event_type && whose(fact) == Some(rental);
        self.facts.iter().position(found).unwrap_or_else(|| panic!("no {event_type} of {rental}"))
    }

    /// It never happened.
    pub fn without(&mut self, event_type: &str, rental: RentalId) {
        self.facts.remove(self.place(event_type, rental));
    }

    /// It happened once more, right after.
    pub fn twice(&mut self, event_type: &str, rental: RentalId) {
        let place = self.place(event_type, rental);
        self.facts.insert(place, self.facts[place].clone());
    }

    /// It happened before something else did.
    pub fn before(&mut self, event_type: &str, other: &str, rental: RentalId) {
        let fact = self.facts.remove(self.place(event_type, rental));
        self.facts.insert(self.place(other, rental), fact);
    }

    /// It happened in another way.
    pub fn change(&mut self, event_type: &str, rental: RentalId, change: impl FnOnce(&mut Event)) {
        let place = self.place(event_type, rental);
        change(&mut self.facts[place].event);
    }

    pub fn each(&mut self, change: impl Fn(&mut Event)) {
        self.facts.iter_mut().for_each(|fact| change(&mut fact.event));
    }
}

pub fn whose(fact: &Fact) -> Option<RentalId> {
    match &fact.event {
        Event::Item(event) => event.rental(),
        Event::Payment(event) => Some(event.rental()),
        Event::Quota(event) => Some(event.rental()),
        _ => fact.stream.split_once('-').and_then(|(_, id)| id.parse().ok()).map(RentalId),
    }
}

#[tokio::test]
async fn every_forgery_is_found() {
    let story = good().await;
    assert_eq!(story.faults(), Vec::<String>::new());
    let mut unfound = vec![];
    for Forgery { found_by, what, forge } in FORGERIES {
        let mut forged = Story { facts: story.facts.clone(), books: story.books.clone(), now: story.now };
        forge(&mut forged);
        let faults = forged.faults();
        if !faults.iter().any(|fault| fault.starts_with(found_by)) {
            unfound.push(format!("{what}: {faults:#?}"));
        }
    }
    assert!(unfound.is_empty(), "{}", unfound.join("\n"));
}
