//! Wrong in all five of the old systems, and a test here for each of the five businesses.

use harness::{Business, Shop, july};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// How one rental of a business goes to its end.
fn life(business: &Business) -> (Value, &'static [&'static str]) {
    let period = json!({ "from": july(1), "to": july(4) });
    match business.slug {
        "seoul-cars" => (period, &["prepare", "hand-over", "return"]),
        "suwon-library" => (period, &["hand-over", "return"]),
        "jongno-coffee" => (json!({}), &["prepare", "hand-over"]),
        _ => (json!({}), &["hand-over"]),
    }
}

/// One rental that is completed, one that is cancelled and one that is declined; every command comes three times.
async fn lived(business: Business) -> (Shop, String, String) {
    let (wish, steps) = life(&business);
    let shop = Shop::of(business, json!(3)).await;
    let completed = shop.granted("alice", &wish).await;
    shop.settled().await;
    for step in steps {
        for _ in 0..3 {
            shop.step(&completed, step).await.done();
            shop.settled().await;
        }
    }
    shop.reaches(&completed, "completed").await;
    let cancelled = shop.granted("bob", &wish).await;
    for _ in 0..3 {
        shop.cancelled("bob", &cancelled).await;
    }
    let mut declined = wish;
    declined["payment_method"] = json!("pm_declined");
    shop.wish("carol", &declined).await.problem(402, "payment-declined");
    shop.settled().await;
    (shop, completed, cancelled)
}

#[tokio::test]
async fn what_is_repeated_counts_once() {
    for business in Business::all() {
        let (shop, completed, cancelled) = lived(business).await;
        for rental in [completed, cancelled] {
            let mut counted: BTreeMap<String, usize> = BTreeMap::new();
            // A message goes out for each of several changes; whether once for each is a story of its own.
            let history = shop.history(&rental).await.into_iter();
            for event in history.filter(|event| !event["stream"].as_str().unwrap().starts_with("message-")) {
                *counted.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            assert!(counted.values().all(|&count| count == 1), "{}: {counted:?}", shop.store());
        }
        // Of three units, goods that left for good are one less; everything else is back.
        let gone = shop.journal().await.iter().any(|event| event["type"] == "StockReturned");
        let left = if gone { 3 } else { 2 };
        assert_eq!(shop.shown().await["available"], left, "{}", shop.store());
    }
}

#[tokio::test]
async fn every_event_says_who_when_and_why() {
    for business in Business::all() {
        let (shop, ..) = lived(business).await;
        let (mut ids, journal) = (HashSet::new(), shop.journal().await);
        for (index, event) in journal.iter().enumerate() {
            assert_eq!(event["position"].as_u64(), Some(index as u64 + 1));
            assert!(event["correlation_id"].as_str().is_some_and(|id| !id.is_empty()), "{event}");
            assert!(event["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{event}");
            match event["causation_id"].as_str() {
                Some(cause) => assert!(ids.contains(cause), "{event}"),
                None => assert!(!event["actor"].as_str().unwrap().starts_with("process:"), "{event}"),
            }
            assert!(ids.insert(event["event_id"].as_str().unwrap()), "an id is there twice: {event}");
        }
    }
}

#[tokio::test]
async fn every_view_is_what_a_replay_gives_and_the_journal_is_whole() {
    for business in Business::all() {
        let (shop, ..) = lived(business).await;
        for one in shop.subscriptions().await {
            assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
        }
        let (data, code) = shop.into_server().stop().await;
        assert_eq!(code, Some(0));
        data.run(&["verify"]).await.success();
        let replayed = data.run(&["replay", "--verify"]).await;
        assert!(replayed.success().lines().all(|line| line.ends_with("as before")), "{}", replayed.stdout);
    }
}

#[tokio::test]
async fn a_kill_loses_nothing_of_any_business() {
    for business in Business::all() {
        let (wish, steps) = life(&business);
        let shop = Shop::of(business, json!(3)).await;
        let rental = shop.granted("alice", &wish).await;
        let mut shop = shop.killed_and_restarted().await;
        for step in steps {
            shop.settled().await;
            shop.step(&rental, step).await.done();
            shop = shop.killed_and_restarted().await;
        }
        shop.reaches(&rental, "completed").await;
        shop.settled().await;
        assert_eq!(shop.all("/v1/mypage", "customer:alice").await[0]["status"], "completed");
    }
}
