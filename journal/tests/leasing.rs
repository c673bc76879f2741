//! Whoever works for a subscription holds a lease: one at a time, lost in time, and nobody writes who has lost it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use cluster::Cluster;
use common::{Counter, CounterCommand, CounterEvent, append, context, fill};
use journal::postgres::{FenceError, check_fence};
use journal::{
    Append, AppendError, Context, ExecuteError, Executor, Expected, Fence, Journal, Lease, Owner, Parked, Subscription,
    SubscriptionError, SubscriptionState, Subscriptions,
};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// Long enough that nothing in a test waits for it to end …
const LONG: Duration = Duration::from_secs(60);
/// … and short enough to be waited for.
const SHORT: Duration = Duration::from_millis(1_500);
const PATIENCE: Duration = Duration::from_secs(30);

struct Process {
    journal: Journal,
    subscriptions: Subscriptions,
}

async fn process(address: &str, owner: &str, length: Duration) -> Process {
    let address = address.parse().unwrap();
    let journal = Journal::connect(&address).await.unwrap();
    let owner = Owner::named(owner);
    let subscriptions = Subscriptions::connect_with(journal.clone(), &address, owner, length).await.unwrap();
    Process { journal, subscriptions }
}

impl Process {
    async fn lease(&self) -> Lease {
        tokio::time::timeout(PATIENCE, self.subscriptions.lease("readers")).await.unwrap().unwrap()
    }

    async fn begin(&self) -> (Lease, Subscription) {
        let lease = self.lease().await;
        (lease, self.subscriptions.subscribe("readers").await.unwrap())
    }
}

fn fresh() -> String {
    Cluster::shared().database()
}

fn database_of(address: &str) -> &str {
    address.split(['/', '?']).nth(3).unwrap()
}

fn parked() -> Parked {
    Parked {
        sequence: "rental-1".to_owned(),
        position: 1,
        event_type: "Noted".to_owned(),
        attempts: 3,
        reason: "a bad day".to_owned(),
        parked_at: chrono::DateTime::UNIX_EPOCH,
    }
}

fn fenced(stream: &str, fence: &Fence) -> Append {
    let append = append(stream, Expected::Revision(0), &["{}"]);
    Append { context: Context { fence: Some(fence.clone()), ..append.context }, ..append }
}

fn is_stale(refused: &Result<(), SubscriptionError>, fence: &Fence) -> bool {
    matches!(refused, Err(SubscriptionError::Stale(stale)) if stale == fence)
}

