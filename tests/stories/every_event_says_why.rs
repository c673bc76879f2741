//! Events are published for what happened, once, with who and why; never for what was refused or rolled back.

use harness::{Shop, july};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

#[tokio::test]
async fn every_event_has_an_id_a_correlation_and_a_cause() {
    let shop = Shop::with_cars(2).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.handed_over(&rental).await;
    shop.step(&rental, "return").await.done();
    let other = shop.booked("bob", &july(1), &july(4)).await;
    shop.cancelled("bob", &other).await;

    let mut ids = HashSet::new();
    let mut revisions: HashMap<String, u64> = HashMap::new();
    for (index, event) in shop.journal().await.iter().enumerate() {
        let text = |member: &str| event[member].as_str().unwrap_or_else(|| panic!("no {member}: {event}")).to_owned();
        assert_eq!(event["position"].as_u64(), Some(index as u64 + 1));
        let revision = revisions.entry(text("stream")).or_default();
        *revision += 1;
        assert_eq!(event["revision"].as_u64(), Some(*revision), "{event}");
        assert!(!text("correlation_id").is_empty());
        // A caller's command has no event before it; whatever the program does has one that is in the journal already.
        match event["causation_id"].as_str() {
            Some(cause) => assert!(ids.contains(cause), "{event}"),
            None => assert!(!text("actor").starts_with("process:"), "{event}"),
        }
        assert!(ids.insert(text("event_id")), "an id is there twice: {event}");
        is_utc(&text("at"));
    }
}

/// RFC 3339 in UTC, with a calendar year: no local time, no week-year.
#[track_caller]
fn is_utc(text: &str) {
    let at = chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert!(text.ends_with('Z'), "{text}");
    assert!((chrono::Utc::now() - at.to_utc()).num_minutes() < 5, "{text} is not now");
}

#[tokio::test]
async fn one_call_shows_a_rentals_story_across_streams() {
    let shop = Shop::with_cars(1).await;
    let booking = shop.booking("alice", &july(1), &july(4)).header("x-correlation-id", "trip-to-jeju").waiting_s(20);
    let rental = booking.await.is(201).id();

    let history = shop.history(&rental).await;
    let streams: HashSet<_> =
        history.iter().map(|event| event["stream"].as_str().unwrap().split('-').next().unwrap()).collect();
    assert_eq!(streams, HashSet::from(["rental", "item", "payment", "dispatch"]));
    assert!(history.iter().all(|event| event["correlation_id"] == "trip-to-jeju"));
    let positions: Vec<_> = history.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted());
    assert!(history[0]["causation_id"].is_null());
    assert!(history[1..].iter().all(|event| event["causation_id"].is_string()), "{history:?}");
}

#[tokio::test]
async fn a_refused_command_leaves_no_event() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    let before = shop.journal().await.len();

    shop.step(&rental, "hand-over").await.problem(409, "not-prepared");
    shop.step(&rental, "return").await.problem(409, "wrong-status");
    shop.booking("alice", &july(4), &july(1)).await.problem(422, "invalid");
    shop.booking("alice", "2020-01-01", "2020-01-02").await.problem(422, "starts-in-the-past");
    let stock = format!("/v1/items/{}/stock", shop.item);
    let sell = json!({ "change": -5, "reason": "sold" });
    shop.post(&stock).by(shop.staff()).json(sell).await.is(409);
    let again = json!({
        "slug": "seoul-cars", "name": "Others", "policy": "car-rental", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    shop.post("/v1/stores").by("admin").json(again).await.problem(409, "slug-taken");
    shop.settled().await;

    assert_eq!(shop.journal().await.len(), before);
}

#[tokio::test]
async fn a_repeated_command_counts_once() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    for step in ["prepare", "hand-over", "return"] {
        for _ in 0..3 {
            shop.step(&rental, step).await.done();
            shop.settled().await;
        }
    }
    shop.reaches(&rental, "completed").await;

    let history = shop.history(&rental).await;
    let names: Vec<&str> = history.iter().map(|event: &Value| event["type"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "an event is there twice: {names:?}");
    assert_eq!(shop.available(&july(1), &july(4)).await, 1);
}
