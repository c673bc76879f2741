//! What was once written is what is read, or `verify` says where it is not.

use harness::{Data, Outcome, Shop, july};
use serde_json::Value;
use std::fs;

const MARKER: &str = "eve-4711";

/// An SQLite file at rest, whatever the other stories run on, and the position of the one event that holds the marker.
async fn journal_with_marker() -> (std::sync::Arc<Data>, u64) {
    let shop = Shop::with_cars_and_options(5, &["--journal", "sqlite"]).await;
    shop.booked("alice", &july(1), &july(4)).await;
    // The customer's name is in three events; only the first of them is a request.
    shop.booking(MARKER, &july(1), &july(4)).waiting_s(20).await.is(201);
    shop.booked("bob", &july(1), &july(4)).await;
    shop.settled().await;
    let (data, _) = shop.into_server().stop().await;
    let events = data.run(&["events"]).await;
    let first = events.success().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let first = first.into_iter().find(|event| event["data"].to_string().contains(MARKER)).expect("the marker");
    (data, first["position"].as_u64().unwrap())
}

/// Replaces a byte of the marker in the customer's request, which is the first event that has it.
fn change_one_byte(data: &Data) {
    let path = data.path().join("journal.db");
    let mut bytes = fs::read(&path).unwrap();
    let needle = format!("\"terms\":{{\"customer\":\"{MARKER}\"");
    let place = bytes.windows(needle.len()).position(|part| part == needle.as_bytes()).expect("it is in the file");
    bytes[place + needle.len() - 2] = b'2';
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn one_changed_byte_makes_verify_name_the_position() {
    let (data, position) = journal_with_marker().await;
    data.run(&["verify"]).await.success();

    change_one_byte(&data);
    let refusal = data.run(&["verify"]).await;
    assert!(refusal.refusal().contains(&format!("position {position}:")), "position {position}: {}", refusal.stderr);
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_not_replayed() {
    let (data, _) = journal_with_marker().await;
    let path = data.path().join("journal.db");
    let mut bytes = fs::read(&path).unwrap();
    // Everything behind the first pages, which hold the schema.
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
    fs::write(&path, bytes).unwrap();

    let replay: Outcome = data.run(&["replay"]).await;
    assert!(!replay.refusal().is_empty());
    assert!(!data.run(&["verify"]).await.refusal().is_empty());
}
