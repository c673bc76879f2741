//! CIN-2: a person has at most a hundred open reservations; those that were cancelled, refused or attended count no more.

use harness::{Business, Shop};
use serde_json::json;
use tokio::task::JoinSet;

const LIMIT: usize = 100;

#[tokio::test]
async fn a_person_has_at_most_a_hundred_reservations() {
    let shop = Shop::of(Business::cinema(), json!(150)).await;
    let mut wishes = JoinSet::new();
    for _ in 0..LIMIT + 20 {
        let wish = shop.wish("alice", &json!({})).waiting_s(30);
        wishes.spawn(async move { wish.await });
    }
    let replies = wishes.join_all().await;
    let reservations: Vec<String> =
        replies.iter().filter(|reply| reply.status == 201).map(harness::Reply::id).collect();
    assert_eq!(reservations.len(), LIMIT);
    for refused in replies.into_iter().filter(|reply| reply.status != 201) {
        assert_eq!(refused.problem(409, "quota-exceeded")["limit"], LIMIT);
    }
    // What was refused took no seat, and nobody else's limit is hers.
    assert_eq!(shop.shown().await["available"], 150 - LIMIT);
    shop.granted("bob", &json!({})).await;

    shop.cancelled("alice", &reservations[0]).await;
    shop.granted("alice", &json!({})).await;
    shop.wish("alice", &json!({})).await.problem(409, "quota-exceeded");

    shop.step(&reservations[1], "hand-over").await.done();
    shop.reaches(&reservations[1], "completed").await;
    shop.settled().await;
    shop.granted("alice", &json!({})).await;
    shop.wish("alice", &json!({})).await.problem(409, "quota-exceeded");
}

#[tokio::test]
async fn what_could_not_be_had_does_not_count() {
    let mut policy = cinema_policy(&Shop::of(Business::cinema(), json!(1)).await).await;
    policy["rules"]["quota"] = json!(1);
    let shop = Shop::of(Business::cinema().under(policy), json!(2)).await;
    for _ in 0..3 {
        shop.wish("alice", &json!({ "payment_method": "pm_declined" })).await.problem(402, "payment-declined");
        shop.wish("alice", &json!({ "quantity": 3 })).await.problem(409, "out-of-stock");
        shop.settled().await;
    }
    let reservation = shop.granted("alice", &json!({})).await;
    assert_eq!(shop.wish("alice", &json!({})).await.problem(409, "quota-exceeded")["limit"], 1);
    shop.cancelled("alice", &reservation).await;
    shop.granted("alice", &json!({})).await;
}

/// The preset as it is stored: a story that is about a number changes only that.
async fn cinema_policy(shop: &Shop) -> serde_json::Value {
    let journal = shop.journal().await;
    let registered = journal.iter().find(|event| event["type"] == "StoreRegistered").expect("a store");
    registered["data"]["policy"].clone()
}

#[tokio::test]
async fn only_the_cinema_limits_anybody() {
    let shop = Shop::of(Business::phones(), json!(200)).await;
    let mut wishes = JoinSet::new();
    for _ in 0..LIMIT + 10 {
        let wish = shop.wish("alice", &json!({})).waiting_s(30);
        wishes.spawn(async move { wish.await });
    }
    assert!(wishes.join_all().await.iter().all(|reply| reply.status == 201));
}
