//! COF-1, LIB-7: at every shop, ids, prices and states are the engine's; a body that names one is refused.

use harness::{Business, Shop, july};
use serde_json::{Value, json};

fn wish(business: &Business) -> Value {
    match business.slug {
        "seoul-cars" | "suwon-library" => json!({ "from": july(1), "to": july(4) }),
        _ => json!({}),
    }
}

fn with(mut body: Value, stowaway: &Value) -> Value {
    body.as_object_mut().unwrap().extend(stowaway.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_wish_with_an_id_a_price_or_a_state_is_refused() {
    for business in Business::all() {
        let (wish, shop) = (wish(&business), Shop::of(business, json!(5)).await);
        for stowaway in [
            json!({ "id": "00000000-0000-7000-8000-000000000000" }),
            json!({ "price": 1 }),
            json!({ "price": { "amount_minor": 1, "currency": "KRW" } }),
            json!({ "total": { "amount_minor": 1, "currency": "KRW" } }),
            json!({ "status": "confirmed" }),
            json!({ "customer": "bob" }),
            json!({ "payment": { "status": "approved" } }),
        ] {
            shop.wish("alice", &with(wish.clone(), &stowaway)).await.problem(422, "invalid");
        }
        shop.settled().await;
        assert!(shop.all("/v1/mypage", "customer:alice").await.is_empty(), "{}", shop.store());
    }
}

#[tokio::test]
async fn no_client_sets_a_state() {
    for business in Business::all() {
        let (wish, shop) = (wish(&business), Shop::of(business, json!(5)).await);
        let rental = shop.granted("alice", &wish).await;
        shop.settled().await;
        let before = shop.journal().await.len();
        let path = format!("/v1/rentals/{rental}");
        for method in ["PUT", "PATCH", "DELETE"] {
            for who in ["customer:alice".to_owned(), shop.staff(), "admin".to_owned()] {
                let body = json!({ "status": "completed" });
                let reply = shop.request(method.parse().unwrap(), &path).by(who).json(body).await;
                reply.problem(405, "method-not-allowed");
            }
        }
        for step in ["prepare", "hand-over", "return", "cancel"] {
            let body = json!({ "status": "completed", "refunded": 1 });
            shop.step(&rental, step).json(body).await.problem(422, "invalid");
        }
        shop.settled().await;
        assert_eq!(shop.journal().await.len(), before, "{}", shop.store());
        assert_eq!(shop.rental("alice", &rental).await["status"], "confirmed");
    }
}

#[tokio::test]
async fn a_price_is_the_shops_at_the_moment_of_the_order() {
    let shop = Shop::of(Business::coffee(), json!(null)).await;
    let before = shop.granted("alice", &json!({})).await;
    let price = json!({ "price": { "amount_minor": 5_500, "currency": "KRW" } });
    shop.patch(format!("/v1/items/{}", shop.item))
        .by("customer:alice")
        .json(price.clone())
        .await
        .problem(403, "forbidden");
    shop.patch(format!("/v1/items/{}", shop.item)).by(shop.staff()).json(price).await.done();
    let after = shop.granted("alice", &json!({})).await;
    assert_eq!(shop.rental("alice", &before).await["total"]["amount_minor"], Business::coffee().price);
    assert_eq!(shop.rental("alice", &after).await["total"]["amount_minor"], 5_500);
}
