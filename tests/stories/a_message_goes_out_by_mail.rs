//! CIN-4, CIN-6: messages reach their customers by mail, once each, whatever the mail server does.

use harness::{Data, MailServer, Reply, Server, eventually};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const STORE: &str = "seoul-films";
const FROM: &str = "Seoul Films <films@example.org>";
const KOREAN: &str = "ko-KR,ko;q=0.9";

async fn server(mails: &MailServer) -> Server {
    let address = mails.address();
    Data::with_options(&["--messenger", &address, "--mail-from", FROM, "--mail-rate", "500"]).serve().await
}

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

fn address(customer: &str) -> String {
    format!("{customer}@mail.example.net")
}

async fn gives_contact(server: &Server, customer: &str) -> Reply {
    let put = server.request("PUT".parse().unwrap(), "/v1/mypage/contact").by(format!("customer:{customer}"));
    put.json(json!({ "email": address(customer) })).await.is(200)
}

async fn reserves(server: &Server, customer: &str, film: &str, seat: &str) {
    let wish = json!({ "item": film, "seats": [seat] });
    let asked = server.post("/v1/rentals").by(format!("customer:{customer}")).json(wish);
    asked.header("accept-language", KOREAN).waiting_s(20).await.is(201);
}

/// What a customer finds on their page, oldest first.
async fn page(server: &Server, customer: &str) -> Vec<Value> {
    let mut messages = server.all("/v1/mypage/messages", &format!("customer:{customer}")).await;
    messages.reverse();
    messages
}

async fn until_page_says(server: &Server, customer: &str, statuses: &[&str]) -> Vec<Value> {
    eventually(&format!("{customer} reads {statuses:?}"), async || {
        let page = page(server, customer).await;
        (page.iter().map(|message| &message["status"]).collect::<Vec<_>>() == statuses).then_some(page)
    })
    .await
}

fn ids(mails: &[Value]) -> Vec<&str> {
    mails.iter().map(|mail| mail["headers"]["message-id"].as_str().unwrap()).collect()
}

fn subjects(mails: &[Value]) -> Vec<&str> {
    mails.iter().map(|mail| mail["headers"]["subject"].as_str().unwrap()).collect()
}

async fn failed(server: &Server) -> Vec<Value> {
    server.get("/v1/admin/messages?status=failed").by("admin").await.is(200).items()
}

#[tokio::test]
async fn every_change_is_told_once_in_the_customers_language_and_nobody_elses_address_is_seen() {
    let Some(mails) = MailServer::start().await else { return };
    let server = server(&mails).await;
    let film = cinema(&server, 10).await;
    gives_contact(&server, "alice").await;
    reserves(&server, "alice", &film, "A1").await;
    reserves(&server, "bob", &film, "A2").await;
    let on_page = until_page_says(&server, "alice", &["sent", "sent"]).await;
    // Who gave no contact is told on their page alone.
    until_page_says(&server, "bob", &["sent", "sent"]).await;

    let taken = mails.mails();
    assert_eq!(subjects(&taken), ["Dune 1석 예매 신청을 받았습니다", "Dune 1석 A1 예매가 확정되었습니다"]);
    for (mail, message) in taken.iter().zip(&on_page) {
        assert_eq!((&mail["from"], &mail["to"]), (&json!("films@example.org"), &json!([address("alice")])));
        assert_eq!(mail["body"].as_str().unwrap().trim_end(), message["text"].as_str().unwrap());
        let headers = &mail["headers"];
        assert_eq!(headers["message-id"], format!("<{}@example.org>", message["id"].as_str().unwrap()));
        assert_eq!((&headers["from"], &headers["to"]), (&json!(FROM), &json!(address("alice"))));
        assert_eq!(
            (&headers["content-language"], &headers["auto-submitted"]),
            (&json!("ko"), &json!("auto-generated"))
        );
    }
    assert_eq!(taken[0]["connection"], taken[1]["connection"], "the connection is used again");

    let journal = server.journal().await;
    let references =
        journal.iter().filter(|event| event["type"] == "MessageSent").map(|event| &event["data"]["reference"]);
    let references: BTreeSet<&str> = references.filter_map(Value::as_str).collect();
    assert_eq!(references, ids(&taken).into_iter().chain(["page-only"]).collect());
    let log = std::fs::read_to_string(server.data().path().join("stderr.log")).unwrap();
    for (what, text) in [("the journal", Value::from(journal).to_string()), ("the log", log)] {
        assert!(!text.contains(&address("alice")), "an address in {what}");
        assert!(!text.contains("password-of-the-stories"), "a password in {what}");
    }
}

