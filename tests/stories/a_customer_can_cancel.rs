//! CAR-6: a cancellation undoes the dispatch, the payment and the hold, in this order, and says so everywhere.

use expect_test::expect;
use harness::{PRICE, Shop, day_at_seoul, july};
use serde_json::json;

#[tokio::test]
async fn a_cancelled_booking_is_paid_back_and_frees_the_car() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;

    let body = json!({ "reason": "the trip is off" });
    let cancel = shop.cancellation("alice", &rental).json(body).waiting_s(20).await.is(200);
    assert_eq!(cancel["status"], "cancelled");
    assert_eq!(shop.available(&july(1), &july(4)).await, 1);
    shop.settled().await;

    let seen = shop.rental("alice", &rental).await;
    assert_eq!(seen["payment"]["status"], "refunded");
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], 3 * PRICE);
    assert_eq!(seen["dispatch"]["status"], "cancelled");

    expect![[r#"
        RentalRequested rental@1 by customer:alice
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
        StockReleased item@4 by process:reservation
        RentalCancelled rental@4 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn a_late_cancellation_by_the_customer_costs_a_tenth() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &day_at_seoul(1), &day_at_seoul(2)).await;
    shop.cancelled("alice", &rental).await;

    let seen = shop.rental("alice", &rental).await;
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], PRICE - PRICE / 10);
}

#[tokio::test]
async fn a_late_cancellation_by_the_shop_costs_the_customer_nothing() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &day_at_seoul(1), &day_at_seoul(2)).await;
    shop.step(&rental, "cancel").waiting_s(20).await.done();
    shop.reaches(&rental, "cancelled").await;

    assert_eq!(shop.rental("alice", &rental).await["payment"]["refunded"]["amount_minor"], PRICE);
}

#[tokio::test]
async fn what_was_handed_over_is_not_cancelled() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.handed_over(&rental).await;

    shop.cancellation("alice", &rental).await.is(409);
    assert_eq!(shop.rental("alice", &rental).await["status"], "handed_over");
}

#[tokio::test]
async fn cancelling_twice_pays_back_once() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.cancelled("alice", &rental).await;
    shop.cancelled("alice", &rental).await;

    let refunds = shop.history(&rental).await.iter().filter(|event| event["type"] == "PaymentRefunded").count();
    assert_eq!(refunds, 1);
    assert_eq!(shop.available(&july(1), &july(4)).await, 1);
}

#[tokio::test]
async fn what_was_paid_before_a_restart_is_paid_back_after_it() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    let shop = shop.killed_and_restarted().await;
    shop.cancelled("alice", &rental).await;
    assert_eq!(shop.rental("alice", &rental).await["payment"]["status"], "refunded");
}
