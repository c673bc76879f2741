//! The Stripe adapter against the shapes that Stripe documents, told by a server that keeps what it was asked.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/recorder.rs"]
mod recorder;

use common::{charge_by, refund_of};
use domain::PaymentId;
use gateways::{Notice, PaymentWebhooks, Secret, StripeProvider, signed};
use recorder::{Received, Recorder, Says};
use sagas::payments::{
    ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, Refunded, Truth, Unavailable,
};
use serde_json::{Value, json};

fn stripe(recorder: &Recorder) -> StripeProvider {
    StripeProvider::new(&recorder.address, &Secret::new("sk_test_4eC39HqLyjWDarjtT1zdp7dc").unwrap()).unwrap()
}

fn intent(payment: PaymentId, status: &str) -> Value {
    json!({
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa", "object": "payment_intent", "amount": 5000, "amount_received": 5000,
        "currency": "krw", "latest_charge": "ch_3MtwBwLkdIwHu7ix28", "livemode": false, "status": status,
        "last_payment_error": null, "metadata": { "reservoir_payment": payment.to_string() },
        "payment_method_types": ["card"], "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH",
    })
}

fn error(status: u16, kind: &str, code: &str) -> Says {
    let error = json!({ "type": kind, "code": code, "message": "No.", "doc_url": "https://stripe.com/docs" });
    Says::json(status, json!({ "error": error }).to_string())
}

fn says(value: &Value) -> Says {
    Says::json(200, value.to_string())
}

fn list(of: Vec<Value>) -> Says {
    says(&json!({ "object": "list", "url": "/v1/refunds", "has_more": false, "data": of }))
}

fn charged() -> Charged {
    Charged { reference: "pi_3MtwBwLkdIwHu7ix28a3tqPa".to_owned() }
}

fn declined(code: &str) -> Declined {
    Declined { code: code.to_owned() }
}

fn header<'a>(received: &'a Received, name: &str) -> &'a str {
    received.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_charge_is_one_request_under_the_payments_id() {
    let charge = charge_by("pm_card_visa");
    let payment = charge.payment;
    let recorder = Recorder::start(move |_, _| says(&intent(payment, "succeeded"))).await;
    let stripe = stripe(&recorder);
    for _ in 0..2 {
        assert_eq!(stripe.charge(charge.clone()).await, Ok(charged()));
    }
    let received = recorder.received(2).await;
    assert_eq!(received[0].body, received[1].body);
    for one in &received {
        assert_eq!(one.line, "POST /v1/payment_intents");
        assert_eq!(header(one, "idempotency-key"), payment.to_string());
        assert_eq!(header(one, "authorization"), "Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc");
        assert_eq!(header(one, "content-type"), "application/x-www-form-urlencoded");
        let form = "amount=5000&currency=krw&payment_method=pm_card_visa&payment_method_types%5B%5D=card&confirm=true";
        assert_eq!(one.body, format!("{form}&metadata%5Breservoir_payment%5D={payment}"));
    }
}

#[tokio::test]
async fn a_card_that_is_declined_says_why_as_exactly_as_it_can() {
    let charge = charge_by("pm_card_visa_chargeDeclinedInsufficientFunds");
    let payment = charge.payment;
    let recorder = Recorder::start(move |_, _| {
        let error = json!({
            "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
            "charge": "ch_1", "message": "Your card has insufficient funds.",
            "payment_intent": intent(payment, "requires_payment_method"),
        });
        Says::json(402, json!({ "error": error }).to_string())
    })
    .await;
    assert_eq!(stripe(&recorder).charge(charge).await, Err(declined("insufficient_funds").into()));
}

#[tokio::test]
async fn only_what_is_certain_is_decided_on() {
    let unknown = || Err(ChargeError::Unknown);
    let unavailable = || Err(ChargeError::Unavailable(Unavailable));
    let no = |code: &str| Err(ChargeError::Declined(declined(code)));
    for (says, expected) in [
        (error(402, "card_error", "card_declined"), no("card_declined")),
        (error(400, "invalid_request_error", "resource_missing"), no("resource_missing")),
        (error(400, "invalid_request_error", "amount_too_small"), no("amount_too_small")),
        (error(400, "idempotency_error", ""), unknown()),
        (error(409, "idempotency_error", "idempotency_key_in_use"), unknown()),
        (error(401, "invalid_request_error", "api_key_expired"), unavailable()),
        (error(403, "invalid_request_error", ""), unavailable()),
        (error(429, "invalid_request_error", "rate_limit"), unavailable()),
        (error(500, "api_error", ""), unknown()),
        (error(503, "api_error", ""), unknown()),
        (error(424, "api_error", ""), unknown()),
        // Of somebody in between.
        (Says::json(400, "<html>"), unknown()),
        (Says::json(402, ""), unknown()),
        (Says::json(502, "<html>"), unknown()),
        (Says::json(200, "{}"), unknown()),
        (Says::json(302, ""), unknown()),
    ] {
        let told = says.clone();
        let recorder = Recorder::start(move |_, _| told.clone()).await;
        assert_eq!(stripe(&recorder).charge(charge_by("pm_card_visa")).await, expected, "{says:?}");
    }
}

