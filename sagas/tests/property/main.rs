//! Random orders at random times, over all policies; and then every promise is checked, from the journal alone.
//!
//! A few lives are lived in any test run. `make property` lives them for ten minutes; `PROPERTY_S=60` for a minute. What
//! fails prints its seed: `SEED=… cargo test -p sagas --test property` begins with the same acts. How the process managers
//! interleave with them is up to the machine.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something is not as it was built")]

mod acts;
mod bad;
mod chance;
mod check;
mod forgeries;
mod policies;
mod shop;
#[path = "../world/mod.rs"]
mod world;

use chance::Chance;
use check::{Past, faults};
use domain::policy::{Policy, Rules};
use shop::Shop;
use std::time::{Duration, Instant};

/// How many acts a life has.
const ACTS: u32 = 120;
/// How long lives are begun in any test run.
const SHORT: Duration = Duration::from_secs(8);

/// One life of one shop: acts, calm, and the truth. Its seed says everything: the last digit which business it is, and
/// whether as it comes or varied.
async fn live(seed: u64) {
    let mut chance = Chance::from(seed);
    let preset = Policy::preset_names()[usize::try_from(seed % 5).unwrap()];
    let mut other = Chance::from(chance.next());
    let change = |rules: &mut Rules| {
        if seed % 10 >= 5 {
            *rules = policies::vary(preset, &mut other);
        }
    };
    let mut shop = Shop::open(preset, change, chance).await;
    let mut told = vec![];
    for _ in 0..ACTS {
        let act = acts::any(&mut shop);
        told.push(act.name);
        (act.happen)(&mut shop).await;
        if shop.chance.once_in(2) {
            shop.breathe().await;
        }
    }
    shop.settle().await;
    let (facts, books) = (shop::facts(&shop.world).await, shop::books(&shop.world));
    let found = faults(&Past { facts: &facts, books: &books, now: shop.world.hands.now() });
    assert!(
        found.is_empty(),
        "SEED={seed}, {preset}\n{found:#?}\n{}\n{:?}\n{}",
        told.join(" "),
        shop.world.policy.rules,
        shop.world.history().await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_life_keeps_every_promise() {
    let (mut chance, mut seed) = Chance::of_today();
    println!("SEED={seed}");
    let asked = std::env::var("PROPERTY_S").ok().map(|text| Duration::from_secs(text.parse().unwrap()));
    let (began, enough) = (Instant::now(), asked.unwrap_or(SHORT));
    let mut lives = 0;
    // Every business once in ten lives as it comes, and once varied.
    while lives < 10 || began.elapsed() < enough {
        live(seed).await;
        lives += 1;
        seed = chance.next() / 10 * 10 + (seed + 1) % 10;
    }
    println!("{lives} lives in {:?}", began.elapsed());
}
