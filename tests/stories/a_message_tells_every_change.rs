//! CIN-4, CIN-6: every change of a reservation is told, in the customer's language, once; what was missed goes out later.

use expect_test::expect;
use harness::{Client, Data, Reply, Request, Server, eventually, transcript};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const STORE: &str = "seoul-films";

/// A cinema in Seoul that shows one film, with so many seats: `A1`, `A2` …
async fn cinema(server: &Server, seats: u32) -> String {
    let store = json!({
        "slug": STORE, "name": "Seoul Films", "policy": "cinema", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    server.post("/v1/stores").by("admin").json(store).await.is(201);
    let seats: Vec<String> = (1..=seats).map(|seat| format!("A{seat}")).collect();
    let price = json!({ "amount_minor": 15_000, "currency": "KRW" });
    let film = json!({ "name": "Dune", "price": price, "stock": { "seats": seats } });
    server.post(format!("/v1/stores/{STORE}/items")).by(format!("staff:{STORE}")).json(film).await.is(201).id()
}

fn reservation(client: &Client, customer: &str, film: &str, seats: &[&str]) -> Request {
    let wish = json!({ "item": film, "seats": seats });
    client.post("/v1/rentals").by(format!("customer:{customer}")).json(wish).waiting_s(20)
}

/// What a customer finds on their page, oldest first.
async fn messages(server: &Server, customer: &str) -> Vec<Value> {
    server.settled().await;
    let mut messages = server.all("/v1/mypage/messages", &format!("customer:{customer}")).await;
    messages.reverse();
    messages
}

fn all<'a>(messages: &'a [Value], member: &str) -> Vec<&'a str> {
    messages.iter().map(|message| message[member].as_str().unwrap()).collect()
}

