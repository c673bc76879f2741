//! A store's own program is told of its rentals: signed, in order, again where it fails, and never inside a network.

use harness::{Data, Receiver, Reply, Server, eventually};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::net::TcpListener;

const STAFF: &str = "staff:seoul-films";
const WEBHOOKS: &str = "/v1/stores/seoul-films/webhooks";

/// A server that may tell these receivers, which are on loopback and speak plain HTTP.
async fn server(receivers: &[&Receiver]) -> Server {
    let addresses: Vec<_> = receivers.iter().map(|receiver| receiver.address().to_string()).collect();
    Data::with_options(&["--webhook-allow", &addresses.join(",")]).serve().await
}

/// A cinema in Seoul that shows one film, with so many seats: `A1`, `A2` …
async fn cinema(server: &Server, slug: &str, seats: u32) -> String {
    let store = json!({
        "slug": slug, "name": "Films", "policy": "cinema", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    server.post("/v1/stores").by("admin").json(store).await.is(201);
    let seats: Vec<String> = (1..=seats).map(|seat| format!("A{seat}")).collect();
    let price = json!({ "amount_minor": 15_000, "currency": "KRW" });
    let film = json!({ "name": "Dune", "price": price, "stock": { "seats": seats } });
    server.post(format!("/v1/stores/{slug}/items")).by(format!("staff:{slug}")).json(film).await.is(201).id()
}

async fn reserves(server: &Server, film: &str, seat: u32) -> String {
    let wish = json!({ "item": film, "seats": [format!("A{seat}")] });
    server.post("/v1/rentals").by("customer:alice").json(wish).waiting_s(20).await.is(201).id()
}

async fn subscribes(server: &Server, url: &str, events: &[&str]) -> Reply {
    server.post(WEBHOOKS).by(STAFF).json(json!({ "url": url, "events": events })).await.is(201)
}

async fn webhooks(server: &Server) -> Vec<Value> {
    server.get(WEBHOOKS).by(STAFF).await.is(200).items()
}

fn types(sent: &[harness::Sent]) -> Vec<String> {
    sent.iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_event_of_the_stores_rentals_is_sent_once_in_order_and_signed_and_says_nothing_personal() {
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let server = server(&[&receiver, &other]).await;
    let film = cinema(&server, "seoul-films", 10).await;
    let elsewhere = cinema(&server, "busan-films", 10).await;
    reserves(&server, &film, 9).await;
    let registered = server.post(WEBHOOKS).by(STAFF).header("idempotency-key", "once");
    let registered = registered.json(json!({ "url": receiver.url() }));
    let first = registered.clone().await.is(201);
    let again = registered.await.is(201);
    assert_eq!((&first["id"], &first["secret"]), (&again["id"], &again["secret"]));
    let secret = first["secret"].as_str().unwrap();
    subscribes(&server, other.url(), &["RentalCancelled"]).await;

    let rental = reserves(&server, &film, 1).await;
    reserves(&server, &elsewhere, 1).await;
    let said = json!({ "reason": "my grandmother is ill" });
    server.post(format!("/v1/rentals/{rental}/cancel")).by("customer:alice").json(said).waiting_s(20).await.is(200);
    let sent = receiver.took(4).await;
    let expected = ["RentalRequested", "RentalConfirmed", "RentalCancellationRequested", "RentalCancelled"];
    assert_eq!(types(&sent), expected);
    let journal = server.journal().await;
    for one in &sent {
        one.is_signed_with(secret);
        let body = one.json();
        assert_eq!((&body["store"], &body["rental"]), (&json!("seoul-films"), &json!(rental)));
        assert_eq!(one.header("reservoir-event-id"), body["event_id"].as_str().unwrap());
        assert_eq!(one.header("reservoir-position"), body["position"].to_string());
        let event = journal.iter().find(|event| event["event_id"] == body["event_id"]).unwrap();
        assert_eq!((&event["position"], &event["type"], &event["at"]), (&body["position"], &body["type"], &body["at"]));
        for personal in ["alice", "grandmother", "pm_", "reason"] {
            assert!(!one.body.contains(personal), "{personal}: {}", one.body);
        }
    }
    assert_eq!(sent[1].json()["data"], json!({ "total": { "amount_minor": 15_000, "currency": "KRW" } }));
    assert_eq!(types(&other.took(1).await), ["RentalCancelled"]);
    server.settled().await;
    assert_eq!((receiver.sent().len(), other.sent().len()), (4, 1));
    assert!(!Value::from(journal).to_string().contains(secret));
    assert!(!Value::from(webhooks(&server).await).to_string().contains(secret));
}

#[tokio::test]
async fn what_is_not_taken_is_sent_again_and_holds_nobody_else_up() {
    let (receiver, silent) = (Receiver::start().await, Receiver::start().await);
    let server = server(&[&receiver, &silent]).await;
    let film = cinema(&server, "seoul-films", 20).await;
    silent.falls_silent();
    subscribes(&server, silent.url(), &[]).await;
    subscribes(&server, receiver.url(), &[]).await;
    receiver.answers(&[500, 503]);
    reserves(&server, &film, 1).await;
    let sent = receiver.took(2).await;
    assert_eq!(types(&sent), ["RentalRequested", "RentalRequested", "RentalRequested", "RentalConfirmed"]);
    let ids: BTreeSet<_> = sent[..3].iter().map(|one| one.header("reservoir-event-id").to_owned()).collect();
    assert_eq!((ids.len(), sent[0].body == sent[2].body), (1, true));
    // While the other one keeps all its lines busy.
    for seat in 2..=20 {
        reserves(&server, &film, seat).await;
    }
    receiver.took(40).await;
    // What was taken is forgotten a moment later.
    let none_waits = async || {
        let listed = webhooks(&server).await;
        (listed[0]["waiting"] == 0).then_some(listed)
    };
    let listed = eventually("nothing waits", none_waits).await;
    assert_eq!(listed[1]["waiting"], 40);
    assert_eq!((&listed[1]["status"], &listed[1]["given_up"]), (&json!("active"), &json!([])));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more_and_a_store_can_stop_by_itself() {
    let (receiver, kept) = (Receiver::start().await, Receiver::start().await);
    let server = server(&[&receiver, &kept]).await;
    let film = cinema(&server, "seoul-films", 10).await;
    subscribes(&server, receiver.url(), &[]).await;
    let removed = subscribes(&server, kept.url(), &[]).await.id();
    receiver.answers(&[410]);
    reserves(&server, &film, 1).await;
    kept.took(2).await;
    eventually("it is stopped", async || (webhooks(&server).await[1]["status"] == "stopped").then_some(())).await;
    let path = format!("{WEBHOOKS}/{removed}");
    server.delete(&path).by("staff:busan-films").await.problem(403, "forbidden");
    assert_eq!(server.delete(&path).by(STAFF).await.is(200)["status"], "removed");
    server.delete(&path).by(STAFF).await.is(200);
    reserves(&server, &film, 2).await;
    server.settled().await;
    assert_eq!((receiver.sent().len(), kept.sent().len()), (1, 2));
    let listed = webhooks(&server).await;
    assert_eq!((listed.len(), &listed[0]["waiting"]), (1, &json!(0)));
    let journal = server.journal().await;
    let stopped: Vec<_> = journal.iter().filter(|event| event["type"] == "WebhookStopped").collect();
    assert_eq!((stopped.len(), &stopped[0]["actor"]), (1, &json!("process:webhooks")));
}

#[tokio::test]
async fn a_webhook_rests_while_it_is_paused_and_is_told_of_it_all_then() {
    let receiver = Receiver::start().await;
    let mut server = server(&[&receiver]).await;
    let film = cinema(&server, "seoul-films", 10).await;
    let path = format!("{WEBHOOKS}/{}", subscribes(&server, receiver.url(), &[]).await.id());
    let ordered =
        async |server: &Server, order: &str| server.post(format!("{path}/{order}")).by(STAFF).json(json!({})).await;
    assert_eq!(ordered(&server, "pause").await.is(200)["status"], "paused");
    assert_eq!(ordered(&server, "pause").await.is(200)["status"], "paused");
    reserves(&server, &film, 1).await;
    eventually("it waits", async || (webhooks(&server).await[0]["waiting"] == 2).then_some(())).await;
    // That it rests is known after a crash, too.
    server = server.kill().await.serve().await;
    reserves(&server, &film, 2).await;
    eventually("it waits", async || (webhooks(&server).await[0]["waiting"] == 4).then_some(())).await;
    assert_eq!((webhooks(&server).await[0]["status"].clone(), receiver.sent().len()), (json!("paused"), 0));

    for order in ["pause", "resume", "retry"] {
        let path = format!("{path}/{order}");
        server.post(&path).by("staff:busan-films").json(json!({})).await.problem(403, "forbidden");
        server.post(&path).by("customer:alice").json(json!({})).await.problem(403, "forbidden");
    }
    assert_eq!(ordered(&server, "resume").await.is(200)["status"], "active");
    assert_eq!(receiver.took(4).await.len(), 4);
    assert_eq!(ordered(&server, "retry").await.is(202)["again"], 0);
    server.delete(&path).by(STAFF).await.is(200);
    for order in ["pause", "resume", "retry"] {
        ordered(&server, order).await.problem(409, "webhook-ended");
    }
}

#[tokio::test]
async fn a_store_has_so_many_webhooks_and_no_more() {
    let server = Server::fresh().await;
    cinema(&server, "seoul-films", 1).await;
    let asked = |number: u32| {
        server.post(WEBHOOKS).by(STAFF).json(json!({ "url": format!("https://told.example.org/{number}") }))
    };
    let first = asked(1).await.is(201).id();
    for number in 2..=32 {
        asked(number).await.is(201);
    }
    server.settled().await;
    asked(33).await.problem(409, "too-many-webhooks");
    server.delete(format!("{WEBHOOKS}/{first}")).by(STAFF).await.is(200);
    server.settled().await;
    asked(33).await.is(201);
}

#[tokio::test]
async fn nothing_is_sent_inside_that_nobody_has_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::fresh().await;
    let film = cinema(&server, "seoul-films", 10).await;
    let asked = |url: &str| server.post(WEBHOOKS).by(STAFF).json(json!({ "url": url }));
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"] {
        for scheme in ["http", "https"] {
            let problem = asked(&format!("{scheme}://{host}:{port}")).await.problem(422, "invalid");
            assert_eq!(problem["field"], "url", "{scheme}://{host}");
        }
    }
    let user = "https://user:secret@example.org/";
    for url in ["ftp://example.org/", "http://example.org/", user, "https://example.org:22/", "example.org", ""] {
        assert!(!asked(url).await.problem(422, "invalid").text.contains("secret"), "{url}");
    }
    let unknown = json!({ "url": "https://example.org/", "events": ["SomethingElse"] });
    assert_eq!(server.post(WEBHOOKS).by(STAFF).json(unknown).await.problem(422, "invalid")["field"], "events");

    // A name tells nothing before it is looked up, which happens where the connection is made.
    asked(&format!("https://localhost:{port}")).await.is(201);
    reserves(&server, &film, 1).await;
    eventually("it was tried", async || webhooks(&server).await[0]["again_at"].is_string().then_some(())).await;
    assert_eq!(webhooks(&server).await[0]["waiting"], 2);
    let connected = tokio::select! {
        biased;
        connected = listener.accept() => connected.is_ok(),
        () = std::future::ready(()) => false,
    };
    assert!(!connected);
}

#[tokio::test]
async fn a_kill_loses_no_event_and_changes_no_order() {
    let receiver = Receiver::start().await;
    let mut server = server(&[&receiver]).await;
    let film = cinema(&server, "seoul-films", 60).await;
    subscribes(&server, receiver.url(), &[]).await;
    for round in 0..3_u32 {
        for seat in 1..=20 {
            reserves(&server, &film, round * 20 + seat).await;
        }
        server = server.kill().await.serve().await;
    }
    let taken = async || receiver.sent().iter().map(|one| one.header("reservoir-event-id").to_owned()).collect();
    eventually("everything is taken", async || {
        let ids: BTreeSet<String> = taken().await;
        (ids.len() == 120).then_some(())
    })
    .await;
    let mut seen = BTreeSet::new();
    let mut by_rental: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in receiver.sent() {
        if seen.insert(one.header("reservoir-event-id").to_owned()) {
            let body = one.json();
            let rental = body["rental"].as_str().unwrap().to_owned();
            by_rental.entry(rental).or_default().push(body["type"].as_str().unwrap().to_owned());
        }
    }
    assert!(by_rental.values().all(|types| *types == ["RentalRequested", "RentalConfirmed"]), "{by_rental:?}");
}
