//! What holds for the journal in an SQLite file.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use common::fill;
use journal::sqlite::OpenError;
use journal::{Flaw, Journal, Verified, VerifyError};

fn opened() -> (tempfile::TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    (directory, journal)
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
