//! Several processes on one database: whoever has the lease works, and what it cannot finish somebody else does.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use cluster::Cluster;
use domain::rental::RentalStatus;
use sagas::{Breaker, BreakerSettings, Door, SimulatedProvider};
use std::sync::Arc;
use std::time::Duration;
use world::World;

/// Short enough to be waited for.
const LEASE: Duration = Duration::from_millis(1_500);
/// Gives every lease to somebody who does nothing with it, for a while.
const STEAL: &str = "UPDATE subscriptions SET epoch = epoch + 1, owner = 'a thief', \
                     until = clock_timestamp() + interval '300 milliseconds'";

async fn two_on(database: &str, provider: &Arc<SimulatedProvider>) -> (World, World) {
    let one = World::sharing(database, "one", LEASE, provider.clone()).await;
    one.found().await;
    let one = one.with_units(100).await;
    (one, World::sharing(database, "another", LEASE, provider.clone()).await)
}

/// Waits for what another process tells.
async fn soon(what: &str, is_so: impl Fn() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1_000 {
        looks.tick().await;
        if is_so() {
            return;
        }
    }
    panic!("never: {what}");
}

fn name_of(database: &str) -> &str {
    database.split(['/', '?']).nth(3).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gets_a_lease_goes_on_where_its_last_owner_was_stopped() {
    let database = Cluster::shared().database();
    let provider = Arc::new(SimulatedProvider::default());
    let (one, another) = two_on(&database, &provider).await;
    let (first, second) = (one.start().await, another.start().await);
    let mut rentals = Vec::new();
    for _ in 0..4 {
        for customer in ["alice", "bob", "carol"] {
            rentals.push(one.request(customer, "pm_ok").await);
            rentals.push(another.request(customer, "pm_ok").await);
        }
        Cluster::shared().sql(name_of(&database), STEAL);
    }
    for rental in &rentals {
        one.until_status(*rental, RentalStatus::Confirmed).await;
    }
    // However often it was begun anew, each was charged once, and only those.
    assert_eq!(provider.entries().len(), rentals.len());
    assert!(provider.entries().iter().all(|(payment, _)| one.charged(*payment) == 100));
    assert_eq!((first.failure(), second.failure()), (None, None));
    first.stop().await.unwrap();
    let last = another.request("dave", "pm_ok").await;
    another.until_status(last, RentalStatus::Confirmed).await;
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_ends_no_process_manager() {
    let cluster = Cluster::start();
    let world = World::sharing(&cluster.database(), "one", LEASE, Arc::default()).await;
    world.found().await;
    let running = world.start().await;
    let before = world.request("alice", "pm_ok").await;
    world.until_status(before, RentalStatus::Confirmed).await;
    for _ in 0..2 {
        let canary = world.subscriptions.lease("canary").await.unwrap();
        cluster.crash();
        canary.lost().await;
        cluster.resume();
    }
    // The next lease is had only when the database is back.
    drop(world.subscriptions.lease("canary").await.unwrap());
    let after = world.request("alice", "pm_ok").await;
    world.until_status(after, RentalStatus::Confirmed).await;
    assert_eq!(running.failure(), None);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_is_where_customers_are_and_the_breaker_where_calls_are_made() {
    let provider = Arc::new(SimulatedProvider::default());
    let (api, mut sagas) = two_on(&Cluster::shared().database(), &provider).await;
    sagas.breaker = Breaker::new("test", BreakerSettings::default());
    let door = Door::shared(api.breaker.clone(), api.subscriptions.clone());
    assert_eq!((door.visit(), door.breaker()), (Ok(()), "closed"), "nobody makes calls");
    let running = sagas.start().await;
    provider.set_available(false);
    let rentals = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|customer| api.request(customer, "pm_ok"));
    for rental in rentals {
        rental.await;
    }
    soon("the door is shut", || door.breaker() == "open" && door.visit().is_err() && door.times_opened() > 0).await;
    soon("a few may come in", || door.breaker() == "half_open" && door.visit().is_ok()).await;
    provider.set_available(true);
    running.stop().await.unwrap();
    soon("nobody makes calls", || door.visit().is_ok() && door.breaker() == "closed").await;
}
