//! Read your own writes, and do not overwrite what you have not seen.

use harness::{Shop, july};
use serde_json::json;

#[tokio::test]
async fn a_reader_sees_what_it_wrote_or_is_told_to_wait() {
    let shop = Shop::with_cars(100).await;
    for day in 1..=10 {
        let booked = shop.booking("alice", &july(day), &july(day + 1)).await.is(201);
        let path = format!("/v1/mypage?at_least={}", booked.position());
        let page = shop.get(path).by("customer:alice").await.is(200);
        assert_eq!(page.items()[0]["id"], booked.id().as_str());
        assert_eq!(page.items().len(), day as usize);
    }
    let never = shop.get("/v1/mypage?at_least=1000000").by("customer:alice").await.problem(503, "view-behind");
    assert!(never.header("retry-after").is_some());
    shop.get("/v1/mypage?at_least=soon").by("customer:alice").await.problem(422, "invalid");
}

#[tokio::test]
async fn a_stale_change_is_refused() {
    let shop = Shop::with_cars(1).await;
    let item = format!("/v1/items/{}", shop.item);
    let first = shop.patch(&item).by(shop.staff()).json(json!({ "name": "Avante 2" })).await.done();
    let etag = first.header("etag").expect("an ETag").to_owned();

    let named = |name: &str| shop.patch(&item).by(shop.staff()).json(json!({ "name": name }));
    named("Avante 3").header("if-match", &etag).await.done();
    named("Avante 4").header("if-match", &etag).await.problem(412, "stale-revision");
    assert_eq!(shop.get(&item).await["name"], "Avante 3");
    named("Avante 4").header("if-match", "*").await.done();
    named("Avante 5").header("if-match", "nonsense").await.is(400);
}

#[tokio::test]
async fn a_command_says_where_the_journal_is() {
    let shop = Shop::with_cars(1).await;
    let booked = shop.booking("alice", &july(1), &july(4)).await.is(201);
    assert!(booked.header("etag").is_some_and(|etag| etag.starts_with('"') && etag.ends_with('"')));
    let history = shop.history(&booked.id()).await;
    let confirmed = history.iter().find(|event| event["type"] == "RentalConfirmed").unwrap();
    assert!(booked.position() >= confirmed["position"].as_u64().unwrap());
}

#[tokio::test]
async fn a_rental_is_read_as_it_was() {
    let shop = Shop::with_cars(1).await;
    let booked = shop.booking("alice", &july(1), &july(4)).waiting_s(20).await.is(201);
    let rental = booked.id();
    shop.cancelled("alice", &rental).await;

    let then = format!("/v1/rentals/{rental}?as_of={}", booked.position());
    assert_eq!(shop.get(then).by("customer:alice").await.is(200)["status"], "confirmed");
    assert_eq!(shop.rental("alice", &rental).await["status"], "cancelled");
}