#[tokio::test]
async fn what_is_refused_for_now_is_sent_again_and_arrives_once_and_in_order() {
    let Some(mut mails) = MailServer::start().await else { return };
    let server = server(&mails).await;
    let film = cinema(&server, 10).await;
    gives_contact(&server, "alice").await;
    mails.plays(json!({ "next": { address("alice"): ["451 4.3.0 try later", "452 4.2.2 mailbox full"] } })).await;
    reserves(&server, "alice", &film, "A1").await;
    let on_page = until_page_says(&server, "alice", &["sent", "sent"]).await;
    assert_eq!(on_page[0]["failures"], 2);
    let expected: Vec<String> =
        on_page.iter().map(|message| format!("<{}@example.org>", message["id"].as_str().unwrap())).collect();
    assert_eq!(ids(&mails.mails()), expected);
    assert!(failed(&server).await.is_empty());
}

#[tokio::test]
async fn what_is_refused_for_good_is_listed_and_goes_out_when_somebody_wants_it_to() {
    let Some(mut mails) = MailServer::start().await else { return };
    let server = server(&mails).await;
    let film = cinema(&server, 10).await;
    gives_contact(&server, "alice").await;
    gives_contact(&server, "bob").await;
    let refusal = format!("550 5.1.1 <{}>: no such mailbox", address("alice"));
    mails.plays(json!({ "always": { address("alice"): refusal } })).await;
    reserves(&server, "alice", &film, "A1").await;
    reserves(&server, "bob", &film, "A2").await;
    until_page_says(&server, "alice", &["failed", "failed"]).await;
    until_page_says(&server, "bob", &["sent", "sent"]).await;

    let listed = failed(&server).await;
    assert_eq!(listed.len(), 2);
    for message in &listed {
        assert_eq!((&message["customer"], &message["permanent"]), (&json!("alice"), &json!(true)));
        assert_eq!((&message["failures"], &message["reason"]), (&json!(1), &json!("the mail server said 550 5.1.1")));
    }
    let retry = |id: &str| server.post(format!("/v1/admin/messages/{id}/retry"));
    let first = listed[1]["id"].as_str().unwrap().to_owned();
    retry(&first).by("customer:alice").await.problem(403, "forbidden");
    server.get("/v1/admin/messages").by("customer:alice").await.problem(403, "forbidden");
    server.get("/v1/admin/messages?status=sent").by("admin").await.problem(422, "invalid");
    retry("00000000-0000-0000-0000-000000000000").by("admin").await.problem(404, "not-found");

    // Still refused: listed again.
    assert_eq!(retry(&first).by("admin").await.is(202)["id"], json!(first));
    eventually("it has failed again", async || {
        failed(&server).await.iter().any(|one| one["id"] == json!(first) && one["failures"] == 2).then_some(())
    })
    .await;
    mails.plays(json!({})).await;
    for message in &listed {
        let retried = retry(message["id"].as_str().unwrap())
            .by("admin")
            .header("idempotency-key", message["id"].as_str().unwrap());
        retried.clone().await.is(202);
        retried.await.is(202);
    }
    until_page_says(&server, "alice", &["sent", "sent"]).await;
    assert!(failed(&server).await.is_empty());
    assert_eq!(retry(&first).by("admin").await.is(202)["status"], "sent");
    server.settled().await;
    assert_eq!(mails.mails().iter().filter(|mail| mail["to"] == json!([address("alice")])).count(), 2);
}

