//! RFC 9457, for people and for programs, whatever is sent.

use harness::{Shop, july};
use serde_json::json;

#[tokio::test]
async fn a_body_that_is_no_json_is_malformed() {
    let shop = Shop::with_cars(1).await;
    let post = || shop.post("/v1/rentals").by("customer:alice");
    post().text("{").await.problem(400, "malformed-json");
    post().text("[]").await.problem(422, "invalid");
    post().text("").await.is(400);
    post().header("content-type", "text/plain").await.problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let shop = Shop::with_cars(1).await;
    let nothing = "00000000-0000-7000-8000-000000000000";
    shop.get(format!("/v1/items/{nothing}")).await.problem(404, "not-found");
    shop.get(format!("/v1/rentals/{nothing}")).by("customer:alice").await.problem(404, "not-found");
    shop.get("/v1/stores/nowhere").await.problem(404, "not-found");
    shop.get("/v2/rentals").await.problem(404, "not-found");
    shop.get("/v1/items/not-a-uuid").await.problem(404, "not-found");
    let body = json!({ "item": nothing, "from": july(1), "to": july(2) });
    shop.post("/v1/rentals").by("customer:alice").json(body).await.problem(404, "not-found");
    shop.post("/v1/mypage").by("customer:alice").await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn values_out_of_range_are_invalid() {
    let shop = Shop::with_cars(1).await;
    let booking = |change: serde_json::Value| {
        let mut body = json!({ "item": shop.item, "from": july(1), "to": july(4) });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        shop.post("/v1/rentals").by("customer:alice").json(body)
    };
    for change in [
        json!({ "quantity": 0 }),
        json!({ "quantity": 1_001 }),
        json!({ "quantity": -1 }),
        json!({ "quantity": 1.5 }),
        json!({ "seats": ["A1"] }),
        json!({ "payment_method": "x".repeat(256) }),
        json!({ "item": "car" }),
        json!({ "from": null }),
        json!({ "to": "2999-01-01" }),
    ] {
        booking(change).await.problem(422, "invalid");
    }
}

#[tokio::test]
async fn an_overload_asks_customers_to_come_back_shortly() {
    let options = ["--max-in-flight", "1", "--simulated-latency-ms", "1000", "--payment-timeout-ms", "5000"];
    let shop = Shop::with_cars_and_options(5, &options).await;
    let first = shop.booking("alice", &july(1), &july(4)).waiting_s(10);
    let first = tokio::spawn(async move { first.await });
    harness::eventually("the first booking is in flight", async || {
        shop.journal().await.iter().any(|event| event["type"] == "PaymentRequested").then_some(())
    })
    .await;

    let second = shop.booking("bob", &july(1), &july(4)).await.problem(503, "overloaded");
    assert!(second.header("retry-after").is_some());
    first.await.unwrap().is(201);
    shop.booking("bob", &july(1), &july(4)).waiting_s(10).await.is(201);
}
