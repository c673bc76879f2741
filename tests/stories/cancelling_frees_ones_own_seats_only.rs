//! CIN-5: a cancelled reservation is paid back and frees its own seats, never those of somebody else.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::{Value, json};

fn seat(seat: &str) -> Value {
    json!({ "seats": [seat], "quantity": 1 })
}

#[tokio::test]
async fn a_cancelled_reservation_is_paid_back_and_frees_its_seats() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2"] })).await;
    let alice = shop.granted("alice", &seat("A1")).await;
    let bob = shop.granted("bob", &seat("A2")).await;
    shop.settled().await;
    shop.cancelled("alice", &alice).await;

    let seen = shop.rental("alice", &alice).await;
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], Business::cinema().price);
    let kept = shop.rental("bob", &bob).await;
    assert_eq!((&kept["status"], &kept["seats"]), (&json!("confirmed"), &json!(["A2"])));
    shop.wish("carol", &seat("A2")).await.problem(409, "seats-taken");
    shop.granted("carol", &seat("A1")).await;
    assert_eq!(shop.shown().await["available"], 0);

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        QuotaTaken quota@1 by process:reservation
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        RentalCancellationRequested rental@3 by customer:alice
        DispatchCancelled dispatch@2 by process:reservation
        RefundRequested payment@3 by process:reservation
        PaymentRefunded payment@4 by process:payments
        StockReleased item@6 by process:reservation
        RentalCancelled rental@4 by process:reservation
        QuotaGivenBack quota@2 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&alice).await);
}

#[tokio::test]
async fn cancelling_again_does_not_free_a_seat_that_is_somebody_elses_by_now() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1"] })).await;
    let alice = shop.granted("alice", &seat("A1")).await;
    shop.cancelled("alice", &alice).await;
    let bob = shop.granted("bob", &seat("A1")).await;

    shop.cancelled("alice", &alice).await;
    shop.wish("carol", &seat("A1")).await.problem(409, "seats-taken");
    assert_eq!(shop.rental("bob", &bob).await["status"], "confirmed");
    let refunds = shop.history(&alice).await.iter().filter(|event| event["type"] == "PaymentRefunded").count();
    assert_eq!(refunds, 1);
}

#[tokio::test]
async fn a_refused_reservation_frees_nobodys_seat() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1"] })).await;
    shop.granted("alice", &seat("A1")).await;
    shop.wish("bob", &seat("A1")).await.problem(409, "seats-taken");
    shop.wish("carol", &seat("A1")).await.problem(409, "seats-taken");
    assert_eq!(shop.shown().await["available"], 0);
}
