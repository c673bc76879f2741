//! LIB-1, the waiting list: a copy that comes free is held for the first in line, who accepts, declines or lets it lapse.

use expect_test::expect;
use harness::{ADMIN, Reply, Server, eventually, transcript};
use serde_json::{Value, json};

const STORE: &str = "library";

async fn library_with_one_copy(server: &Server) -> String {
    let store = json!({
        "slug": STORE, "name": "Library", "policy": "library", "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    server.post("/v1/stores").by(ADMIN).json(store).await.is(201);
    let price = json!({ "amount_minor": 500, "currency": "KRW" });
    let book = json!({ "name": "The Reservoir", "price": price, "stock": 1 });
    server.post(format!("/v1/stores/{STORE}/items")).by(format!("staff:{STORE}")).json(book).await.is(201).id()
}

async fn asked(server: &Server, customer: &str, item: &str, wait: bool) -> Reply {
    let body = json!({ "item": item, "from": "2027-07-01", "to": "2027-07-15", "wait": wait });
    server.post("/v1/rentals").by(format!("customer:{customer}")).json(body).waiting_s(20).await
}

async fn line(server: &Server, principal: &str, item: &str) -> Vec<Value> {
    server.get(format!("/v1/items/{item}/waiting-list")).by(principal).await.is(200).items()
}

async fn is_offered(server: &Server, customer: &str, rental: &str) {
    eventually("it is offered", async || {
        let seen = server.get(format!("/v1/rentals/{rental}")).by(format!("customer:{customer}")).await.is(200);
        seen["deadlines"]["accept_by"].is_string().then_some(())
    })
    .await;
}

fn answer(server: &Server, customer: &str, rental: &str, answer: &str) -> harness::Request {
    let path = format!("/v1/rentals/{rental}/{answer}");
    server.post(path).by(format!("customer:{customer}")).json(json!({})).waiting_s(20)
}

#[tokio::test]
async fn what_comes_free_goes_to_the_next_in_line() {
    let server = Server::fresh().await;
    let item = library_with_one_copy(&server).await;
    let alice = asked(&server, "alice", &item, true).await.is(201).id();
    let bob = asked(&server, "bob", &item, true).await.is(202);
    assert_eq!((&bob["status"], &bob["waiting"]["place"]), (&json!("requested"), &json!(1)), "{}", bob.text);
    let bob = bob.id();
    let carol = asked(&server, "carol", &item, true).await.is(202).id();
    let refused = asked(&server, "dave", &item, false).await.problem(409, "out-of-stock");
    assert_eq!(refused["available"], 0);

    // Bob sees how long the line is, and where he stands; the library sees everybody.
    let seen = line(&server, "customer:bob", &item).await;
    assert_eq!((seen.len(), &seen[0]["rental"], &seen[1]["rental"]), (2, &json!(bob), &Value::Null));
    let seen = line(&server, &format!("staff:{STORE}"), &item).await;
    assert_eq!((&seen[0]["rental"], &seen[1]["rental"]), (&json!(bob), &json!(carol)));
    assert_eq!(server.get(format!("/v1/items/{item}")).await.is(200)["waiting"], 2);

    // The line is in the journal.
    let server = server.kill().await.serve().await;
    answer(&server, "alice", &alice, "cancel").await.is(200);
    is_offered(&server, "bob", &bob).await;
    asked(&server, "dave", &item, false).await.problem(409, "out-of-stock");
    answer(&server, "carol", &carol, "accept").await.problem(409, "nothing-offered");
    answer(&server, "bob", &bob, "decline").await.is(200);
    is_offered(&server, "carol", &carol).await;
    let accepted = answer(&server, "carol", &carol, "accept").await.is(200);
    assert_eq!((&accepted["status"], &accepted["payment"]["status"]), (&json!("confirmed"), &json!("approved")));
    assert_eq!(line(&server, ADMIN, &item).await, Vec::<Value>::new());

    server.settled().await;
    let history = server.get(format!("/v1/rentals/{carol}/history")).by("customer:carol").await.is(200).items();
    expect![[r#"
        RentalRequested rental@1 by customer:carol
        StockAwaited item@5 by process:reservation
        StockHeld item@9 by process:waiting
        RentalOffered rental@2 by process:reservation
        RentalAccepted rental@3 by customer:carol
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@10 by process:reservation
        RentalConfirmed rental@4 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
    "#]]
    .assert_eq(&transcript(&history));
}

#[tokio::test]
async fn where_there_is_no_line_nobody_waits() {
    let shop = harness::Shop::with_cars(1).await;
    let body = json!({ "item": shop.item, "from": "2027-07-01", "to": "2027-07-03", "wait": true });
    let refused = shop.post("/v1/rentals").by("customer:alice").json(body).await.problem(422, "invalid");
    assert_eq!(refused["field"], "wait");
}
