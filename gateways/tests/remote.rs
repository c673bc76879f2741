//! The client and the simulated provider understand each other, whatever goes wrong between them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{charge_by, refund_of, settings, simulator, with_ledger, won};
use domain::PaymentId;
use gateways::RemoteProvider;
use gateways::simulator::Settings;
use sagas::payments::{
    ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, Refunded, Truth, Unavailable,
};
use uuid::Uuid;

const QUICK: &str = r#"{"slow_ms": 150}"#;

fn reference(payment: PaymentId) -> Charged {
    Charged { reference: format!("sim-charge-{payment}") }
}

fn declined(code: &str) -> Declined {
    Declined { code: code.to_owned() }
}

#[tokio::test]
async fn a_charge_is_made_once_for_each_key() {
    let (_simulator, provider) = simulator(settings("{}")).await;
    let charge = charge_by("pm_ok");
    assert_eq!(provider.truth(charge.payment).await, Ok(Truth::NeverSeen));
    for _ in 0..3 {
        assert_eq!(provider.charge(charge.clone()).await, Ok(reference(charge.payment)));
    }
    assert_eq!(provider.truth(charge.payment).await, Ok(Truth::Charged(reference(charge.payment))));
    let another = ChargeRequest { amount: won(1), ..charge.clone() };
    assert_eq!(provider.charge(another).await, Err(ChargeError::Unknown));
}

#[tokio::test]
async fn a_decline_is_one_for_good() {
    let (_simulator, provider) = simulator(settings("{}")).await;
    for (method, code) in [
        ("pm_declined", "declined"),
        ("pm_insufficient_funds", "insufficient_funds"),
        ("pm_of_somebody", "unknown_payment_method"),
    ] {
        let charge = charge_by(method);
        for _ in 0..2 {
            assert_eq!(provider.charge(charge.clone()).await, Err(declined(code).into()), "{method}");
        }
        assert_eq!(provider.truth(charge.payment).await, Ok(Truth::Declined(declined(code))));
        let refund = provider.refund(refund_of(&charge, 1)).await;
        assert_eq!(refund, Err(RefundError::Unavailable(Unavailable)));
    }
}

#[tokio::test]
async fn what_is_not_known_is_found_out() {
    let (_simulator, provider) = simulator(settings(QUICK)).await;
    for (method, then) in
        [("pm_charged_but_timed_out", true), ("pm_not_charged_but_timed_out", false), ("pm_server_error", false)]
    {
        let charge = charge_by(method);
        assert_eq!(provider.charge(charge.clone()).await, Err(ChargeError::Unknown), "{method}");
        let charged = Truth::Charged(reference(charge.payment));
        let truth = if then { charged.clone() } else { Truth::NeverSeen };
        assert_eq!(provider.truth(charge.payment).await, Ok(truth), "{method}");
        assert_eq!(provider.charge(charge.clone()).await, Ok(reference(charge.payment)), "{method}");
        assert_eq!(provider.truth(charge.payment).await, Ok(charged), "{method}");
    }
}

