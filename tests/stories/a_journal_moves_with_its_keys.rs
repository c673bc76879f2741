//! `reservoir copy`: the same events in another back end, with the keys that belong to them; and nothing happens twice for it.

use cluster::Cluster;
use harness::{Business, Data, PATIENCE, Provider, Server, Shop, our_books};
use journal::{Append, Context, Expected, Journal, NewEvent};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;
use uuid::Uuid;

const ALICE: &str = "customer:alice";

async fn copied(data: &Data, from: &str, to: &str) -> String {
    data.run(&["copy", "--from", from, "--to", to]).await.success().to_owned()
}

/// "… events in … streams fit; the last hash is …"
async fn verified(data: &Data) -> String {
    data.run(&["verify"]).await.success().to_owned()
}

async fn events(data: &Data) -> String {
    data.run(&["events"]).await.success().to_owned()
}

fn told(data: &Data) -> Vec<String> {
    let text = std::fs::read_to_string(data.path().join("messages.log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A cinema with every kind of past: paid, declined, given back for a reason, and somebody to write to.
async fn lived(data: &Arc<Data>, seats: &[&str]) -> (Server, String, String) {
    let business = Business::cinema();
    let server = data.serve().await;
    let store = json!({
        "slug": business.slug, "name": "Mapo", "policy": "cinema", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    server.post("/v1/stores").by("admin").json(store).await.is(201);
    let film =
        json!({ "name": "Dune", "price": { "amount_minor": 15_000, "currency": "KRW" }, "stock": { "seats": seats } });
    let offered = server.post(format!("/v1/stores/{}/items", business.slug)).by(format!("staff:{}", business.slug));
    let film = offered.json(film).await.is(201).id();
    let contact = server.request("PUT".parse().unwrap(), "/v1/mypage/contact").by(ALICE);
    contact.json(json!({ "email": "alice@example.org" })).await.is(200);
    reserved(&server, &film, seats[0], "pm_ok").await.is(201);
    reserved(&server, &film, seats[1], "pm_declined").await.is(402);
    let given_back = reserved(&server, &film, seats[2], "pm_ok").await.is(201).id();
    let cancel = server.post(format!("/v1/rentals/{given_back}/cancel")).by(ALICE);
    cancel.json(json!({ "reason": "a flat tyre" })).waiting_s(20).await.is(200);
    server.settled().await;
    (server, film, given_back)
}

async fn reserved(server: &Server, film: &str, seat: &str, method: &str) -> harness::Reply {
    let wish = json!({ "item": film, "seats": [seat], "payment_method": method });
    server.post("/v1/rentals").by(ALICE).json(wish).waiting_s(20).await
}

/// What only the keys open, for whoever has a token of before.
async fn is_readable(server: &Server, rental: &str, token: &str) {
    let contact = server.get("/v1/mypage/contact").header("authorization", format!("Bearer {token}")).await.is(200);
    assert_eq!(contact["email"], "alice@example.org");
    let rental = server.get(format!("/v1/rentals/{rental}")).by(ALICE).await.is(200);
    assert!(rental.text.contains("a flat tyre"), "{}", rental.text);
}

#[tokio::test]
async fn there_and_back_everything_is_as_it_was_and_nobody_is_charged_or_told_again() {
    let provider = Provider::start().await;
    let options = |journal: &str| Data::with_options(&["--journal", journal, "--payment-provider", provider.address()]);
    let database = Cluster::shared().database();
    let (start, middle, end) = (options("sqlite"), options(&database), options("sqlite"));
    let token = start.token(ALICE);
    let (server, film, given_back) = lived(&start, &["A1", "A2", "A3", "A4", "A5"]).await;
    is_readable(&server, &given_back, &token).await;
    let (charged, letters) = (provider.ledger().await, told(&start));
    assert!(charged.len() >= 3 && letters.len() >= 4, "{charged:?} {letters:?}");
    server.stop().await;

    let said = copied(&start, text(start.path()), &database).await;
    assert!(said.contains("1 personal keys") && said.contains("views"), "{said}");
    assert!(!said.contains("password"), "{said}");
    let (before, hash) = (events(&start).await, verified(&start).await);
    assert_eq!((&events(&middle).await, &verified(&middle).await), (&before, &hash));

    // Every process manager begins with the first event, and finds everything done.
    let server = middle.serve().await;
    server.settled().await;
    is_readable(&server, &given_back, &token).await;
    assert_eq!(events(&middle).await, before);
    assert_eq!(provider.ledger().await, charged);
    assert_eq!(told(&middle), Vec::<String>::new());
    // And business goes on: a seat that is taken is taken, another one is had.
    reserved(&server, &film, "A1", "pm_ok").await.is(409);
    reserved(&server, &film, "A4", "pm_ok").await.is(201);
    server.settled().await;
    server.stop().await;

    copied(&middle, &database, &format!("sqlite:{}", text(end.path()))).await;
    let (before, charged) = (events(&middle).await, provider.ledger().await);
    assert_eq!((events(&end).await, verified(&end).await), (before, verified(&middle).await));
    let server = end.serve().await;
    server.settled().await;
    is_readable(&server, &given_back, &token).await;
    assert_eq!((provider.ledger().await, told(&end)), (charged, vec![]));
    assert_eq!(our_books(&server).await, provider.books().await);
    server.stop().await;

    // The first end has nothing of what came since: it is no target any more.
    let older = start.run(&["copy", "--from", text(start.path()), "--to", text(end.path())]).await;
    assert!(older.refusal().contains("it is the older one"), "{}", older.stderr);
}

#[tokio::test]
async fn what_is_in_use_or_is_something_else_is_refused_in_one_line() {
    let shop = Shop::with_cars_and_options(1, &["--journal", "sqlite"]).await;
    let served = shop.data().path();
    let other = Data::with_options(&["--journal", "sqlite"]);
    other.serve().await.stop().await;
    let run = async |from: &str, to: &str| {
        let outcome = other.run(&["copy", "--from", from, "--to", to]).await;
        outcome.refusal().to_owned()
    };
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere");
    for (from, to, why) in [
        (text(other.path()), text(served), "another process is using the journal"),
        (text(served), text(served), "both ends are the same journal"),
        (text(&nowhere), text(empty.path()), "there is no journal in"),
        (text(served), text(other.path()), "of another journal: name an empty directory"),
        (text(served), "postgres://nobody:secret@127.0.0.1:1/x", "cannot connect to PostgreSQL at 127.0.0.1:1/x"),
        (text(served), "carrier://secret", "to: a directory, or an address"),
    ] {
        let refusal = run(from, to).await;
        assert!(refusal.contains(why) && !refusal.contains("secret"), "{refusal}");
    }
    // The source may be in use: what is there is copied, and what comes later by the same command later.
    let copy = Data::with_options(&["--journal", "sqlite"]);
    let first = copied(&other, text(served), text(copy.path())).await;
    shop.booked("alice", &harness::july(1), &harness::july(4)).await;
    shop.settled().await;
    let second = copied(&other, text(served), text(copy.path())).await;
    assert!(second.contains("the copy goes on behind them"), "{first}{second}");
    assert_eq!(verified(&copy).await, verified(shop.data()).await);
}

#[tokio::test]
async fn a_copy_that_was_killed_half_way_goes_on_and_is_no_journal_until_then() {
    let source = Data::with_options(&["--journal", "sqlite"]);
    fill(source.path(), 60_000).await;
    let database = Cluster::shared().database();
    let directory = Data::with_options(&["--journal", "sqlite"]);
    let other = Data::with_options(&["--journal", &database]);
    for (target, to) in [(&other, &*database), (&directory, text(directory.path()))] {
        let arguments = ["copy", "--from", text(source.path()), "--to", to];
        let mut child = source.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        assert!(line.starts_with("copying: ") && line.ends_with(" of 60000 events"), "{line}");

        let refused = target.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert!(refused.refusal().contains("half copied"), "{}", refused.stderr);
        let said = copied(&source, text(source.path()), to).await;
        let there = said.lines().next().unwrap();
        assert!(there.ends_with(" events are there already; the copy goes on behind them"), "{said}");
        let there: u64 = there.split(' ').next().unwrap().parse().unwrap();
        assert!((1..60_000).contains(&there), "{said}");
        assert_eq!(verified(target).await, verified(&source).await);
        // Once more, it is all there.
        assert!(copied(&source, text(source.path()), to).await.starts_with("60000 events are there already"));
    }
}

async fn fill(directory: &Path, events: usize) {
    let journal = Journal::open(directory).unwrap();
    for stream in 0..events / 1_000 {
        let context = Context {
            command_id: Uuid::now_v7(),
            correlation_id: format!("conversation {stream}").into(),
            causation_id: None,
            actor: "a story".into(),
            seen_revision: None,
            fence: None,
        };
        let event = |index: usize| NewEvent {
            id: Uuid::now_v7(),
            event_type: "Noted".to_owned(),
            version: 1,
            payload: json!({ "note": index, "of": Value::from("x".repeat(200)) }).to_string(),
            decoded: None,
        };
        let events = (0..1_000).map(event).collect();
        let stream = format!("note-{stream}").into();
        journal.append(Append { stream, expected: Expected::Revision(0), events, context, basis: None }).await.unwrap();
    }
    journal.close().await;
}
