//! How many reservations a second the process managers carry through, without HTTP. Run by hand, in a release build:
//! `cargo test --release -p sagas --test speed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "it measures")]

mod world;

use sagas::Settings;
use std::sync::Arc;
use std::time::Instant;
use world::World;

const RENTALS: usize = 40_000;
const CUSTOMERS: usize = 128;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn reservations_per_second() {
    let world = Arc::new(World::made_to_order().await);
    let running = world.start_with(Settings::default()).await;
    let mut alone = Vec::new();
    for _ in 0..300 {
        let began = Instant::now();
        let rental = world.request("alice", "pm_ok").await;
        world.until_status(rental, domain::rental::RentalStatus::Confirmed).await;
        alone.push(began.elapsed());
    }
    alone.sort_unstable();
    let before = world.journal.head();
    let began = Instant::now();
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|customer| {
            let world = world.clone();
            tokio::spawn(async move {
                for _ in 0..RENTALS / CUSTOMERS {
                    world.request(&format!("customer{customer}"), "pm_ok").await;
                }
            })
        })
        .collect();
    for customer in customers {
        customer.await.unwrap();
    }
    let target = before + 7 * (RENTALS / CUSTOMERS * CUSTOMERS) as u64;
    world.journal.watch_head().wait_for(|head| *head >= target).await.unwrap();
    let took = began.elapsed();
    println!("alone: median {:?}, 99 % {:?}", alone[150], alone[297]);
    println!("together: {:.0} a second", RENTALS as f64 / took.as_secs_f64());
    running.stop().await.unwrap();
}
