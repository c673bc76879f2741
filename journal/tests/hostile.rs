//! Sixteen writers that are slow, roll back and are killed: a follower misses no event and sees none out of order. Where it
//! follows a plain serial column instead of our positions, the same load makes it miss some: that is the negative control.
//!
//! `RESERVOIR_HOSTILE_EVENTS` makes it as long as one likes: 1,000,000 under `make hostile`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's name is its documentation, its panic a failure"
)]

mod common;

use cluster::Cluster;
use common::append;
use journal::{AppendError, Expected, Journal, Verified};
use sqlx::{Connection, Executor, PgConnection, PgPool, Row};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const WRITERS: u64 = 16;
const PATIENCE: Duration = Duration::from_secs(30);

fn wanted() -> u64 {
    std::env::var("RESERVOIR_HOSTILE_EVENTS").map_or(20_000, |text| text.parse().unwrap())
}

/// Of one append: the hostility costs time by the append.
fn events_each() -> u64 {
    (wanted() / 8_000).max(10)
}

/// A small generator, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn seed() -> u64 {
    let seed = std::env::var("RESERVOIR_SEED").map_or(4_711, |text| text.parse().unwrap());
    println!("seed {seed}");
    seed
}

/// Ends sessions of writers at random.
async fn kill(address: String, over: Arc<AtomicBool>, mut dice: Dice) {
    let mut connection = PgConnection::connect(&address).await.unwrap();
    while !over.load(Ordering::Relaxed) {
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'follower' \
             ORDER BY random() LIMIT 1",
        )
        .execute(&mut connection)
        .await
        .unwrap();
        tokio::time::sleep(Duration::from_millis(20 + dice.below(60))).await;
    }
}

/// Takes the head, writes behind it without moving it, is slow, and takes everything back or disappears.
async fn dawdle(address: String, over: Arc<AtomicBool>, mut dice: Dice) {
    while !over.load(Ordering::Relaxed) {
        let Ok(mut connection) = PgConnection::connect(&address).await else { continue };
        let script = "BEGIN; SELECT position FROM journal_head FOR UPDATE; \
                      UPDATE journal_head SET position = position + 1; SELECT pg_sleep(0.02)";
        let done = connection.execute(sqlx::raw_sql(script)).await;
        if done.is_ok() && dice.below(2) == 0 {
            // Killed meanwhile, it is rolled back all the same.
            connection.execute("ROLLBACK").await.ok();
        }
        drop(connection);
        tokio::time::sleep(Duration::from_millis(100 + dice.below(200))).await;
    }
}

/// One process: appends to a stream of its own until it has written its share.
async fn write(address: String, writer: u64, share: u64) {
    let journal = Journal::connect(&address.parse().unwrap()).await;
    let mut journal = match journal {
        Ok(journal) => journal,
        // Its session was ended before it had begun.
        Err(_) => return Box::pin(write(address, writer, share)).await,
    };
    let stream = format!("w-{writer}");
    let (each, mut revision) = (events_each(), 0);
    while revision < share {
        let events = vec!["{}"; each as usize];
        match journal.append(append(&stream, Expected::Revision(revision), &events)).await {
            Ok(appended) => {
                assert_eq!(appended.revision, revision + each);
                revision = appended.revision;
            }
            Err(AppendError::Conflict { actual }) => {
                assert_eq!(actual, revision + each, "something acknowledged is lost, or something stands twice");
                revision = actual;
            }
            Err(AppendError::Unavailable(_)) => {}
            Err(error @ (AppendError::Stopped(_) | AppendError::StaleOwner(_) | AppendError::Overtaken(_))) => {
                panic!("{error}")
            }
        }
        if revision % (each * 400) == 0 {
            // A process ends and another one begins.
            if let Ok(next) = Journal::connect(&address.parse().unwrap()).await {
                journal = next;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_misses_nothing_of_hostile_writers() {
    let address = Cluster::shared().database();
    let share = wanted() / WRITERS / events_each() * events_each();
    let reading = Journal::connect(&address.parse().unwrap()).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let seed = seed();
    let mut hostile = vec![tokio::spawn(kill(address.clone(), over.clone(), Dice(seed)))];
    hostile.extend((1..=3).map(|nth| tokio::spawn(dawdle(address.clone(), over.clone(), Dice(seed + nth)))));
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(address.clone(), writer, share))).collect();

    let mut follower = reading.follow(0);
    let (mut position, mut revisions) = (0, HashMap::<String, u64>::new());
    while position < share * WRITERS {
        let next = tokio::time::timeout(PATIENCE, follower.next(1_000)).await.expect("an event within the patience");
        // Its own session was ended: it asks again from where it was.
        let Ok(events) = next else { continue };
        for event in events {
            assert_eq!(event.position, position + 1, "missed, or out of order");
            position = event.position;
            let revision = revisions.entry(event.stream.to_string()).or_default();
            assert_eq!(event.revision, *revision + 1);
            *revision = event.revision;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    for one in hostile {
        one.await.unwrap();
    }
    assert!(revisions.values().all(|revision| *revision == share));
    let verified = Verified::database(&address.parse().unwrap(), |_, _| {}).await.unwrap();
    assert_eq!(verified.events, share * WRITERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_guard_the_same_follower_misses_some() {
    let address = Cluster::shared().database();
    let pool = PgPool::connect(&address).await.unwrap();
    pool.execute("CREATE TABLE plain (position bigserial PRIMARY KEY, writer bigint NOT NULL)").await.unwrap();
    let written = Arc::new(AtomicU64::new(0));
    let (share, each, seed) = (wanted().min(20_000) / WRITERS, 10, seed());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (address, written, mut dice) = (address.clone(), written.clone(), Dice(seed + writer));
            tokio::spawn(async move {
                let mut connection = PgConnection::connect(&address).await.unwrap();
                let mut left = share;
                while left > 0 {
                    let mut transaction = connection.begin().await.unwrap();
                    let insert = sqlx::query("INSERT INTO plain (writer) SELECT $1 FROM generate_series(1, $2)");
                    insert.bind(writer as i64).bind(each as i64).execute(&mut *transaction).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(dice.below(4))).await;
                    if dice.below(20) == 0 {
                        transaction.rollback().await.unwrap();
                        continue;
                    }
                    transaction.commit().await.unwrap();
                    written.fetch_add(each, Ordering::SeqCst);
                    left = left.saturating_sub(each);
                }
            })
        })
        .collect();
    let (mut after, mut seen) = (0_i64, 0);
    loop {
        // Asked before the read: what is committed by then must be in it.
        let over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let query = sqlx::query("SELECT position FROM plain WHERE position > $1 ORDER BY position LIMIT 1000");
        let rows = query.bind(after).fetch_all(&pool).await.unwrap();
        seen += rows.len() as u64;
        match rows.last() {
            Some(last) => after = last.get(0),
            None if over => break,
            None => {}
        }
    }
    let written = written.load(Ordering::SeqCst);
    println!("the plain serial column: {} of {written} events missed", written - seen);
    assert!(seen < written, "nothing was missed, so the test above proves nothing");
}
