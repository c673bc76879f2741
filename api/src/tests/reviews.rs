//! Reviews: who may write one when, and who reads what of it.

use super::house::{Ask, House, Reply, won};
use crate::Vault;
use chrono::Utc;
use domain::rental::RentalCommand;
use serde_json::{Value, json};

const ALICE: &str = "customer:alice";

/// A cinema with one film; answers the film's id.
async fn cinema(house: &House) -> String {
    let body = json!({
        "slug": "odeon", "name": "Odeon", "policy": "cinema", "time_zone": "Asia/Seoul", "currency": "KRW"
    });
    assert_eq!(house.post("/v1/stores").by("admin").json(&body).send().await.status, 201);
    let film = json!({ "name": "Oldboy", "price": { "amount_minor": 12_000, "currency": "KRW" }, "stock": { "seats": ["A1"] } });
    let film = house.post("/v1/stores/odeon/items").by("staff:odeon").json(&film).send().await;
    film.json()["id"].as_str().unwrap().to_owned()
}

/// A seat that somebody has; what a saga would do about stock and money does not matter here.
async fn reserved(house: &House, film: &str, who: &str) -> String {
    let asked = house.post("/v1/rentals").by(who).header("prefer", "respond-async").json(&json!({ "item": film }));
    let id = asked.send().await.json()["id"].as_str().unwrap().to_owned();
    house.rental(&id, RentalCommand::Confirm { total: won(12_000), now: Utc::now() }).await;
    id
}

async fn attended(house: &House, film: &str, who: &str) -> String {
    let id = reserved(house, film, who).await;
    house.rental(&id, RentalCommand::MarkHandedOver { now: Utc::now() }).await;
    id
}

fn review<'a>(house: &'a House, method: &str, rental: &str, body: &Value) -> Ask<'a> {
    house.request(method, &format!("/v1/rentals/{rental}/review")).by(ALICE).json(body)
}

async fn delete(house: &House, rental: &str) -> Reply {
    house.request("DELETE", &format!("/v1/rentals/{rental}/review")).by(ALICE).send().await
}

async fn read(house: &House, address: &str) -> Value {
    let reply = house.get(address).by(ALICE).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

async fn texts(house: &House, film: &str) -> Vec<Value> {
    let list = read(house, &format!("/v1/items/{film}/reviews")).await;
    list["items"].as_array().unwrap().iter().map(|review| review["text"].clone()).collect()
}

#[tokio::test]
async fn nothing_is_said_of_a_film_before_it_is_seen() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = reserved(&house, &film, ALICE).await;
    let early = review(&house, "POST", &rental, &json!({ "stars": 5 })).send().await;
    assert_eq!((early.status.as_u16(), early.problem().as_str()), (409, "not-reviewable-yet"));
    assert_eq!(early.json()["rental_status"], "confirmed");
    let edit = review(&house, "PUT", &rental, &json!({ "stars": 5 })).send().await;
    assert_eq!((edit.status.as_u16(), edit.problem().as_str()), (404, "not-found"));
    assert_eq!(delete(&house, &rental).await.status, 200);
    assert_eq!(house.count("ReviewDeleted").await, 0);
}

#[tokio::test]
async fn a_review_is_read_by_everybody_without_a_name() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = attended(&house, &film, ALICE).await;
    let said = json!({ "stars": 4, "text": "That corridor." });
    let reply = review(&house, "POST", &rental, &said).send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    // What is answered to a command may be kept: it has no words in it.
    let shown = reply.json()["review"].clone();
    assert_eq!((&shown["stars"], shown.get("text"), shown["at"].is_string()), (&json!(4), None, true));
    assert_eq!(reply.header("etag"), "\"5\"");

    let list = house.get(&format!("/v1/items/{film}/reviews")).send().await.json();
    let item = &list["items"][0];
    let members: Vec<_> = item.as_object().unwrap().keys().collect();
    assert_eq!(members, ["edited_at", "stars", "text", "written_at"]);
    assert_eq!((&item["stars"], &item["text"], &item["edited_at"]), (&json!(4), &said["text"], &Value::Null));
    assert_eq!(read(&house, &format!("/v1/rentals/{rental}")).await["review"]["text"], said["text"]);
    assert_eq!(read(&house, "/v1/mypage").await["items"][0]["review"]["stars"], 4);
    let history = read(&house, &format!("/v1/rentals/{rental}/history")).await;
    let written = history["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&written["type"], &written["data"]["text"]), (&json!("ReviewWritten"), &said["text"]));
    let events = house.journal.read_all(0, 1_000).await.unwrap();
    assert!(events.iter().all(|event| !event.payload.contains("corridor")), "it is stored sealed");
}

