//! CAR-8: start, end, quantity and state, in a view of its own that misses nothing.

use harness::{Shop, july};
use serde_json::{Value, json};

#[tokio::test]
async fn my_page_shows_start_end_quantity_and_state() {
    let shop = Shop::with_cars(5).await;
    let body = json!({ "item": shop.item, "quantity": 2, "from": july(1), "to": july(4) });
    let booked = shop.post("/v1/rentals").by("customer:alice").waiting_s(20).json(body).await.is(201);
    shop.settled().await;

    let page = shop.all("/v1/mypage", "customer:alice").await;
    assert_eq!(page.len(), 1);
    // Dates are the store's: midnight in Seoul is 15:00 UTC of the day before.
    assert_eq!(page[0]["from"], format!("{}T15:00:00Z", july(1).replace("07-01", "06-30")));
    assert_eq!(page[0]["to"], format!("{}T15:00:00Z", july(3)));
    assert_eq!(page[0]["quantity"], 2);
    assert_eq!(page[0]["status"], "confirmed");
    assert_eq!(page[0]["dispatch"]["status"], "requested");
    assert_eq!(page[0], shop.rental("alice", &booked.id()).await.json);
}

#[tokio::test]
async fn my_page_shows_cancellations() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.cancelled("alice", &rental).await;

    let page = shop.all("/v1/mypage", "customer:alice").await;
    assert_eq!(page[0]["status"], "cancelled");
    assert_eq!(page[0]["payment"]["status"], "refunded");
}

#[tokio::test]
async fn my_page_shows_what_could_not_be_had() {
    let shop = Shop::with_cars(1).await;
    shop.booking_paid_by("alice", &july(1), &july(4), "pm_declined").await.problem(402, "payment-declined");
    shop.settled().await;

    let page = shop.all("/v1/mypage", "customer:alice").await;
    assert_eq!(page[0]["status"], "rejected");
    assert_eq!(page[0]["payment"]["status"], "declined");
}

#[tokio::test]
async fn my_page_is_read_page_by_page_newest_first() {
    let shop = Shop::with_cars(100).await;
    let mut booked = Vec::new();
    for day in 1..=7 {
        booked.insert(0, shop.booked("alice", &july(day), &july(day + 1)).await);
    }
    shop.settled().await;

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(format!("/v1/mypage?limit=3{cursor}")).by("customer:alice").await.is(200);
        assert!(page.items().len() <= 3);
        seen.extend(page.items().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()));
        match &page["next"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    assert_eq!(seen, booked);
    shop.get("/v1/mypage?cursor=%21").by("customer:alice").await.problem(400, "bad-cursor");
    shop.get("/v1/mypage?limit=101").by("customer:alice").await.problem(422, "invalid");
}

#[tokio::test]
async fn payments_have_a_page_of_their_own() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;

    let payments = shop.all("/v1/mypage/payments", "customer:alice").await;
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["rental"], rental.as_str());
    assert_eq!(payments[0]["status"], "approved");
    assert_eq!(shop.all("/v1/mypage/reservations", "customer:alice").await.len(), 1);
    assert!(shop.all("/v1/mypage/payments", "customer:bob").await.is_empty());
}
