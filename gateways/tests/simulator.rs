//! The simulated provider over its own HTTP: webhooks, outages, bounds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/recorder.rs"]
mod recorder;

use common::{charge_by, settings, simulator, won};
use gateways::simulator::{Settings, Simulator, SimulatorError};
use gateways::{Notice, PaymentWebhooks, Secret};
use recorder::{Received, Recorder, Says, ask};
use sagas::payments::{ChargeError, PaymentProvider, Unavailable};
use serde_json::Value;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn secret() -> Secret {
    Secret::new("of these tests").unwrap()
}

fn with_webhooks(to: &Recorder, script: &str) -> Settings {
    let webhook_url = Some(format!("{}/hook", to.address));
    Settings { webhook_url, webhook_secret: Some(secret()), ..settings(script) }
}

fn taken() -> Says {
    Says::json(200, "")
}

/// Proves and reads what was received.
fn opened(received: &Received) -> Notice {
    let webhooks = PaymentWebhooks::none().with_simulated(secret());
    let header = |name| received.headers.get(name).map(|value| value.to_str().unwrap());
    webhooks.open("simulated", header, received.body.as_bytes(), chrono::Utc::now()).unwrap()
}

async fn play(simulator: &Simulator, script: &str) -> (u16, String) {
    ask("PUT", format!("http://{}/script", simulator.address()), &[], script).await.unwrap()
}