#[tokio::test]
async fn a_charge_in_flight_is_not_made_a_second_time() {
    let (_simulator, provider) = simulator(settings(r#"{"slow_ms": 60000}"#)).await;
    let charge = charge_by("pm_in_flight");
    for _ in 0..3 {
        assert_eq!(provider.charge(charge.clone()).await, Err(ChargeError::Unknown));
        assert_eq!(provider.truth(charge.payment).await, Ok(Truth::InProgress));
    }
}

#[tokio::test]
async fn who_hangs_up_does_not_stop_the_charge() {
    let (_simulator, provider) = simulator(settings(QUICK)).await;
    let charge = charge_by("pm_slow");
    let impatient = tokio::time::timeout(std::time::Duration::from_millis(50), provider.charge(charge.clone())).await;
    assert!(impatient.is_err());
    loop {
        match provider.truth(charge.payment).await.unwrap() {
            Truth::InProgress => tokio::task::yield_now().await,
            truth => break assert_eq!(truth, Truth::Charged(reference(charge.payment))),
        }
    }
}

#[tokio::test]
async fn refunds_are_partial_and_made_once_for_each_key() {
    let (_simulator, provider) = simulator(settings("{}")).await;
    let charge = charge_by("pm_ok");
    provider.charge(charge.clone()).await.unwrap();
    let (part, rest) = (refund_of(&charge, 3_000), refund_of(&charge, 2_000));
    for refund in [&part, &part, &rest, &rest] {
        let reference = format!("sim-refund-{}", refund.key);
        assert_eq!(provider.refund(refund.clone()).await, Ok(Refunded { reference }));
    }
    let more = provider.refund(refund_of(&charge, 1)).await;
    assert_eq!(more, Err(RefundError::Failed(declined("more_than_charged"))));
}

#[tokio::test]
async fn a_refund_that_fails_is_told_and_may_be_asked_for_again() {
    let (_simulator, provider) = simulator(settings("{}")).await;
    let (once, always) = (charge_by("pm_refund_fails_once"), charge_by("pm_refund_fails_always"));
    provider.charge(once.clone()).await.unwrap();
    provider.charge(always.clone()).await.unwrap();
    let failed = Err(RefundError::Failed(declined("refund_failed")));
    let refund = refund_of(&once, 5_000);
    assert_eq!(provider.refund(refund.clone()).await, failed);
    assert!(provider.refund(refund).await.is_ok());
    let refund = refund_of(&always, 5_000);
    for _ in 0..3 {
        assert_eq!(provider.refund(refund.clone()).await, failed);
    }
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_made_once() {
    let (_simulator, provider) = simulator(settings("{}")).await;
    let charge = charge_by("pm_refund_answer_lost");
    provider.charge(charge.clone()).await.unwrap();
    let refund = refund_of(&charge, 5_000);
    assert_eq!(provider.refund(refund.clone()).await, Err(RefundError::Unavailable(Unavailable)));
    assert!(provider.refund(refund).await.is_ok());
}

#[tokio::test]
async fn the_books_outlive_the_provider() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.jsonl");
    let (first, provider) = simulator(with_ledger(&path)).await;
    let (charge, no) = (charge_by("pm_charged_but_timed_out"), charge_by("pm_declined"));
    assert_eq!(provider.charge(charge.clone()).await, Err(ChargeError::Unknown));
    assert_eq!(provider.charge(no.clone()).await, Err(declined("declined").into()));
    let listen = first.address();
    first.stop().await;
    // A connection from before would be cut instead of refused.
    let stranger = RemoteProvider::new(&format!("http://{listen}")).unwrap();
    assert_eq!(stranger.charge(charge_by("pm_ok")).await, Err(ChargeError::Unavailable(Unavailable)));
    // The thread that writes has let go of the file when it can be locked.
    std::fs::File::open(&path).unwrap().lock().unwrap();

    let mut settings = with_ledger(&path);
    settings.listen = listen;
    let (_second, provider) = simulator(settings).await;
    assert_eq!(provider.truth(charge.payment).await, Ok(Truth::Charged(reference(charge.payment))));
    assert_eq!(provider.truth(no.payment).await, Ok(Truth::Declined(declined("declined"))));
    assert!(provider.refund(refund_of(&charge, 5_000)).await.is_ok());
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn without_keys_every_request_is_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.jsonl");
    let (_simulator, provider) = simulator(Settings { ignore_keys: true, ..with_ledger(&path) }).await;
    let charge = charge_by("pm_ok");
    for _ in 0..2 {
        provider.charge(charge.clone()).await.unwrap();
    }
    assert_eq!(provider.truth(charge.payment).await, Ok(Truth::NeverSeen));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn only_a_connection_that_never_was_proves_that_nothing_was_sent() {
    // Nobody listens there any more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let provider = RemoteProvider::new(&address).unwrap();
    assert_eq!(provider.charge(charge_by("pm_ok")).await, Err(ChargeError::Unavailable(Unavailable)));

    // Somebody who hangs up at once, before or after reading, or who answers something else.
    let cases =
        ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{"];
    let others = [
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "nonsense",
    ];
    for says in cases.into_iter().chain(others) {
        let provider = RemoteProvider::new(&saying(says).await).unwrap();
        let charge = charge_by("pm_ok");
        assert_eq!(provider.charge(charge.clone()).await, Err(ChargeError::Unknown), "{says}");
        // And none of it is the truth.
        assert_eq!(provider.truth(charge.payment).await, Err(Unavailable), "{says}");
        let refund = provider.refund(refund_of(&charge, 1)).await;
        assert_eq!(refund, Err(RefundError::Unavailable(Unavailable)), "{says}");
    }
}

/// Somebody who says the same to everybody and hangs up.
async fn saying(says: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if !says.is_empty() {
                let mut read = [0; 4_096];
                let _ = stream.read(&mut read).await;
            }
            stream.write_all(says.as_bytes()).await.ok();
        }
    });
    address
}

#[test]
fn an_address_is_checked() {
    for address in
        ["", "127.0.0.1:8081", "ftp://127.0.0.1", "http://127.0.0.1/path", "http://me:secret@127.0.0.1", "http://"]
    {
        assert!(RemoteProvider::new(address).is_err(), "{address}");
    }
    assert!(RemoteProvider::new("http://127.0.0.1:8081/").is_ok());
    let payment = PaymentId(Uuid::nil());
    assert_eq!(reference(payment).reference, "sim-charge-00000000-0000-0000-0000-000000000000");
}
