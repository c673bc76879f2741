//! Extensions over a real journal: whatever comes in between, no money is taken without additional time.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use chrono::TimeDelta;
use domain::payment::PaymentStatus;
use domain::rental::{RentalCommand, RentalStatus};
use domain::{PaymentId, RentalId};
use world::{World, at};

/// Two days after what was agreed; a day costs 100.
const LONGER: &str = "2026-07-15T00:00:00Z";

async fn confirmed(world: &World, method: &str) -> RentalId {
    let rental = world.request("alice", method).await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    world.quiet().await;
    rental
}

async fn ends(world: &World, rental: RentalId) -> String {
    world.period(rental).await.unwrap().to.to_rfc3339()
}

/// What was taken for an extension, less what went back.
fn kept(world: &World, rental: RentalId, number: u32) -> i64 {
    let payment = PaymentId::extension_of(rental, number);
    world.charged(payment) - world.refunded(payment)
}

/// How many units can be had in the two days after what was agreed.
async fn free(world: &World) -> Option<u32> {
    let period = domain::Period::new(at("2026-07-13T00:00:00Z"), at(LONGER)).unwrap();
    let now = world.hands.now();
    world.items.inspect(&world.item.to_string(), |item, _| item.available(Some(period), now)).await.unwrap()
}

#[tokio::test]
async fn additional_days_are_charged_before_they_stand() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    let before = world.types().await.len();
    world.extend(rental, at(LONGER)).await;
    world.until_event("RentalExtended").await;
    world.quiet().await;
    let story = ["ExtensionRequested", "StockExtended", "PaymentRequested", "PaymentApproved", "RentalExtended"];
    assert_eq!(world.types().await[before..], story);
    assert_eq!((kept(&world, rental, 1), free(&world).await), (200, Some(9)));
    assert_eq!(ends(&world, rental).await, at(LONGER).to_rfc3339());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_loan_is_extended_for_nothing() {
    let world = World::new("library").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.extend(rental, at(LONGER)).await;
    world.until_event("RentalExtended").await;
    assert_eq!(world.payment(PaymentId::extension_of(rental, 1)).await, None);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_declined_extension_changes_nothing_and_may_be_asked_for_again() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_up_to_300").await;
    world.extend(rental, at("2026-07-17T00:00:00Z")).await;
    world.until_event("ExtensionRefused").await;
    world.quiet().await;
    assert_eq!((kept(&world, rental, 1), free(&world).await), (0, Some(10)));
    world.extend(rental, at(LONGER)).await;
    world.until_event("RentalExtended").await;
    assert_eq!(kept(&world, rental, 2), 200);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_cancellation_overtakes_an_extension_and_what_is_approved_afterwards_goes_back() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.provider.set_available(false);
    world.extend(rental, at(LONGER)).await;
    world
        .until("the payment is asked for", || async {
            world.payment(PaymentId::extension_of(rental, 1)).await == Some(PaymentStatus::Requested)
        })
        .await;
    world.cancel(rental).await;
    world.quiet().await;
    world.provider.set_available(true);
    world
        .as_time_goes_by(|| async {
            let refunded = Some(PaymentStatus::Refunded);
            world.status(rental).await == Some(RentalStatus::Cancelled)
                && world.payment(PaymentId::extension_of(rental, 1)).await == refunded
        })
        .await;
    let charge = PaymentId::charge_of(rental);
    assert_eq!((kept(&world, rental, 1), world.charged(charge) - world.refunded(charge)), (0, 0));
    assert_eq!((free(&world).await, world.holds(rental).await), (Some(10), false));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_return_overtakes_an_extension() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::HandedOver).await;
    world.provider.set_available(false);
    world.extend(rental, at(LONGER)).await;
    world.until_event("StockExtended").await;
    world.rental(rental, RentalCommand::Return { now: world.hands.now() }).await;
    world.until_status(rental, RentalStatus::Completed).await;
    world.provider.set_available(true);
    let paid_back =
        || async { world.payment(PaymentId::extension_of(rental, 1)).await == Some(PaymentStatus::Refunded) };
    world.as_time_goes_by(paid_back).await;
    assert_eq!((kept(&world, rental, 1), free(&world).await), (0, Some(10)));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_extension_that_is_not_paid_in_time_is_refused_and_another_waits_until_its_payment_is_undone() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.provider.set_available(false);
    world.extend(rental, at(LONGER)).await;
    world.until_event("StockExtended").await;
    world.hands.advance(TimeDelta::seconds(900));
    world.until_event("StockExtensionReleased").await;
    world.quiet().await;
    assert_eq!(free(&world).await, Some(10));

    world.extend(rental, at(LONGER)).await;
    let refused = || async { world.types().await.iter().filter(|it| *it == "ExtensionRefused").count() == 2 };
    world.until("the second one is refused", refused).await;
    world.quiet().await;

    world.provider.set_available(true);
    let first = PaymentId::extension_of(rental, 1);
    world.as_time_goes_by(|| async { world.payment(first).await == Some(PaymentStatus::Refunded) }).await;
    world.quiet().await;
    world.extend(rental, at(LONGER)).await;
    world.until_event("RentalExtended").await;
    world.quiet().await;
    assert_eq!((kept(&world, rental, 1), kept(&world, rental, 2), kept(&world, rental, 3)), (0, 0, 200));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_car_whose_extension_is_being_decided_is_not_overdue_until_that_is_refused() {
    let world = World::with_rules("car-rental", |rules| rules.hold_s = 86_400).await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::HandedOver).await;
    world.hands.set(at("2026-07-12T23:00:00Z"));
    world.provider.set_available(false);
    world.extend(rental, at(LONGER)).await;
    world.until_event("StockExtended").await;
    world.hands.set(at("2026-07-13T12:00:00Z"));
    world.quiet().await;
    assert_eq!(world.status(rental).await, Some(RentalStatus::HandedOver));
    world.hands.set(at("2026-07-13T23:00:00Z"));
    world.until_event("ExtensionRefused").await;
    world.as_time_goes_by(|| async { world.status(rental).await == Some(RentalStatus::Overdue) }).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn cancelling_pays_back_the_extensions_too_less_the_fee() {
    let world = World::with_rules("car-rental", |rules| rules.cancellation.fee_percent = 70).await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.extend(rental, at("2026-07-14T00:00:00Z")).await;
    world.until_event("RentalExtended").await;
    world.extend(rental, at(LONGER)).await;
    world
        .until("both stand", || async { world.types().await.iter().filter(|it| *it == "RentalExtended").count() == 2 })
        .await;
    world.quiet().await;
    world.hands.set(at("2026-07-09T12:00:00Z"));
    world.cancel(rental).await;
    world.until_status(rental, RentalStatus::Cancelled).await;
    // Of 300, 100 and 100 are kept 350.
    let charge = PaymentId::charge_of(rental);
    assert_eq!(world.charged(charge) - world.refunded(charge), 300);
    assert_eq!((kept(&world, rental, 1), kept(&world, rental, 2)), (50, 0));
    assert!(!world.holds(rental).await);
    running.stop().await.unwrap();
}

