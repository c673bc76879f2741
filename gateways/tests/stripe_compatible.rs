//! The Stripe adapter against localstripe, a server of others that speaks Stripe's API. It does not look at idempotency keys and
//! cannot be searched: those two are tested in `stripe.rs`.
//!
//! `tests/run` installs it and says where in `LOCALSTRIPE_PYTHON`; without that, these tests say so and pass.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/recorder.rs"]
mod recorder;

use common::{charge_by, refund_of};
use gateways::{Notice, PaymentWebhooks, Secret, StripeProvider};
use recorder::{Received, Recorder, Says, ask};
use sagas::payments::{ChargeError, Declined, PaymentProvider, RefundError, Truth};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const SECRET_KEY: &str = "sk_test_12345";
const PATIENCE: Duration = Duration::from_secs(30);

/// localstripe on loopback, until it is dropped.
struct Localstripe {
    address: String,
    _child: Child,
}

impl Localstripe {
    #[expect(clippy::print_stderr, reason = "who runs the tests has to know what was not tested")]
    async fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("LOCALSTRIPE_PYTHON") else {
            eprintln!("not tested against localstripe: tests/run installs it, or set LOCALSTRIPE_PYTHON");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/run_localstripe.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let address = format!("http://127.0.0.1:{port}");
        // It has the port and listens a moment later.
        let begun = std::time::Instant::now();
        while ask("GET", format!("{address}/v1/payment_intents"), &[], "").await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "localstripe does not listen");
            tokio::task::yield_now().await;
        }
        Some(Self { address, _child: child })
    }

    fn provider(&self) -> StripeProvider {
        StripeProvider::new(&self.address, &Secret::new(SECRET_KEY).unwrap()).unwrap()
    }

    async fn asked(&self, method: &str, path: &str, body: Value) -> Value {
        let authorization = format!("Bearer {SECRET_KEY}");
        let headers = [("authorization", authorization.as_str())];
        let (status, text) = ask(method, format!("{}{path}", self.address), &headers, &body.to_string()).await.unwrap();
        assert_eq!(status, 200, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A card's token.
    async fn card(&self, number: &str) -> String {
        let card = json!({ "number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123" });
        let made = self.asked("POST", "/v1/payment_methods", json!({ "type": "card", "card": card })).await;
        made["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_charge_is_made_and_found() {
    let Some(server) = Localstripe::start().await else { return };
    let stripe = server.provider();
    let charge = charge_by("pm_card_visa");
    let charged = stripe.charge(charge.clone()).await.unwrap();
    assert!(charged.reference.starts_with("pi_"), "{charged:?}");
    assert_eq!(stripe.truth(charge.payment).await, Ok(Truth::Charged(charged.clone())));
    let intent = server.asked("GET", &format!("/v1/payment_intents/{}", charged.reference), Value::Null).await;
    assert_eq!((&intent["amount"], &intent["currency"]), (&json!(5_000), &json!("krw")));
    assert_eq!(intent["metadata"], json!({ "reservoir_payment": charge.payment.to_string() }));
}

#[tokio::test]
async fn a_card_that_is_declined_is_one() {
    let Some(server) = Localstripe::start().await else { return };
    let stripe = server.provider();
    let declined = |code: &str| Err(ChargeError::Declined(Declined { code: code.to_owned() }));
    assert_eq!(stripe.charge(charge_by("pm_card_chargeCustomerFail")).await, declined("card_declined"));
    assert_eq!(stripe.charge(charge_by("pm_of_nobody")).await, declined("invalid_request"));
}

#[tokio::test]
async fn a_card_that_wants_its_owner_is_declined_and_not_left_open() {
    let Some(server) = Localstripe::start().await else { return };
    let stripe = server.provider();
    let charge = charge_by(&server.card("4000002500003155").await);
    let declined = Declined { code: "authentication_required".to_owned() };
    assert_eq!(stripe.charge(charge.clone()).await, Err(declined.clone().into()));
    assert_eq!(stripe.truth(charge.payment).await, Ok(Truth::Declined(declined)));
    let intents = server.asked("GET", "/v1/payment_intents", Value::Null).await;
    assert_eq!(intents["data"][0]["status"], "canceled", "{intents}");
}

#[tokio::test]
async fn money_goes_back_in_parts_and_each_part_once() {
    let Some(server) = Localstripe::start().await else { return };
    let stripe = server.provider();
    let charge = charge_by("pm_card_visa");
    stripe.charge(charge.clone()).await.unwrap();
    let (part, rest) = (refund_of(&charge, 3_000), refund_of(&charge, 2_000));
    let first = stripe.refund(part.clone()).await.unwrap();
    assert!(first.reference.starts_with("re_"), "{first:?}");
    // It does not look at keys: that it is not refunded again is due to looking for it first.
    assert_eq!(stripe.refund(part).await, Ok(first));
    stripe.refund(rest).await.unwrap();
    let refunds = server.asked("GET", "/v1/refunds", Value::Null).await;
    let mut amounts: Vec<_> = refunds["data"].as_array().unwrap().iter().map(|one| one["amount"].as_i64()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [Some(2_000), Some(3_000)]);
    let of_nothing = stripe.refund(refund_of(&charge_by("pm_card_visa"), 1)).await;
    assert!(matches!(of_nothing, Err(RefundError::Unavailable(_))), "{of_nothing:?}");
}

fn opened(received: &Received, secret: &str) -> Notice {
    let header = |name| received.headers.get(name).map(|value| value.to_str().unwrap());
    let webhooks = PaymentWebhooks::none().with_stripe(Secret::new(secret).unwrap());
    webhooks.open("stripe", header, received.body.as_bytes(), chrono::Utc::now()).unwrap()
}

#[tokio::test]
async fn its_webhooks_are_proven_and_read() {
    let Some(server) = Localstripe::start().await else { return };
    let recorder = Recorder::start(|_, _| Says::json(200, "")).await;
    let hook = json!({ "url": format!("{}/hook", recorder.address), "secret": "whsec_12345" });
    server.asked("POST", "/_config/webhooks/reservoir", hook).await;
    let stripe = server.provider();
    let (yes, no) = (charge_by("pm_card_visa"), charge_by("pm_card_chargeCustomerFail"));
    let charged = stripe.charge(yes.clone()).await.unwrap();
    let told = opened(&recorder.received(1).await[0], "whsec_12345");
    assert_eq!(told, Notice::Approved { payment: yes.payment, reference: charged.reference });
    stripe.charge(no.clone()).await.unwrap_err();
    let told = opened(&recorder.received(2).await[1], "whsec_12345");
    assert_eq!(told, Notice::Declined { payment: no.payment, code: "card_declined".to_owned() });
}
