//! A journal moves between back ends: every column is the same, a stopped copy goes on, and nothing else is written over.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use cluster::Cluster;
use common::kept::Kept;
use common::{append, context, event, fill};
use journal::{Append, CopyError, Copying, Expected, Source, Verified};
use uuid::Uuid;

/// Of what a copy reads and writes at once.
const PAGE: u64 = 4_096;

async fn copy(from: &Source, to: &Source) -> Result<(u64, u64), CopyError> {
    let mut copying = Copying::begin(from, to).await?;
    copying.run(|_, _| {}).await?;
    copying.verify(|_, _| {}).await?;
    let (found, position) = (copying.found(), copying.position());
    assert_eq!(copying.finish().await?, 0);
    Ok((found, position))
}

async fn verified(source: &Source) -> Verified {
    Verified::source(source, |_, _| {}).await.unwrap()
}

/// Streams of several events, of every shape of metadata, with texts that need care.
async fn filled(kept: &Kept, events: usize) {
    let journal = kept.open().await;
    fill(&journal, 3).await;
    let mut appends = Vec::new();
    for chunk in 0..events.div_ceil(500) {
        let size = 500.min(events - 500 * chunk);
        let mut context = context();
        context.causation_id = (chunk % 2 == 0).then(Uuid::now_v7);
        context.correlation_id = format!("대화 {chunk} \"'\\").into();
        let texts = (0..size).map(|index| event(&format!("{{ \"b\": 1.50, \"a\":[\"\\u0000é\", {index}] , \"b\":2}}")));
        let stream: std::sync::Arc<str> = if chunk == 0 { "nameless".into() } else { format!("some-{chunk}-x").into() };
        appends.push(Append { stream, expected: Expected::Revision(0), events: texts.collect(), context, basis: None });
    }
    for append in appends {
        journal.append(append).await.unwrap();
    }
    journal.close().await;
}

