//! What cannot be handled stops its own sequence and nothing else, and is never dropped.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use domain::rental::RentalStatus;
use domain::{PaymentId, RentalId};
use journal::{Append, Expected, NewEvent};
use sagas::payments::{
    Answered, ChargeError, ChargeRequest, Charged, RefundError, RefundRequest, Refunded, Truth, Unavailable,
};
use sagas::{PaymentProvider, Settings, SimulatedProvider};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;
use world::{World, context, settings};

/// Panics over one method of payment until it is healed.
struct Allergic {
    provider: Arc<SimulatedProvider>,
    healed: AtomicBool,
}

impl PaymentProvider for Allergic {
    fn charge(&self, request: ChargeRequest) -> Answered<'_, Charged, ChargeError> {
        assert!(request.method == "pm_ok" || self.healed.load(Ordering::Acquire), "allergic to {}", request.method);
        let method = "pm_ok".to_owned();
        self.provider.charge(ChargeRequest { method, ..request })
    }

    fn truth(&self, payment: PaymentId) -> Answered<'_, Truth, Unavailable> {
        self.provider.truth(payment)
    }

    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError> {
        self.provider.refund(request)
    }
}

fn parked(world: &World, subscription: &str) -> Vec<String> {
    let status = world.subscriptions.list().into_iter().find(|it| it.name == subscription).unwrap();
    status.parked.into_iter().map(|parked| format!("{} after {} tries", parked.sequence, parked.attempts)).collect()
}

#[tokio::test]
async fn a_panic_parks_one_payment_until_it_is_retried() {
    let world = World::new("phone-shop").await;
    let provider = Arc::new(Allergic { provider: world.provider.clone(), healed: AtomicBool::new(false) });
    let running = world.start_paying(settings(), provider.clone()).await;
    let ill = world.request("alice", "pm_poison").await;
    let charge = PaymentId::charge_of(ill);
    while parked(&world, "payments").is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(parked(&world, "payments"), [format!("payment-{charge} after 3 tries")]);
    let well = world.request("bob", "pm_ok").await;
    world.until_status(well, RentalStatus::Confirmed).await;

    // It is still parked after a restart, and then goes on where it was.
    running.stop().await.unwrap();
    let running = world.start_paying(settings(), provider.clone()).await;
    world.quiet().await;
    assert_eq!(world.status(ill).await, Some(RentalStatus::Requested));
    provider.healed.store(true, Ordering::Release);
    world.subscriptions.retry("payments", &format!("payment-{charge}")).await.unwrap();
    world.until_status(ill, RentalStatus::Confirmed).await;
    while !parked(&world, "payments").is_empty() {
        tokio::task::yield_now().await;
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_event_that_cannot_be_read_parks_its_stream() {
    let world = World::new("phone-shop").await;
    let running = world.start().await;
    let garbled = RentalId(Uuid::now_v7());
    let new = NewEvent {
        id: Uuid::now_v7(),
        event_type: "RentalRequested".to_owned(),
        version: 1,
        payload: r#"{"RentalRequested":{}}"#.to_owned(),
        decoded: None,
    };
    let stream = format!("rental-{garbled}");
    let (events, context) = (vec![new], context("poison"));
    world
        .journal
        .append(Append { stream: stream.clone().into(), expected: Expected::Any, events, context, basis: None })
        .await
        .unwrap();
    let well = world.request("bob", "pm_ok").await;
    world.until_status(well, RentalStatus::Confirmed).await;
    world.quiet().await;
    assert_eq!(parked(&world, "reservation"), [format!("{stream} after 3 tries")]);
    assert!(running.failure().is_none());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_that_is_ended_again_and_again_before_it_saves_parks_nothing_that_was_handled() {
    let world = World::new("phone-shop").await;
    let never = Settings { save_every: Duration::from_secs(3_600), ..settings() };
    let rental = {
        let _running = world.start_with(never).await;
        let rental = world.request("alice", "pm_ok").await;
        world.until_status(rental, RentalStatus::Confirmed).await;
        rental
    };
    for _ in 0..12 {
        let _running = world.start_with(never).await;
        world.quiet().await;
    }
    for status in world.subscriptions.list() {
        assert!(status.parked.is_empty(), "{}: {:?}", status.name, status.parked);
    }
    assert_eq!(world.status(rental).await, Some(RentalStatus::Confirmed));
}
