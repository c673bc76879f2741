//! Waiting in line, and not coming for what was booked.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use chrono::TimeDelta;
use domain::rental::{RentalCommand, RentalEvent, RentalStatus};
use domain::{Event, PaymentId, RentalId};
use world::World;

/// A library with one copy, which alice has reserved, and bob and carol wait for, in this order.
async fn line() -> (World, sagas::Running, [RentalId; 3]) {
    let world = World::new("library").await.with_units(1).await;
    let running = world.start().await;
    let alice = world.request("alice", "pm_ok").await;
    world.until_status(alice, RentalStatus::Confirmed).await;
    let bob = world.request_patiently("bob").await;
    waits(&world, bob).await;
    let carol = world.request_patiently("carol").await;
    waits(&world, carol).await;
    (world, running, [alice, bob, carol])
}

async fn waits(world: &World, rental: RentalId) {
    let place = || async {
        let look = move |item: &domain::inventory::Item, _| item.waiting().any(|waiter| waiter.rental == rental);
        world.items.inspect(&world.item.to_string(), look).await.unwrap()
    };
    world.until("it waits", place).await;
}

async fn is_offered(world: &World, rental: RentalId) {
    let offered = || async {
        let events = world.journal.read_stream(&format!("rental-{rental}"), 0).await.unwrap();
        events.iter().any(|event| *event.event_type == *"RentalOffered")
    };
    world.until("it is offered", offered).await;
}

async fn accept(world: &World, rental: RentalId) {
    world.rental(rental, RentalCommand::Accept { now: world.hands.now() }).await;
}

#[tokio::test]
async fn what_comes_free_goes_to_the_first_in_line_and_to_nobody_else() {
    let (world, running, [alice, bob, carol]) = line().await;
    let dave = world.request("dave", "pm_ok").await;
    world.until_status(dave, RentalStatus::Rejected).await;
    world.cancel(alice).await;
    is_offered(&world, bob).await;
    assert!(world.holds(bob).await && !world.holds(carol).await);
    assert_eq!(world.charged(PaymentId::charge_of(bob)), 0, "nobody pays before they accept");
    accept(&world, bob).await;
    world.until_status(bob, RentalStatus::Confirmed).await;
    assert_eq!(world.charged(PaymentId::charge_of(bob)), 100);
    assert_eq!(world.status(carol).await, Some(RentalStatus::Requested));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_offer_that_lapses_or_is_declined_goes_to_the_next_in_line() {
    let (world, running, [alice, bob, carol]) = line().await;
    let dave = world.request_patiently("dave").await;
    waits(&world, dave).await;
    world.cancel(alice).await;
    is_offered(&world, bob).await;
    world.hands.advance(TimeDelta::days(2));
    world.until_status(bob, RentalStatus::Expired).await;
    is_offered(&world, carol).await;
    world.cancel(carol).await;
    world.until_status(carol, RentalStatus::Cancelled).await;
    is_offered(&world, dave).await;
    accept(&world, dave).await;
    world.until_status(dave, RentalStatus::Confirmed).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_line_outlives_a_restart_and_who_leaves_it_is_not_served() {
    let (world, running, [alice, bob, carol]) = line().await;
    running.stop().await.unwrap();
    let running = world.start().await;
    world.cancel(bob).await;
    world.until_status(bob, RentalStatus::Cancelled).await;
    world.cancel(alice).await;
    is_offered(&world, carol).await;
    let events = world.journal.read_all(0, usize::MAX).await.unwrap();
    let offers = events
        .iter()
        .filter(|event| matches!(event.decoded(Event::decode), Ok(Event::Rental(RentalEvent::Offered { .. }))));
    assert_eq!(offers.count(), 1);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_patient_and_need_not_wait_is_confirmed_at_once() {
    let world = World::new("library").await;
    let running = world.start().await;
    let rental = world.request_patiently("alice").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_waits_for_what_is_not_offered_any_more() {
    let (world, running, [_, bob, carol]) = line().await;
    let retire = domain::inventory::ItemCommand::Retire { now: world.hands.now() };
    world.items.execute(&world.item.to_string(), retire, &world::context("item")).await.unwrap();
    world.until_status(bob, RentalStatus::Rejected).await;
    world.until_status(carol, RentalStatus::Rejected).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_nobody_fetches_is_cancelled_for_the_fee_and_free_again() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    // The period starts on the 10th, and the car is kept for a day.
    world.hands.set(world::at("2026-07-10T23:59:59Z"));
    world.quiet().await;
    assert_eq!(world.status(rental).await, Some(RentalStatus::Confirmed));
    world.hands.advance(TimeDelta::seconds(2));
    world.until_status(rental, RentalStatus::Cancelled).await;
    assert!(!world.holds(rental).await);
    assert_eq!(world.refunded(PaymentId::charge_of(rental)), 270);
    running.stop().await.unwrap();
}
