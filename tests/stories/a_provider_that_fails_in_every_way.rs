//! A provider over HTTP that is slow, lies low, loses answers and repeats itself: every rental ends right, and the provider's
//! books and ours agree to the won.

use expect_test::expect;
use harness::{PRICE, Provider, Shop, eventually, july, our_books};
use serde_json::json;

/// Methods that are paid with in the end, whatever happens on the way.
const PAID: &[&str] = &[
    "pm_ok",
    "pm_slow",
    "pm_server_error",
    "pm_charged_but_timed_out",
    "pm_not_charged_but_timed_out",
    "pm_duplicate_webhook",
    "pm_late_webhook",
    "pm_webhook_first",
    "pm_in_flight",
    "pm_refund_fails_once",
    "pm_refund_answer_lost",
];

async fn shop_of(provider: &Provider, cars: u32) -> Shop {
    let shop = shop_that_is_not_told(provider, cars).await;
    provider.tells(&shop).await;
    shop
}

/// Without webhooks: what is not answered has to be asked for.
async fn shop_that_is_not_told(provider: &Provider, cars: u32) -> Shop {
    let options = ["--payment-provider", provider.address(), "--payment-timeout-ms", "200"];
    let shop = Shop::with_cars_and_options(cars, &options).await;
    provider.plays(json!({ "slow_ms": 400, "late_webhook_ms": 600 })).await;
    shop
}

async fn the_books_agree(shop: &Shop, provider: &Provider) {
    assert_eq!(our_books(shop).await, provider.books().await);
}

#[tokio::test]
async fn every_payment_is_taken_once_and_goes_back_once() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, u32::try_from(PAID.len()).unwrap()).await;
    everything_is_paid_and_refunded(&shop, &provider).await;
}

#[tokio::test]
async fn without_webhooks_it_ends_the_same() {
    let provider = Provider::start().await;
    let shop = shop_that_is_not_told(&provider, u32::try_from(PAID.len()).unwrap()).await;
    everything_is_paid_and_refunded(&shop, &provider).await;
}

async fn everything_is_paid_and_refunded(shop: &Shop, provider: &Provider) {
    let mut rentals = Vec::new();
    for method in PAID {
        let reply = shop.booking_paid_by("alice", &july(1), &july(4), method).waiting_s(20).await;
        let reply = reply.is(201);
        assert_eq!(reply["payment"]["status"], "approved", "{method}: {}", reply.text);
        rentals.push(reply.id());
    }
    shop.settled().await;
    let books = provider.books().await;
    assert_eq!(books.len(), PAID.len());
    assert!(books.values().all(|entry| *entry == (3 * PRICE, 0)), "{books:?}");
    the_books_agree(shop, provider).await;

    for rental in &rentals {
        shop.cancelled("alice", rental).await;
    }
    let books = provider.books().await;
    assert!(books.values().all(|entry| *entry == (3 * PRICE, 3 * PRICE)), "{books:?}");
    the_books_agree(shop, provider).await;
    let contradictions = shop.get("/v1/admin/payments/contradictions").by("admin").await.is(200).items();
    assert!(contradictions.is_empty(), "{contradictions:?}");
}

#[tokio::test]
async fn a_decline_frees_the_car_and_nothing_is_taken() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, 1).await;
    for method in ["pm_declined", "pm_insufficient_funds", "pm_of_nobody"] {
        let refused = shop.booking_paid_by("alice", &july(1), &july(4), method).waiting_s(20).await;
        refused.problem(402, "payment-declined");
    }
    assert!(provider.books().await.is_empty());
    the_books_agree(&shop, &provider).await;
    assert_eq!(shop.available(&july(1), &july(4)).await, 1);
}

#[tokio::test]
async fn a_webhook_that_is_there_before_the_answer_settles_the_payment() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, 1).await;
    let reply = shop.booking_paid_by("alice", &july(1), &july(4), "pm_webhook_first").waiting_s(20).await.is(201);
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by provider:simulated
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&reply.id()).await);
}

