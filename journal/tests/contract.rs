//! What every journal promises: appends are all or nothing and guarded, positions are gapless, readers miss nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use common::{append, fill};
use journal::sqlite::OpenError;
use journal::{AppendError, Expected, Flaw, Journal, Verified, VerifyError};
use std::collections::HashMap;

fn opened() -> (tempfile::TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    (directory, journal)
}

#[tokio::test]
async fn positions_are_gapless_over_streams_and_restarts() {
    let (directory, journal) = opened();
    let first = journal.append(append("a-1", Expected::Revision(0), &["1", "2"])).await.unwrap();
    let second = journal.append(append("b-1", Expected::Any, &["3"])).await.unwrap();
    assert_eq!((first.position, first.revision), (2, 2));
    assert_eq!((second.position, second.revision), (3, 1));
    journal.close().await;

    let journal = Journal::open(directory.path()).unwrap();
    let third = journal.append(append("a-1", Expected::Revision(2), &["4"])).await.unwrap();
    assert_eq!((third.position, third.revision), (4, 3));
    let all = journal.read_all(0, 100).await.unwrap();
    let seen: Vec<_> = all.iter().map(|event| (event.position, &*event.stream, event.revision)).collect();
    assert_eq!(seen, [(1, "a-1", 1), (2, "a-1", 2), (3, "b-1", 1), (4, "a-1", 3)]);
}

#[tokio::test]
async fn an_append_with_a_wrong_guard_fails_alone() {
    let (_directory, journal) = opened();
    journal.append(append("a-1", Expected::Revision(0), &["1"])).await.unwrap();
    let together = [
        append("b-1", Expected::Revision(0), &["x"]),
        append("a-1", Expected::Revision(0), &["two", "events"]),
        append("a-1", Expected::Revision(7), &["from the future"]),
        append("c-1", Expected::Revision(0), &["y"]),
    ];
    let results: Vec<_> = {
        let [a, b, c, d] = together.map(|one| journal.append(one));
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        vec![a, b, c, d]
    };
    assert!(results[0].is_ok() && results[3].is_ok());
    assert_eq!(results[1], Err(AppendError::Conflict { actual: 1 }));
    assert_eq!(results[2], Err(AppendError::Conflict { actual: 1 }));
    assert_eq!(journal.head(), 3);
}

