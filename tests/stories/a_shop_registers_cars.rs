//! CAR-9: cars are registered, described, repriced, bought, sold and retired by the shop's staff.

use harness::{PRICE, Shop, july};
use serde_json::json;

#[tokio::test]
async fn a_new_car_is_in_the_catalogue_and_can_be_booked() {
    let shop = Shop::with_cars(1).await;
    let price = json!({ "amount_minor": 80_000, "currency": "KRW" });
    let body = json!({ "name": "Genesis GV80", "description": "large", "price": price, "stock": 2 });
    let registered = shop.post("/v1/stores/seoul-cars/items").by(shop.staff()).json(body).await.is(201);
    let item = registered.id();

    let path = format!("/v1/items/{item}?at_least={}", registered.position());
    let seen = shop.get(path).await.is(200);
    assert_eq!(seen["name"], "Genesis GV80");
    assert_eq!(seen["price"]["amount_minor"], 80_000);
    assert_eq!(seen["available"], 2);
    assert_eq!(shop.get("/v1/stores/seoul-cars/items").await.is(200).items().len(), 2);

    let body = json!({ "item": item, "from": july(1), "to": july(3) });
    let booked = shop.post("/v1/rentals").by("customer:alice").waiting_s(20).json(body).await.is(201);
    assert_eq!(booked["payment"]["amount"]["amount_minor"], 160_000);
}

#[tokio::test]
async fn a_new_price_is_for_new_bookings() {
    let shop = Shop::with_cars(2).await;
    let before = shop.booked("alice", &july(1), &july(2)).await;
    let price = json!({ "price": { "amount_minor": 70_000, "currency": "KRW" } });
    shop.patch(format!("/v1/items/{}", shop.item)).by(shop.staff()).json(price).await.done();
    let after = shop.booked("alice", &july(1), &july(2)).await;

    assert_eq!(shop.rental("alice", &before).await["payment"]["amount"]["amount_minor"], PRICE);
    assert_eq!(shop.rental("alice", &after).await["payment"]["amount"]["amount_minor"], 70_000);
}

#[tokio::test]
async fn cars_are_added_and_sold_but_never_those_that_are_promised() {
    let shop = Shop::with_cars(1).await;
    shop.booked("alice", &july(1), &july(4)).await;
    let stock = format!("/v1/items/{}/stock", shop.item);

    let sell = json!({ "change": -1, "reason": "sold" });
    shop.post(&stock).by(shop.staff()).json(sell).await.problem(409, "stock-promised");
    shop.post(&stock).by(shop.staff()).json(json!({ "change": 1, "reason": "bought" })).await.done();
    shop.booked("bob", &july(1), &july(4)).await;
}

#[tokio::test]
async fn a_retired_car_is_not_booked_any_more() {
    let shop = Shop::with_cars(2).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    let gone = shop.delete(format!("/v1/items/{}", shop.item)).by(shop.staff()).await;
    assert!((200..300).contains(&gone.status), "{}", gone.text);

    shop.booking("bob", &july(1), &july(4)).await.problem(409, "item-retired");
    assert_eq!(shop.rental("alice", &rental).await["status"], "confirmed");
}
