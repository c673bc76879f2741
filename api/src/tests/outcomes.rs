//! Waiting for what becomes of a rental.

use super::house::{House, Reply, seoul_cars, summer, won};
use crate::Settings;
use chrono::Utc;
use domain::Event;
use domain::rental::{RejectReason, RentalCommand, RentalEvent};
use journal::Recorded;
use serde_json::json;
use std::time::Duration;

const STAFF: &str = "staff:seoul-cars";

async fn ask(house: &House, item: &str) -> Reply {
    house.post("/v1/rentals").by("customer:alice").json(&summer(item)).send().await
}

fn confirm(_: &Recorded, event: &Event) -> Option<RentalCommand> {
    match event {
        Event::Rental(RentalEvent::Requested { .. }) => {
            Some(RentalCommand::Confirm { total: won(45_000), now: Utc::now() })
        }
        _ => None,
    }
}

#[tokio::test]
async fn a_confirmed_rental_is_answered_as_it_is_read_later() {
    let house = House::open().await;
    let item = house.cars(1).await;
    house.answering(confirm);
    let reply = ask(&house, &item).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let rental = reply.json();
    let id = rental["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("/v1/rentals/{id}"));
    assert_eq!(reply.header("etag"), "\"2\"");
    assert_eq!((&rental["status"], &rental["status_label"]), (&json!("confirmed"), &json!("booked")));
    let read = house.get(&format!("/v1/rentals/{id}")).by("customer:alice").send().await;
    assert_eq!((read.json(), read.header("etag"), read.position()), (rental.clone(), "\"2\"", reply.position()));
    let page = house.get("/v1/mypage").by("customer:alice").send().await.json();
    assert_eq!(page["items"][0], rental);
    let line = house.get("/v1/mypage/reservations").by("customer:alice").send().await.json();
    assert_eq!((&line["items"][0]["id"], &line["items"][0]["status"]), (&rental["id"], &json!("confirmed")));
}

#[tokio::test]
async fn a_rental_that_cannot_be_had_says_why() {
    let reasons = [
        (RejectReason::OutOfStock { available: 2 }, 409, "out-of-stock", "available"),
        (RejectReason::QuotaExceeded { limit: 3 }, 409, "quota-exceeded", "limit"),
        (RejectReason::PaymentDeclined { code: "no_funds".to_owned() }, 402, "payment-declined", "code"),
        (RejectReason::SeatsTaken { seats: vec!["A1".to_owned()] }, 409, "seats-taken", "seats"),
    ];
    for (reason, status, slug, member) in reasons {
        let house = House::open().await;
        let item = house.cars(1).await;
        let asked = house.post("/v1/rentals").by("customer:alice").json(&summer(&item)).send();
        let rejecting = async {
            let mut follower = house.journal.follow(0);
            loop {
                for event in follower.next(100).await.unwrap() {
                    if &*event.event_type == "RentalRequested" {
                        let command = RentalCommand::Reject { reason: reason.clone(), now: Utc::now() };
                        return house.rental(event.aggregate_id(), command).await;
                    }
                }
            }
        };
        let (reply, ()) = tokio::join!(asked, rejecting);
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, slug));
        let problem = reply.json();
        assert!(problem.get(member).is_some() && problem["rental"].is_string(), "{problem}");
        let address = format!("/v1/rentals/{}", problem["rental"].as_str().unwrap());
        assert_eq!(house.get(&address).by("customer:alice").send().await.json()["status"], "rejected");
    }
}

#[tokio::test]
async fn who_does_not_want_to_wait_is_told_where_to_look() {
    let house = House::open().await;
    let item = house.cars(1).await;
    for preference in ["respond-async", "wait=0"] {
        let asked = house.post("/v1/rentals").by("customer:alice").header("prefer", preference).json(&summer(&item));
        let reply = asked.send().await;
        assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (202, &json!("requested")));
        assert_eq!(reply.header("preference-applied"), preference);
        assert!(reply.header("location").starts_with("/v1/rentals/"));
        assert_eq!(reply.position(), house.journal.head());
    }
}

