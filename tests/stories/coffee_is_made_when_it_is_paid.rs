//! COF-1, COF-2, COF-3, COF-5: ordered, paid, made, collected; and its state can be looked up at every step.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::json;

#[tokio::test]
async fn paid_coffee_is_made_and_collected() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    let ordered = shop.wish("alice", &json!({ "quantity": 2 })).waiting_s(20).await.is(201);
    let order = ordered.id();
    assert_eq!(ordered["payment"]["amount"]["amount_minor"], 2 * Business::coffee().price);
    let mut labels = vec![ordered["status_label"].as_str().unwrap().to_owned()];

    shop.settled().await;
    for step in ["prepare", "hand-over"] {
        shop.step(&order, step).await.done();
        shop.settled().await;
        labels.push(shop.rental("alice", &order).await["status_label"].as_str().unwrap().to_owned());
    }
    assert_eq!(labels, ["paid", "made", "collected"]);
    assert_eq!(shop.all("/v1/mypage", "customer:alice").await[0]["status_label"], "collected");
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchPrepared dispatch@2 by staff:jongno-coffee
        RentalPrepared rental@3 by process:dispatch
        DispatchHandedOver dispatch@3 by staff:jongno-coffee
        RentalHandedOver rental@4 by process:dispatch
        RentalCompleted rental@5 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&order).await);
}

#[tokio::test]
async fn coffee_that_is_not_paid_is_not_made() {
    let options = ["--simulated-latency-ms", "700", "--payment-timeout-ms", "5000"];
    let shop = Shop::of_with_options(Business::coffee(), json!(null), &options).await;
    let order = shop.wish("alice", &json!({})).header("prefer", "respond-async").await.is(202).id();
    assert_eq!(shop.rental("alice", &order).await["status_label"], "ordered");
    shop.step(&order, "prepare").header("prefer", "wait=0").await.problem(409, "not-dispatched-yet");
    shop.reaches(&order, "confirmed").await;

    shop.settled().await;
    shop.step(&order, "prepare").await.done();
    let history = shop.history(&order).await;
    let at = |name: &str| history.iter().position(|event| event["type"] == name).expect(name);
    assert!(at("PaymentApproved") < at("DispatchPrepared"));
}

#[tokio::test]
async fn coffee_is_handed_over_only_when_it_is_made() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    shop.step(&order, "hand-over").await.problem(409, "not-prepared");
}

#[tokio::test]
async fn counted_cakes_run_out_and_coffee_does_not() {
    let shop = Shop::of(Business::coffee(), json!(1)).await;
    shop.granted("alice", &json!({})).await;
    shop.wish("bob", &json!({})).await.problem(409, "out-of-stock");
    let price = json!({ "amount_minor": 5_000, "currency": "KRW" });
    let latte = json!({ "name": "Latte", "price": price, "stock": null });
    let items = format!("/v1/stores/{}/items", shop.store());
    let latte = shop.post(items).by(shop.staff()).json(latte).await.is(201).id();
    for customer in ["alice", "bob", "carol"] {
        let wish = json!({ "item": latte, "quantity": 100 });
        shop.post("/v1/rentals").by(format!("customer:{customer}")).json(wish).waiting_s(20).await.is(201);
    }
}
