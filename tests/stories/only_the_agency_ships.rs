//! PHO-4: shipping is a step of the agency's own staff; nobody else has it.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::json;

#[tokio::test]
async fn nobody_but_staff_ships() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;

    let path = format!("/v1/rentals/{order}/hand-over");
    shop.post(&path).json(json!({})).await.problem(401, "unauthenticated");
    for stranger in ["customer:alice", "customer:bob", "admin", "kiosk:yongsan-phones/1"] {
        shop.post(&path).by(stranger).json(json!({})).await.problem(403, "forbidden");
    }
    shop.post(&path).by("staff:busan-phones").json(json!({})).await.problem(404, "not-found");
    shop.settled().await;
    assert_eq!(shop.rental("alice", &order).await["status"], "confirmed");

    shop.step(&order, "hand-over").await.done();
    shop.reaches(&order, "completed").await;
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
async fn only_staff_makes_coffee_and_hands_out_books() {
    for (business, wish, steps) in [
        (Business::coffee(), json!({}), ["prepare", "hand-over"]),
        (Business::library(), json!({ "from": harness::july(1), "to": harness::july(9) }), ["hand-over", "return"]),
    ] {
        let shop = Shop::of(business, json!(1)).await;
        let rental = shop.granted("alice", &wish).await;
        shop.settled().await;
        for step in steps {
            let path = format!("/v1/rentals/{rental}/{step}");
            shop.post(&path).by("customer:alice").json(json!({})).await.problem(403, "forbidden");
            shop.post(&path).by("admin").json(json!({})).await.problem(403, "forbidden");
            shop.step(&rental, step).await.done();
            shop.settled().await;
        }
    }
}
