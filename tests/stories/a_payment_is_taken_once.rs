//! A provider that is slow, loses its answer or fails to refund takes money once and gives it back once.

use expect_test::expect;
use harness::{PRICE, Shop, july};

const IMPATIENT: &[&str] = &["--payment-timeout-ms", "100"];

#[tokio::test]
async fn a_slow_payment_is_confirmed_in_the_end() {
    let shop = Shop::with_cars_and_options(1, IMPATIENT).await;
    let rental = confirmed_in_the_end(&shop, "pm_slow").await;
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentUnknown payment@2 by process:payments
        PaymentApproved payment@3 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn a_charge_whose_answer_is_lost_is_found_and_not_repeated() {
    let shop = Shop::with_cars_and_options(1, IMPATIENT).await;
    let rental = confirmed_in_the_end(&shop, "pm_charged_but_timed_out").await;
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentUnknown payment@2 by process:payments
        PaymentApproved payment@3 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

async fn confirmed_in_the_end(shop: &Shop, method: &str) -> String {
    let reply = shop.booking_paid_by("alice", &july(1), &july(4), method).await;
    assert!(reply.status == 201 || reply.status == 202, "{} {}", reply.status, reply.text);
    let rental = reply.id();
    if reply.status == 202 {
        assert_eq!(reply.header("location"), Some(format!("/v1/rentals/{rental}").as_str()));
    }
    let seen = shop.reaches(&rental, "confirmed").await;
    assert_eq!(seen["payment"]["status"], "approved");
    shop.settled().await;
    let payments = shop.all("/v1/mypage/payments", "customer:alice").await;
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["amount"]["amount_minor"], 3 * PRICE);
    rental
}

#[tokio::test]
async fn a_refund_that_fails_is_tried_again() {
    let shop = Shop::with_cars(1).await;
    let reply = shop.booking_paid_by("alice", &july(1), &july(4), "pm_refund_fails_once").waiting_s(20).await.is(201);
    let rental = reply.id();
    shop.settled().await;
    shop.cancellation("alice", &rental).await.done();
    let seen = shop.reaches(&rental, "cancelled").await;
    assert_eq!(seen["payment"]["status"], "refunded");
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], 3 * PRICE);

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
        RefundFailed payment@4 by process:payments
        PaymentRefunded payment@5 by process:payments
        StockReleased item@4 by process:reservation
        RentalCancelled rental@4 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn a_customer_who_does_not_wait_is_told_where_to_look() {
    let shop = Shop::with_cars_and_options(1, &["--simulated-latency-ms", "300"]).await;
    let reply = shop.booking("alice", &july(1), &july(4)).header("prefer", "respond-async").await.is(202);
    assert_eq!(reply["status"], "requested");
    let location = reply.header("location").expect("where to look").to_owned();
    assert_eq!(location, format!("/v1/rentals/{}", reply.id()));
    shop.get(location).by("customer:alice").await.is(200);
    shop.reaches(&reply.id(), "confirmed").await;
}
