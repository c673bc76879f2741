//! PHO-1, PHO-2, PHO-3, PHO-4, PHO-5, PHO-8, PHO-9: ordered, paid, known to the agency, shipped, and visible all the way.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::{Value, json};

#[tokio::test]
async fn a_phone_is_ordered_paid_and_shipped() {
    let shop = Shop::of(Business::phones(), json!(2)).await;
    let ordered = shop.wish("alice", &json!({})).waiting_s(20).await.is(201);
    let order = ordered.id();
    assert_eq!(ordered["status"], "confirmed");
    assert_eq!(ordered["status_label"], "paid");
    assert_eq!(ordered["payment"]["status"], "approved");
    assert_eq!(ordered["payment"]["amount"]["amount_minor"], Business::phones().price);

    shop.settled().await;
    shop.step(&order, "hand-over").await.done();
    let shipped = shop.reaches(&order, "completed").await;
    assert_eq!(shipped["status_label"], "shipped");
    assert_eq!(shop.shown().await["available"], 1);

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchHandedOver dispatch@2 by staff:yongsan-phones
        RentalHandedOver rental@3 by process:dispatch
        RentalCompleted rental@4 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&order).await);
}

#[tokio::test]
async fn an_order_reaches_the_agency() {
    let shop = Shop::of(Business::phones(), json!(2)).await;
    let order = shop.granted("alice", &json!({ "quantity": 2 })).await;

    let queue = shop.dispatches().await;
    assert_eq!(queue.len(), 1);
    assert_eq!(queue[0]["rental"], order.as_str());
    assert_eq!(queue[0]["customer"], "alice");
    assert_eq!(queue[0]["quantity"], 2);
    assert_eq!(queue[0]["status"], "requested");
}

#[tokio::test]
async fn the_customer_sees_how_far_the_shipping_and_the_payment_are() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    let page = shop.all("/v1/mypage", "customer:alice").await;
    assert_eq!((&page[0]["dispatch"]["status"], &page[0]["status_label"]), (&json!("requested"), &json!("paid")));
    assert_eq!(page[0]["payment"]["status"], "approved");

    shop.step(&order, "hand-over").await.done();
    shop.settled().await;
    let page = shop.all("/v1/mypage", "customer:alice").await;
    assert_eq!((&page[0]["dispatch"]["status"], &page[0]["status_label"]), (&json!("handed_over"), &json!("shipped")));
    let payments = shop.all("/v1/mypage/payments", "customer:alice").await;
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["status"], "approved");
}

#[tokio::test]
async fn the_customer_sees_the_whole_history() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    shop.step(&order, "hand-over").await.done();
    shop.settled().await;

    let path = format!("/v1/rentals/{order}/history");
    let history = shop.get(&path).by("customer:alice").await.is(200).items();
    let journal = shop.journal().await;
    let about_it = journal.iter().filter(|event| event.to_string().contains(&order));
    let positions =
        |events: Vec<&Value>| events.iter().filter_map(|event| event["position"].as_u64()).collect::<Vec<_>>();
    assert_eq!(positions(history.iter().collect()), positions(about_it.collect()));
    for event in &history {
        assert!(event["at"].is_string() && event["actor"].is_string() && event["type"].is_string(), "{event}");
    }
    shop.get(&path).by("customer:bob").await.problem(404, "not-found");
}
