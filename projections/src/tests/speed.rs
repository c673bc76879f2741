//! Measures; run by hand: `cargo test --release -p projections -- --ignored --nocapture speed`.

use crate::handle::VIEWS;
use crate::testing::*;
use crate::{Views, replay};
use domain::inventory::Stock;
use journal::{Journal, Subscriptions};
use std::time::Instant;

/// What the program itself uses: replay is half allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STORIES: u128 = 100_000;
const CALLERS: u128 = 256;

/// Everybody's rentals at once, each in order.
async fn fill(journal: &Journal, first: u128, stories: u128) {
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for number in (caller..stories).step_by(CALLERS as usize) {
                    for fact in story(rental(first + number)) {
                        append(&journal, fact).await;
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

fn told(what: &str, events: u64, since: Instant) {
    let millis = since.elapsed().as_millis();
    println!("{what}: {events} events in {millis} ms, {} events/s", u128::from(events) * 1_000 / millis.max(1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and takes a while"]
async fn speed() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    append(&journal, founded()).await;
    append(&journal, registered(car(), Stock::Pool { units: 1_000_000 })).await;
    let since = Instant::now();
    fill(&journal, 0, STORIES).await;
    told("appended", journal.head(), since);
    journal.close().await;
    drop(journal);

    let journal = Journal::open(directory.path()).unwrap();
    for _ in 0..3 {
        let since = Instant::now();
        replay::run(&journal, directory.path(), &[], |_, _| {}).await.unwrap();
        told("replay into all views", journal.head(), since);
    }
    let names = ["mypage".to_owned()];
    let since = Instant::now();
    replay::run(&journal, directory.path(), &names, |_, _| {}).await.unwrap();
    told("replay into mypage", journal.head(), since);

    std::fs::remove_file(directory.path().join("views.db")).unwrap();
    let subscriptions = Subscriptions::open(journal.clone(), directory.path()).unwrap();
    let views = Views::open_with(directory.path(), VIEWS.to_vec(), 4_096).unwrap();
    let since = Instant::now();
    let running = views.start(journal.clone(), &subscriptions).await.unwrap();
    views.reach::<crate::Stores>(journal.head(), PATIENCE).await.unwrap();
    told("live catch-up", journal.head(), since);
    let (before, since) = (journal.head(), Instant::now());
    fill(&journal, STORIES, STORIES / 5).await;
    told("appended beside live views", journal.head() - before, since);
    views.reach::<crate::Stores>(journal.head(), PATIENCE).await.unwrap();
    told("and shown", journal.head() - before, since);
    running.stop().await;
    views.close().await;
}
