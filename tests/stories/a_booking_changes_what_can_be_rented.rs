//! CAR-3 and CAR-7: a booking that stands has changed the stock, and a returned car can be rented again.

use harness::{Shop, july};
use serde_json::json;

#[tokio::test]
async fn a_booking_that_stands_has_changed_the_availability() {
    let shop = Shop::with_cars(3).await;
    assert_eq!(shop.available(&july(1), &july(4)).await, 3);

    shop.booked("alice", &july(1), &july(4)).await;
    // At once: nobody waits for a view here.
    assert_eq!(shop.available(&july(1), &july(4)).await, 2);

    let body = json!({ "item": shop.item, "quantity": 2, "from": july(1), "to": july(4) });
    shop.post("/v1/rentals").by("customer:bob").waiting_s(20).json(body).await.is(201);
    assert_eq!(shop.available(&july(1), &july(4)).await, 0);
}

#[tokio::test]
async fn no_stock_is_a_refusal_and_not_a_failure() {
    let shop = Shop::with_cars(1).await;
    shop.booked("alice", &july(1), &july(4)).await;

    let refused = shop.booking("bob", &july(3), &july(6)).await.problem(409, "out-of-stock");
    assert_eq!(refused["available"], 0);
    assert_eq!(refused["wanted"], 1);
}

#[tokio::test]
async fn a_returned_car_can_be_rented_again() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.handed_over(&rental).await;
    shop.booking("bob", &july(1), &july(4)).await.problem(409, "out-of-stock");

    shop.step(&rental, "return").await.done();
    shop.reaches(&rental, "completed").await;
    shop.booked("bob", &july(1), &july(4)).await;
}

#[tokio::test]
async fn editing_a_shop_or_a_car_is_not_a_return() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.handed_over(&rental).await;

    shop.patch("/v1/stores/seoul-cars").by(shop.staff()).json(json!({ "name": "Better cars" })).await.done();
    let item = format!("/v1/items/{}", shop.item);
    shop.patch(item).by(shop.staff()).json(json!({ "name": "Avante, washed" })).await.done();
    shop.settled().await;

    assert_eq!(shop.rental("alice", &rental).await["status"], "handed_over");
    assert_eq!(shop.available(&july(1), &july(4)).await, 0);
    shop.booking("bob", &july(1), &july(4)).await.problem(409, "out-of-stock");
}

#[tokio::test]
async fn cancelling_after_a_return_credits_nothing() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.handed_over(&rental).await;
    shop.step(&rental, "return").await.done();
    shop.reaches(&rental, "completed").await;

    shop.cancellation("alice", &rental).await.problem(409, "already-handed-over");
    shop.step(&rental, "cancel").await.problem(409, "already-handed-over");
    shop.settled().await;

    assert_eq!(shop.available(&july(1), &july(4)).await, 1);
    assert_eq!(shop.rental("alice", &rental).await["payment"]["status"], "approved");
}

#[tokio::test]
async fn a_refused_booking_leaks_no_stock() {
    let shop = Shop::with_cars(2).await;
    let body = json!({ "item": shop.item, "quantity": 3, "from": july(1), "to": july(4) });
    for _ in 0..5 {
        shop.post("/v1/rentals").by("customer:alice").json(body.clone()).await.problem(409, "out-of-stock");
        shop.booking_paid_by("alice", &july(1), &july(4), "pm_declined").await.problem(402, "payment-declined");
        shop.booking("alice", &july(4), &july(1)).await.problem(422, "invalid");
    }
    shop.settled().await;
    assert_eq!(shop.available(&july(1), &july(4)).await, 2);
    let events = shop.journal().await;
    let count = |name: &str| events.iter().filter(|event| event["type"] == name).count();
    assert_eq!(count("StockHeld"), count("StockReleased"));
}
