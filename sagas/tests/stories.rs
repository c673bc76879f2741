//! Whole reservations, from the request to their end, over a real journal.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use chrono::TimeDelta;
use domain::payment::PaymentStatus;
use domain::rental::{RentalCommand, RentalStatus};
use domain::store::StoreCommand;
use domain::{PaymentId, RentalId};
use sagas::payments::{
    Answered, ChargeError, ChargeRequest, Charged, RefundError, RefundRequest, Refunded, Truth, Unavailable,
};
use sagas::{PaymentProvider, Settings, SimulatedProvider};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use world::{UNITS, World, at, by_engine, context};

fn charge(rental: RentalId) -> PaymentId {
    PaymentId::charge_of(rental)
}

#[tokio::test]
async fn a_paid_rental_is_confirmed_and_the_shop_knows() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.quiet().await;
    let story = [
        "RentalRequested",
        "StockHeld",
        "PaymentRequested",
        "PaymentApproved",
        "StockCommitted",
        "RentalConfirmed",
        "DispatchRequested",
    ];
    assert_eq!(world.types().await[2..], story);
    assert_eq!(world.charged(charge(rental)), 300);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_declined_payment_frees_the_stock() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    for method in ["pm_declined", "pm_insufficient_funds", "pm_of_my_own"] {
        let rental = world.request("alice", method).await;
        world.until_status(rental, RentalStatus::Rejected).await;
        assert!(!world.holds(rental).await);
        assert_eq!(world.charged(charge(rental)), 0);
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_rental_that_is_not_paid_in_time_expires_and_a_late_charge_goes_back() {
    let world = World::new("car-rental").await;
    world.provider.set_available(false);
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("PaymentRequested").await;
    world.hands.advance(TimeDelta::seconds(900));
    world.until_status(rental, RentalStatus::Expired).await;
    assert!(!world.holds(rental).await);
    world.provider.set_available(true);
    world.hands.advance(TimeDelta::minutes(5));
    world.until_event("PaymentRefunded").await;
    assert_eq!((world.charged(charge(rental)), world.refunded(charge(rental))), (300, 300));
    assert_eq!(world.status(rental).await, Some(RentalStatus::Expired));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_deadline_does_not_fire_early() {
    let world = World::new("car-rental").await;
    world.provider.set_available(false);
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("PaymentRequested").await;
    world.hands.advance(TimeDelta::seconds(899));
    world.provider.set_available(true);
    world.until_status(rental, RentalStatus::Confirmed).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_until_it_is_known() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    for method in ["pm_slow", "pm_charged_but_timed_out"] {
        let rental = world.request("alice", method).await;
        let unknown = || async { world.payment(charge(rental)).await == Some(PaymentStatus::Unknown) };
        world.until("the payment is unknown", unknown).await;
        world.as_time_goes_by(|| async { world.status(rental).await == Some(RentalStatus::Confirmed) }).await;
        assert_eq!(world.charged(charge(rental)), 300);
    }
    running.stop().await.unwrap();
}

/// Takes the money of whoever asks, whatever it was asked before: it has forgotten all keys. Its books it still has.
struct Forgetful {
    books: Arc<SimulatedProvider>,
    charged: AtomicUsize,
}

impl PaymentProvider for Forgetful {
    fn charge(&self, _: ChargeRequest) -> Answered<'_, Charged, ChargeError> {
        self.charged.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Charged { reference: "a second charge".to_owned() }) })
    }

    fn truth(&self, payment: PaymentId) -> Answered<'_, Truth, Unavailable> {
        self.books.truth(payment)
    }

    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError> {
        self.books.refund(request)
    }
}

