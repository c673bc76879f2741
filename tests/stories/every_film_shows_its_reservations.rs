//! CIN-8: every film with its availability, its reservations and its last action; every reservation with its customer.

use harness::{Business, Shop};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn film<'a>(films: &'a [Value], id: &str) -> &'a Value {
    films.iter().find(|film| film["id"] == id).unwrap_or_else(|| panic!("no film {id} in {films:?}"))
}

#[tokio::test]
async fn one_screen_shows_every_film() {
    let shop = Shop::of(Business::cinema(), json!({ "seats": ["A1", "A2", "A3"] })).await;
    let items = format!("/v1/stores/{}/items", shop.store());
    let other = json!({ "name": "Oldboy", "price": { "amount_minor": 9_000, "currency": "KRW" }, "stock": 2 });
    let other = shop.post(&items).by(shop.staff()).json(other).await.is(201).id();
    let films = async || {
        shop.settled().await;
        shop.all(&items, "customer:anyone").await
    };

    shop.granted("alice", &json!({ "quantity": 2 })).await;
    let bob = shop.granted("bob", &json!({})).await;
    let screen = films().await;
    assert_eq!(screen.len(), 2);
    let shown = film(&screen, &shop.item);
    assert_eq!((&shown["available"], &shown["reservations"]), (&json!(0), &json!(2)));
    assert!(["reserve", "pay"].contains(&shown["last_action"]["action"].as_str().unwrap()), "{shown}");
    assert_eq!(film(&screen, &other)["last_action"]["action"], "register");

    shop.cancelled("bob", &bob).await;
    let screen = films().await;
    let shown = film(&screen, &shop.item);
    assert_eq!((&shown["available"], &shown["reservations"]), (&json!(1), &json!(1)));
    assert_eq!(shown["last_action"]["action"], "cancel");
    assert!(shown["last_action"]["at"].is_string());
}

#[tokio::test]
async fn several_reservations_of_one_film_are_all_shown() {
    let shop = Shop::of(Business::cinema(), json!(10)).await;
    let mut reservations = BTreeSet::new();
    for customer in ["alice", "alice", "bob", "carol"] {
        reservations.insert(shop.granted(customer, &json!({})).await);
    }
    assert_eq!(shop.shown().await["reservations"], 4);

    let queue = shop.dispatches().await;
    let listed: BTreeSet<String> = queue.iter().map(|one| one["rental"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, reservations);
    assert!(queue.iter().all(|one| one["item"] == shop.item.as_str()));
    assert_eq!(shop.all("/v1/mypage/reservations", "customer:alice").await.len(), 2);
    assert_eq!(shop.all("/v1/mypage/reservations", "customer:bob").await.len(), 1);
}

#[tokio::test]
async fn a_reservation_has_a_customer() {
    let shop = Shop::of(Business::cinema(), json!(10)).await;
    let alice = shop.granted("alice", &json!({})).await;
    shop.granted("bob", &json!({})).await;

    assert_eq!(shop.rental("alice", &alice).await["customer"], "alice");
    let customers: BTreeSet<String> =
        shop.dispatches().await.iter().map(|one| one["customer"].as_str().unwrap().to_owned()).collect();
    assert_eq!(customers, BTreeSet::from(["alice".to_owned(), "bob".to_owned()]));
    // And it is a customer's token that says whose, never the body.
    let stolen = json!({ "customer": "bob" });
    shop.wish("alice", &stolen).await.problem(422, "invalid");
    shop.cancellation("bob", &alice).await.problem(404, "not-found");
}
