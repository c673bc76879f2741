//! Keeping a car longer: charged before it stands, and never into the days of somebody else.

use expect_test::expect;
use harness::{PRICE, Reply, Request, Shop, adds_up, july};
use serde_json::json;

fn extension(shop: &Shop, customer: &str, rental: &str, to: &str) -> Request {
    let by = format!("customer:{customer}");
    shop.post(format!("/v1/rentals/{rental}/extend")).by(by).json(json!({ "to": to })).waiting_s(20)
}

async fn is_as_agreed(shop: &Shop, rental: &str, days: i64) -> Reply {
    let seen = shop.rental("alice", rental).await;
    assert_eq!(seen["total"]["amount_minor"], days * PRICE, "{}", seen.text);
    assert_eq!(adds_up(&shop.history(rental).await), days * PRICE);
    seen
}

#[tokio::test]
async fn an_extension_is_refused_when_it_would_overlap() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;
    let next = shop.booked("bob", &july(3), &july(5)).await;
    let before = shop.rental("alice", &rental).await["to"].clone();

    let refused = extension(&shop, "alice", &rental, &july(4)).await.problem(409, "out-of-stock");
    assert_eq!(refused["available"], 0);
    let seen = is_as_agreed(&shop, &rental, 2).await;
    assert_eq!(seen["to"], before);
    assert_eq!(seen["extension"]["status"], "refused");
    assert_eq!(seen["extension"]["reason"]["why"], "out_of_stock");
    assert_eq!(shop.rental("bob", &next).await["status"], "confirmed");

    // What the other one gives up can be had.
    shop.cancelled("bob", &next).await;
    extension(&shop, "alice", &rental, &july(4)).await.is(200);
    is_as_agreed(&shop, &rental, 3).await;
}

#[tokio::test]
async fn a_car_that_nobody_else_wants_is_kept_longer_for_the_price_of_the_days() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;
    shop.settled().await;
    let extended = extension(&shop, "alice", &rental, &july(4)).await.is(200);
    assert_eq!(extended["extension"]["status"], "extended");
    assert_eq!(extended["to"], extended["extension"]["to"]);
    let seen = is_as_agreed(&shop, &rental, 3).await;
    assert_eq!(seen["deadlines"]["return_by"], seen["to"]);
    assert_eq!(seen["extension_payments"][0]["amount"]["amount_minor"], PRICE);
    assert_eq!(seen["extension_payments"][0]["status"], "approved");
    shop.booking("bob", &july(3), &july(4)).await.problem(409, "out-of-stock");

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        ExtensionRequested rental@3 by customer:alice
        StockExtended item@4 by process:extension
        PaymentRequested payment@1 by process:extension
        PaymentApproved payment@2 by process:payments
        RentalExtended rental@4 by process:extension
    "#]]
    .assert_eq(&shop.transcript(&rental).await);

    // The same again is already so.
    extension(&shop, "alice", &rental, &july(4)).await.is(200);
    is_as_agreed(&shop, &rental, 3).await;
}

#[tokio::test]
async fn a_declined_payment_leaves_the_rental_as_it_was_and_the_car_free() {
    let shop = Shop::with_cars(1).await;
    let method = format!("pm_up_to_{}", 2 * PRICE);
    let booking = shop.booking_paid_by("alice", &july(1), &july(3), &method);
    let rental = booking.waiting_s(20).await.is(201).id();

    let refused = extension(&shop, "alice", &rental, &july(6)).await.problem(402, "payment-declined");
    assert_eq!(refused["code"], "insufficient_funds");
    let seen = is_as_agreed(&shop, &rental, 2).await;
    assert_eq!(seen["extension"]["reason"]["why"], "payment_declined");
    assert_eq!(seen["extension_payments"][0]["status"], "declined");
    shop.booked("bob", &july(3), &july(6)).await;
}

#[tokio::test]
async fn what_the_rules_do_not_allow_is_not_extended() {
    let shop = Shop::with_cars(2).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;
    extension(&shop, "alice", &rental, &july(2)).await.problem(422, "invalid");
    extension(&shop, "alice", &rental, "tomorrow").await.problem(422, "invalid");
    extension(&shop, "bob", &rental, &july(4)).await.problem(404, "not-found");
    for day in 4..7 {
        extension(&shop, "alice", &rental, &july(day)).await.is(200);
    }
    let refused = extension(&shop, "alice", &rental, &july(7)).await.problem(409, "not-extendable");
    assert!(refused["detail"].as_str().unwrap().contains("as often as may be"), "{}", refused.text);
    is_as_agreed(&shop, &rental, 5).await;

    let cancelled = shop.booked("alice", &july(10), &july(12)).await;
    shop.cancelled("alice", &cancelled).await;
    extension(&shop, "alice", &cancelled, &july(13)).await.problem(409, "not-extendable");
    assert_eq!(adds_up(&shop.history(&cancelled).await), 0);
}

#[tokio::test]
async fn an_extension_is_decided_although_the_process_was_away() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;
    shop.post("/v1/admin/subscriptions/extension/pause").by("admin").await.done();
    let waiting = extension(&shop, "alice", &rental, &july(4)).header("prefer", "respond-async").await;
    assert_eq!(waiting.is(202)["extension"]["status"], "requested");
    let refused = extension(&shop, "alice", &rental, &july(5)).await.problem(409, "not-extendable");
    assert!(refused["detail"].as_str().unwrap().contains("being decided"), "{}", refused.text);
    shop.post("/v1/admin/subscriptions/extension/resume").by("admin").await.done();
    extension(&shop, "alice", &rental, &july(4)).await.is(200);
    is_as_agreed(&shop, &rental, 3).await;
}
