//! CIN-1, CIN-8: films come, change and go, and one screen shows each with its availability, reservations, payments,
//! reviews and last action.

use crate::venue::Venue;
use harness::Reply;
use serde_json::{Value, json};

fn won(amount: i64) -> Value {
    json!({ "amount_minor": amount, "currency": "KRW" })
}

/// Availability, reservations, payments and reviews on one line, and the last action.
fn line(film: &Value) -> (Value, Value) {
    let payments = &film["payments"];
    let shown = json!([
        film["available"],
        film["reservations"],
        payments["approved"],
        payments["amount"]["amount_minor"],
        payments["refunded"]["amount_minor"],
        film["reviews"]["count"],
        film["reviews"]["average"],
    ]);
    (shown, film["last_action"]["action"].clone())
}

fn is(film: &Reply, shown: Value, action: &str) {
    assert_eq!(line(&film.json), (shown, json!(action)));
}

async fn cancelled(cinema: &Venue, customer: &str, rental: &str) {
    let cancel = cinema.post(format!("/v1/rentals/{rental}/cancel")).by(format!("customer:{customer}")).waiting_s(20);
    cancel.json(json!({})).await.is(200);
}

#[tokio::test]
async fn the_screen_follows_a_film_through_everything_that_is_done_to_it() {
    let cinema = Venue::cinema().await;
    let film = cinema.item("Parasite", json!(3)).await;
    let screen = async || cinema.screen(&film).await;
    is(&screen().await, json!([3, 0, 0, null, null, 0, null]), "register");

    let price = json!({ "name": "Parasite, in black and white", "price": won(1_500) });
    cinema.patch(format!("/v1/items/{film}")).by(cinema.staff()).json(price).await.is(200);
    is(&screen().await, json!([3, 0, 0, null, null, 0, null]), "edit");

    // Two of one film: in the old system the second reservation took the place of the first.
    let alice = cinema.reserved("alice", json!({ "item": film })).await;
    let bob = cinema.reserved("bob", json!({ "item": film })).await;
    is(&screen().await, json!([1, 2, 2, 3_000, null, 0, null]), "pay");

    // And cancelling one freed the seat of the other.
    cancelled(&cinema, "bob", &bob).await;
    is(&screen().await, json!([2, 1, 2, 3_000, 1_500, 0, null]), "cancel");

    cinema.step(&alice, "hand-over").await.is(200);
    cinema.review("POST", "alice", &alice, json!({ "stars": 4 })).await.is(201);
    is(&screen().await, json!([2, 1, 2, 3_000, 1_500, 1, 4.0]), "review");

    let carol = cinema.reserved("carol", json!({ "item": film })).await;
    cinema.step(&carol, "hand-over").await.is(200);
    cinema.review("POST", "carol", &carol, json!({ "stars": 5, "text": "Again!" })).await.is(201);
    let seen = screen().await;
    is(&seen, json!([1, 2, 3, 4_500, 1_500, 2, 4.5]), "review");
    let listed = cinema.get("/v1/stores/cinema/items").await.is(200).items();
    assert_eq!(listed, std::slice::from_ref(&seen.json));
    cinema.closes_its_books().await;
}

#[tokio::test]
async fn a_film_is_removed_while_reservations_stand_and_they_go_on() {
    let cinema = Venue::cinema().await;
    let film = cinema.item("Parasite", json!(2)).await;
    let alice = cinema.reserved("alice", json!({ "item": film })).await;
    let bob = cinema.reserved("bob", json!({ "item": film })).await;
    assert_eq!(cinema.delete(format!("/v1/items/{film}")).by(cinema.staff()).await.is(200)["retired"], true);
    is(&cinema.screen(&film).await, json!([0, 2, 2, 2_000, null, 0, null]), "retire");
    let refused = cinema.post("/v1/rentals").by("customer:carol").json(json!({ "item": film }));
    refused.waiting_s(20).await.problem(409, "item-retired");

    cinema.step(&alice, "hand-over").await.is(200);
    cinema.review("POST", "alice", &alice, json!({ "stars": 2 })).await.is(201);
    cancelled(&cinema, "bob", &bob).await;
    let removed = cinema.screen(&film).await;
    is(&removed, json!([0, 1, 2, 2_000, 1_000, 1, 2.0]), "cancel");
    assert_eq!((&removed["retired"], &removed["name"]), (&json!(true), &json!("Parasite")));
    assert!(cinema.get("/v1/stores/cinema/items").await.is(200).items().is_empty());
    cinema.closes_its_books().await;
}

#[tokio::test]
async fn every_film_has_a_line_and_pages_are_full_whatever_was_removed() {
    let cinema = Venue::cinema().await;
    let mut films = Vec::new();
    for number in 1..=7 {
        films.push(cinema.item(&format!("Part {number}"), json!(5)).await);
    }
    for film in [&films[1], &films[4], &films[5]] {
        cinema.delete(format!("/v1/items/{film}")).by(cinema.staff()).await.is(200);
    }
    cinema.settled().await;
    let first = cinema.get("/v1/stores/cinema/items?limit=2").await.is(200);
    let cursor = first["next"].as_str().unwrap();
    let second = cinema.get(format!("/v1/stores/cinema/items?limit=2&cursor={cursor}")).await.is(200);
    let names: Vec<_> =
        [&first, &second].iter().flat_map(|page| page.items()).map(|film| film["name"].clone()).collect();
    assert_eq!(names, ["Part 7", "Part 4", "Part 3", "Part 1"]);
    assert_eq!(second["next"], Value::Null);
}