#[tokio::test]
async fn a_slow_step_is_answered_with_202_when_the_wait_is_over() {
    let house = House::with(Settings { wait: Duration::from_millis(1), ..Settings::default() }).await;
    let item = house.cars(1).await;
    let reply = ask(&house, &item).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (202, &json!("requested")));
}

#[tokio::test]
async fn staff_takes_a_rental_through_its_life() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let id = house.confirmed(&item).await;
    house.answering(|_, event| match event {
        Event::Dispatch(domain::dispatch::DispatchEvent::Prepared { at }) => {
            Some(RentalCommand::MarkPrepared { now: *at })
        }
        Event::Dispatch(domain::dispatch::DispatchEvent::HandedOver { at }) => {
            Some(RentalCommand::MarkHandedOver { now: *at })
        }
        Event::Rental(RentalEvent::Returned { at, .. }) => Some(RentalCommand::Complete { now: *at }),
        _ => None,
    });
    let queue = house.get("/v1/stores/seoul-cars/dispatches?status=requested").by(STAFF).send().await.json();
    assert_eq!(queue["items"][0]["rental"], id);
    let step = |name: &str| house.post(&format!("/v1/rentals/{id}/{name}")).by(STAFF).send();
    assert_eq!(step("hand-over").await.problem(), "not-prepared");
    for (name, status, label) in [
        ("prepare", "prepared", "ready for pick-up"),
        ("hand-over", "handed_over", "rented"),
        ("return", "completed", "completed"),
    ] {
        let reply = step(name).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (200, &json!(status)), "{reply:?}");
        assert_eq!(reply.json()["status_label"], label);
        let again = step(name).await;
        assert_eq!((again.status, again.json()), (reply.status, reply.json()), "{name} again");
    }
    let history = house.get(&format!("/v1/rentals/{id}/history")).by("customer:alice").send().await.json();
    let types: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = [
        "RentalRequested",
        "RentalConfirmed",
        "DispatchRequested",
        "DispatchPrepared",
        "RentalPrepared",
        "DispatchHandedOver",
        "RentalHandedOver",
        "RentalReturned",
        "RentalCompleted",
    ];
    assert_eq!(types, expected);
    assert_eq!(history["items"][0]["actor"], "customer:alice");
    assert_eq!(history["items"][0]["correlation_id"], id);
    assert_eq!(history["items"][0]["data"]["terms"]["item"], item);
}

#[tokio::test]
async fn a_step_at_the_wrong_time_says_why() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let requested = house.requested(&item).await;
    let step = |id: String, name: &'static str| {
        let house = &house;
        async move { house.post(&format!("/v1/rentals/{id}/{name}")).by(STAFF).send().await.problem() }
    };
    assert_eq!(step(requested.clone(), "prepare").await, "not-dispatched-yet");
    assert_eq!(step(requested, "return").await, "wrong-status");
    let confirmed = house.confirmed(&item).await;
    assert_eq!(house.post("/v1/stores/seoul-cars/close").by(STAFF).send().await.status, 200);
    assert_eq!(step(confirmed, "prepare").await, "store-closed");
    assert_eq!(step("018f0000-0000-7000-8000-000000000000".to_owned(), "prepare").await, "not-found");
    assert_eq!(step("no-uuid".to_owned(), "prepare").await, "not-found");
}

#[tokio::test]
async fn a_step_that_comes_before_the_store_knows_waits_for_that() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let id = house.requested(&item).await;
    house.rental(&id, RentalCommand::Confirm { total: won(45_000), now: Utc::now() }).await;
    let prepare =
        |wait: &'static str| house.post(&format!("/v1/rentals/{id}/prepare")).by(STAFF).header("prefer", wait).send();
    assert_eq!(prepare("wait=0").await.problem(), "not-dispatched-yet");
    house.answering(|_, event| match event {
        Event::Dispatch(domain::dispatch::DispatchEvent::Prepared { at }) => {
            Some(RentalCommand::MarkPrepared { now: *at })
        }
        _ => None,
    });
    let (reply, ()) = tokio::join!(prepare("wait=30"), house.dispatched(&id, &item));
    assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (200, &json!("prepared")), "{reply:?}");
}

