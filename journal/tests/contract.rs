//! What every journal promises, whatever it is kept in: appends are all or nothing and guarded, positions are gapless, readers
//! miss nothing, and what was changed is found.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use common::kept::Kept;
use common::{Counter, CounterCommand, CounterEvent, append, context, fill};
use journal::{Append, AppendError, Basis, Executor, Expected, Flaw, Verified, VerifyError};
use std::collections::HashMap;

/// Every rule, for every back end.
macro_rules! contract {
    ($($rule:ident)*) => {
        contract! { @ sqlite $($rule)* }
        contract! { @ postgres $($rule)* }
    };
    (@ $back_end:ident $($rule:ident)*) => {
        mod $back_end {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $rule() {
                    super::$rule(super::Kept::$back_end()).await;
                }
            )*
        }
    };
}

contract! {
    positions_are_gapless_over_streams_and_restarts
    an_append_with_a_wrong_guard_fails_alone
    an_append_that_cannot_be_stored_or_has_no_events_harms_no_other
    a_guard_on_the_last_event_tells_a_substitute_from_the_original
    guards_of_one_batch_see_what_stands_before_them
    what_was_decided_on_another_stream_stands_only_while_that_is_as_it_was
    a_follower_sees_every_event_of_sixteen_writers_once_and_in_order
    one_of_many_who_append_at_one_revision_wins
    what_is_in_memory_and_what_is_on_disk_read_the_same
    the_same_content_has_the_same_hash_everywhere
    no_client_can_change_or_delete_an_event
    a_closed_journal_takes_nothing_more_and_says_so
    verify_names_the_position_of_what_is_missing_or_was_changed
    a_thousand_commands_on_one_aggregate_are_decided_one_after_the_other
}

async fn positions_are_gapless_over_streams_and_restarts(kept: Kept) {
    let journal = kept.open().await;
    let first = journal.append(append("a-1", Expected::Revision(0), &["1", "2"])).await.unwrap();
    let second = journal.append(append("b-1", Expected::Any, &["3"])).await.unwrap();
    assert_eq!((first.position, first.revision), (2, 2));
    assert_eq!((second.position, second.revision), (3, 1));
    journal.close().await;

    let journal = kept.open().await;
    assert_eq!(journal.head(), 3);
    let third = journal.append(append("a-1", Expected::Revision(2), &["4"])).await.unwrap();
    assert_eq!((third.position, third.revision), (4, 3));
    let all = journal.read_all(0, 100).await.unwrap();
    let seen: Vec<_> = all.iter().map(|event| (event.position, &*event.stream, event.revision)).collect();
    assert_eq!(seen, [(1, "a-1", 1), (2, "a-1", 2), (3, "b-1", 1), (4, "a-1", 3)]);
}

async fn an_append_with_a_wrong_guard_fails_alone(kept: Kept) {
    let journal = kept.open().await;
    journal.append(append("a-1", Expected::Revision(0), &["1"])).await.unwrap();
    let together = [
        append("b-1", Expected::Revision(0), &["{}"]),
        append("a-1", Expected::Revision(0), &["2", "3"]),
        append("a-1", Expected::Revision(7), &["\"from the future\""]),
        append("c-1", Expected::Revision(0), &["{}"]),
    ];
    let [a, b, c, d] = together.map(|one| journal.append(one));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    assert!(a.is_ok() && d.is_ok());
    assert_eq!(b, Err(AppendError::Conflict { actual: 1 }));
    assert_eq!(c, Err(AppendError::Conflict { actual: 1 }));
    assert_eq!(journal.head(), 3);
}

async fn an_append_that_cannot_be_stored_or_has_no_events_harms_no_other(kept: Kept) {
    let journal = kept.open().await;
    journal.append(append("a-1", Expected::Any, &["1"])).await.unwrap();
    let together = [
        append("b-1", Expected::Revision(0), &["{}"]),
        // Not JSON: one back end stores it, the other refuses, and neither lets the others wait for it.
        append("c-1", Expected::Revision(0), &["{"]),
        append("a-1", Expected::Revision(1), &[]),
        append("nobody-1", Expected::Revision(1), &[]),
        append("d-1", Expected::Revision(0), &["{}"]),
    ];
    let [a, b, c, d, e] = together.map(|one| journal.append(one));
    let (a, b, c, d, e) = tokio::join!(a, b, c, d, e);
    assert!(a.is_ok() && e.is_ok(), "{a:?} {e:?}");
    assert!(matches!(b, Ok(_) | Err(AppendError::Unavailable(_))), "{b:?}");
    assert_eq!(c.map(|appended| appended.revision), Ok(1));
    assert_eq!(d, Err(AppendError::Conflict { actual: 0 }));
    let stored = 3 + u64::from(b.is_ok());
    assert_eq!(journal.head(), stored);
    let positions: Vec<_> = journal.read_all(0, 9).await.unwrap().iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=stored).collect::<Vec<_>>());
}

