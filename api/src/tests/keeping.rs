//! What the staff of a store keeps.

use super::house::{House, car};
use serde_json::json;

const STAFF: &str = "staff:seoul-cars";

#[tokio::test]
async fn a_new_item_shows_in_its_stores_catalogue() {
    let house = House::open().await;
    let id = house.cars(3).await;
    let list = house.get("/v1/stores/seoul-cars/items").send().await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let item = house.get(&format!("/v1/items/{id}")).send().await.json();
    assert_eq!(list["items"][0], item);
    assert_eq!((&item["stock"], &item["available"], &item["retired"]), (&json!(3), &json!(3), &json!(false)));
    assert_eq!((&item["name"], &item["price"]["amount_minor"]), (&json!("Compact"), &json!(15_000)));
    assert_eq!(item["last_action"]["action"], "register");
}

#[tokio::test]
async fn an_item_changes_in_name_price_and_stock_and_is_retired() {
    let house = House::open().await;
    let id = house.cars(3).await;
    let address = format!("/v1/items/{id}");
    let body = json!({ "name": "Estate", "price": { "amount_minor": 20_000, "currency": "KRW" } });
    let revised = house.patch(&address).by(STAFF).json(&body).send().await;
    assert_eq!((revised.status.as_u16(), &revised.json()["name"]), (200, &json!("Estate")));
    assert_eq!(revised.header("etag"), "\"3\"");
    let body = json!({ "change": -2, "reason": "sold" });
    let stock = house.post(&format!("{address}/stock")).by(STAFF).json(&body).send().await;
    assert_eq!((&stock.json()["stock"], &stock.json()["available"]), (&json!(1), &json!(1)));
    let too_few = house.post(&format!("{address}/stock")).by(STAFF).json(&json!({ "change": -2 })).send().await;
    assert!(too_few.status.is_client_error(), "{too_few:?}");
    let retired = house.request("DELETE", &address).by(STAFF).send().await;
    assert_eq!((retired.status.as_u16(), &retired.json()["retired"]), (200, &json!(true)));
    assert_eq!(house.get("/v1/stores/seoul-cars/items").send().await.json()["items"], json!([]));
    assert_eq!(house.get(&address).send().await.json()["available"], 0);
}

#[tokio::test]
async fn stock_is_what_the_stores_business_has() {
    let house = House::open().await;
    for (slug, policy, stock, available) in [
        ("coffee", "coffee-shop", json!(null), json!(null)),
        ("phones", "phone-shop", json!(4), json!(4)),
        ("cinema", "cinema", json!({ "seats": ["A1", "A2"] }), json!(2)),
    ] {
        let body = json!({ "slug": slug, "name": slug, "policy": policy, "time_zone": "UTC", "currency": "KRW" });
        assert_eq!(house.post("/v1/stores").by("admin").json(&body).send().await.status, 201);
        let mut body = car(0);
        body["stock"] = stock.clone();
        let staff = format!("staff:{slug}");
        let item = house.post(&format!("/v1/stores/{slug}/items")).by(&staff).json(&body).send().await.json();
        assert_eq!((&item["stock"], &item["available"]), (&stock, &available), "{item}");
        let id = item["id"].as_str().unwrap();
        let read = house.get(&format!("/v1/items/{id}")).send().await.json();
        assert_eq!((&read["stock"], &read["available"]), (&stock, &available), "{read}");
        let range = house.get(&format!("/v1/items/{id}/availability")).send().await.json();
        assert_eq!(range["available"], available);
    }
}

#[tokio::test]
async fn an_items_own_store_is_asked_and_not_the_callers() {
    let house = House::open().await;
    let reply = house.post("/v1/stores/nowhere/items").by("staff:nowhere").json(&car(1)).send().await;
    assert_eq!(reply.problem(), "not-found");
    house.seoul().await;
    let reply = house.post("/v1/stores/seoul-cars/items").by("staff:nowhere").json(&car(1)).send().await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "forbidden"));
}