#[tokio::test]
async fn a_guard_on_the_last_event_tells_a_substitute_from_the_original() {
    let (_directory, journal) = opened();
    let original = append("a-1", Expected::Revision(0), &["1"]);
    let event_id = original.events[0].id;
    journal.append(original).await.unwrap();
    let built_on = |event_id| append("a-1", Expected::Event { revision: 1, event_id }, &[]);
    assert!(journal.append(built_on(event_id)).await.is_ok());
    let other = journal.append(built_on(uuid::Uuid::now_v7())).await;
    assert_eq!(other, Err(AppendError::Conflict { actual: 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_every_event_of_sixteen_writers_once_and_in_order() {
    const EACH: u64 = 500;
    let (_directory, journal) = opened();
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for revision in 0..EACH {
                    let stream = format!("w-{writer}");
                    journal.append(append(&stream, Expected::Revision(revision), &["{}"])).await.unwrap();
                }
            })
        })
        .collect();
    let mut follower = journal.follow(0);
    let mut revisions: HashMap<String, u64> = HashMap::new();
    let mut position = 0;
    while position < 16 * EACH {
        for event in follower.next(100).await.unwrap() {
            assert_eq!(event.position, position + 1);
            position = event.position;
            let revision = revisions.entry(event.stream.to_string()).or_default();
            assert_eq!(event.revision, *revision + 1);
            *revision = event.revision;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(revisions.values().all(|revision| *revision == EACH));
}

#[tokio::test]
async fn what_is_in_memory_and_what_is_on_disk_read_the_same() {
    let (directory, journal) = opened();
    fill(&journal, 300).await;
    let describe = |events: &[journal::Shared]| {
        events.iter().map(|e| (e.position, e.stream.clone(), e.event_id, e.hash, e.recorded_at)).collect::<Vec<_>>()
    };
    let from_memory = describe(&journal.read_all(100, 50).await.unwrap());
    journal.close().await;
    let journal = Journal::open(directory.path()).unwrap();
    let from_disk = describe(&journal.read_all(100, 50).await.unwrap());
    assert_eq!(from_memory, from_disk);
    assert_eq!(from_disk.len(), 50);
    let stream = journal.read_stream("note-7", 0).await.unwrap();
    assert_eq!(stream.len(), 1);
    assert_eq!(&*stream[0].payload, "{\"note\":7}");
    let some: Vec<_> = journal.read_at(vec![3, 9, 10_000]).await.unwrap().iter().map(|e| e.position).collect();
    assert_eq!(some, [3, 9]);
}

#[tokio::test]
async fn a_second_opener_is_kept_out_with_a_clear_error() {
    let (directory, journal) = opened();
    let second = Journal::open(directory.path());
    assert!(matches!(second, Err(OpenError::InUse(_))));
    journal.close().await;
    assert!(Journal::open(directory.path()).is_ok());
}

#[tokio::test]
async fn no_client_can_change_or_delete_an_event() {
    let (directory, journal) = opened();
    fill(&journal, 2).await;
    let intruder = rusqlite::Connection::open(directory.path().join("journal.db")).unwrap();
    for statement in ["UPDATE event SET payload = '{}' WHERE position = 1", "DELETE FROM event"] {
        let error = intruder.execute(statement, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[tokio::test]
async fn a_closed_journal_takes_nothing_more_and_says_so() {
    let (_directory, journal) = opened();
    fill(&journal, 1).await;
    journal.close().await;
    let late = journal.append(append("a-1", Expected::Any, &["1"])).await;
    assert!(matches!(late, Err(AppendError::Stopped(_))));
}

#[tokio::test]
async fn a_newer_schema_is_not_touched() {
    let (directory, journal) = opened();
    journal.close().await;
    rusqlite::Connection::open(directory.path().join("journal.db"))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(Journal::open(directory.path()), Err(OpenError::NewerSchema { found: 99 })));
}

#[tokio::test]
async fn verify_names_the_position_of_a_changed_byte() {
    let (directory, journal) = opened();
    fill(&journal, 1_000).await;
    journal.close().await;
    let verified = Verified::journal(directory.path(), |_, _| {}).unwrap();
    assert_eq!((verified.events, verified.streams), (1_000, 1_000));

    let path = directory.path().join("journal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"{\"note\":641}";
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at + 8] = b'7';
    std::fs::write(&path, bytes).unwrap();
    match Verified::journal(directory.path(), |_, _| {}) {
        Err(VerifyError::Flawed { position: 642, flaw: Flaw::Hash }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn verify_names_the_position_of_a_missing_or_replaced_event() {
    let (directory, journal) = opened();
    fill(&journal, 20).await;
    journal.close().await;
    let tamper = |sql: &str| {
        let connection = rusqlite::Connection::open(directory.path().join("journal.db")).unwrap();
        connection.execute_batch("DROP TRIGGER event_is_never_deleted; DROP TRIGGER event_is_never_changed;").unwrap();
        connection.execute_batch(sql).unwrap();
        match Verified::journal(directory.path(), |_, _| {}) {
            Err(VerifyError::Flawed { position, .. }) => position,
            other => panic!("{other:?}"),
        }
    };
    std::fs::copy(directory.path().join("journal.db"), directory.path().join("good.db")).unwrap();
    assert_eq!(tamper("DELETE FROM event WHERE position = 7"), 7);
    std::fs::copy(directory.path().join("good.db"), directory.path().join("journal.db")).unwrap();
    assert_eq!(tamper("UPDATE event SET actor = 'somebody else' WHERE position = 12"), 12);
}