#[tokio::test]
async fn reviews_are_counted_and_averaged_on_the_screen() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let shown = async || read(&house, &format!("/v1/items/{film}")).await;
    assert_eq!(shown().await["reviews"], json!({ "count": 0, "average": null }));
    let mut rentals = Vec::new();
    for (who, stars) in [(ALICE, 5), ("customer:bob", 4), ("customer:carol", 4)] {
        let rental = attended(&house, &film, who).await;
        let address = format!("/v1/rentals/{rental}/review");
        assert_eq!(house.post(&address).by(who).json(&json!({ "stars": stars })).send().await.status, 201);
        rentals.push(rental);
    }
    let now = shown().await;
    assert_eq!(now["reviews"], json!({ "count": 3, "average": 4.33 }));
    assert_eq!(now["last_action"]["action"], "review");
    assert_eq!(now["payments"], json!({ "approved": 0, "amount": null, "refunded": null }));
    assert_eq!(read(&house, "/v1/stores/odeon/items").await["items"][0], now);
    assert_eq!(review(&house, "PUT", &rentals[0], &json!({ "stars": 4 })).send().await.status, 200);
    assert_eq!(shown().await["reviews"], json!({ "count": 3, "average": 4.0 }));
    assert_eq!(delete(&house, &rentals[0]).await.status, 200);
    assert_eq!(shown().await["reviews"]["count"], 2);
}

#[tokio::test]
async fn a_rental_has_one_review_and_the_same_words_change_nothing() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = attended(&house, &film, ALICE).await;
    for said in [json!({ "stars": 4 }), json!({ "stars": 4, "text": "Good." })] {
        assert_eq!(review(&house, "POST", &rental, &said).send().await.status, 201);
        for other in [said.clone(), json!({ "stars": 1 })] {
            let again = review(&house, "POST", &rental, &other).send().await;
            assert_eq!((again.status.as_u16(), again.problem().as_str()), (409, "already-reviewed"));
        }
        assert_eq!(review(&house, "PUT", &rental, &said).send().await.status, 200);
        assert_eq!(house.count("ReviewEdited").await, 0, "nothing is different");
        assert_eq!(delete(&house, &rental).await.status, 200);
        assert_eq!(delete(&house, &rental).await.status, 200);
    }
    assert_eq!((house.count("ReviewWritten").await, house.count("ReviewDeleted").await), (2, 2));
    assert_eq!(texts(&house, &film).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_changed_review_says_when_it_was_changed() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = attended(&house, &film, ALICE).await;
    review(&house, "POST", &rental, &json!({ "stars": 4, "text": "Good." })).send().await;
    let edited = review(&house, "PUT", &rental, &json!({ "stars": 2, "text": "Long." })).send().await;
    assert_eq!((edited.status.as_u16(), &edited.json()["review"]["stars"]), (200, &json!(2)));
    let list = read(&house, &format!("/v1/items/{film}/reviews")).await;
    let item = &list["items"][0];
    assert_eq!((&item["stars"], &item["text"], item["edited_at"].is_string()), (&json!(2), &json!("Long."), true));
    review(&house, "PUT", &rental, &json!({ "stars": 2 })).send().await;
    assert_eq!(texts(&house, &film).await, [Value::Null]);
}

