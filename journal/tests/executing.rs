//! Commands are decided at memory speed and answered only when what they were decided on is durable.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use common::{Counter, CounterCommand, CounterEvent, Enough, append, context};
use cqrs_es::{AggregateError, CqrsFramework};
use journal::{AppendError, ExecuteError, Executor, Expected, Journal};
use std::collections::HashMap;
use std::future::Future;
use std::task::{Context, Poll, Waker};

fn opened() -> (tempfile::TempDir, Journal, Executor<Counter>) {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    let counters = Executor::<Counter>::new::<CounterEvent>(journal.clone());
    (directory, journal, counters)
}

const ONE_MORE: CounterCommand = CounterCommand::Count { limit: u64::MAX };

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_of_one_aggregate_get_one_revision_each() {
    let (_directory, journal, counters) = opened();
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let counters = counters.clone();
            tokio::spawn(async move { counters.execute("hot", ONE_MORE, &context()).await.unwrap().revision })
        })
        .collect();
    let mut revisions = Vec::new();
    for caller in callers {
        revisions.push(caller.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(journal.head(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_executors_that_know_nothing_of_each_other_lose_no_decision() {
    let (_directory, journal, here) = opened();
    let there = Executor::<Counter>::new::<CounterEvent>(journal.clone());
    let callers: Vec<_> = (0..200)
        .map(|index| {
            let executor = if index % 2 == 0 { here.clone() } else { there.clone() };
            tokio::spawn(async move {
                // Contention between processes may use up the tries; then the caller asks again.
                loop {
                    match executor.execute("hot", CounterCommand::Count { limit: 150 }, &context()).await {
                        Err(ExecuteError::Contended) => {}
                        Ok(_) => return true,
                        Err(ExecuteError::Refused(Enough { .. })) => return false,
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    let mut counted = 0;
    for caller in callers {
        counted += u64::from(caller.await.unwrap());
    }
    assert_eq!(counted, 150);
    let events = journal.read_stream("counter-hot", 0).await.unwrap();
    let payloads: Vec<_> = events.iter().map(|event| event.payload.to_string()).collect();
    let expected: Vec<_> = (1..=150).map(|now| format!("{{\"Counted\":{{\"now\":{now}}}}}")).collect();
    assert_eq!(payloads, expected);
}

#[tokio::test]
async fn a_decision_on_somebody_elses_past_is_made_again() {
    let (_directory, journal, counters) = opened();
    counters.execute("a", ONE_MORE, &context()).await.unwrap();
    // Another process has appended what this executor's memory does not know.
    journal.append(append("counter-a", Expected::Revision(1), &["{\"Counted\":{\"now\":41}}"])).await.unwrap();
    let done = counters.execute("a", ONE_MORE, &context()).await.unwrap();
    assert_eq!(done.revision, 3);
    assert_eq!(counters.inspect("a", |counter, _| counter.count).await.unwrap(), 42);
}

#[tokio::test]
async fn a_refusal_is_made_on_a_durable_state_only() {
    let (_directory, journal, counters) = opened();
    let ask = async || {
        let context = context();
        let answer = counters.execute("a", CounterCommand::Count { limit: 1 }, &context).await;
        (answer, journal.head())
    };
    // One is decided while the event of the other is on its way to the disk.
    let answers = tokio::join!(ask(), ask());
    let (accepted, refused) = if answers.0.0.is_ok() { answers } else { (answers.1, answers.0) };
    assert_eq!(accepted.0.unwrap().revision, 1);
    assert!(matches!(refused.0, Err(ExecuteError::Refused(Enough { count: 1 }))));
    assert_eq!(refused.1, 1, "the refusal was answered before its reason was on the disk");
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_half_decision() {
    let (_directory, journal, counters) = opened();
    for _ in 0..50 {
        let context = context();
        let mut abandoned = Box::pin(counters.execute("a", ONE_MORE, &context));
        let mut poll = Context::from_waker(Waker::noop());
        let _: Poll<_> = abandoned.as_mut().poll(&mut poll);
    }
    let count = counters.inspect("a", |counter, revision| (counter.count, revision)).await.unwrap();
    let done = counters.execute("a", ONE_MORE, &context()).await.unwrap();
    assert_eq!(count.0, count.1, "the state and its revision went apart");
    let stored = journal.read_stream("counter-a", 0).await.unwrap();
    assert_eq!(stored.len() as u64, done.revision);
    assert_eq!(&*stored.last().unwrap().payload, format!("{{\"Counted\":{{\"now\":{}}}}}", done.revision));
}

#[tokio::test]
async fn an_aggregate_presumed_new_that_is_not_is_decided_on_what_it_is() {
    let (directory, journal, counters) = opened();
    counters.execute("a", ONE_MORE, &context()).await.unwrap();
    journal.close().await;
    let journal = Journal::open(directory.path()).unwrap();
    let counters = Executor::<Counter>::new::<CounterEvent>(journal.clone());
    let done = counters.execute_new("a", ONE_MORE, &context()).await.unwrap();
    assert_eq!(done.revision, 2);
    let refused = counters.execute_new("a", CounterCommand::Count { limit: 1 }, &context()).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Enough { count: 2 }))));
}

#[tokio::test]
async fn a_refusal_of_an_aggregate_presumed_new_is_not_made_on_the_presumption() {
    let (directory, journal, counters) = opened();
    counters.execute("a", ONE_MORE, &context()).await.unwrap();
    journal.close().await;
    let journal = Journal::open(directory.path()).unwrap();
    let counters = Executor::<Counter>::new::<CounterEvent>(journal.clone());
    // An empty counter would refuse with a count of 0, and one event is there.
    let refused = counters.execute_new("a", CounterCommand::Count { limit: 0 }, &context()).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Enough { count: 1 }))));
    let seen = counters.inspect("a", |counter, revision| (counter.count, revision)).await.unwrap();
    assert_eq!(seen, (1, 1), "the presumption was kept");

    let new = counters.execute_new("b", CounterCommand::Count { limit: 0 }, &context()).await;
    assert!(matches!(new, Err(ExecuteError::Refused(Enough { count: 0 }))));
    assert_eq!(counters.execute("b", ONE_MORE, &context()).await.unwrap().revision, 1);
}

#[tokio::test]
async fn a_stale_revision_is_told_and_changes_nothing() {
    let (_directory, journal, counters) = opened();
    counters.execute("a", ONE_MORE, &context()).await.unwrap();
    let mut seen = context();
    seen.seen_revision = Some(1);
    assert_eq!(counters.execute("a", ONE_MORE, &seen).await.unwrap().revision, 2);
    assert!(matches!(counters.execute("a", ONE_MORE, &seen).await, Err(ExecuteError::Stale { actual: 2 })));
    assert_eq!(journal.head(), 2);
}

#[tokio::test]
async fn what_stands_already_is_answered_without_an_event() {
    let (_directory, journal, counters) = opened();
    counters.execute("a", ONE_MORE, &context()).await.unwrap();
    let done = counters.execute("a", CounterCommand::Nothing, &context()).await.unwrap();
    assert_eq!((done.events, done.revision, done.position), (0, 1, 1));
    assert_eq!(journal.head(), 1);
}

#[tokio::test]
async fn nothing_is_acknowledged_after_the_journal_has_closed() {
    let (_directory, journal, counters) = opened();
    journal.close().await;
    let late = counters.execute("a", ONE_MORE, &context()).await;
    assert!(matches!(late, Err(ExecuteError::Journal(AppendError::Stopped(_)))));
}

#[tokio::test]
async fn the_framework_of_cqrs_es_runs_on_this_journal() {
    let (_directory, journal, counters) = opened();
    let framework = CqrsFramework::new(counters, vec![], ());
    for _ in 0..3 {
        let metadata = HashMap::from([("actor".to_owned(), "customer:alice".to_owned())]);
        framework.execute_with_metadata("a", CounterCommand::Count { limit: 3 }, metadata).await.unwrap();
    }
    let refused = framework.execute("a", CounterCommand::Count { limit: 3 }).await;
    assert!(matches!(refused, Err(AggregateError::UserError(Enough { count: 3 }))));
    let stored = journal.read_stream("counter-a", 0).await.unwrap();
    assert_eq!(stored.len(), 3);
    assert_eq!(&*stored[2].actor, "customer:alice");
}
