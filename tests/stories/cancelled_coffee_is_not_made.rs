//! COF-4: coffee whose payment is cancelled is not made, whatever comes first; and the money goes back.

use expect_test::expect;
use harness::{Business, Shop, eventually};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const PAID_BACK: &str = "RefundRequested";
const MADE: &str = "DispatchPrepared";

fn position(history: &[Value], name: &str) -> Option<usize> {
    history.iter().position(|event| event["type"] == name)
}

#[tokio::test]
async fn cancelling_before_anybody_makes_it_pays_back_and_makes_none() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    shop.cancelled("alice", &order).await;
    for step in ["prepare", "hand-over"] {
        shop.step(&order, step).await.problem(409, "dispatch-cancelled");
    }
    let seen = shop.rental("alice", &order).await;
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], Business::coffee().price);
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
async fn cancelling_before_the_barista_knows_makes_none() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    shop.pause("dispatch").await;
    let order = shop.granted("alice", &json!({})).await;
    shop.cancellation("alice", &order).waiting_s(20).await.is(200);
    shop.resume("dispatch").await;
    shop.settled().await;
    assert!(shop.dispatches().await.is_empty());
    shop.step(&order, "prepare").await.problem(409, "dispatch-cancelled");
    assert_eq!(shop.rental("alice", &order).await["payment"]["status"], "refunded");
}

#[tokio::test]
async fn cancelling_while_it_is_being_paid_makes_none() {
    let shop = Shop::of_with_options(Business::coffee(), json!(null), &["--payment-timeout-ms", "100"]).await;
    let slow = json!({ "payment_method": "pm_slow" });
    let order = shop.wish("alice", &slow).header("prefer", "respond-async").await.is(202).id();
    eventually("the payment is under way", async || {
        (shop.rental("alice", &order).await["payment"]["status"] == "unknown").then_some(())
    })
    .await;
    shop.cancellation("alice", &order).await.done();
    shop.reaches(&order, "cancelled").await;
    let history = shop.history(&order).await;
    assert_eq!(position(&history, "DispatchRequested"), None);
    assert_eq!(position(&history, MADE), None);
    assert!(position(&history, "PaymentApproved") < position(&history, PAID_BACK));
    assert_eq!(shop.rental("alice", &order).await["payment"]["status"], "refunded");
}

#[tokio::test]
async fn a_barista_and_a_customer_at_the_same_instant_agree() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(shop.granted("alice", &json!({})).await);
    }
    shop.settled().await;
    let mut at_once = JoinSet::new();
    for order in &orders {
        let (make, cancel) = (shop.step(order, "prepare"), shop.cancellation("alice", order).waiting_s(20));
        at_once.spawn(async move { make.await });
        at_once.spawn(async move { cancel.await });
    }
    for reply in at_once.join_all().await {
        assert!([200, 202, 409].contains(&reply.status), "{}", reply.text);
    }
    for order in &orders {
        shop.reaches(order, "cancelled").await;
        let history = shop.history(order).await;
        // Whoever was first: nothing is made after the money went on its way back.
        let paid_back = position(&history, PAID_BACK).expect(PAID_BACK);
        assert!(position(&history, MADE).is_none_or(|made| made < paid_back), "{history:?}");
        assert_eq!(history.iter().filter(|event| event["type"] == "PaymentRefunded").count(), 1);
    }
}
