//! The caller's name for one intention: one effect, one answer, whatever happens in between.

use harness::{Reply, Shop, eventually, july};
use serde_json::json;
use tokio::task::JoinSet;

async fn at_once(shop: &Shop, key: &str, times: usize) -> Vec<Reply> {
    let mut asked = JoinSet::new();
    for _ in 0..times {
        let booking = shop.booking("alice", &july(1), &july(4)).waiting_s(20).header("idempotency-key", key);
        asked.spawn(async move { booking.await });
    }
    asked.join_all().await
}

async fn rentals(shop: &Shop) -> usize {
    shop.journal().await.iter().filter(|event| event["type"] == "RentalRequested").count()
}

#[tokio::test]
async fn three_at_once_give_one_rental_and_three_equal_answers() {
    let shop = Shop::with_cars(3).await;
    for round in 0..5 {
        let replies = at_once(&shop, &format!("key-{round}"), 3).await;
        for reply in &replies {
            assert_eq!(reply.status, replies[0].status, "{}", reply.text);
            assert_eq!(reply.text, replies[0].text);
            assert_eq!(reply.header("journal-position"), replies[0].header("journal-position"));
            assert_eq!(reply.header("etag"), replies[0].header("etag"));
        }
        let replayed = replies.iter().filter(|reply| reply.header("idempotent-replayed") == Some("true")).count();
        assert_eq!(replayed, 2);
        assert_eq!(rentals(&shop).await, round + 1);
    }
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let shop = Shop::with_cars(3).await;
    at_once(&shop, "once", 1).await.remove(0).is(201);
    let other = shop.booking("alice", &july(1), &july(5)).header("idempotency-key", "once").await;
    other.problem(422, "idempotency-key-reused");
    assert_eq!(rentals(&shop).await, 1);
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let shop = Shop::with_cars(3).await;
    let alice = at_once(&shop, "once", 1).await.remove(0).is(201);
    let bob = shop.booking("bob", &july(1), &july(4)).waiting_s(20).header("idempotency-key", "once").await.is(201);
    assert_ne!(alice.id(), bob.id());
}

#[tokio::test]
async fn a_refusal_is_kept_too() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("bob", &july(1), &july(4)).await;
    let refused = at_once(&shop, "once", 1).await.remove(0).problem(409, "out-of-stock");
    shop.cancelled("bob", &rental).await;
    let again = at_once(&shop, "once", 1).await.remove(0).problem(409, "out-of-stock");
    assert_eq!(refused.text, again.text);
}

#[tokio::test]
async fn a_key_gives_the_same_answer_after_a_kill() {
    let shop = Shop::with_cars(3).await;
    let before = at_once(&shop, "once", 1).await.remove(0).is(201);
    let shop = shop.killed_and_restarted().await;
    let after = at_once(&shop, "once", 1).await.remove(0).is(201);
    assert_eq!(before.text, after.text);
    assert_eq!(before.header("etag"), after.header("etag"));
    assert_eq!(after.header("idempotent-replayed"), Some("true"));
    assert_eq!(rentals(&shop).await, 1);
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_in_a_kill_is_not_booked_twice() {
    let shop =
        Shop::with_cars_and_options(3, &["--simulated-latency-ms", "1000", "--payment-timeout-ms", "9000"]).await;
    let unanswered = shop.booking("alice", &july(1), &july(4)).waiting_s(20).header("idempotency-key", "once");
    let unanswered = tokio::spawn(unanswered.sent());
    eventually("the payment is under way", async || {
        shop.journal().await.iter().any(|event| event["type"] == "PaymentRequested").then_some(())
    })
    .await;
    let shop = shop.killed_and_restarted().await;
    assert!(unanswered.await.unwrap().is_err(), "it was answered before the kill");

    let replies = at_once(&shop, "once", 3).await;
    for reply in replies {
        reply.is(201);
    }
    assert_eq!(rentals(&shop).await, 1);
}

#[tokio::test]
async fn a_key_names_any_command() {
    let shop = Shop::with_cars(1).await;
    let stock = format!("/v1/items/{}/stock", shop.item);
    for _ in 0..3 {
        let bought = json!({ "change": 1, "reason": "bought" });
        shop.post(&stock).by(shop.staff()).header("idempotency-key", "delivery-7").json(bought).await.done();
    }
    assert_eq!(shop.available(&july(1), &july(4)).await, 2);
}

#[tokio::test]
async fn a_key_that_is_too_long_is_malformed() {
    let shop = Shop::with_cars(1).await;
    let booking = shop.booking("alice", &july(1), &july(4)).header("idempotency-key", "k".repeat(256));
    booking.await.is(400);
}
