//! CIN-2, CIN-3: a reservation is of seats, paid with it; two people never hold the same one.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn seats(seats: &[&str]) -> Value {
    json!({ "seats": seats, "quantity": seats.len() })
}

#[tokio::test]
async fn chosen_seats_are_reserved_and_paid() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2", "A3"] })).await;
    let reserved = shop.wish("alice", &seats(&["A1", "A3"])).waiting_s(20).await.is(201);
    assert_eq!(reserved["status_label"], "reserved");
    assert_eq!(reserved["seats"], json!(["A1", "A3"]));
    assert_eq!(reserved["payment"]["status"], "approved");
    assert_eq!(reserved["payment"]["amount"]["amount_minor"], 2 * Business::cinema().price);
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        QuotaTaken quota@1 by process:reservation
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&reserved.id()).await);
}

#[tokio::test]
async fn two_people_cannot_hold_one_seat() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2", "A3"] })).await;
    shop.granted("alice", &seats(&["A1", "A2"])).await;

    // All or nothing, and the refusal says which.
    let refused = shop.wish("bob", &seats(&["A2", "A3"])).await.problem(409, "seats-taken");
    assert_eq!(refused["seats"], json!(["A2"]));
    assert_eq!(shop.shown().await["available"], 1);
    shop.granted("bob", &seats(&["A3"])).await;
    shop.wish("carol", &json!({})).await.problem(409, "out-of-stock");
    let nowhere = shop.wish("carol", &seats(&["Z9"])).await.problem(409, "seats-taken");
    assert_eq!(nowhere["seats"], json!(["Z9"]));
}

#[tokio::test]
async fn everybody_wants_the_best_seat_at_once() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2"] })).await;
    let mut wishes = JoinSet::new();
    for number in 0..30 {
        let wish = shop.wish(&format!("customer-{number}"), &seats(&["A1"])).waiting_s(20);
        wishes.spawn(async move { wish.await });
    }
    let replies = wishes.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    for refused in replies.into_iter().filter(|reply| reply.status != 201) {
        assert_eq!(refused.problem(409, "seats-taken")["seats"], json!(["A1"]));
    }
    assert_eq!(shop.shown().await["available"], 1);
}

#[tokio::test]
async fn a_reservation_without_seats_is_given_some() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2", "A3"] })).await;
    shop.granted("alice", &seats(&["A2"])).await;
    let given = shop.wish("bob", &json!({ "quantity": 2 })).waiting_s(20).await.is(201);
    assert_eq!(given["seats"], json!(["A1", "A3"]));
}

#[tokio::test]
async fn a_screening_without_numbered_seats_is_a_number() {
    let shop = Shop::of(Business::cinema(), json!(3)).await;
    shop.granted("alice", &json!({ "quantity": 2 })).await;
    let refused = shop.wish("bob", &json!({ "quantity": 2 })).await.problem(409, "out-of-stock");
    assert_eq!(refused["available"], 1);
}

#[tokio::test]
async fn seats_that_make_no_sense_are_refused() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2"] })).await;
    for wish in [
        json!({ "seats": ["A1", "A1"], "quantity": 2 }),
        json!({ "seats": ["A1"], "quantity": 2 }),
        json!({ "from": harness::july(1), "to": harness::july(2) }),
    ] {
        shop.wish("alice", &wish).await.problem(422, "invalid");
    }
    assert_eq!(shop.shown().await["available"], 2);
}