/// The messenger's file, line by line.
fn log(data: &Data) -> Vec<Value> {
    let text = std::fs::read_to_string(data.path().join("messages.log")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn administered(server: &Server, what: &str) -> Reply {
    server.post(format!("/v1/admin/subscriptions/messages/{what}")).by("admin").await.is(200)
}

#[tokio::test]
async fn a_reservation_and_its_cancellation_are_told_of() {
    let server = Server::fresh().await;
    let film = cinema(&server, 10).await;
    let rental = reservation(&server, "alice", &film, &["A3", "A4"]).await.is(201).id();
    assert_eq!(all(&messages(&server, "alice").await, "occasion"), ["requested", "confirmed"]);

    let cancel = server.post(format!("/v1/rentals/{rental}/cancel")).by("customer:alice").json(json!({}));
    cancel.waiting_s(20).await.is(200);
    let told = messages(&server, "alice").await;
    assert_eq!(all(&told, "occasion"), ["requested", "confirmed", "cancelling", "cancelled"]);
    expect![[r#"
        We have your reservation for Dune, 2 seat(s), and will write again as soon as it is confirmed.
        Your reservation for Dune is confirmed: 2 seat(s) A3, A4, 30,000 KRW in all. Seoul Films is looking forward to seeing you.
        We are cancelling your reservation for Dune and will write again when that is done.
        Your reservation for Dune is cancelled. Refund: 30,000 KRW."#]]
    .assert_eq(&all(&told, "text").join("\n"));
    for message in &told {
        assert_eq!((&message["rental"], &message["store"]), (&json!(rental), &json!(STORE)));
        assert_eq!((&message["status"], &message["language"]), (&json!("sent"), &json!("en")));
        assert!(message["sent_at"].is_string() && message["recorded_at"].is_string(), "{message}");
    }
    assert_eq!(all(&log(server.data()), "id"), all(&told, "id"));

    assert!(messages(&server, "bob").await.is_empty());
    server.get("/v1/mypage/messages").by(format!("staff:{STORE}")).await.problem(403, "forbidden");
    let history = server.get(format!("/v1/rentals/{rental}/history")).by("customer:alice").await.is(200).items();
    assert_eq!(history.iter().filter(|event| event["type"] == "MessageSent").count(), 4);
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        QuotaTaken quota@1 by process:reservation
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        RentalCancellationRequested rental@3 by customer:alice
        DispatchCancelled dispatch@2 by process:reservation
        RefundRequested payment@3 by process:reservation
        PaymentRefunded payment@4 by process:payments
        StockReleased item@4 by process:reservation
        RentalCancelled rental@4 by process:reservation
        QuotaGivenBack quota@2 by process:reservation
    "#]]
    .assert_eq(&transcript(&history));
}

#[tokio::test]
async fn who_gets_no_seat_is_told_so_and_who_attends_is_thanked() {
    let server = Server::fresh().await;
    let film = cinema(&server, 1).await;
    let rental = reservation(&server, "alice", &film, &["A1"]).await.is(201).id();
    reservation(&server, "bob", &film, &["A1"]).await.problem(409, "seats-taken");
    server.settled().await;
    let attended = server.post(format!("/v1/rentals/{rental}/hand-over")).by(format!("staff:{STORE}")).json(json!({}));
    attended.await.done();
    let told = messages(&server, "bob").await;
    assert_eq!(all(&told, "occasion"), ["requested", "rejected"]);
    assert!(told[1]["text"].as_str().unwrap().contains("you owe nothing"));
    assert_eq!(all(&messages(&server, "alice").await, "occasion"), ["requested", "confirmed", "handed_over"]);
}

#[tokio::test]
async fn while_messages_are_away_reservations_are_taken_and_what_was_missed_goes_out_later() {
    let server = Server::fresh().await;
    let film = cinema(&server, 10).await;
    administered(&server, "pause").await;
    reservation(&server, "alice", &film, &["A1"]).await.is(201);
    let lag = server.subscription("messages").await["lag"].as_u64().unwrap();
    assert!(lag > 0);

    // Not even a kill makes anybody forget it.
    let server = server.kill().await.serve().await;
    reservation(&server, "alice", &film, &["A2"]).await.is(201);
    assert_eq!(server.subscription("messages").await["state"], "paused");
    assert!(server.get("/v1/mypage/messages").by("customer:alice").await.is(200).items().is_empty());
    assert!(log(server.data()).is_empty());

    administered(&server, "resume").await;
    let told = messages(&server, "alice").await;
    let mut occasions = all(&told, "occasion");
    occasions.sort_unstable();
    assert_eq!(occasions, ["confirmed", "confirmed", "requested", "requested"]);
    assert_eq!(log(server.data()).len(), 4);
}

#[tokio::test]
async fn a_customer_is_written_to_in_the_language_that_they_asked_in() {
    let server = Server::fresh().await;
    let film = cinema(&server, 10).await;
    let asked = reservation(&server, "alice", &film, &["A1"]).header("accept-language", "ko-KR,ko;q=0.9,en;q=0.8");
    asked.await.is(201);
    let told = messages(&server, "alice").await;
    assert_eq!(all(&told, "language"), ["ko", "ko"]);
    assert_eq!(
        told[1]["text"],
        "Dune 1석 A1 예매가 확정되었습니다. 결제 금액은 15,000 KRW입니다. Seoul Films에서 즐거운 관람 되세요."
    );
    reservation(&server, "bob", &film, &["A2"]).header("accept-language", "fr, en;q=0.1").await.is(201);
    assert_eq!(all(&messages(&server, "bob").await, "language"), ["en", "en"]);
}

#[tokio::test]
async fn seats_that_the_cinema_assigned_are_named() {
    let server = Server::fresh().await;
    let film = cinema(&server, 10).await;
    let wish = json!({ "item": film, "quantity": 2 });
    server.post("/v1/rentals").by("customer:alice").json(wish).waiting_s(20).await.is(201);
    let told = messages(&server, "alice").await;
    assert!(told[1]["text"].as_str().unwrap().contains("2 seat(s) A1, A2, 30,000 KRW"), "{}", told[1]);
}

#[tokio::test]
async fn a_kill_while_messages_go_out_loses_none_and_repeats_none() {
    let mut server = Server::fresh().await;
    let film = cinema(&server, 200).await;
    for round in 0..4_u32 {
        let (client, film) = (server.client(), film.clone());
        let load = tokio::spawn(async move {
            let some = (1..=50).map(|seat| {
                let seat = format!("A{}", round * 50 + seat);
                let wish = json!({ "item": film, "seats": [seat] });
                // The server may be gone by then, and so may its answer.
                client.post("/v1/rentals").by("customer:alice").json(wish).waiting_s(20).sent()
            });
            let mut asked = tokio::task::JoinSet::new();
            some.for_each(|one| drop(asked.spawn(async { one.await.is_ok() })));
            asked.join_all().await.len()
        });
        let (before, data) = (log(server.data()).len(), server.data().clone());
        let enough = before + 1 + 20 * usize::try_from(round).unwrap();
        eventually("some messages are out", async || (log_so_far(&data) >= enough).then_some(())).await;
        server = server.kill().await.serve().await;
        assert_eq!(load.await.unwrap(), 50);
    }
    server.settled().await;

    let (lines, journal) = (log(server.data()), server.journal().await);
    let mut by_message: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in journal.iter().filter(|event| event["stream"].as_str().unwrap().starts_with("message-")) {
        let id = event["stream"].as_str().unwrap().trim_start_matches("message-");
        by_message.entry(id).or_default().push(event["type"].as_str().unwrap());
    }
    assert!(by_message.values().all(|events| *events == ["MessageRecorded", "MessageSent"]), "{by_message:?}");
    let changes = ["RentalRequested", "RentalConfirmed", "RentalRejected", "RentalExpired"];
    let changes = journal.iter().filter(|event| changes.contains(&event["type"].as_str().unwrap())).count();
    assert_eq!(by_message.len(), changes);
    let ids: BTreeSet<&str> = all(&lines, "id").into_iter().collect();
    assert_eq!((lines.len(), ids), (by_message.len(), by_message.keys().copied().collect()));
}

/// Lines of the messenger's file that are whole while it is being written.
fn log_so_far(data: &Data) -> usize {
    let bytes = std::fs::read(data.path().join("messages.log")).unwrap();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