#[tokio::test]
async fn while_the_mail_server_is_away_reservations_go_on_and_their_mails_arrive_later() {
    let Some(mails) = MailServer::start().await else { return };
    let server = server(&mails).await;
    let film = cinema(&server, 10).await;
    gives_contact(&server, "alice").await;
    let mails = mails.away().await;
    reserves(&server, "alice", &film, "A1").await;
    reserves(&server, "alice", &film, "A2").await;
    eventually("it was tried", async || (!failed(&server).await.is_empty()).then_some(())).await;
    assert_eq!(failed(&server).await[0]["reason"], "no answer from the mail server");

    let mails = mails.back().await;
    mails.took(4).await;
    until_page_says(&server, "alice", &["sent"; 4]).await;
    server.settled().await;
    let taken = mails.mails();
    assert_eq!((taken.len(), ids(&taken).into_iter().collect::<BTreeSet<_>>().len()), (4, 4));
}

#[tokio::test]
async fn a_kill_while_mails_go_out_loses_none_and_a_repeat_is_the_same_mail() {
    let Some(mails) = MailServer::start().await else { return };
    let mut server = server(&mails).await;
    let film = cinema(&server, 60).await;
    gives_contact(&server, "alice").await;
    server.post("/v1/admin/subscriptions/messages/pause").by("admin").await.is(200);
    for seat in 1..=20 {
        reserves(&server, "alice", &film, &format!("A{seat}")).await;
    }
    server.post("/v1/admin/subscriptions/messages/resume").by("admin").await.is(200);
    for enough in [5, 15, 25] {
        mails.took(enough).await;
        server = server.kill().await.serve().await;
    }
    until_page_says(&server, "alice", &["sent"; 40]).await;
    let mut copies: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut mail in mails.mails() {
        mail["connection"].take();
        copies.entry(mail["headers"]["message-id"].as_str().unwrap().to_owned()).or_default().push(mail);
    }
    assert_eq!(copies.len(), 40);
    assert!(copies.values().all(|copies| copies.iter().all(|copy| *copy == copies[0])), "{copies:?}");
}

#[tokio::test]
async fn a_contact_is_given_replaced_and_forgotten_by_its_customer_alone() {
    let server = Server::fresh().await;
    let contact = |method: &str, who: &str| server.request(method.parse().unwrap(), "/v1/mypage/contact").by(who);
    let email = |text: &str| json!({ "email": text });
    contact("GET", "customer:alice").await.problem(404, "not-found");
    let put = contact("PUT", "customer:alice").json(email("alice@example.org")).header("idempotency-key", "mine");
    let given = put.clone().await.is(200);
    assert_eq!(given.json, json!({ "given": true }));
    assert_eq!(put.await.is(200).header("idempotent-replayed"), Some("true"));
    let seen = contact("GET", "customer:alice").await.is(200);
    assert_eq!((&seen["email"], seen["given_at"].is_string()), (&json!("alice@example.org"), true));

    // The same again is the same, though it would be sealed in another way.
    let again = contact("PUT", "customer:alice").json(email("alice@example.org")).await.is(200);
    assert_eq!((again.header("etag"), given.header("etag")), (Some("\"1\""), Some("\"1\"")));
    let other = contact("PUT", "customer:alice").json(email("alice@example.net")).await.is(200);
    assert_eq!(other.header("etag"), Some("\"2\""));
    assert_eq!(contact("GET", "customer:alice").await.is(200)["email"], "alice@example.net");

    for wrong in ["", "alice", "alice@example.org\r\nDATA", "a@b@c.org"] {
        let problem = contact("PUT", "customer:alice").json(email(wrong)).await.problem(422, "invalid");
        assert_eq!(problem["field"], "email");
    }
    for who in ["admin", "staff:seoul-films", "kiosk:seoul-films/1"] {
        for method in ["GET", "PUT", "DELETE"] {
            contact(method, who).json(email("x@example.org")).await.problem(403, "forbidden");
        }
    }
    contact("GET", "customer:bob").await.problem(404, "not-found");
    assert_eq!(contact("DELETE", "customer:alice").await.is(200)["given"], false);
    contact("DELETE", "customer:alice").await.is(200);
    contact("GET", "customer:alice").await.problem(404, "not-found");
    let journal = Value::from(server.journal().await).to_string();
    assert!(!journal.contains("alice@example"), "{journal}");
}