#[test]
fn a_secret_key_is_not_sent_in_the_clear() {
    let key = Secret::new("sk_live_1").unwrap();
    for url in ["https://api.stripe.com", "http://127.0.0.1:8420", "http://[::1]:8420", "http://localhost:8420"] {
        assert!(StripeProvider::new(url, &key).is_ok(), "{url}");
    }
    for url in ["http://api.stripe.com", "http://10.0.0.1", "ftp://127.0.0.1", "stripe"] {
        assert!(StripeProvider::new(url, &key).is_err(), "{url}");
    }
    assert!(StripeProvider::new("https://api.stripe.com", &Secret::new("sk\n1").unwrap()).is_err());
}

#[tokio::test]
async fn nobody_there_means_that_nothing_was_sent() {
    let stripe = StripeProvider::new("http://127.0.0.1:1", &Secret::new("sk").unwrap()).unwrap();
    let charge = charge_by("pm_card_visa");
    assert_eq!(stripe.charge(charge.clone()).await, Err(ChargeError::Unavailable(Unavailable)));
    assert_eq!(stripe.truth(charge.payment).await, Err(Unavailable));
    assert_eq!(stripe.refund(refund_of(&charge, 1)).await, Err(RefundError::Unavailable(Unavailable)));
}

#[tokio::test]
async fn after_a_lost_answer_the_intent_is_searched_for_and_looked_at() {
    let payment = charge_by("").payment;
    for (status, truth) in [
        ("succeeded", Truth::Charged(charged())),
        ("processing", Truth::InProgress),
        ("requires_payment_method", Truth::Declined(declined("declined"))),
        ("canceled", Truth::Declined(declined("authentication_required"))),
    ] {
        let recorder = Recorder::start(move |index, _| match index {
            // The search shows it as it was, and somebody else's too.
            0 => says(&json!({ "object": "search_result", "has_more": false, "data": [
                intent(PaymentId(uuid::Uuid::nil()), "succeeded"), intent(payment, "processing"),
            ] })),
            _ => says(&intent(payment, status)),
        })
        .await;
        assert_eq!(stripe(&recorder).truth(payment).await, Ok(truth), "{status}");
        let received = recorder.received(2).await;
        let query = format!("metadata%5B%27reservoir_payment%27%5D%3A%27{payment}%27");
        assert_eq!(received[0].line, format!("GET /v1/payment_intents/search?query={query}"));
        assert_eq!(received[1].line, "GET /v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa");
    }
}

#[tokio::test]
async fn what_a_search_does_not_find_yet_is_asked_for_again_under_the_same_key() {
    let charge = charge_by("pm_card_visa");
    let payment = charge.payment;
    let recorder = Recorder::start(move |index, _| match index {
        0 => error(500, "api_error", ""),
        1 => says(&json!({ "object": "search_result", "data": [] })),
        _ => Says { headers: vec![("idempotent-replayed", "true")], ..says(&intent(payment, "succeeded")) },
    })
    .await;
    let stripe = stripe(&recorder);
    assert_eq!(stripe.charge(charge.clone()).await, Err(ChargeError::Unknown));
    assert_eq!(stripe.truth(payment).await, Ok(Truth::NeverSeen));
    assert_eq!(stripe.charge(charge).await, Ok(charged()));
    let received = recorder.received(3).await;
    assert_eq!(header(&received[0], "idempotency-key"), header(&received[2], "idempotency-key"));
    // By now its name is known, and nothing is searched for.
    assert_eq!(stripe.truth(payment).await, Ok(Truth::Charged(charged())));
    assert!(recorder.received(4).await[3].line.starts_with("GET /v1/payment_intents/pi_"));
}

