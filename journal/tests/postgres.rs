//! What holds for the journal in PostgreSQL beside the contract: postgres-es reads it, many processes share it, and a lost
//! connection loses and doubles nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use cluster::Cluster;
use common::wire::{Cut, Wire};
use common::{Counter, CounterCommand, CounterEvent, append, context, fill};
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{AggregateContext, EventStore};
use journal::postgres::{ConnectError, PostgresAddress};
use journal::{AppendError, ExecuteError, Executor, Expected, Journal, Verified};
use postgres_es::PostgresEventRepository;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const ONE_MORE: CounterCommand = CounterCommand::Count { limit: u64::MAX };

fn fresh() -> String {
    Cluster::shared().database()
}

async fn opened(address: &str) -> Journal {
    Journal::connect(&address.parse().unwrap()).await.unwrap()
}

fn counters(journal: &Journal) -> Executor<Counter> {
    Executor::<Counter>::new::<CounterEvent>(journal.clone())
}

/// Polled: what changes it is in another program.
async fn until(condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
}

async fn verified(address: &str) -> Verified {
    Verified::database(&address.parse().unwrap(), |_, _| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repository_of_postgres_es_reads_our_streams() {
    let address = fresh();
    let journal = opened(&address).await;
    let id = uuid::Uuid::now_v7().to_string();
    let mut contexts = [context(), context(), context()];
    contexts[1].causation_id = Some(uuid::Uuid::now_v7());
    for context in &contexts {
        counters(&journal).execute(&id, ONE_MORE, context).await.unwrap();
    }
    let ours = journal.read_stream(&format!("counter-{id}"), 0).await.unwrap();
    journal.append(append(&format!("request-{id}"), Expected::Revision(0), &["{}"])).await.unwrap();

    let pool = sqlx::PgPool::connect(&address).await.unwrap();
    let repository = PostgresEventRepository::new(pool.clone());
    let events = repository.get_events::<Counter>(&id).await.unwrap();
    let seen: Vec<_> = events.iter().map(|event| (event.sequence, event.payload["Counted"]["now"].as_u64())).collect();
    assert_eq!(seen, [(1, Some(1)), (2, Some(2)), (3, Some(3))]);
    assert_eq!((&*events[0].event_type, &*events[0].event_version), ("Counted", "1"));
    assert_eq!((&*events[0].aggregate_type, &*events[0].aggregate_id), ("counter", &*id));
    for ((event, ours), context) in events.iter().zip(&ours).zip(&contexts) {
        let metadata = serde_json::json!({
            "event_id": ours.event_id,
            "correlation_id": &*context.correlation_id,
            "command_id": context.command_id,
            "actor": &*context.actor,
        });
        let mut metadata = metadata.as_object().unwrap().clone();
        metadata.extend(context.causation_id.map(|id| ("causation_id".to_owned(), serde_json::json!(id))));
        assert_eq!(event.metadata, serde_json::Value::Object(metadata));
    }
    let later = repository.get_last_events::<Counter>(&id, 2).await.unwrap();
    assert_eq!(later.len(), 1);

    let store = PersistedEventStore::<_, Counter>::new_event_store(PostgresEventRepository::new(pool));
    let mut loaded = store.load_aggregate(&id).await.unwrap();
    assert_eq!(loaded.aggregate().count, 3);
    // What it would write past the journal's head is refused: our columns are missing.
    let written = store.commit(vec![CounterEvent::Counted { now: 4 }], loaded, std::collections::HashMap::new()).await;
    assert!(written.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_make_the_tables_once() {
    let address = fresh();
    let starting: Vec<_> = (0..12)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move { opened(&address).await })
        })
        .collect();
    let mut journals = Vec::new();
    for start in starting {
        journals.push(start.await.unwrap());
    }
    for (index, journal) in journals.iter().enumerate() {
        journal.append(append(&format!("a-{index}"), Expected::Revision(0), &["{}"])).await.unwrap();
    }
    assert_eq!(verified(&address).await.events, 12);
}

#[tokio::test]
async fn a_newer_schema_and_a_missing_journal_are_refused_in_one_line() {
    let address = fresh();
    let missing = Verified::database(&address.parse().unwrap(), |_, _| {}).await.unwrap_err().to_string();
    assert!(missing.starts_with("there is no journal in "), "{missing}");
    opened(&address).await.close().await;
    let name = address.split(['/', '?']).nth(3).unwrap();
    Cluster::shared().sql(name, "UPDATE journal_schema SET version = 99");
    let refused = Journal::connect(&address.parse().unwrap()).await;
    assert!(matches!(refused, Err(ConnectError::NewerSchema { found: 99, .. })));
}

#[tokio::test]
async fn who_is_not_there_or_is_no_address_is_named_without_a_password() {
    let nobody: PostgresAddress = "postgres://somebody:secret@127.0.0.1:1/nowhere".parse().unwrap();
    let refused = Journal::connect(&nobody).await.err().unwrap().to_string();
    assert_eq!(refused, "cannot connect to PostgreSQL at 127.0.0.1:1/nowhere");
    assert!(!format!("{nobody:?}").contains("secret"));
    for wrong in ["postgres://somebody:secret@host:port/x", "mysql://somebody:secret@host/x", "postgres:"] {
        if let Err(error) = wrong.parse::<PostgresAddress>() {
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_writes_all_others_see_in_order() {
    let address = fresh();
    let (here, there) = (opened(&address).await, opened(&address).await);
    let mut follower = there.follow(0);
    for index in 0..200 {
        let journal = if index % 3 == 0 { &there } else { &here };
        journal.append(append(&format!("a-{index}"), Expected::Revision(0), &["{}"])).await.unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let next = tokio::time::timeout(PATIENCE, follower.next(64)).await.unwrap().unwrap();
        seen.extend(next.iter().map(|event| event.position));
    }
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_decide_on_the_same_aggregate_lose_no_decision() {
    let address = fresh();
    let (here, there) = (opened(&address).await, opened(&address).await);
    let executors = [counters(&here), counters(&there)];
    let callers: Vec<_> = (0..200)
        .map(|index| {
            let executor = executors[index % 2].clone();
            tokio::spawn(async move {
                loop {
                    match executor.execute("hot", CounterCommand::Count { limit: 150 }, &context()).await {
                        Err(ExecuteError::Contended) => {}
                        Ok(_) => return 1,
                        Err(ExecuteError::Refused(enough)) => {
                            assert_eq!(enough.count, 150, "it was refused on an old state");
                            return 0;
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    let mut counted = 0;
    for caller in callers {
        counted += caller.await.unwrap();
    }
    assert_eq!(counted, 150);
    assert_eq!(here.read_stream("counter-hot", 0).await.unwrap().len(), 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_an_event_of_another_process_finds_it_in_the_state() {
    let address = fresh();
    let (here, there) = (opened(&address).await, opened(&address).await);
    let (writing, reading) = (counters(&here), counters(&there));
    let mut follower = there.follow(0);
    for count in 1..=200 {
        // What is remembered here is old from now on.
        assert_eq!(reading.glance("a", |counter, _| counter.count).await.unwrap(), count - 1);
        writing.execute("a", ONE_MORE, &context()).await.unwrap();
        let read = tokio::time::timeout(PATIENCE, follower.next(1)).await.unwrap().unwrap();
        assert_eq!(read[0].revision, count);
        assert_eq!(reading.glance("a", |counter, _| counter.count).await.unwrap(), count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_on_an_old_look_at_something_else_does_not_stand() {
    let address = fresh();
    let (here, there) = (opened(&address).await, opened(&address).await);
    let (writing, reading) = (counters(&here), counters(&there));
    for count in 1..=50 {
        let (seen, basis) = reading.glance_at_basis("rules", |counter| counter.count).await.unwrap();
        writing.execute("rules", ONE_MORE, &context()).await.unwrap();
        let id = format!("on-{count}");
        let done = reading.execute_new_on(&id, ONE_MORE, &context(), basis).await;
        let overtaken = |error| matches!(error, ExecuteError::Journal(AppendError::Overtaken(_)));
        assert!(done.is_err_and(overtaken), "it was decided on {seen} of {count}");
        // Whoever looks for certain sees what is so, and what follows from that stands.
        assert_eq!(reading.inspect("rules", |counter, _| counter.count).await.unwrap(), count);
        let (_, basis) = reading.glance_at_basis("rules", |counter| counter.count).await.unwrap();
        reading.execute_new_on(&id, ONE_MORE, &context(), basis).await.unwrap();
    }
}

/// A batch that was sent and not answered: its outcome is found out, and it stands once.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_or_request_was_lost_stands_once() {
    let address = fresh();
    let wire = Wire::to(Cluster::shared().socket()).await;
    let name = address.split(['/', '?']).nth(3).unwrap();
    let journal = opened(&format!("postgres://reservoir@127.0.0.1:{}/{name}", wire.port)).await;
    for (index, cut) in [Cut::BeforeTheAnswer, Cut::BeforeTheRequest].into_iter().cycle().take(20).enumerate() {
        wire.cut(cut);
        let stream = format!("marked-{index}");
        let appended = journal.append(append(&stream, Expected::Revision(0), &["{}", "{}"])).await.unwrap();
        assert!(wire.is_cut(), "nothing was cut");
        assert_eq!((appended.revision, appended.position), (2, 2 * index as u64 + 2));
    }
    assert_eq!(verified(&address).await.events, 40);
    assert_eq!(journal.head(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_connections_end_again_and_again() {
    let address = fresh();
    let name = address.split(['/', '?']).nth(3).unwrap().to_owned();
    let journal = opened(&address).await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let (stream, mut revision) = (format!("w-{writer}"), 0);
                while revision < 150 {
                    match journal.append(append(&stream, Expected::Revision(revision), &["{}"])).await {
                        Ok(appended) => revision = appended.revision,
                        // It was not acknowledged, and it may stand all the same.
                        Err(AppendError::Unavailable(_)) => {}
                        Err(AppendError::Conflict { actual }) => {
                            assert_eq!(actual, revision + 1, "an acknowledged event is lost, or one is there twice");
                            revision = actual;
                        }
                        Err(stopped) => panic!("{stopped}"),
                    }
                }
            })
        })
        .collect();
    let killer = std::thread::spawn(move || {
        for _ in 0..10 {
            let sql =
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'reservoir'";
            Cluster::shared().sql(&name, &format!("{sql} AND datname = '{name}'"));
        }
    });
    for writer in writers {
        writer.await.unwrap();
    }
    killer.join().unwrap();
    assert_eq!(verified(&address).await.events, 8 * 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_nothing_is_acknowledged_and_then_all_goes_on() {
    let cluster = Cluster::start();
    let address = cluster.database();
    let journal = opened(&address).await;
    let counters = counters(&journal);
    fill(&journal, 10).await;
    counters.execute("a", ONE_MORE, &context()).await.unwrap();
    let mut follower = journal.follow(11);
    assert!(!journal.is_away());
    cluster.crash();
    // Also where nobody asks for anything.
    until(|| journal.is_away()).await;
    let asked = std::time::Instant::now();
    let refused = counters.execute("a", ONE_MORE, &context()).await;
    assert!(matches!(refused, Err(ExecuteError::Journal(AppendError::Unavailable(_)))), "{refused:?}");
    let refused = journal.append(append("b-1", Expected::Any, &["{}"])).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert!(journal.read_stream("note-1", 0).await.is_err());
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    cluster.resume();
    until(|| !journal.is_away()).await;
    let done = tokio::time::timeout(PATIENCE, async {
        loop {
            match counters.execute("a", ONE_MORE, &context()).await {
                Ok(done) => return done,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    assert_eq!(done.await.unwrap().revision, 2);
    let next = tokio::time::timeout(PATIENCE, follower.next(9)).await.unwrap().unwrap();
    assert_eq!(next[0].position, 12);
    assert_eq!(verified(&address).await.events, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_can_be_closed_while_the_database_is_away() {
    let cluster = Cluster::start();
    let journal = opened(&cluster.database()).await;
    cluster.crash();
    let refused = journal.append(append("a-1", Expected::Any, &["{}"])).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    tokio::time::timeout(PATIENCE, journal.close()).await.unwrap();
    let late = journal.append(append("a-1", Expected::Any, &["{}"])).await;
    assert!(matches!(late, Err(AppendError::Stopped(_))), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_set_back_takes_nothing_more() {
    let address = fresh();
    let journal = opened(&address).await;
    fill(&journal, 5).await;
    let name = address.split(['/', '?']).nth(3).unwrap();
    let back = "ALTER TABLE events DISABLE TRIGGER USER; DELETE FROM events WHERE position = 5; \
                UPDATE journal_head SET position = 4, hash = (SELECT hash FROM events WHERE position = 4)";
    Cluster::shared().sql(name, back);
    let late = journal.append(append("a-1", Expected::Any, &["{}"])).await;
    assert!(matches!(late, Err(AppendError::Stopped(_))), "{late:?}");
    assert!(journal.failure().unwrap().contains("another one is in its place"));
}