#[tokio::test]
async fn a_refund_that_never_works_is_shown_and_not_made_up() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, 1).await;
    let reply = shop.booking_paid_by("alice", &july(1), &july(4), "pm_refund_fails_always").waiting_s(20).await.is(201);
    shop.cancellation("alice", &reply.id()).await.done();
    eventually("the refund has failed", async || {
        let seen = shop.rental("alice", &reply.id()).await;
        (seen["payment"]["status"] == "refund_failed").then_some(())
    })
    .await;
    assert_eq!(shop.rental("alice", &reply.id()).await["status"], "cancelling");
    the_books_agree(&shop, &provider).await;
}

#[tokio::test]
async fn a_provider_that_is_killed_comes_back_with_its_books() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, 24).await;
    let script = json!({
        "seed": 7, "latency_ms": [20, 60], "slow_ms": 250,
        "behaviours": { "approve": 4, "slow": 1, "server_error": 1, "charged_answer_lost": 1, "not_charged_answer_lost": 1 },
    });
    provider.plays(script).await;
    let mut rentals = Vec::new();
    // Nobody is turned away at the door because of how the first ones fared.
    shop.pause("payments").await;
    for number in 0..24 {
        let customer = format!("customer-{number}");
        let reply = shop.booking(&customer, &july(1), &july(4)).header("prefer", "respond-async").await.is(202);
        rentals.push(reply.id());
    }
    shop.resume("payments").await;
    eventually("some were paid", async || (provider.ledger().await.len() >= 6).then_some(())).await;
    let provider = provider.killed_and_restarted().await;
    provider.tells(&shop).await;
    for rental in &rentals {
        shop.reaches(rental, "confirmed").await;
    }
    shop.settled().await;
    let books = provider.books().await;
    assert_eq!(books.len(), 24);
    assert!(books.values().all(|entry| *entry == (3 * PRICE, 0)), "{books:?}");
    the_books_agree(&shop, &provider).await;
}

#[tokio::test]
async fn during_an_outage_nothing_is_taken_and_afterwards_everything_is() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, 4).await;
    for (kind, customer) in [("refuse", "alice"), ("hang", "bob")] {
        provider.plays(json!({ "outage": { "kind": kind, "for_ms": 700 } })).await;
        let reply = shop.booking(customer, &july(1), &july(4)).header("prefer", "respond-async").await.is(202);
        shop.reaches(&reply.id(), "confirmed").await;
    }
    shop.settled().await;
    assert_eq!(provider.books().await.len(), 2);
    the_books_agree(&shop, &provider).await;
}

/// The negative control: a provider that does not look at keys takes the money twice, and the comparison shows it.
#[tokio::test]
async fn without_idempotency_keys_the_books_do_not_agree() {
    let provider = Provider::with_options(&["--ignore-keys"]).await;
    let shop = shop_that_is_not_told(&provider, 1).await;
    let reply = shop.booking_paid_by("alice", &july(1), &july(4), "pm_charged_but_timed_out").await;
    assert!([201, 202].contains(&reply.status), "{}", reply.text);
    eventually("it was taken twice", async || {
        let books = provider.books().await;
        books.values().any(|(taken, _)| *taken > 3 * PRICE).then_some(())
    })
    .await;
    assert_ne!(our_books(&shop).await, provider.books().await);
}

#[tokio::test]
async fn a_webhook_without_its_signature_changes_nothing() {
    let provider = Provider::start().await;
    let shop = shop_of(&provider, 1).await;
    let before = shop.journal().await.len();
    for provider in ["simulated", "stripe", "nobody"] {
        let path = format!("/v1/webhooks/payments/{provider}");
        let body = json!({ "type": "charge.succeeded" });
        let signature = format!("t={},v1={}", chrono::Utc::now().timestamp(), "0".repeat(64));
        shop.post(&path).json(body.clone()).await.problem(400, "not-authentic");
        shop.post(&path).by("admin").json(body.clone()).await.problem(400, "not-authentic");
        let signed = shop.post(&path).header("provider-signature", signature).json(body).await;
        signed.problem(400, "not-authentic");
    }
    assert_eq!(shop.journal().await.len(), before);
}
