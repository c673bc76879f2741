//! Stores' programs are told by one process of several, and by another one when that is gone.

use cluster::Cluster;
use harness::{Client, Data, Receiver, Server, eventually};
use serde_json::json;
use std::collections::BTreeSet;

const STAFF: &str = "staff:seoul-films";

async fn process(database: &str, roles: &str, receiver: &Receiver) -> Server {
    let address = receiver.address().to_string();
    Data::with_options(&["--journal", database, "--roles", roles, "--webhook-allow", &address]).serve().await
}

async fn film(api: &Client, seats: u32) -> String {
    let store = json!({
        "slug": "seoul-films", "name": "Films", "policy": "cinema", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    api.post("/v1/stores").by("admin").json(store).await.is(201);
    let seats: Vec<String> = (1..=seats).map(|seat| format!("A{seat}")).collect();
    let price = json!({ "amount_minor": 15_000, "currency": "KRW" });
    let film = json!({ "name": "Dune", "price": price, "stock": { "seats": seats } });
    api.post("/v1/stores/seoul-films/items").by(STAFF).json(film).await.is(201).id()
}

async fn reserves(api: &Client, film: &str, seat: u32) {
    let wish = json!({ "item": film, "seats": [format!("A{seat}")] });
    api.post("/v1/rentals").by("customer:alice").json(wish).waiting_s(20).await.is(201);
}

#[tokio::test]
async fn a_store_is_told_by_another_process_when_the_one_that_told_it_is_killed() {
    let (database, receiver) = (Cluster::shared().database(), Receiver::start().await);
    let api = process(&database, "api,projections", &receiver).await;
    let others = process(&database, "reservation,payments,dispatch", &receiver).await;
    let teller = process(&database, "webhooks", &receiver).await;
    let film = film(&api, 10).await;
    let webhook = json!({ "url": receiver.url() });
    let registered = api.post("/v1/stores/seoul-films/webhooks").by(STAFF).json(webhook).await.is(201);
    for seat in 1..=3 {
        reserves(&api, &film, seat).await;
    }
    receiver.took(6).await;

    let data = teller.kill().await;
    reserves(&api, &film, 4).await;
    let successor = process(&database, "webhooks", &receiver).await;
    reserves(&api, &film, 5).await;
    let all = async || {
        let sent = receiver.sent();
        let ids: BTreeSet<_> = sent.iter().map(|one| one.header("reservoir-event-id").to_owned()).collect();
        (ids.len() == 10).then_some(sent)
    };
    let sent = eventually("all of it is told", all).await;
    // Whoever sends it signs with the secret that another process has shown; and nothing begins from the start again.
    let secret = registered["secret"].as_str().unwrap();
    sent.iter().for_each(|one| one.is_signed_with(secret));
    // Only what the first had just sent when it was killed may come twice.
    assert!(sent.len() <= 12, "{}", sent.len());
    drop((data, others, successor));
}