#[tokio::test]
async fn a_cancellation_waits_until_everything_is_undone_and_its_reason_stays_sealed() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let id = house.confirmed(&item).await;
    house.answering(|_, event| match event {
        Event::Rental(RentalEvent::CancellationRequested { at, .. }) => {
            Some(RentalCommand::Cancel { refunded: Some(won(45_000)), now: *at })
        }
        _ => None,
    });
    let address = format!("/v1/rentals/{id}");
    let asked = house.post(&format!("{address}/cancel")).by("customer:alice").header("idempotency-key", "out");
    let reply = asked.json(&json!({ "reason": "a broken leg" })).send().await;
    assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (200, &json!("cancelled")), "{reply:?}");
    assert!(!reply.body.contains("leg"));
    for event in house.journal.read_all(0, 1_000).await.unwrap() {
        assert!(!event.payload.contains("leg"), "{event:?}");
    }
    let rental = house.get(&address).by("customer:alice").send().await.json();
    assert_eq!(rental["cancellation_reason"], "a broken leg");
    let history = house.get(&format!("{address}/history")).by(STAFF).send().await.body;
    assert!(history.contains("a broken leg"), "{history}");
}

#[tokio::test]
async fn what_was_handed_over_is_not_cancelled() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let id = house.confirmed(&item).await;
    house.rental(&id, RentalCommand::MarkHandedOver { now: Utc::now() }).await;
    let reply = house.post(&format!("/v1/rentals/{id}/cancel")).by("customer:alice").send().await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "already-handed-over"));
}

#[tokio::test]
async fn a_cancellation_that_comes_second_is_refused() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let id = house.confirmed(&item).await;
    house.answering(|_, event| match event {
        Event::Rental(RentalEvent::CancellationRequested { at, .. }) => {
            Some(RentalCommand::MarkHandedOver { now: *at })
        }
        _ => None,
    });
    let reply = house.post(&format!("/v1/rentals/{id}/cancel")).by(STAFF).send().await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "already-handed-over"));
}

#[tokio::test]
async fn a_rental_is_read_as_it_was() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let id = house.requested(&item).await;
    let before = house.journal.head();
    house.rental(&id, RentalCommand::Confirm { total: won(1), now: Utc::now() }).await;
    let read = |as_of: String| house.get(&format!("/v1/rentals/{id}?as_of={as_of}")).by("customer:alice").send();
    let was = read(before.to_string()).await;
    assert_eq!((&was.json()["status"], was.position(), was.header("etag")), (&json!("requested"), before, "\"1\""));
    assert_eq!(read((before + 1).to_string()).await.json()["status"], "confirmed");
    assert_eq!(read((before - 1).to_string()).await.problem(), "not-found");
    assert_eq!(read("2999-01-01T00:00:00Z".to_owned()).await.json()["status"], "confirmed");
    assert_eq!(read("2020-01-01T00:00:00Z".to_owned()).await.problem(), "not-found");
    assert_eq!(read("then".to_owned()).await.problem(), "invalid");
}

#[tokio::test]
async fn a_changed_policy_is_the_one_that_the_next_rental_is_under() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let mut policy = serde_json::to_value(domain::policy::Policy::preset("car-rental").unwrap()).unwrap();
    policy["rules"]["hold_s"] = 60.into();
    policy["words"]["status"]["requested"] = "noted".into();
    let body = json!({ "policy": policy });
    let reply = house.patch(&format!("/v1/stores/{}", seoul_cars()["slug"].as_str().unwrap())).by(STAFF).json(&body);
    assert_eq!(reply.send().await.status, 200);
    let id = house.requested(&item).await;
    let rental = house.get(&format!("/v1/rentals/{id}")).by("customer:alice").send().await.json();
    assert_eq!(rental["status_label"], "noted");
    let history = house.get(&format!("/v1/rentals/{id}/history")).by("customer:alice").send().await.json();
    assert_eq!(history["items"][0]["data"]["terms"]["rules"]["hold_s"], 60);
}
