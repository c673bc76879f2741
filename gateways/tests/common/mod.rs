//! What the tests of gateways share: a simulated provider in this process, and payments to try on it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses a part of this")]

use domain::{Money, PaymentId};
use gateways::RemoteProvider;
use gateways::simulator::{Script, Settings, Simulator};
use sagas::payments::{ChargeRequest, RefundRequest};
use std::path::Path;
use uuid::Uuid;

pub(crate) fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, "KRW".to_owned().try_into().unwrap())
}

pub(crate) fn charge_by(method: &str) -> ChargeRequest {
    ChargeRequest { payment: PaymentId(Uuid::now_v7()), amount: won(5_000), method: method.to_owned() }
}

pub(crate) fn refund_of(charge: &ChargeRequest, amount_minor: i64) -> RefundRequest {
    RefundRequest { payment: charge.payment, reference: None, key: Uuid::now_v7(), amount: won(amount_minor) }
}

pub(crate) fn settings(script: &str) -> Settings {
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        ledger: None,
        script: Script::from_json(script.as_bytes()).unwrap(),
        webhook_url: None,
        webhook_secret: None,
        ignore_keys: false,
    }
}

pub(crate) fn with_ledger(path: &Path) -> Settings {
    Settings { ledger: Some(path.to_owned()), ..settings("{}") }
}

pub(crate) async fn simulator(settings: Settings) -> (Simulator, RemoteProvider) {
    let simulator = Simulator::start(settings).await.unwrap();
    let provider = RemoteProvider::new(&format!("http://{}", simulator.address())).unwrap();
    (simulator, provider)
}