#[tokio::test]
async fn an_intent_that_waits_for_a_person_is_cancelled() {
    let charge = charge_by("pm_card_threeDSecure2Required");
    let payment = charge.payment;
    let recorder = Recorder::start(move |index, _| {
        says(&intent(payment, if index == 0 { "requires_action" } else { "canceled" }))
    })
    .await;
    assert_eq!(stripe(&recorder).charge(charge).await, Err(declined("authentication_required").into()));
    assert_eq!(recorder.received(2).await[1].line, "POST /v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa/cancel");
}

#[tokio::test]
async fn an_intent_that_moved_on_before_it_was_cancelled_counts_as_it_is() {
    let charge = charge_by("pm_card_threeDSecure2Required");
    let payment = charge.payment;
    let recorder = Recorder::start(move |index, _| match index {
        0 => says(&intent(payment, "requires_action")),
        1 => error(400, "invalid_request_error", "payment_intent_unexpected_state"),
        _ => says(&intent(payment, "succeeded")),
    })
    .await;
    assert_eq!(stripe(&recorder).charge(charge).await, Ok(charged()));
}

#[tokio::test]
async fn an_amount_that_stripe_does_not_take_is_not_sent() {
    let recorder = Recorder::start(|_, _| error(500, "api_error", "")).await;
    let fils = domain::Money::new(5_123, "KWD".to_owned().try_into().unwrap());
    let charge = ChargeRequest { amount: fils, ..charge_by("pm_card_visa") };
    assert_eq!(stripe(&recorder).charge(charge).await, Err(declined("amount_not_chargeable").into()));
    assert!(recorder.received(0).await.is_empty());
}

/// A Stripe where the charge was made, and refunds go as told.
async fn refunding(
    charge: &ChargeRequest,
    refunds: impl Fn(usize, &Received) -> Says + Send + Sync + 'static,
) -> Recorder {
    let payment = charge.payment;
    Recorder::start(
        move |index, received| {
            if index == 0 { says(&intent(payment, "succeeded")) } else { refunds(index - 1, received) }
        },
    )
    .await
}

fn refund(key: uuid::Uuid, status: &str) -> Value {
    json!({
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ", "object": "refund", "amount": 3000, "currency": "krw", "status": status,
        "payment_intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa", "metadata": { "reservoir_refund": key.to_string() },
        "failure_reason": if status == "failed" { json!("expired_or_canceled_card") } else { Value::Null },
    })
}

fn refunded() -> Refunded {
    Refunded { reference: "re_1Nispe2eZvKYlo2Cd31jOCgZ".to_owned() }
}

#[tokio::test]
async fn a_refund_is_looked_for_and_then_made_under_its_key() {
    let charge = charge_by("pm_card_visa");
    let part = refund_of(&charge, 3_000);
    let key = part.key;
    let recorder = refunding(&charge, move |index, _| match index {
        0 => list(vec![refund(uuid::Uuid::nil(), "succeeded")]),
        1 => says(&refund(key, "succeeded")),
        _ => list(vec![refund(uuid::Uuid::nil(), "succeeded"), refund(key, "succeeded")]),
    })
    .await;
    let stripe = stripe(&recorder);
    stripe.charge(charge).await.unwrap();
    assert_eq!(stripe.refund(part.clone()).await, Ok(refunded()));
    // The second time it is found.
    assert_eq!(stripe.refund(part).await, Ok(refunded()));
    let received = recorder.received(4).await;
    assert_eq!(received.len(), 4);
    assert_eq!(received[1].line, "GET /v1/refunds?payment_intent=pi_3MtwBwLkdIwHu7ix28a3tqPa&limit=100");
    assert_eq!(
        (received[2].line.as_str(), header(&received[2], "idempotency-key")),
        ("POST /v1/refunds", key.to_string().as_str())
    );
    let form = "payment_intent=pi_3MtwBwLkdIwHu7ix28a3tqPa&amount=3000";
    assert_eq!(received[2].body, format!("{form}&metadata%5Breservoir_refund%5D={key}"));
}