/// Every column of every row, as SQLite holds it.
fn rows(kept: &Kept) -> Vec<Vec<rusqlite::types::Value>> {
    let Source::Directory(directory) = kept.source() else { panic!("it is a database") };
    let connection = rusqlite::Connection::open(directory.join("journal.db")).unwrap();
    let mut statement = connection.prepare("SELECT * FROM event ORDER BY position").unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The same, as PostgreSQL shows it.
fn shown(kept: &Kept) -> String {
    let Kept::Database(cluster, address) = kept else { panic!("it is a file") };
    let name = address.split(['/', '?']).nth(3).unwrap();
    let sql = "SELECT events FROM events ORDER BY position";
    let head = "SELECT position, hash, recorded_at FROM journal_head; SELECT * FROM journal_schema";
    cluster.sql(name, &format!("SET TimeZone = 'UTC'; {sql}; {head}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_every_column_is_the_same() {
    let (start, middle, end) = (Kept::sqlite(), Kept::postgres(), Kept::sqlite());
    filled(&start, 6_000).await;
    assert_eq!(copy(&start.source(), &middle.source()).await.unwrap(), (0, 6_003));
    assert_eq!(copy(&middle.source(), &end.source()).await.unwrap(), (0, 6_003));
    assert_eq!(rows(&start), rows(&end));
    assert_eq!(verified(&start.source()).await, verified(&middle.source()).await);
    assert_eq!(verified(&start.source()).await, verified(&end.source()).await);
    // A copy of the copy, and a copy within a back end.
    let (again, file) = (Kept::postgres(), Kept::sqlite());
    copy(&middle.source(), &again.source()).await.unwrap();
    copy(&end.source(), &file.source()).await.unwrap();
    assert_eq!(shown(&middle), shown(&again));
    assert_eq!(rows(&start), rows(&file));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_writes_itself_looks_like_what_is_copied_into_it() {
    let (start, file, end) = (Kept::postgres(), Kept::sqlite(), Kept::postgres());
    filled(&start, 1_200).await;
    copy(&start.source(), &file.source()).await.unwrap();
    copy(&file.source(), &end.source()).await.unwrap();
    assert_eq!(shown(&start), shown(&end));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_copy_goes_on_where_it_was_and_is_no_journal_until_then() {
    for (from, to) in [(Kept::sqlite(), Kept::postgres()), (Kept::postgres(), Kept::sqlite())] {
        filled(&from, 9_000).await;
        let (source, target) = (from.source(), to.source());
        let stopped = tokio::spawn(async move {
            let mut copying = Copying::begin(&source, &target).await.unwrap();
            copying.run(|position, _| assert!(position < PAGE, "here it stops")).await
        });
        assert!(stopped.await.is_err());
        let refused = to.source().open().await.err().unwrap().to_string();
        assert!(refused.contains("half copied"), "{refused}");
        assert_eq!(copy(&from.source(), &to.source()).await.unwrap(), (PAGE, 9_003));
        assert_eq!(verified(&from.source()).await, verified(&to.source()).await);

        // And what comes later is taken along later.
        let journal = from.open().await;
        fill_more(&journal, 9_003).await;
        journal.close().await;
        assert_eq!(copy(&from.source(), &to.source()).await.unwrap(), (9_003, 9_005));
        let journal = to.open().await;
        fill_more(&journal, 9_005).await;
        journal.close().await;
        assert_eq!(verified(&to.source()).await.events, 9_007);
    }
}

async fn fill_more(journal: &journal::Journal, at: usize) {
    for index in 0..2 {
        let stream = format!("later-{at}-{index}");
        journal.append(append(&stream, Expected::Revision(0), &["{}"])).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_holds_something_else_is_left_as_it_is() {
    for (from, to) in [(Kept::sqlite(), Kept::postgres()), (Kept::postgres(), Kept::sqlite())] {
        filled(&from, 20).await;
        filled(&to, 10).await;
        let before = verified(&to.source()).await;
        let refused = copy(&from.source(), &to.source()).await.unwrap_err();
        assert!(matches!(refused, CopyError::Different(13)), "{refused}");
        let refused = copy(&to.source(), &from.source()).await.unwrap_err();
        assert!(matches!(refused, CopyError::Ahead { target: 23, source_head: 13 }), "{refused}");
        assert_eq!(verified(&to.source()).await, before);
        to.open().await.close().await;
        from.open().await.close().await;
        assert!(matches!(copy(&to.source(), &to.source()).await, Err(CopyError::Same)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_in_use_is_left_alone() {
    for (from, to) in [(Kept::sqlite(), Kept::postgres()), (Kept::postgres(), Kept::sqlite())] {
        filled(&from, 10).await;
        let running = to.open().await;
        let refused = copy(&from.source(), &to.source()).await.unwrap_err();
        let refused = std::error::Error::source(&refused).map_or_else(|| refused.to_string(), ToString::to_string);
        assert!(refused.contains("another process"), "{refused}");
        running.append(append("a-1", Expected::Revision(0), &["{}"])).await.unwrap();
        running.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_into_one_target_do_not_mix() {
    for (from, to) in [(Kept::sqlite(), Kept::postgres()), (Kept::postgres(), Kept::sqlite())] {
        filled(&from, 10).await;
        let mut first = Copying::begin(&from.source(), &to.source()).await.unwrap();
        assert!(Copying::begin(&from.source(), &to.source()).await.is_err());
        first.run(|_, _| {}).await.unwrap();
        first.finish().await.unwrap();
        assert_eq!(copy(&from.source(), &to.source()).await.unwrap(), (13, 13));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_starts_meanwhile_is_refused_and_who_writes_all_the_same_is_noticed() {
    let (from, to) = (Kept::sqlite(), Kept::postgres());
    filled(&from, 10).await;
    let mut copying = Copying::begin(&from.source(), &to.source()).await.unwrap();
    assert!(to.source().open().await.err().unwrap().to_string().contains("half copied"));
    to.statement(|_| "UPDATE journal_head SET fence = fence + 1".to_owned()).await.unwrap();
    let disturbed = copying.run(|_, _| {}).await.unwrap_err();
    assert!(matches!(disturbed, CopyError::Disturbed(0)), "{disturbed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_source_is_copied_up_to_the_damage_and_named() {
    for (from, to) in [(Kept::sqlite(), Kept::postgres()), (Kept::postgres(), Kept::sqlite())] {
        filled(&from, 5_000).await;
        from.tamper(|table| format!("UPDATE {table} SET actor = 'nobody' WHERE position = 4500")).await;
        let named = copy(&from.source(), &to.source()).await.unwrap_err().to_string();
        assert_eq!(named, "the source is damaged at position 4500: the event does not fit its hash");
        assert!(to.source().open().await.is_err(), "half a journal is none");
    }
}

#[tokio::test]
async fn what_followed_another_journal_is_not_led_astray() {
    let (from, to) = (Kept::sqlite(), Kept::sqlite());
    filled(&from, 10).await;
    let Source::Directory(directory) = to.source() else { panic!("it is a database") };
    std::fs::write(directory.join("subscriptions.db"), "").unwrap();
    let refused = copy(&from.source(), &to.source()).await.unwrap_err().to_string();
    assert!(refused.contains("subscriptions.db of another journal"), "{refused}");
    assert!(!directory.join("journal.db").exists());
    let missing = copy(&Kept::sqlite().source(), &from.source()).await.unwrap_err();
    assert!(matches!(missing, CopyError::Source(_)), "{missing}");
}

#[tokio::test]
async fn a_database_that_does_not_keep_what_it_acknowledges_is_refused_in_one_line() {
    let cluster = Cluster::start();
    let address = cluster.database();
    let source = Source::Postgres(address.parse().unwrap());
    let name = address.split(['/', '?']).nth(3).unwrap();
    // What the database sets as its default is not what our sessions do.
    cluster.sql("postgres", &format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    source.open().await.unwrap().close().await;
    cluster.sql("postgres", "ALTER SYSTEM SET fsync = off");
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    while cluster.sql(name, "SHOW fsync") != "off" {}
    let refused = source.open().await.err().unwrap().to_string();
    assert!(refused.ends_with("does not keep what it acknowledges: fsync is off"), "{refused}");
}
