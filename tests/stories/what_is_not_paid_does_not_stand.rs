//! PHO-2, COF-2, CIN-3, LIB-2: an order, a reservation or a loan that is not paid does not exist for anybody else.

use expect_test::expect;
use harness::{Business, Shop, july};
use serde_json::{Value, json};

fn declined(mut wish: Value) -> Value {
    wish["payment_method"] = json!("pm_declined");
    wish
}

#[tokio::test]
async fn nothing_stands_that_is_not_paid() {
    let seat = json!({ "seats": ["A1"], "quantity": 1 });
    let fortnight = json!({ "from": july(1), "to": july(15) });
    for (business, stock, wish) in [
        (Business::phones(), json!(1), json!({})),
        (Business::coffee(), json!(1), json!({})),
        (Business::cinema(), json!({ "seats": ["A1"] }), seat),
        (Business::library(), json!(1), fortnight),
    ] {
        let shop = Shop::of(business, stock).await;
        let refused = shop.wish("alice", &declined(wish.clone())).waiting_s(20).await.problem(402, "payment-declined");
        let rental = refused["rental"].as_str().unwrap();
        let seen = shop.rental("alice", rental).await;
        assert_eq!(seen["status"], "rejected");
        assert_eq!(seen["payment"]["status"], "declined");
        assert!(shop.dispatches().await.is_empty(), "{}: the shop was told of it", shop.store());

        // The last one is still there for whoever pays.
        shop.granted("bob", &wish).await;
        assert_eq!(shop.shown().await["reservations"], 1);
        shop.wish("carol", &wish).await.is(409);
    }
}

#[tokio::test]
async fn an_unpaid_reservation_is_a_short_story() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1"] })).await;
    let wish = declined(json!({ "seats": ["A1"], "quantity": 1 }));
    let refused = shop.wish("alice", &wish).waiting_s(20).await.problem(402, "payment-declined");
    assert_eq!(refused["code"], "declined");
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        QuotaTaken quota@1 by process:reservation
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentDeclined payment@2 by process:payments
        StockReleased item@3 by process:reservation
        RentalRejected rental@2 by process:reservation
        QuotaGivenBack quota@2 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(refused["rental"].as_str().unwrap()).await);
}

#[tokio::test]
async fn while_the_payment_is_under_way_there_is_nothing_to_ship() {
    let options = ["--simulated-latency-ms", "700", "--payment-timeout-ms", "5000"];
    let shop = Shop::of_with_options(Business::phones(), json!(1), &options).await;
    let order = shop.wish("alice", &json!({})).header("prefer", "respond-async").await.is(202).id();
    shop.step(&order, "hand-over").header("prefer", "wait=0").await.problem(409, "not-dispatched-yet");
    shop.reaches(&order, "confirmed").await;
}
