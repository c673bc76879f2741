//! LIB-1, LIB-3: a second member cannot take a book over, neither by reserving it nor by borrowing it.

use expect_test::expect;
use harness::{Business, Shop, july};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_second_member_does_not_take_over_the_book() {
    let shop = Shop::of(Business::library(), json!(1)).await;
    let loan = shop.booked("alice", &july(1), &july(15)).await;
    let refused = shop.booking("bob", &july(7), &july(21)).await.problem(409, "out-of-stock");
    assert_eq!(refused["available"], 0);
    let bobs = refused["rental"].as_str().unwrap().to_owned();
    shop.settled().await;
    // His refused wish is no reservation: nobody can hand out a book for it.
    shop.step(&bobs, "hand-over").header("prefer", "wait=0").await.problem(409, "not-dispatched-yet");
    shop.step(&bobs, "return").await.problem(409, "wrong-status");

    shop.step(&loan, "hand-over").await.done();
    shop.booking("bob", &july(1), &july(15)).await.problem(409, "out-of-stock");
    shop.settled().await;
    let seen = shop.rental("alice", &loan).await;
    assert_eq!((&seen["customer"], &seen["status"]), (&json!("alice"), &json!("handed_over")));
    let queue = shop.dispatches().await;
    assert_eq!((queue.len(), &queue[0]["customer"]), (1, &json!("alice")));

    expect![[r#"
        RentalRequested rental@1 by customer:bob
        RentalRejected rental@2 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&bobs).await);
}

#[tokio::test]
async fn everybody_reserves_the_last_copy_at_once() {
    let shop = Shop::of(Business::library(), json!(1)).await;
    let mut wishes = JoinSet::new();
    for number in 0..20 {
        let booking = shop.booking(&format!("member-{number}"), &july(1), &july(15)).waiting_s(20);
        wishes.spawn(async move { booking.await });
    }
    let replies = wishes.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 409).count(), 19);
    shop.settled().await;
    let journal = shop.journal().await;
    assert_eq!(journal.iter().filter(|event| event["type"] == "PaymentRequested").count(), 1);
}

#[tokio::test]
async fn copies_and_dates_are_counted() {
    let shop = Shop::of(Business::library(), json!(2)).await;
    shop.booked("alice", &july(1), &july(15)).await;
    shop.booked("bob", &july(7), &july(21)).await;
    shop.booking("carol", &july(10), &july(12)).await.problem(409, "out-of-stock");
    shop.booked("carol", &july(15), &july(29)).await;
}