async fn ledger(simulator: &Simulator) -> Vec<Value> {
    let (status, body) = ask("GET", format!("http://{}/ledger", simulator.address()), &[], "").await.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_outcome_is_told_by_a_signed_webhook() {
    let recorder = Recorder::start(|_, _| taken()).await;
    let (_simulator, provider) = simulator(with_webhooks(&recorder, "{}")).await;
    let (yes, no) = (charge_by("pm_ok"), charge_by("pm_declined"));
    provider.charge(yes.clone()).await.unwrap();
    let told = opened(&recorder.received(1).await[0]);
    let reference = format!("sim-charge-{}", yes.payment);
    assert_eq!(told, Notice::Approved { payment: yes.payment, reference });
    provider.charge(no.clone()).await.unwrap_err();
    let told = opened(&recorder.received(2).await[1]);
    assert_eq!(told, Notice::Declined { payment: no.payment, code: "declined".to_owned() });
    provider.refund(common::refund_of(&yes, 1)).await.unwrap();
    assert_eq!(opened(&recorder.received(3).await[2]), Notice::Irrelevant);
}

#[tokio::test]
async fn a_webhook_comes_twice_more_or_late_or_first() {
    let recorder = Recorder::start(|_, _| taken()).await;
    let (_simulator, provider) = simulator(with_webhooks(&recorder, r#"{"late_webhook_ms": 200}"#)).await;
    provider.charge(charge_by("pm_duplicate_webhook")).await.unwrap();
    let received = recorder.received(3).await;
    assert!(received.iter().all(|one| one.body == received[0].body));

    let begun = Instant::now();
    provider.charge(charge_by("pm_late_webhook")).await.unwrap();
    recorder.received(4).await;
    assert!(begun.elapsed() >= Duration::from_millis(200));

    provider.charge(charge_by("pm_webhook_first")).await.unwrap();
    // It was there before the answer was: nothing is waited for.
    assert_eq!(recorder.received(0).await.len(), 5);
}

#[tokio::test]
async fn a_webhook_that_was_refused_comes_again() {
    let recorder = Recorder::start(|index, _| if index == 0 { Says::json(503, "") } else { taken() }).await;
    let (_simulator, provider) = simulator(with_webhooks(&recorder, "{}")).await;
    provider.charge(charge_by("pm_ok")).await.unwrap();
    let received = recorder.received(2).await;
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn webhooks_go_where_they_are_wanted_now() {
    let recorder = Recorder::start(|_, _| taken()).await;
    let quiet = Settings { webhook_secret: Some(secret()), ..settings("{}") };
    let (simulator, provider) = simulator(quiet).await;
    let url = format!("http://{}/webhook-url", simulator.address());
    let wanted = format!(r#"{{"url": "{}/elsewhere"}}"#, recorder.address);
    assert_eq!(ask("PUT", url.clone(), &[], &wanted).await.unwrap().0, 200);
    assert_eq!(ask("PUT", url, &[], r#"{"url": "not an address"}"#).await.unwrap().0, 400);
    let charge = charge_by("pm_ok");
    provider.charge(charge.clone()).await.unwrap();
    let received = recorder.received(1).await;
    assert_eq!((received.len(), received[0].line.as_str()), (1, "POST /elsewhere"));
    assert!(received[0].body.contains(&charge.payment.to_string()));
}

#[tokio::test]
async fn the_script_changes_while_it_runs() {
    let (simulator, provider) = simulator(settings("{}")).await;
    assert!(provider.charge(charge_by("pm_ok")).await.is_ok());
    let (status, body) = play(&simulator, r#"{"behaviours": {"decline": 1}}"#).await;
    assert_eq!(status, 200, "{body}");
    assert!(matches!(provider.charge(charge_by("pm_ok")).await, Err(ChargeError::Declined(_))));
    let (status, body) = play(&simulator, r#"{"behaviours": {"decline": 0}}"#).await;
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("weigh nothing"), "{body}");
    let (_, body) = ask("GET", format!("http://{}/script", simulator.address()), &[], "").await.unwrap();
    assert!(body.contains("decline"), "{body}");
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends() {
    let (simulator, provider) = simulator(settings("{}")).await;
    let charge = charge_by("pm_ok");
    assert!(provider.charge(charge_by("pm_ok")).await.is_ok());
    let begun = Instant::now();
    play(&simulator, r#"{"outage": {"kind": "refuse", "for_ms": 400}}"#).await;
    let mut refused = 0;
    loop {
        match provider.charge(charge.clone()).await {
            Ok(_) => break,
            Err(ChargeError::Unavailable(Unavailable)) => refused += 1,
            // A connection from before, cut while the request was on its way.
            Err(ChargeError::Unknown) => {}
            Err(error @ ChargeError::Declined(_)) => panic!("{error}"),
        }
    }
    assert!(begun.elapsed() >= Duration::from_millis(350), "{:?}", begun.elapsed());
    assert!(refused > 0);
    assert_eq!(ledger(&simulator).await.len(), 2);
}

#[tokio::test]
async fn an_outage_hangs_and_the_books_can_be_read_meanwhile() {
    let (simulator, provider) = simulator(settings("{}")).await;
    play(&simulator, r#"{"outage": {"kind": "hang", "for_ms": 60000}}"#).await;
    let charge = charge_by("pm_ok");
    let waited = tokio::time::timeout(Duration::from_millis(100), provider.charge(charge.clone())).await;
    assert!(waited.is_err());
    assert!(ledger(&simulator).await.is_empty());
    play(&simulator, "{}").await;
    assert!(provider.charge(charge).await.is_ok());
}

#[tokio::test]
async fn a_crowd_with_one_key_is_charged_once() {
    let (simulator, provider) = simulator(settings(r#"{"latency_ms": [20, 20]}"#)).await;
    let charge = charge_by("pm_ok");
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (provider, charge) = (provider.clone(), charge.clone());
        crowd.spawn(async move { provider.charge(charge).await });
    }
    let answers = crowd.join_all().await;
    assert!(answers.iter().any(Result::is_ok));
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(ChargeError::Unknown))), "{answers:?}");
    let entries = ledger(&simulator).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["entry"], "charged");
    assert_eq!(entries[0]["amount"], serde_json::to_value(won(5_000)).unwrap());
}

#[tokio::test]
async fn what_is_no_request_of_the_protocol_is_refused() {
    let (simulator, _) = simulator(settings("{}")).await;
    let at = |path: &str| format!("http://{}{path}", simulator.address());
    let key = Uuid::now_v7().to_string();
    let good = r#"{"amount": {"amount_minor": 1, "currency": "KRW"}, "method": "pm_ok"}"#;
    let nothing = r#"{"amount": {"amount_minor": 0, "currency": "KRW"}, "method": "pm_ok"}"#;
    let huge = format!(r#"{{"method": "{}"}}"#, "m".repeat(20_000));
    for (method, path, key, body, status) in [
        ("POST", "/v1/charges", "", good, 400),
        ("POST", "/v1/charges", "one", good, 400),
        ("POST", "/v1/charges", &key, "{}", 400),
        ("POST", "/v1/charges", &key, nothing, 400),
        ("POST", "/v1/charges", &key, &huge, 413),
        ("GET", "/v1/charges/one", &key, "", 400),
        ("DELETE", "/v1/charges", &key, "", 404),
        ("GET", "/", &key, "", 404),
    ] {
        let (answered, body) = ask(method, at(path), &[("idempotency-key", key)], body).await.unwrap();
        assert_eq!(answered, status, "{method} {path}: {body}");
    }
    assert!(ledger(&simulator).await.is_empty());
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let settings = Settings { listen: "0.0.0.0:0".parse().unwrap(), ..settings("{}") };
    assert!(matches!(Simulator::start(settings).await, Err(SimulatorError::NotLoopback(_))));
}