/// Back a day and a half late, which costs 300.
async fn late(world: &World, method: &str) -> RentalId {
    let rental = confirmed(world, method).await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::HandedOver).await;
    world.hands.set(at("2026-07-14T12:00:00Z"));
    world.until_event("StockOverdue").await;
    world.rental(rental, RentalCommand::Return { now: world.hands.now() }).await;
    rental
}

#[tokio::test]
async fn a_declined_late_fee_is_paid_in_another_way() {
    let world = World::with_rules("car-rental", |rules| rules.late_fee_percent = 200).await;
    let running = world.start().await;
    let rental = late(&world, "pm_up_to_300").await;
    world.until_event("LateFeeDeclined").await;
    for method in ["pm_declined", "pm_ok"] {
        let (method, now) = (method.to_owned(), world.hands.now());
        world.rental(rental, RentalCommand::PayLateFee { method, now }).await;
        world.quiet().await;
    }
    world.until_status(rental, RentalStatus::Completed).await;
    let charged = |attempt| world.charged(PaymentId::late_fee_of(rental, attempt));
    assert_eq!((charged(1), charged(2), charged(3)), (0, 0, 400));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_approved_after_a_waiver_goes_back() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = confirmed(&world, "pm_ok").await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::HandedOver).await;
    world.hands.set(at("2026-07-14T12:00:00Z"));
    world.until_event("StockOverdue").await;
    world.provider.set_available(false);
    world.rental(rental, RentalCommand::Return { now: world.hands.now() }).await;
    let fee = PaymentId::late_fee_of(rental, 1);
    world.until("the fee is asked for", || async { world.payment(fee).await == Some(PaymentStatus::Requested) }).await;
    world.rental(rental, RentalCommand::WaiveLateFee { now: world.hands.now() }).await;
    world.until_status(rental, RentalStatus::Completed).await;
    world.quiet().await;
    world.provider.set_available(true);
    world.as_time_goes_by(|| async { world.payment(fee).await == Some(PaymentStatus::Refunded) }).await;
    assert_eq!((world.charged(fee), world.refunded(fee)), (300, 300));
    running.stop().await.unwrap();
}