#[tokio::test]
async fn a_charge_that_a_crash_may_have_cut_off_long_ago_is_asked_for_before_it_is_repeated() {
    let world = World::new("car-rental").await;
    let running =
        world.start_with(Settings { provider_timeout: Duration::from_secs(3_600), ..world::settings() }).await;
    let rental = world.request("alice", "pm_charged_but_timed_out").await;
    while world.charged(charge(rental)) == 0 {
        tokio::task::yield_now().await;
    }
    drop(running);
    assert_eq!(world.payment(charge(rental)).await, Some(PaymentStatus::Requested));
    world.hands.advance(TimeDelta::days(2));
    let provider = Arc::new(Forgetful { books: world.provider.clone(), charged: AtomicUsize::new(0) });
    let running = world.start_paying(world::settings(), provider.clone()).await;
    world.until_event("PaymentApproved").await;
    assert_eq!((provider.charged.load(Ordering::Relaxed), world.charged(charge(rental))), (0, 300));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_refund_that_fails_is_tried_again() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_refund_fails_once").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    world.cancel(rental).await;
    world.until_event("RefundFailed").await;
    assert_eq!(world.status(rental).await, Some(RentalStatus::Cancelling));
    world.hands.advance(TimeDelta::seconds(10));
    world.until_status(rental, RentalStatus::Cancelled).await;
    assert_eq!(world.refunded(charge(rental)), 300);
    assert!(!world.holds(rental).await);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_cancellation_undoes_whatever_was_done() {
    let world = World::new("phone-shop").await;
    // The process managers find everything at once: the cancellation is there before anything was done.
    let early = world.request("alice", "pm_ok").await;
    world.cancel(early).await;
    let running = world.start().await;
    world.until_status(early, RentalStatus::Cancelled).await;

    let late = world.request("bob", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.cancel(late).await;
    world.until_status(late, RentalStatus::Cancelled).await;
    for rental in [early, late] {
        assert!(!world.holds(rental).await);
        assert_eq!(world.charged(charge(rental)), world.refunded(charge(rental)));
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_cancellation_while_the_payment_is_under_way_waits_for_it() {
    let world = World::new("phone-shop").await;
    world.provider.set_available(false);
    let running = world.start().await;
    let paid = world.request("alice", "pm_ok").await;
    let declined = world.request("bob", "pm_declined").await;
    world
        .until("both are asked to pay", || async {
            world.payment(charge(paid)).await.is_some() && world.payment(charge(declined)).await.is_some()
        })
        .await;
    world.cancel(paid).await;
    world.cancel(declined).await;
    world.quiet().await;
    assert_eq!(world.status(paid).await, Some(RentalStatus::Cancelling));
    world.provider.set_available(true);
    world.hands.advance(TimeDelta::seconds(60));
    world.until_status(paid, RentalStatus::Cancelled).await;
    world.until_status(declined, RentalStatus::Cancelled).await;
    assert_eq!((world.charged(charge(paid)), world.refunded(charge(paid))), (100, 100));
    assert!(!world.holds(paid).await && !world.holds(declined).await);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn whether_hand_over_or_cancellation_came_first_the_shop_decides() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.prepare(rental).await;
    world.subscriptions.pause("dispatch").await.unwrap();
    world.hand_over(rental).await;
    world.cancel(rental).await;
    world.until_event("RentalCancellationRefused").await;
    world.subscriptions.resume("dispatch").await.unwrap();
    world.until_status(rental, RentalStatus::HandedOver).await;
    assert_eq!(world.refunded(charge(rental)), 0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_overdue_car_comes_back_and_its_late_fee_is_charged() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::HandedOver).await;
    world.hands.set(at("2026-07-13T00:00:01Z"));
    world.until_event("StockOverdue").await;
    assert_eq!(world.status(rental).await, Some(RentalStatus::Overdue));
    world.hands.set(at("2026-07-14T12:00:00Z"));
    world.rental(rental, RentalCommand::Return { now: world.hands.now() }).await;
    world.until_status(rental, RentalStatus::Completed).await;
    assert_eq!(world.charged(PaymentId::late_fee_of(rental, 1)), 300);
    assert!(!world.holds(rental).await);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn fifty_customers_want_ten_phones_and_ten_get_one() {
    let world = World::new("phone-shop").await;
    let running = world.start().await;
    let mut rentals = Vec::new();
    for n in 0..50 {
        rentals.push(world.request(&format!("customer{n}"), "pm_ok").await);
    }
    let settled = || async {
        let mut open = 0;
        for rental in &rentals {
            open += usize::from(world.status(*rental).await == Some(RentalStatus::Requested));
        }
        open == 0
    };
    world.until("all are answered", settled).await;
    world.quiet().await;
    let mut confirmed = 0;
    for rental in &rentals {
        let stands = world.status(*rental).await == Some(RentalStatus::Confirmed);
        confirmed += u32::from(stands);
        assert_eq!(world.charged(charge(*rental)) > 0, stands);
    }
    assert_eq!(confirmed, UNITS);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_quota_counts_what_is_open() {
    let world = World::with_rules("phone-shop", |rules| rules.quota = Some(1)).await;
    let running = world.start().await;
    let first = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    let second = world.request("alice", "pm_ok").await;
    world.until_status(second, RentalStatus::Rejected).await;
    world.cancel(first).await;
    world.until_event("QuotaGivenBack").await;
    let third = world.request("alice", "pm_ok").await;
    world.until_status(third, RentalStatus::Confirmed).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_engine_takes_its_steps_once_the_shop_is_open() {
    let world = World::with_rules("coffee-shop", by_engine).await;
    let close = StoreCommand::Close { now: world.hands.now() };
    world.stores.execute("shop", close, &context("shop")).await.unwrap();
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.quiet().await;
    assert_eq!(world.status(rental).await, Some(RentalStatus::Confirmed));
    // What waits is remembered over a restart.
    running.stop().await.unwrap();
    let running = world.start().await;
    let open = StoreCommand::Open { now: world.hands.now() };
    world.stores.execute("shop", open, &context("shop")).await.unwrap();
    world.until_status(rental, RentalStatus::Completed).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn while_the_dispatch_is_paused_rentals_are_taken_and_paid() {
    let world = World::new("coffee-shop").await;
    let running = world.start().await;
    world.subscriptions.pause("dispatch").await.unwrap();
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    assert!(!world.types().await.contains(&"DispatchRequested".to_owned()));
    world.subscriptions.resume("dispatch").await.unwrap();
    world.until_event("DispatchRequested").await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_deadline_is_kept_over_a_restart() {
    let world = World::new("car-rental").await;
    world.provider.set_available(false);
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("PaymentRequested").await;
    world.quiet().await;
    running.stop().await.unwrap();
    world.hands.advance(TimeDelta::hours(1));
    let running = world.start().await;
    world.until_status(rental, RentalStatus::Expired).await;
    running.stop().await.unwrap();
}
