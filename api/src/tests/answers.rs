//! The shapes of answers and problems.

use super::house::{House, Reply, car, seoul_cars, summer};
use crate::Settings;
use serde_json::{Value, json};
use std::time::Duration;

async fn store(house: &House, body: &Value) -> Reply {
    house.post("/v1/stores").by("admin").json(body).send().await
}

async fn item(house: &House, body: &Value) -> Reply {
    house.post("/v1/stores/seoul-cars/items").by("staff:seoul-cars").json(body).send().await
}

fn changed(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[tokio::test]
async fn a_new_store_is_answered_with_its_address_revision_and_position() {
    let house = House::open().await;
    let reply = house.seoul().await;
    assert_eq!(reply.header("location"), "/v1/stores/seoul-cars");
    assert_eq!((reply.header("etag"), reply.position()), ("\"1\"", 1));
    let store = reply.json();
    assert_eq!(
        (&store["slug"], &store["policy"], &store["open"]),
        (&json!("seoul-cars"), &json!("car-rental"), &json!(true))
    );
    let read = house.get("/v1/stores/seoul-cars").send().await;
    assert_eq!((read.status.as_u16(), read.header("etag"), read.position()), (200, "\"1\"", 1));
    for field in ["slug", "name", "policy", "time_zone", "currency", "open"] {
        assert_eq!(read.json()[field], store[field], "{field}");
    }
}

#[tokio::test]
async fn a_policy_of_the_users_own_is_checked_and_taken() {
    let house = House::open().await;
    let mut own = serde_json::to_value(domain::policy::Policy::preset("library").unwrap()).unwrap();
    own["name"] = "tool-shed".into();
    let reply = store(&house, &changed(seoul_cars(), "policy", own.clone())).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["policy"]), (201, &json!("tool-shed")));
    own["rules"]["hold_s"] = 0.into();
    let other = changed(seoul_cars(), "slug", json!("other"));
    let reply = store(&house, &changed(other, "policy", own)).await;
    assert_eq!((reply.problem().as_str(), &reply.json()["field"]), ("invalid", &json!("policy.rules.hold_s")));
}

#[tokio::test]
async fn what_is_not_json_or_not_what_was_asked_for_says_what_is_wrong() {
    let house = House::open().await;
    house.seoul().await;
    let post = || house.post("/v1/stores").by("admin");
    let new = changed(seoul_cars(), "slug", json!("other"));
    let cases = [
        (post().raw("{").header("content-type", "application/json").send().await, 400, "malformed-json"),
        (post().raw("{}").send().await, 415, "unsupported-media-type"),
        (
            post().raw("a=b").header("content-type", "application/x-www-form-urlencoded").send().await,
            415,
            "unsupported-media-type",
        ),
        (post().json(&json!({})).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "colour", json!("red"))).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "time_zone", json!("Mars/Base"))).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "currency", json!("won"))).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "slug", json!("No Slug"))).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "policy", json!("bakery"))).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "policy", json!(7))).send().await, 422, "invalid"),
        (post().json(&changed(new.clone(), "name", json!(""))).send().await, 422, "invalid"),
        (post().json(&changed(seoul_cars(), "name", json!("Others"))).send().await, 409, "slug-taken"),
        (post().json(&changed(seoul_cars(), "name", json!("x".repeat(70_000)))).send().await, 413, "body-too-large"),
        (item(&house, &changed(car(1), "stock", json!(null))).await, 422, "invalid"),
        (item(&house, &changed(car(1), "stock", json!({ "seats": ["A1"] }))).await, 422, "invalid"),
        (item(&house, &changed(car(1), "stock", json!(-1))).await, 422, "invalid"),
        (
            item(&house, &changed(car(1), "price", json!({ "amount_minor": 1, "currency": "USD" }))).await,
            422,
            "invalid",
        ),
        (
            item(&house, &changed(car(1), "price", json!({ "amount_minor": 1.5, "currency": "KRW" }))).await,
            422,
            "invalid",
        ),
        (
            item(&house, &json!({ "name": "Compact", "price": { "amount_minor": 1, "currency": "KRW" } })).await,
            422,
            "invalid",
        ),
    ];
    for (index, (reply, status, slug)) in cases.iter().enumerate() {
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (*status, *slug), "{index}: {reply:?}");
    }
}

#[tokio::test]
async fn commands_without_a_body_take_none_or_an_empty_one() {
    let house = House::open().await;
    house.seoul().await;
    let close = || house.post("/v1/stores/seoul-cars/close").by("admin");
    assert_eq!(close().send().await.status, 200);
    assert_eq!(close().json(&json!({})).send().await.json()["open"], false);
    assert_eq!(close().json(&json!({ "now": true })).send().await.status, 422);
}

#[tokio::test]
async fn headers_that_cannot_be_read_are_400() {
    let house = House::open().await;
    house.seoul().await;
    let open = || house.post("/v1/stores/seoul-cars/open").by("admin");
    for (name, value) in [
        ("if-match", "1"),
        ("if-match", "W/\"1\""),
        ("if-match", "\"one\""),
        ("x-correlation-id", ""),
        ("x-correlation-id", "two words"),
        ("idempotency-key", ""),
    ] {
        let reply = open().header(name, value).send().await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "malformed-request"), "{name}: {value}");
    }
    assert_eq!(open().header("idempotency-key", &"k".repeat(256)).send().await.status, 400);
    assert_eq!(open().header("idempotency-key", &"k".repeat(255)).send().await.status, 200);
    assert_eq!(open().header("x-correlation-id", &"c".repeat(129)).send().await.status, 400);
    assert_eq!(open().header("x-correlation-id", &"c".repeat(128)).send().await.status, 200);
}

