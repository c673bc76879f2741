//! The API, the sagas and the projections as processes on one database: each may be away, be killed, and come back.

use cluster::Cluster;
use harness::{Business, Client, Data, Reply, Server, eventually, july};
use serde_json::{Value, json};

const ALICE: &str = "customer:alice";

/// A process with these roles, in a directory of its own.
async fn process(database: &str, roles: &str) -> Server {
    Data::with_options(&["--journal", database, "--roles", roles]).serve().await
}

/// A store with so many cars; the item's id.
async fn cars(api: &Client, units: u32) -> String {
    let Business { slug, policy, item, price, .. } = Business::cars();
    let store =
        json!({ "slug": slug, "name": "The shop", "policy": policy, "time_zone": "Asia/Seoul", "currency": "KRW" });
    api.post("/v1/stores").by("admin").json(store).await.is(201);
    let price = json!({ "amount_minor": price, "currency": "KRW" });
    let offer = json!({ "name": item, "price": price, "stock": units });
    api.post(format!("/v1/stores/{slug}/items")).by(format!("staff:{slug}")).json(offer).await.is(201).id()
}

async fn booking(api: &Client, item: &str, day: u32) -> Reply {
    let body = json!({ "item": item, "from": july(day), "to": july(day + 1), "payment_method": "pm_ok" });
    api.post("/v1/rentals").by(ALICE).json(body).await
}

/// What the customer's page shows, once it shows what has happened up to a position.
async fn page(api: &Client, position: u64) -> Vec<Value> {
    let path = format!("/v1/mypage?at_least={position}");
    eventually("the page is up to date", async || {
        let page = api.get(&path).by(ALICE).await;
        (page.status == 200).then(|| page.items())
    })
    .await
}

/// A booking that is settled some time; where the journal is then.
async fn confirmed(api: &Client, rental: &str) -> u64 {
    eventually("the booking is settled", async || {
        let path = format!("/v1/rentals/{rental}/history");
        let history = api.get(path).by("admin").await.is(200).items();
        let last = history.iter().find(|event| event["type"] == "RentalConfirmed")?;
        last["position"].as_u64()
    })
    .await
}

async fn owner(api: &Client, subscription: &str) -> Option<String> {
    let all = api.subscriptions().await;
    let found = all.into_iter().find(|one| one["name"] == subscription)?;
    found["owner"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn three_processes_book_pay_and_show_as_one() {
    let database = Cluster::shared().database();
    let api = process(&database, "api").await;
    let (sagas, projections) = (process(&database, "sagas").await, process(&database, "projections").await);
    let item = cars(&api, 10).await;
    let reply = booking(&api, &item, 1).await.is(201);
    assert_eq!((reply["status"].as_str(), reply["payment"]["status"].as_str()), (Some("confirmed"), Some("approved")));
    assert_eq!(page(&api, reply.position()).await.len(), 1);

    // A token of one process is good at each of them, and what is no API says no more than how it is.
    let another = process(&database, "api").await;
    assert_eq!(page(&another, reply.position()).await.len(), 1);
    sagas.get("/v1/mypage").by(ALICE).await.problem(404, "not-found");
    sagas.get("/health/ready").await.is(200);
    projections.get("/metrics").await.is(200);

    for server in [api, another, sagas, projections] {
        assert_eq!(server.stop().await.1, Some(0));
    }
}

#[tokio::test]
async fn bookings_are_taken_while_the_sagas_are_away_and_settle_when_others_take_over() {
    let database = Cluster::shared().database();
    let api = process(&database, "api").await;
    let item = cars(&api, 10).await;
    // Nobody has ever worked for the payments: the door is open all the same.
    let first = booking(&api, &item, 1).await.is(202).id();
    let projections = process(&database, "projections").await;
    let sagas = process(&database, "sagas").await;
    confirmed(&api, &first).await;
    let before = owner(&api, "payments").await.expect("somebody works for the payments");

    let data = sagas.kill().await;
    let second = booking(&api, &item, 2).await.is(202).id();
    let successor = process(&database, "sagas").await;
    let position = confirmed(&api, &second).await;
    assert_ne!(owner(&api, "payments").await, Some(before));
    assert_eq!(page(&api, position).await.len(), 2);

    // One that is stopped gives its leases back: the next one goes on before any of them would have ended by itself.
    assert_eq!(successor.stop().await.1, Some(0));
    let _third = process(&database, "payments,reservation,dispatch").await;
    let reply = booking(&api, &item, 3).await;
    let position = confirmed(&api, &reply.id()).await;
    assert_eq!(page(&api, position).await.len(), 3);
    drop((data, projections));
}

#[tokio::test]
async fn a_policy_that_is_changed_at_one_process_holds_for_the_next_booking_at_another() {
    let database = Cluster::shared().database();
    let (here, there) = (process(&database, "api").await, process(&database, "api").await);
    let item = cars(&here, 100).await;
    let store = Business::cars().slug;
    for day in 1..=20 {
        let policy = if day % 2 == 0 { "car-rental" } else { "library" };
        let revised = json!({ "policy": policy });
        here.patch(format!("/v1/stores/{store}")).by(format!("staff:{store}")).json(revised).await.is(200);
        let body = json!({ "item": item, "from": july(day), "to": july(day + 1) });
        let rental =
            there.post("/v1/rentals").by(ALICE).header("prefer", "respond-async").json(body).await.is(202).id();
        let history = there.get(format!("/v1/rentals/{rental}/history")).by("admin").await.is(200).items();
        assert_eq!(history[0]["data"]["terms"]["policy"], policy, "{history:?}");
    }
}

#[tokio::test]
async fn who_may_be_what_is_said_in_one_line() {
    let database = Cluster::shared().database();
    let data = Data::with_options(&["--journal", &database]);
    let outcome = data.run(&["serve", "--roles", "api,cashier"]).await;
    assert!(outcome.refusal().contains("roles `cashier`: there are api, sagas, projections"), "{outcome:?}");
    let alone = Data::with_options(&["--journal", "sqlite"]).run(&["serve", "--roles", "api"]).await;
    assert!(alone.refusal().contains("one process has an SQLite journal"), "{alone:?}");
}