async fn a_guard_on_the_last_event_tells_a_substitute_from_the_original(kept: Kept) {
    let journal = kept.open().await;
    let original = append("a-1", Expected::Revision(0), &["1"]);
    let event_id = original.events[0].id;
    journal.append(original).await.unwrap();
    let built_on = |event_id| append("a-1", Expected::Event { revision: 1, event_id }, &[]);
    assert!(journal.append(built_on(event_id)).await.is_ok());
    let other = journal.append(built_on(uuid::Uuid::now_v7())).await;
    assert_eq!(other, Err(AppendError::Conflict { actual: 1 }));
}

async fn what_was_decided_on_another_stream_stands_only_while_that_is_as_it_was(kept: Kept) {
    let journal = kept.open().await;
    let rules = append("rules-1", Expected::Revision(0), &["1"]);
    let event_id = rules.events[0].id;
    let on = |stream: &str, expected| {
        let basis = Some(Basis { stream: "rules-1".into(), expected });
        Append { basis, ..append(stream, Expected::Revision(0), &["{}"]) }
    };
    let seen = Expected::Event { revision: 1, event_id };
    // In the same batch, too, it is what stands before it that counts.
    let together = [rules, on("a-1", seen), append("rules-1", Expected::Revision(1), &["2"]), on("b-1", seen)];
    let [a, b, c, d] = together.map(|one| journal.append(one));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    assert_eq!(d, Err(AppendError::Overtaken("rules-1".into())));
    let never = Basis { stream: "nobody-1".into(), expected: Expected::Revision(0) };
    let absent = Append { basis: Some(never), ..append("c-1", Expected::Revision(0), &["{}"]) };
    assert!(journal.append(absent).await.is_ok());
    journal.close().await;
    // Nothing of that is remembered any more.
    let journal = kept.open().await;
    assert_eq!(journal.append(on("d-1", seen)).await, Err(AppendError::Overtaken("rules-1".into())));
    assert!(journal.append(on("d-1", Expected::Revision(2))).await.is_ok());
    assert_eq!(journal.head(), 5);
}

async fn guards_of_one_batch_see_what_stands_before_them(kept: Kept) {
    let journal = kept.open().await;
    let first = append("a-1", Expected::Revision(0), &["1"]);
    let event_id = first.events[0].id;
    let together = [
        first,
        append("a-1", Expected::Event { revision: 1, event_id }, &["2"]),
        append("a-1", Expected::Event { revision: 1, event_id }, &["3"]),
        append("a-1", Expected::Revision(2), &[]),
    ];
    let [a, b, c, d] = together.map(|one| journal.append(one));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    assert_eq!(a.unwrap().revision, 1);
    assert_eq!(b.unwrap().revision, 2);
    assert_eq!(c, Err(AppendError::Conflict { actual: 2 }));
    assert_eq!(d.unwrap().revision, 2);
}