#[tokio::test]
async fn a_stale_if_match_is_412_and_changes_nothing() {
    let house = House::open().await;
    house.seoul().await;
    let rename = |tag: &'static str, name: &'static str| {
        house.patch("/v1/stores/seoul-cars").by("admin").header("if-match", tag).json(&json!({ "name": name })).send()
    };
    assert_eq!(rename("\"1\"", "First").await.header("etag"), "\"2\"");
    let stale = rename("\"1\"", "Second").await;
    assert_eq!((stale.status.as_u16(), stale.problem().as_str()), (412, "stale-revision"));
    assert_eq!(stale.json()["revision"], 2);
    assert_eq!(house.get("/v1/stores/seoul-cars").send().await.json()["name"], "First");
    assert_eq!(rename("*", "Third").await.status, 200);
}

#[tokio::test]
async fn dates_are_read_in_the_stores_time_zone() {
    let house = House::open().await;
    let car = house.cars(1).await;
    let id = house.requested(&car).await;
    let rental = house.get(&format!("/v1/rentals/{id}")).by("customer:alice").send().await.json();
    assert_eq!((&rental["from"], &rental["to"]), (&json!("2126-06-30T15:00:00Z"), &json!("2126-07-03T15:00:00Z")));
    let available = |range: &str| house.get(&format!("/v1/items/{car}/availability?{range}")).send();
    assert_eq!(available("from=2126-07-01&to=2126-07-02").await.json()["available"], 1);
    for range in ["from=2126-07-01", "from=2126-07-02&to=2126-07-01", "from=soon&to=later", "to=2126-07-01", "when=now"]
    {
        assert_eq!(available(range).await.problem(), "invalid", "{range}");
    }
}

#[tokio::test]
async fn a_rental_that_does_not_fit_is_422_and_an_unknown_item_404() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let ask = |body: Value| house.post("/v1/rentals").by("customer:alice").json(&body).send();
    let past = ask(json!({ "item": item, "from": "2020-07-01", "to": "2020-07-04" })).await;
    assert_eq!((past.status.as_u16(), past.problem().as_str()), (422, "starts-in-the-past"));
    for body in [
        json!({ "item": item }),
        json!({ "item": item, "from": "2126-07-01" }),
        json!({ "item": item, "from": "2126-07-04", "to": "2126-07-01" }),
        changed(summer(&item), "quantity", json!(0)),
        changed(summer(&item), "quantity", json!(-1)),
        changed(summer(&item), "seats", json!(["A1"])),
        changed(summer(&item), "customer", json!("bob")),
        summer("no-uuid"),
    ] {
        let reply = ask(body.clone()).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "invalid"), "{body}");
    }
    let unknown = ask(summer("018f0000-0000-7000-8000-000000000000")).await;
    assert_eq!((unknown.status.as_u16(), unknown.problem().as_str()), (404, "not-found"));
    assert_eq!(house.count("RentalRequested").await, 0);
}

#[tokio::test]
async fn beyond_its_places_a_house_asks_to_come_back() {
    let house = House::with(Settings { max_in_flight: 0, wait: Duration::ZERO, ..Settings::default() }).await;
    let reply = store(&house, &seoul_cars()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (503, "overloaded"));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(house.get("/v1/stores").send().await.status, 200);
}

#[tokio::test]
async fn while_as_many_as_may_be_are_undecided_nobody_else_is_let_in() {
    // Nobody decides anything here.
    let house = House::with(Settings { max_in_flight: 2, wait: Duration::ZERO, ..Settings::default() }).await;
    house.seoul().await;
    let item = house.cars(8).await;
    let ask = async || house.post("/v1/rentals").by("customer:alice").json(&summer(&item)).send().await;
    for _ in 0..2 {
        assert_eq!(ask().await.status, 202);
    }
    let reply = ask().await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (503, "overloaded"));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(house.count("RentalRequested").await, 2);
}

#[tokio::test]
async fn readiness_turns_red_when_the_house_drains() {
    let house = House::open().await;
    assert_eq!(house.get("/health/live").send().await.status, 200);
    let ready = house.get("/health/ready").send().await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (200, &json!("ready")));
    assert!(ready.json()["subscriptions"].as_array().unwrap().iter().any(|view| view["name"] == "view-mypage"));
    house.running.drain();
    let ready = house.get("/health/ready").send().await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (503, &json!("draining")));
}

#[tokio::test]
async fn what_is_measured_names_routes_and_not_addresses() {
    let house = House::open().await;
    house.seoul().await;
    house.get("/v1/stores/seoul-cars").send().await;
    house.get("/v1/stores/nowhere").send().await;
    let text = house.get("/metrics").send().await.body;
    assert!(text.contains("reservoir_journal_head 1\n"), "{text}");
    let counted = |status: u16| {
        format!("reservoir_http_requests_total{{route=\"/v1/stores/{{store}}\",method=\"GET\",status=\"{status}\"}} 1")
    };
    assert!(text.contains(&counted(200)) && text.contains(&counted(404)), "{text}");
    assert!(text.contains("reservoir_subscription_lag{subscription=\"view-stores\"}"), "{text}");
}
