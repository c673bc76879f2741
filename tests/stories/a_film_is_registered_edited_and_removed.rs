//! CIN-1, CIN-8: a manager registers, edits and removes films; the screen says what was done last.

use harness::{Business, Shop};
use serde_json::json;

#[tokio::test]
async fn a_film_is_registered_edited_and_removed() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2"] })).await;
    let film = format!("/v1/items/{}", shop.item);
    let shown = shop.shown().await;
    assert_eq!(shown["last_action"]["action"], "register");
    assert_eq!(shown["available"], 2);

    let edit = json!({ "name": "Parasite, Friday at nine", "description": "black and white" });
    shop.patch(&film).by(shop.staff()).json(edit).await.done();
    let shown = shop.shown().await;
    assert_eq!(shown["last_action"]["action"], "edit");
    assert_eq!(shown["name"], "Parasite, Friday at nine");

    let reservation = shop.granted("alice", &json!({})).await;
    let gone = shop.delete(&film).by(shop.staff()).await;
    assert!((200..300).contains(&gone.status), "{}", gone.text);
    let shown = shop.shown().await;
    assert_eq!((&shown["last_action"]["action"], &shown["retired"]), (&json!("retire"), &json!(true)));

    // What was promised is kept.
    shop.wish("bob", &json!({})).await.problem(409, "item-retired");
    assert_eq!(shop.rental("alice", &reservation).await["status"], "confirmed");
    shop.step(&reservation, "hand-over").await.done();
}

#[tokio::test]
async fn only_the_cinemas_staff_manages_films() {
    let shop = Shop::of(Business::cinema(), json!(10)).await;
    let film = format!("/v1/items/{}", shop.item);
    let stock = json!({ "name": "Mine", "price": { "amount_minor": 1, "currency": "KRW" }, "stock": 5 });
    let items = format!("/v1/stores/{}/items", shop.store());
    for who in ["customer:alice", "staff:busan-cinema", "admin", "kiosk:mapo-cinema/1"] {
        shop.post(&items).by(who).json(stock.clone()).await.problem(403, "forbidden");
        let edited = shop.patch(&film).by(who).json(json!({ "name": "Mine" })).await;
        assert!([403, 404].contains(&edited.status), "{who}: {}", edited.text);
        let removed = shop.delete(&film).by(who).await;
        assert!([403, 404].contains(&removed.status), "{who}: {}", removed.text);
    }
    assert_eq!(shop.shown().await["last_action"]["action"], "register");
}
