//! PHO-4, COF-3, CIN-2: orders are taken although the agency, the barista or the box office is away; they wait, paid.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::json;

#[tokio::test]
async fn orders_wait_at_paid_while_the_agency_is_away_and_ship_when_it_is_back() {
    let shop = Shop::of(Business::phones(), json!(5)).await;
    shop.pause("dispatch").await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(shop.granted("alice", &json!({})).await);
    }
    for order in &orders {
        let seen = shop.rental("alice", order).await;
        assert_eq!(seen["status_label"], "paid");
        assert_eq!(seen["dispatch"]["status"], "waiting");
    }
    shop.step(&orders[0], "hand-over").header("prefer", "wait=0").await.problem(409, "not-dispatched-yet");

    shop.resume("dispatch").await;
    shop.settled().await;
    for order in &orders {
        shop.step(order, "hand-over").await.done();
        assert_eq!(shop.reaches(order, "completed").await["status_label"], "shipped");
    }
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
    .assert_eq(&shop.transcript(&orders[0]).await);
}

#[tokio::test]
async fn a_closed_agency_takes_orders_and_ships_them_when_it_opens() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    shop.post(format!("/v1/stores/{}/close", shop.store())).by(shop.staff()).await.done();
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    shop.step(&order, "hand-over").await.problem(409, "store-closed");
    assert_eq!(shop.rental("alice", &order).await["status_label"], "paid");

    shop.post(format!("/v1/stores/{}/open", shop.store())).by(shop.staff()).await.done();
    shop.step(&order, "hand-over").await.done();
    shop.reaches(&order, "completed").await;
}

#[tokio::test]
async fn coffee_is_ordered_and_paid_although_nobody_makes_any() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    shop.pause("dispatch").await;
    let order = shop.granted("alice", &json!({ "quantity": 2 })).await;
    assert_eq!(shop.rental("alice", &order).await["status_label"], "paid");
    shop.step(&order, "prepare").header("prefer", "wait=0").await.problem(409, "not-dispatched-yet");

    shop.resume("dispatch").await;
    shop.prepared(&order).await;
    assert_eq!(shop.rental("alice", &order).await["status_label"], "made");
}

#[tokio::test]
async fn seats_are_reserved_although_the_catalogue_and_the_box_office_are_away() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2"] })).await;
    for away in ["view-catalogue", "view-dispatches", "dispatch"] {
        shop.pause(away).await;
    }
    let reservation = shop.granted("alice", &json!({ "seats": ["A2"], "quantity": 1 })).await;
    shop.wish("bob", &json!({ "seats": ["A2"], "quantity": 1 })).await.problem(409, "seats-taken");

    for back in ["view-catalogue", "view-dispatches", "dispatch"] {
        shop.resume(back).await;
    }
    shop.settled().await;
    assert_eq!(shop.shown().await["available"], 1);
    assert_eq!(shop.dispatches().await[0]["rental"], reservation.as_str());
}