/// Waits until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_given_back_is_had_by_the_next_without_waiting() {
    let address = fresh();
    let (one, two) = (process(&address, "one", LONG).await, process(&address, "two", LONG).await);
    let mut held = one.lease().await;
    assert!(matches!(two.subscriptions.subscribe("readers").await, Err(SubscriptionError::NotHeld(_))));
    for (epoch, next) in [(2, &two), (3, &one), (4, &two)] {
        let mut waiting = Box::pin(next.lease());
        tokio::select! {
            _ = &mut waiting => panic!("two have it"),
            _ = next.subscriptions.listed() => {}
        }
        assert!(held.is_held());
        held.release().await;
        assert!(!held.is_held());
        held = waiting.await;
        assert_eq!((held.name(), held.epoch()), ("readers", epoch));
    }
    // Dropping it does the same, only later.
    drop(held);
    assert_eq!(one.lease().await.epoch(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_want_the_same_lease_do_not_take_turns() {
    let address = fresh();
    let (one, two) = (process(&address, "one", SHORT).await, process(&address, "two", SHORT).await);
    let lease = one.lease().await;
    let mut waiting = Box::pin(two.subscriptions.lease("readers"));
    tokio::select! {
        _ = &mut waiting => panic!("two have it"),
        () = tokio::time::sleep(3 * SHORT) => {}
    }
    assert!(lease.is_held());
    assert_eq!(lease.epoch(), 1);
}

#[test]
fn the_lease_of_a_process_that_was_killed_is_taken_over_when_it_ends() {
    let address = fresh();
    let killed = Runtime::new().unwrap();
    let lease = killed.block_on(async { process(&address, "one", SHORT).await.lease().await });
    killed.shutdown_background();
    Runtime::new().unwrap().block_on(async {
        let two = process(&address, "two", SHORT).await;
        let begun = Instant::now();
        let taken = two.lease().await;
        assert_eq!(taken.epoch(), lease.epoch() + 1);
        assert!(begun.elapsed() < 2 * SHORT, "{:?}", begun.elapsed());
        assert!(!lease.is_held(), "both believe to have it");
    });
}

/// What a process can do that was stopped for longer than its lease lasts, and then goes on as if nothing had happened.
#[test]
fn an_owner_that_was_stopped_and_goes_on_writes_nothing() {
    let address = fresh();
    // While nobody runs it, nothing of the first process moves: as after SIGSTOP.
    let stopped = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (one, lease, mut readers) = stopped.block_on(async {
        let one = process(&address, "one", SHORT).await;
        let (lease, mut readers) = one.begin().await;
        fill(&one.journal, 3).await;
        readers.save(1).await.unwrap();
        readers.park(parked()).await.unwrap();
        (one, lease, readers)
    });
    let running = Runtime::new().unwrap();
    let (two, taken) = running.block_on(async {
        let two = process(&address, "two", SHORT).await;
        let taken = two.lease().await;
        (two, taken)
    });
    let stale = lease.fence();
    assert_eq!((stale.epoch, taken.epoch()), (1, 2));
    stopped.block_on(async {
        assert!(!lease.is_held());
        tokio::time::timeout(PATIENCE, lease.lost()).await.unwrap();
        assert!(is_stale(&readers.next(0, 10).await.map(drop), &stale));
        assert!(is_stale(&readers.save(3).await, &stale));
        assert!(is_stale(&readers.count_attempt(2).await.map(drop), &stale));
        assert!(is_stale(&readers.forget_attempts(2).await, &stale));
        assert!(is_stale(&readers.park(Parked { sequence: "rental-2".to_owned(), ..parked() }).await, &stale));
        assert!(is_stale(&readers.unpark("rental-1").await, &stale));
        let again = one.subscriptions.subscribe_under("readers", &lease).await.map(drop);
        assert!(is_stale(&again, &stale));
        let late = one.journal.append(fenced("late-1", &stale)).await;
        assert_eq!(late, Err(AppendError::StaleOwner(stale.clone())));
        let counters = Executor::<Counter>::new::<CounterEvent>(one.journal.clone());
        let on_its_behalf = Context { fence: Some(stale.clone()), ..context() };
        for command in [CounterCommand::Count { limit: 9 }, CounterCommand::Nothing] {
            let late = counters.execute("late", command, &on_its_behalf).await;
            assert!(matches!(late, Err(ExecuteError::Journal(AppendError::StaleOwner(_)))), "{late:?}");
        }
        // What it does for others than its subscription is nobody else's business.
        one.journal.append(append("others-1", Expected::Revision(0), &["{}"])).await.unwrap();
    });
    running.block_on(async {
        let readers = two.subscriptions.subscribe("readers").await.unwrap();
        assert_eq!(readers.checkpoint(), 1);
        assert_eq!((readers.parked_at("rental-1"), readers.parked_at("rental-2")), (Some(1), None));
        assert_eq!(readers.count_attempt(2).await.unwrap(), 1);
        assert!(two.journal.read_stream("late-1", 0).await.unwrap().is_empty());
        two.journal.append(fenced("late-1", &taken.fence())).await.unwrap();
    });
    // The control: without its epoch, the same late checkpoint would have stood.
    let write = "UPDATE subscriptions SET checkpoint = 3 WHERE name = 'readers' RETURNING checkpoint";
    assert_eq!(Cluster::shared().sql(database_of(&address), write), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_append_fails_alone() {
    let address = fresh();
    let (one, two) = (process(&address, "one", LONG).await, process(&address, "two", LONG).await);
    let (stale, good) = {
        let lease = one.lease().await;
        lease.release().await;
        (lease.fence(), one.lease().await)
    };
    for round in 0..20 {
        // Somebody else writes in between, or nobody does: the writer has a way of its own for each.
        if round % 2 == 0 {
            fill_one(&two.journal, round).await;
        }
        let appends = (0..30).map(|index| {
            let (journal, stale, good) = (one.journal.clone(), stale.clone(), good.fence());
            tokio::spawn(async move {
                let stream = format!("a-{round}-{index}");
                let append = match index % 3 {
                    0 => fenced(&stream, &stale),
                    1 => fenced(&stream, &good),
                    _ => append(&stream, Expected::Revision(0), &["{}"]),
                };
                (index, journal.append(append).await)
            })
        });
        for append in appends.collect::<Vec<_>>() {
            let (index, appended) = append.await.unwrap();
            match index % 3 {
                0 => assert_eq!(appended, Err(AppendError::StaleOwner(stale.clone()))),
                _ => assert!(appended.is_ok(), "{appended:?}"),
            }
        }
    }
    let verified = journal::Verified::database(&address.parse().unwrap(), |_, _| {}).await.unwrap();
    assert_eq!(verified.events, 20 * 20 + 10);
}

async fn fill_one(journal: &Journal, round: usize) {
    journal.append(append(&format!("other-{round}"), Expected::Revision(0), &["{}"])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_last_owner_comes_after_the_next_one_has_begun() {
    let address = fresh();
    let (one, two) = (process(&address, "one", LONG).await, process(&address, "two", LONG).await);
    let mut connection = PgConnection::connect(&address).await.unwrap();
    for (round, (from, to)) in [(&one, &two), (&two, &one), (&one, &two)].into_iter().enumerate() {
        let lease = from.lease().await;
        let writers = (0..16).map(|writer| {
            let (journal, fence) = (from.journal.clone(), lease.fence());
            // As one that does not know yet that it has lost the lease.
            tokio::spawn(async move {
                let mut last = 0;
                for index in 0.. {
                    match journal.append(fenced(&format!("last{round}-{writer}-{index}"), &fence)).await {
                        Ok(appended) => last = appended.position,
                        Err(error) => {
                            assert_eq!(error, AppendError::StaleOwner(fence));
                            break;
                        }
                    }
                }
                last
            })
        });
        let writers: Vec<_> = writers.collect();
        let begun = from.journal.head();
        until(async || from.journal.head() > begun + 200).await;
        lease.release().await;
        let taken = to.lease().await;
        let head = sqlx::query_scalar::<_, i64>("SELECT position FROM journal_head").fetch_one(&mut connection).await;
        let head = u64::try_from(head.unwrap()).unwrap();
        for writer in writers {
            let last = writer.await.unwrap();
            assert!(last <= head, "{last} was written when the next owner had read up to {head}");
        }
        taken.release().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_not_given_away_while_its_owner_writes_and_is_renewed_meanwhile() {
    let address = fresh();
    let (one, two) = (process(&address, "one", SHORT).await, process(&address, "two", SHORT).await);
    let (lease, _readers) = one.begin().await;
    let mut connection = PgConnection::connect(&address).await.unwrap();
    let mut writing = connection.begin().await.unwrap();
    check_fence(&mut writing, &lease.fence()).await.unwrap();
    tokio::time::sleep(2 * SHORT).await;
    assert!(lease.is_held(), "renewals have to wait for the owner's own transaction");
    lease.release().await;
    let mut waiting = Box::pin(two.subscriptions.lease("readers"));
    tokio::select! {
        _ = &mut waiting => panic!("it was given away in the middle of a transaction"),
        () = tokio::time::sleep(SHORT) => {}
    }
    writing.commit().await.unwrap();
    let taken = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    let mut late = connection.begin().await.unwrap();
    let refused = check_fence(&mut late, &lease.fence()).await;
    assert!(matches!(refused, Err(FenceError::Stale(fence)) if fence == lease.fence()));
    check_fence(&mut late, &taken.fence()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_sees_and_steers_what_one_of_them_owns() {
    let address = fresh();
    let (one, two) = (process(&address, "one", LONG).await, process(&address, "two", LONG).await);
    let (lease, mut readers) = one.begin().await;
    fill(&one.journal, 5).await;
    readers.progressed(4);
    readers.park(parked()).await.unwrap();
    one.subscriptions.set_note("readers", json!({ "breaker": "open" })).unwrap();
    until(async || two.subscriptions.note("readers").is_some() && two.journal.head() == 5).await;
    let there = &two.subscriptions.listed().await.unwrap()[0];
    assert_eq!((&*there.name, there.owner.as_deref(), there.epoch), ("readers", Some("one"), lease.epoch()));
    assert_eq!((there.position, there.lag, there.state), (4, 1, SubscriptionState::Running));
    assert!(there.until > there.since && there.since.is_some());
    assert_eq!((&there.parked, &there.note), (&vec![parked()], &Some(json!({ "breaker": "open" }))));

    assert_eq!(two.subscriptions.pause("readers").await.unwrap().state, SubscriptionState::Paused);
    until(async || readers.is_paused()).await;
    two.subscriptions.resume("readers").await.unwrap();
    tokio::time::timeout(PATIENCE, readers.running()).await.unwrap().unwrap();
    two.subscriptions.retry("readers", "rental-1").await.unwrap();
    let asked = tokio::time::timeout(PATIENCE, readers.retries()).await.unwrap().unwrap();
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), ["rental-1"]);

    let ticket = two.subscriptions.request_rebuild("readers").await.unwrap();
    let request = tokio::time::timeout(PATIENCE, one.subscriptions.rebuild_requested(&["readers"])).await;
    one.subscriptions.rebuilt(&request.unwrap().unwrap(), json!({ "documents": 3 })).await.unwrap();
    let outcome = tokio::time::timeout(PATIENCE, two.subscriptions.rebuild_outcome("readers", ticket)).await;
    assert_eq!(outcome.unwrap().unwrap(), json!({ "documents": 3 }));

    lease.release().await;
    let nobodys = &two.subscriptions.listed().await.unwrap()[0];
    assert_eq!((&nobodys.owner, nobodys.position), (&None, 4));
    assert_eq!(two.subscriptions.note("readers"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_outlives_the_owner_that_has_taken_it_up() {
    let address = fresh();
    let (one, two) = (process(&address, "one", LONG).await, process(&address, "two", LONG).await);
    let (lease, mut readers) = one.begin().await;
    readers.park(parked()).await.unwrap();
    two.subscriptions.retry("readers", "rental-1").await.unwrap();
    let ticket = two.subscriptions.request_rebuild("readers").await.unwrap();
    tokio::time::timeout(PATIENCE, readers.retries()).await.unwrap().unwrap();
    // It goes away before it has tried.
    lease.release().await;
    let (_lease, mut readers) = two.begin().await;
    tokio::time::timeout(PATIENCE, readers.retries()).await.unwrap().unwrap();
    let request = two.subscriptions.rebuild_requested(&["readers"]).await.unwrap();
    assert_eq!(request.ticket, ticket);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lease_can_be_of_a_group() {
    let address = fresh();
    let (one, two) = (process(&address, "one", LONG).await, process(&address, "two", LONG).await);
    let lease = one.subscriptions.lease("views").await.unwrap();
    let mut first = one.subscriptions.subscribe_under("view-first", &lease).await.unwrap();
    let _second = one.subscriptions.subscribe_under("view-second", &lease).await.unwrap();
    fill(&one.journal, 2).await;
    first.save(2).await.unwrap();
    let shown: Vec<_> = two.subscriptions.listed().await.unwrap();
    let shown: Vec<_> = shown.iter().map(|one| (&*one.name, one.owner.as_deref(), one.epoch, one.position)).collect();
    assert_eq!(shown, [("view-first", Some("one"), 1, 2), ("view-second", Some("one"), 1, 0)]);
    lease.release().await;
    let taken = two.subscriptions.lease("views").await.unwrap();
    let again = two.subscriptions.subscribe_under("view-first", &taken).await.unwrap();
    assert_eq!(again.checkpoint(), 2);
    assert!(is_stale(&first.save(3).await, &lease.fence()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_costs_the_lease_which_is_had_again_when_it_is_back() {
    let cluster = Cluster::start();
    let address = cluster.database();
    let one = process(&address, "one", SHORT).await;
    let (lease, mut readers) = one.begin().await;
    fill(&one.journal, 2).await;
    cluster.crash();
    let ended = tokio::time::timeout(PATIENCE, lease.lost());
    ended.await.unwrap();
    assert!(one.subscriptions.listed().await.is_err());
    assert_eq!(one.subscriptions.list()[0].name, "readers");
    assert!(one.subscriptions.pause("readers").await.is_err());
    let mut waiting = Box::pin(one.subscriptions.lease("readers"));
    tokio::select! {
        _ = &mut waiting => panic!("there is nobody who could give it"),
        () = tokio::time::sleep(SHORT) => {}
    }
    cluster.resume();
    let again = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(again.epoch(), lease.epoch() + 1);
    assert!(is_stale(&readers.save(2).await, &lease.fence()));
    let mut readers = one.subscriptions.subscribe("readers").await.unwrap();
    readers.save(2).await.unwrap();
}
