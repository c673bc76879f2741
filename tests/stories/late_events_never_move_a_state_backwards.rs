//! PHO-5, PHO-9: whatever comes late or twice, an order only goes on.

use expect_test::expect;
use harness::{Business, Shop, eventually};
use serde_json::json;

/// Every state that an order was shown in, in the order of the journal.
async fn states(shop: &Shop, order: &str) -> Vec<String> {
    let mut states: Vec<String> = Vec::new();
    for event in shop.history(order).await {
        let path = format!("/v1/rentals/{order}?as_of={}", event["position"]);
        let seen = shop.get(path).by("customer:alice").await.is(200);
        let payment = seen["payment"]["status"].as_str().unwrap_or("none");
        let state = format!("{}, payment {payment}", seen["status"].as_str().unwrap());
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    states
}

#[tokio::test]
async fn an_approval_that_comes_after_the_cancellation_is_refunded_and_revives_nothing() {
    let shop = Shop::of_with_options(Business::phones(), json!(1), &["--payment-timeout-ms", "100"]).await;
    let slow = json!({ "payment_method": "pm_slow" });
    let asked = shop.wish("alice", &slow).header("prefer", "respond-async").await.is(202);
    let order = asked.id();
    eventually("nobody knows of the payment", async || {
        (shop.rental("alice", &order).await["payment"]["status"] == "unknown").then_some(())
    })
    .await;
    shop.cancellation("alice", &order).await.done();
    shop.reaches(&order, "cancelled").await;

    shop.step(&order, "hand-over").await.problem(409, "not-dispatched-yet");
    assert_eq!(shop.shown().await["available"], 1);
    expect![[r#"
        requested, payment none
        requested, payment requested
        requested, payment unknown
        cancelling, payment unknown
        cancelling, payment approved
        cancelling, payment refunding
        cancelling, payment refunded
        cancelled, payment refunded"#]]
    .assert_eq(&states(&shop, &order).await.join("\n"));
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentUnknown payment@2 by process:payments
        RentalCancellationRequested rental@2 by customer:alice
        PaymentApproved payment@3 by process:payments
        RefundRequested payment@4 by process:reservation
        PaymentRefunded payment@5 by process:payments
        StockReleased item@3 by process:reservation
        RentalCancelled rental@3 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&order).await);
}

#[tokio::test]
async fn shipping_again_or_after_a_cancellation_changes_nothing() {
    let shop = Shop::of(Business::phones(), json!(2)).await;
    let (shipped, cancelled) = (shop.granted("alice", &json!({})).await, shop.granted("alice", &json!({})).await);
    shop.settled().await;
    shop.step(&shipped, "hand-over").await.done();
    shop.reaches(&shipped, "completed").await;
    shop.cancelled("alice", &cancelled).await;
    let before = shop.journal().await.len();

    shop.step(&shipped, "hand-over").await.done();
    shop.step(&cancelled, "hand-over").await.problem(409, "dispatch-cancelled");
    shop.step(&shipped, "prepare").await.is(409);
    shop.step(&shipped, "return").await.problem(409, "does-not-come-back");
    shop.cancellation("alice", &cancelled).await.done();
    shop.settled().await;

    assert_eq!(shop.journal().await.len(), before);
    expect![[r#"
        requested, payment none
        requested, payment requested
        requested, payment approved
        confirmed, payment approved
        handed_over, payment approved
        completed, payment approved"#]]
    .assert_eq(&states(&shop, &shipped).await.join("\n"));
    expect![[r#"
        requested, payment none
        requested, payment requested
        requested, payment approved
        confirmed, payment approved
        cancelling, payment approved
        cancelling, payment refunding
        cancelling, payment refunded
        cancelled, payment refunded"#]]
    .assert_eq(&states(&shop, &cancelled).await.join("\n"));
}
