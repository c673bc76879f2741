//! Who may do what: no token 401, somebody else's 404, the wrong role 403. And clients never write states.

use harness::{Shop, july};
use serde_json::json;

#[tokio::test]
async fn nobody_is_served_without_a_token() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    for path in ["/v1/mypage", "/v1/admin/events", &format!("/v1/rentals/{rental}")] {
        shop.get(path).await.problem(401, "unauthenticated");
        let forged = shop.get(path).header("authorization", "Bearer e30.e30.e30").await;
        assert!(forged.header("www-authenticate").is_some());
        forged.problem(401, "unauthenticated");
    }
    shop.post("/v1/rentals").json(json!({ "item": shop.item })).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_of_another_installation_is_forged_here() {
    let shop = Shop::with_cars(1).await;
    let other = harness::Data::empty().token("customer:alice");
    let reply = shop.get("/v1/mypage").header("authorization", format!("Bearer {other}")).await;
    reply.problem(401, "unauthenticated");
}

#[tokio::test]
async fn somebody_elses_rental_does_not_exist() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    for path in [format!("/v1/rentals/{rental}"), format!("/v1/rentals/{rental}/history")] {
        for stranger in ["customer:bob", "staff:busan-cars"] {
            shop.get(&path).by(stranger).await.problem(404, "not-found");
        }
    }
    shop.cancellation("bob", &rental).await.problem(404, "not-found");
    assert_eq!(shop.rental("alice", &rental).await["status"], "confirmed");
}

#[tokio::test]
async fn preparing_is_the_shops_step_and_nobody_elses() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    for step in ["prepare", "hand-over", "return"] {
        let path = format!("/v1/rentals/{rental}/{step}");
        shop.post(&path).by("customer:alice").json(json!({})).await.problem(403, "forbidden");
        shop.post(&path).by("admin").json(json!({})).await.problem(403, "forbidden");
        let stranger = shop.post(&path).by("staff:busan-cars").json(json!({})).await;
        assert!([403, 404].contains(&stranger.status), "{}", stranger.text);
    }
    assert_eq!(shop.rental("alice", &rental).await["status"], "confirmed");
}

#[tokio::test]
async fn every_role_has_its_commands() {
    let shop = Shop::with_cars(1).await;
    let store = json!({
        "slug": "busan-cars", "name": "Cars", "policy": "car-rental", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    for who in ["customer:alice", "staff:seoul-cars"] {
        shop.post("/v1/stores").by(who).json(store.clone()).await.problem(403, "forbidden");
    }
    let car = json!({ "name": "Car", "price": { "amount_minor": 1, "currency": "KRW" }, "stock": 1 });
    for who in ["customer:alice", "staff:busan-cars"] {
        shop.post("/v1/stores/seoul-cars/items").by(who).json(car.clone()).await.problem(403, "forbidden");
    }
    for who in ["admin", "staff:seoul-cars"] {
        let body = json!({ "item": shop.item, "from": july(1), "to": july(2) });
        shop.post("/v1/rentals").by(who).json(body).await.problem(403, "forbidden");
        shop.get("/v1/mypage").by(who).await.problem(403, "forbidden");
    }
    for who in ["customer:alice", "staff:seoul-cars"] {
        shop.get("/v1/admin/events").by(who).await.problem(403, "forbidden");
    }
    shop.get("/v1/stores/seoul-cars/dispatches").by("customer:alice").await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_catalogue_is_for_anyone() {
    let shop = Shop::with_cars(1).await;
    for path in ["/v1/stores", "/v1/stores/seoul-cars", "/v1/stores/seoul-cars/items"] {
        shop.get(path).await.is(200);
    }
    shop.get(format!("/v1/items/{}", shop.item)).await.is(200);
    assert_eq!(shop.available(&july(1), &july(2)).await, 1);
}

#[tokio::test]
async fn clients_cannot_write_states() {
    let shop = Shop::with_cars(1).await;
    for unknown in [json!({ "status": "completed" }), json!({ "customer": "bob" }), json!({ "total": 1 })] {
        let mut body = json!({ "item": shop.item, "from": july(1), "to": july(4) });
        body.as_object_mut().unwrap().extend(unknown.as_object().unwrap().clone());
        shop.post("/v1/rentals").by("customer:alice").json(body).await.problem(422, "invalid");
    }
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    let path = format!("/v1/rentals/{rental}");
    shop.cancellation("alice", &rental).json(json!({ "status": "refunded" })).await.problem(422, "invalid");
    shop.patch(&path)
        .by("customer:alice")
        .json(json!({ "status": "completed" }))
        .await
        .problem(405, "method-not-allowed");
    let item = format!("/v1/items/{}", shop.item);
    shop.patch(&item).by(shop.staff()).json(json!({ "available": 9 })).await.problem(422, "invalid");
    assert_eq!(shop.rental("alice", &rental).await["status"], "confirmed");
}
