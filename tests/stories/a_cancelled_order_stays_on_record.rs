//! PHO-6, PHO-7, PHO-8: the refund is on the payment, and the order is still there and says so.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::json;
use std::collections::HashSet;

#[tokio::test]
async fn cancelling_refunds_the_payment_and_deletes_nothing() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let price = Business::phones().price;
    let order = shop.granted("alice", &json!({})).await;
    let paid = shop.rental("alice", &order).await["payment"]["id"].clone();
    shop.settled().await;
    shop.cancelled("alice", &order).await;

    let seen = shop.rental("alice", &order).await;
    assert_eq!(seen["status"], "cancelled");
    assert_eq!(seen["refunded"]["amount_minor"], price);
    assert_eq!(seen["payment"]["id"], paid);
    assert_eq!(seen["payment"]["status"], "refunded");
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], price);
    assert_eq!(shop.all("/v1/mypage", "customer:alice").await[0], seen.json);

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
    .assert_eq(&shop.transcript(&order).await);
}

#[tokio::test]
async fn a_refund_is_no_second_payment() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.cancelled("alice", &order).await;

    let payments = shop.all("/v1/mypage/payments", "customer:alice").await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(payments[0]["rental"], order.as_str());
    assert_eq!(payments[0]["amount"], payments[0]["refunded"]);
    let history = shop.history(&order).await;
    let streams: HashSet<&str> = history.iter().filter_map(|event| event["stream"].as_str()).collect();
    assert_eq!(streams.iter().filter(|stream| stream.starts_with("payment-")).count(), 1, "{streams:?}");
}

#[tokio::test]
async fn the_agency_can_cancel_what_it_cannot_ship() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    shop.step(&order, "cancel").waiting_s(20).await.done();
    let seen = shop.reaches(&order, "cancelled").await;
    assert_eq!(seen["cancellation"]["by"], "store");
    assert_eq!(seen["payment"]["status"], "refunded");
    assert_eq!(shop.shown().await["available"], 1);
}