#[tokio::test]
async fn a_refund_that_failed_is_tried_again_under_another_key() {
    let charge = charge_by("pm_card_visa");
    let part = refund_of(&charge, 3_000);
    let key = part.key;
    let recorder = refunding(&charge, move |index, _| match index {
        // Without enough on the account there is no refund at all, and the answer is kept for the key.
        0 | 2 => list(vec![]),
        1 => error(400, "invalid_request_error", "insufficient_funds"),
        3 => Says {
            headers: vec![("idempotent-replayed", "true")],
            ..error(400, "invalid_request_error", "insufficient_funds")
        },
        4 => says(&refund(key, "failed")),
        5 => list(vec![refund(key, "failed")]),
        // As it stood when it was made.
        6 => Says { headers: vec![("idempotent-replayed", "true")], ..says(&refund(key, "succeeded")) },
        7 => {
            let mut another = refund(key, "succeeded");
            another["id"] = json!("re_2");
            says(&another)
        }
        _ => error(500, "api_error", ""),
    })
    .await;
    let stripe = stripe(&recorder);
    stripe.charge(charge).await.unwrap();
    let failed = |code: &str| Err(RefundError::Failed(declined(code)));
    assert_eq!(stripe.refund(part.clone()).await, failed("insufficient_funds"));
    assert_eq!(stripe.refund(part.clone()).await, failed("expired_or_canceled_card"));
    assert_eq!(stripe.refund(part).await, Ok(Refunded { reference: "re_2".to_owned() }));
    let received = recorder.received(9).await;
    let keys: Vec<_> = received
        .iter()
        .filter(|one| one.line == "POST /v1/refunds")
        .map(|one| header(one, "idempotency-key"))
        .collect();
    assert_eq!(keys, [key.to_string(), key.to_string(), format!("{key}-1"), format!("{key}-1"), format!("{key}-2")]);
}

#[tokio::test]
async fn a_refund_of_which_nothing_is_certain_is_neither_made_nor_failed() {
    let charge = charge_by("pm_card_visa");
    let part = refund_of(&charge, 3_000);
    let key = part.key;
    for answer in [
        says(&refund(key, "pending")),
        says(&refund(key, "requires_action")),
        error(409, "idempotency_error", "idempotency_key_in_use"),
        error(429, "invalid_request_error", "rate_limit"),
        error(500, "api_error", ""),
        Says::json(200, "{}"),
    ] {
        let told = answer.clone();
        let recorder = refunding(&charge, move |index, _| if index == 0 { list(vec![]) } else { told.clone() }).await;
        let stripe = stripe(&recorder);
        stripe.charge(charge.clone()).await.unwrap();
        assert_eq!(stripe.refund(part.clone()).await, Err(RefundError::Unavailable(Unavailable)), "{answer:?}");
    }
}

fn opened(event: &Value) -> Notice {
    let secret = Secret::new("whsec_test").unwrap();
    let (body, now) = (event.to_string(), chrono::Utc::now());
    let signature = signed(&secret, body.as_bytes(), now);
    let header = |name| (name == "stripe-signature").then_some(signature.as_str());
    PaymentWebhooks::none().with_stripe(secret).open("stripe", header, body.as_bytes(), now).unwrap()
}

#[test]
fn events_tell_of_our_payments_and_of_nothing_else() {
    let payment = charge_by("").payment;
    let event = |kind: &str, object: Value| {
        let data = json!({ "object": object });
        json!({ "id": "evt_1", "object": "event", "api_version": "2024-06-20", "type": kind, "livemode": true, "data": data })
    };
    let succeeded = opened(&event("payment_intent.succeeded", intent(payment, "succeeded")));
    assert_eq!(succeeded, Notice::Approved { payment, reference: charged().reference });
    let mut failed = intent(payment, "requires_payment_method");
    failed["last_payment_error"] =
        json!({ "type": "card_error", "code": "card_declined", "decline_code": "do_not_honor" });
    let failed = opened(&event("payment_intent.payment_failed", failed));
    assert_eq!(failed, Notice::Declined { payment, code: "do_not_honor".to_owned() });
    let canceled = opened(&event("payment_intent.canceled", intent(payment, "canceled")));
    assert_eq!(canceled, Notice::Declined { payment, code: "canceled".to_owned() });

    let mut strangers = intent(payment, "succeeded");
    strangers["metadata"] = json!({});
    for other in [
        event("payment_intent.succeeded", strangers),
        event("payment_intent.processing", intent(payment, "processing")),
        event("charge.refunded", json!({ "id": "ch_1" })),
        event("payment_intent.succeeded", json!([])),
        json!({ "hello": 1 }),
    ] {
        assert_eq!(opened(&other), Notice::Irrelevant, "{other}");
    }
}