#[tokio::test]
async fn a_review_has_stars_and_at_most_two_thousand_characters() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = attended(&house, &film, ALICE).await;
    for body in [
        json!({}),
        json!({ "stars": 0 }),
        json!({ "stars": 6 }),
        json!({ "stars": 300 }),
        json!({ "stars": 4.5 }),
        json!({ "stars": 4, "text": "" }),
        json!({ "stars": 4, "text": " \n" }),
        json!({ "stars": 4, "text": "é".repeat(2001) }),
        json!({ "stars": 4, "name": "alice" }),
    ] {
        let refused = review(&house, "POST", &rental, &body).send().await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (422, "invalid"), "{body}");
    }
    let longest = json!({ "stars": 4, "text": "é".repeat(2000) });
    assert_eq!(review(&house, "POST", &rental, &longest).send().await.status, 201);
    assert_eq!(texts(&house, &film).await, [longest["text"].clone()]);
}

#[tokio::test]
async fn a_business_without_reviews_says_so() {
    let house = House::open().await;
    let car = house.cars(1).await;
    let rental = house.confirmed(&car).await;
    for method in ["POST", "PUT"] {
        let refused = review(&house, method, &rental, &json!({ "stars": 5 })).send().await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "no-reviews"));
    }
    assert_eq!(delete(&house, &rental).await.problem(), "no-reviews");
}

#[tokio::test]
async fn the_words_are_gone_with_the_customer_and_the_stars_are_not() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = attended(&house, &film, ALICE).await;
    review(&house, "POST", &rental, &json!({ "stars": 4, "text": "Good." })).send().await;
    Vault::open(house.directory.path()).unwrap().erase(&"alice".parse().unwrap()).await.unwrap();
    assert_eq!(texts(&house, &film).await, [Value::Null]);
    let own = read(&house, &format!("/v1/rentals/{rental}")).await["review"].clone();
    assert_eq!((&own["stars"], own.get("text")), (&json!(4), Some(&Value::Null)));
    assert_eq!(read(&house, &format!("/v1/items/{film}")).await["reviews"]["count"], 1);
    // Words that nobody can read any more do not stand for others.
    review(&house, "PUT", &rental, &json!({ "stars": 4 })).send().await;
    assert_eq!(house.count("ReviewEdited").await, 1);
}

/// A crash between the work and its answer: sealed again, the same words would look like others.
#[tokio::test]
async fn a_review_that_was_written_and_not_answered_is_not_written_twice() {
    let house = House::open().await;
    let film = cinema(&house).await;
    let rental = attended(&house, &film, ALICE).await;
    let said = json!({ "stars": 4, "text": "Good." });
    let keyed = |method: &str| review(&house, method, &rental, &said).header("idempotency-key", method).send();
    for (method, event, status) in [("POST", "ReviewWritten", 201), ("PUT", "ReviewEdited", 200)] {
        if method == "PUT" {
            review(&house, "PUT", &rental, &json!({ "stars": 1 })).send().await;
        }
        let before = house.count(event).await;
        {
            let mut head = house.journal.watch_head();
            let asked = keyed(method);
            tokio::pin!(asked);
            let there = async {
                while house.count(event).await == before {
                    head.changed().await.unwrap();
                }
            };
            tokio::select! {
                biased;
                () = there => {}
                _ = &mut asked => {}
            }
        }
        let repeated = keyed(method).await;
        assert_eq!(repeated.status.as_u16(), status, "{repeated:?}");
        assert_eq!(house.count(event).await, before + 1);
    }
}

#[tokio::test]
async fn reviews_of_nothing_are_not_there() {
    let house = House::open().await;
    for item in ["nothing", "00000000-0000-0000-0000-000000000001"] {
        assert_eq!(house.get(&format!("/v1/items/{item}/reviews")).send().await.problem(), "not-found");
    }
}