async fn a_follower_sees_every_event_of_sixteen_writers_once_and_in_order(kept: Kept) {
    const EACH: u64 = 500;
    let journal = kept.open().await;
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

async fn one_of_many_who_append_at_one_revision_wins(kept: Kept) {
    let journal = kept.open().await;
    for revision in 0..20 {
        let rivals: Vec<_> = (0..8)
            .map(|_| {
                let journal = journal.clone();
                tokio::spawn(async move { journal.append(append("a-1", Expected::Revision(revision), &["{}"])).await })
            })
            .collect();
        let mut won = 0;
        for rival in rivals {
            match rival.await.unwrap() {
                Ok(_) => won += 1,
                Err(AppendError::Conflict { actual }) => assert_eq!(actual, revision + 1),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won, 1);
    }
    assert_eq!(journal.head(), 20);
}

async fn what_is_in_memory_and_what_is_on_disk_read_the_same(kept: Kept) {
    let journal = kept.open().await;
    fill(&journal, 300).await;
    let describe = |events: &[journal::Shared]| {
        events.iter().map(|e| (e.position, e.stream.clone(), e.event_id, e.hash, e.recorded_at)).collect::<Vec<_>>()
    };
    let from_memory = describe(&journal.read_all(100, 50).await.unwrap());
    journal.close().await;
    let journal = kept.open().await;
    let from_disk = describe(&journal.read_all(100, 50).await.unwrap());
    assert_eq!(from_memory, from_disk);
    assert_eq!(from_disk.len(), 50);
    let stream = journal.read_stream("note-7", 0).await.unwrap();
    assert_eq!(stream.len(), 1);
    assert_eq!(&*stream[0].payload, "{\"note\":7}");
    assert!(journal.read_stream("note-7", 1).await.unwrap().is_empty());
    let some: Vec<_> = journal.read_at(vec![9, 3, 10_000]).await.unwrap().iter().map(|e| e.position).collect();
    assert_eq!(some, [9, 3]);
}

/// A journal that is copied into another back end can be compared by its last hash alone.
async fn the_same_content_has_the_same_hash_everywhere(kept: Kept) {
    let journal = kept.open().await;
    let mut odd = append("odd-a-b", Expected::Any, &["{ \"a\" : 1.50,\n \"a\": \"\\u0000 ünï ✓\" }", "[]"]);
    odd.context.causation_id = Some(uuid::Uuid::now_v7());
    odd.context.correlation_id = "\"quoted\" \\ and more".into();
    odd.events[0].version = 7;
    journal.append(odd).await.unwrap();
    fill(&journal, 20).await;
    let written = journal.read_all(0, 100).await.unwrap();
    journal.close().await;
    let journal = kept.open().await;
    let stored = journal.read_all(0, 100).await.unwrap();
    for (written, stored) in written.iter().zip(&stored) {
        assert_eq!(written.hash, stored.hash);
        assert_eq!(written.payload, stored.payload, "bytes are kept as they were sent");
        assert_eq!((&written.stream, written.version), (&stored.stream, stored.version));
        assert_eq!((&written.correlation_id, written.causation_id), (&stored.correlation_id, stored.causation_id));
    }
    let verified = Verified::source(&kept.source(), |_, _| {}).await.unwrap();
    assert_eq!((verified.events, verified.hash), (22, written.last().unwrap().hash));
}

async fn no_client_can_change_or_delete_an_event(kept: Kept) {
    let journal = kept.open().await;
    fill(&journal, 2).await;
    for change in ["UPDATE _ SET payload = '{}' WHERE position = 1", "DELETE FROM _"] {
        let error = kept.statement(|table| change.replace('_', table)).await.unwrap_err();
        assert!(error.contains("append-only"), "{error}");
    }
}

async fn a_closed_journal_takes_nothing_more_and_says_so(kept: Kept) {
    let journal = kept.open().await;
    fill(&journal, 1).await;
    journal.close().await;
    let late = journal.append(append("a-1", Expected::Any, &["1"])).await;
    assert!(matches!(late, Err(AppendError::Stopped(_))));
    assert_eq!(journal.read_all(0, 9).await.unwrap().len(), 1, "reading goes on");
}

async fn verify_names_the_position_of_what_is_missing_or_was_changed(kept: Kept) {
    let journal = kept.open().await;
    fill(&journal, 20).await;
    journal.close().await;
    let verified = Verified::source(&kept.source(), |_, _| {}).await.unwrap();
    assert_eq!((verified.events, verified.streams), (20, 20));
    let flaw = async || match Verified::source(&kept.source(), |_, _| {}).await {
        Err(VerifyError::Flawed { position, flaw }) => (position, flaw),
        other => panic!("{other:?}"),
    };
    kept.tamper(|table| format!("UPDATE {table} SET actor = 'somebody else' WHERE position = 12")).await;
    assert_eq!(flaw().await, (12, Flaw::Hash));
    kept.statement(|table| format!("DELETE FROM {table} WHERE position = 7")).await.unwrap();
    assert_eq!(flaw().await, (7, Flaw::Gap { found: 8 }));
}

async fn a_thousand_commands_on_one_aggregate_are_decided_one_after_the_other(kept: Kept) {
    let journal = kept.open().await;
    let counters = Executor::<Counter>::new::<CounterEvent>(journal.clone());
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let counters = counters.clone();
            let command = CounterCommand::Count { limit: u64::MAX };
            tokio::spawn(async move { counters.execute("hot", command, &context()).await.unwrap().revision })
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
