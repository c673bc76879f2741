//! One effect and one answer for each idempotency key.

use super::house::{Ask, House, Reply, car, seoul_cars, summer};
use domain::Event;
use domain::rental::{RentalCommand, RentalEvent};
use journal::Recorded;
use serde_json::json;

const STAFF: &str = "staff:seoul-cars";

fn same(first: &Reply, second: &Reply) {
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    for name in ["content-type", "location", "etag", "journal-position"] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
}

fn post<'a>(house: &'a House, key: &str) -> Ask<'a> {
    house.post("/v1/stores/seoul-cars/items").by(STAFF).header("idempotency-key", key).json(&car(1))
}

#[tokio::test]
async fn a_repeat_gives_the_same_answer_and_has_no_effect_also_after_a_restart() {
    let house = House::open().await;
    house.seoul().await;
    let first = post(&house, "one").send().await;
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (201, ""));
    let second = post(&house, "one").send().await;
    same(&first, &second);
    assert_eq!(second.header("idempotent-replayed"), "true");
    let other = post(&house, "two").send().await;
    assert_ne!(first.json()["id"], other.json()["id"]);
    let house = house.restarted().await;
    let third = post(&house, "one").send().await;
    same(&first, &third);
    assert_eq!(third.header("idempotent-replayed"), "true");
    assert_eq!(house.count("ItemRegistered").await, 2);
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_and_to_one_request() {
    let house = House::open().await;
    house.seoul().await;
    let close = |who: &str| house.post("/v1/stores/seoul-cars/close").by(who).header("idempotency-key", "k");
    assert_eq!(close("admin").send().await.status, 200);
    assert_eq!(close(STAFF).send().await.header("idempotent-replayed"), "");
    let body = close("admin").json(&json!({})).send().await;
    assert_eq!((body.status.as_u16(), body.problem().as_str()), (422, "idempotency-key-reused"));
    let path = house.post("/v1/stores/seoul-cars/open").by("admin").header("idempotency-key", "k").send().await;
    assert_eq!(path.problem(), "idempotency-key-reused");
    assert_eq!(house.count("StoreOpened").await, 0);
}

#[tokio::test]
async fn a_refusal_is_repeated_too() {
    let house = House::open().await;
    house.seoul().await;
    let mut other = seoul_cars();
    other["name"] = "Others".into();
    let post = || house.post("/v1/stores").by("admin").header("idempotency-key", "k").json(&other).send();
    let (first, second) = (post().await, post().await);
    assert_eq!(first.problem(), "slug-taken");
    same(&first, &second);
    assert_eq!(second.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn counted_stock_is_counted_once() {
    let house = House::open().await;
    let id = house.cars(1).await;
    let address = format!("/v1/items/{id}/stock");
    for _ in 0..3 {
        let ask = house.post(&address).by(STAFF).header("idempotency-key", "delivery-7");
        assert_eq!(ask.json(&json!({ "change": 5 })).send().await.json()["stock"], 6);
    }
}

fn confirm(_: &Recorded, event: &Event) -> Option<RentalCommand> {
    match event {
        Event::Rental(RentalEvent::Requested { .. }) => {
            Some(RentalCommand::Confirm { total: super::house::won(45_000), now: chrono::Utc::now() })
        }
        _ => None,
    }
}

#[tokio::test]
async fn three_at_once_give_one_rental_and_three_equal_answers() {
    let house = House::open().await;
    let item = house.cars(5).await;
    house.answering(confirm);
    let ask = || {
        house.post("/v1/rentals").by("customer:alice").header("idempotency-key", "summer").json(&summer(&item)).send()
    };
    let (first, second, third) = tokio::join!(ask(), ask(), ask());
    assert_eq!(first.status, 201, "{first:?}");
    same(&first, &second);
    same(&first, &third);
    assert_eq!(house.count("RentalRequested").await, 1);
}

fn patient<'a>(house: &'a House, item: &str) -> Ask<'a> {
    let ask = house.post("/v1/rentals").by("customer:alice").header("idempotency-key", "summer");
    ask.header("prefer", "wait=30").json(&summer(item))
}

/// A crash between the work and its answer: the key was received, the rental stands, and nothing was answered.
#[tokio::test]
async fn work_that_was_done_and_not_answered_is_not_done_twice() {
    let house = House::open().await;
    let item = house.cars(5).await;
    // Nobody answers: the caller goes away once the rental is there.
    {
        let mut head = house.journal.watch_head();
        let asked = patient(&house, &item).send();
        tokio::pin!(asked);
        let there = async {
            while house.count("RentalRequested").await == 0 {
                head.changed().await.unwrap();
            }
        };
        tokio::select! {
            reply = &mut asked => panic!("{reply:?}"),
            () = there => {}
        }
    }
    let house = house.restarted().await;
    let events = house.journal.read_all(0, 1_000).await.unwrap();
    let requested = events.iter().find(|event| &*event.event_type == "RentalRequested").unwrap();
    let id = requested.aggregate_id().to_owned();
    house.rental(&id, RentalCommand::Confirm { total: super::house::won(1), now: chrono::Utc::now() }).await;
    let reply = patient(&house, &item).send().await;
    assert_eq!((reply.status.as_u16(), &reply.json()["id"]), (201, &json!(id)));
    assert_eq!(reply.header("idempotent-replayed"), "");
    assert_eq!(house.count("RentalRequested").await, 1);
    same(&reply, &patient(&house, &item).send().await);
}

#[tokio::test]
async fn an_if_match_that_its_own_effect_made_stale_is_no_obstacle() {
    let house = House::open().await;
    house.seoul().await;
    let rename = || {
        let ask = house.patch("/v1/stores/seoul-cars").by("admin").header("idempotency-key", "k");
        ask.header("if-match", "\"1\"").json(&json!({ "name": "New" })).send()
    };
    {
        // The caller goes away once the effect is there, and before the answer is recorded.
        let mut head = house.journal.watch_head();
        let asked = rename();
        tokio::pin!(asked);
        let there = async {
            while house.count("StoreRenamed").await == 0 {
                head.changed().await.unwrap();
            }
        };
        tokio::select! {
            biased;
            () = there => {}
            _ = &mut asked => {}
        }
    }
    let reply = rename().await;
    assert_eq!((reply.status.as_u16(), reply.header("etag")), (200, "\"2\""), "{reply:?}");
    assert_eq!(house.count("StoreRenamed").await, 1);
}
