//! Messages: recorded first, sent afterwards, tried again, and never sent twice.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use chrono::TimeDelta;
use domain::message::{MessageCommand, MessageStatus};
use domain::policy::{Occasion, Policy};
use domain::rental::RentalStatus;
use domain::store::StoreCommand;
use domain::{MessageId, PaymentId, RentalId};
use sagas::messages::{Delivered, Delivering, Outgoing, Undelivered};
use sagas::{LogMessenger, Messenger, Settings};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use world::{World, at, context, settings};

const BOOKED: [&str; 2] = ["requested", "confirmed"];
const CANCELLED: [&str; 4] = ["requested", "confirmed", "cancelling", "cancelled"];

/// Fails, or does not answer, until it is told otherwise.
#[derive(Default)]
struct Moody {
    away: AtomicBool,
    silent: AtomicBool,
    strict: AtomicBool,
    calls: AtomicU32,
    delivered: Mutex<Vec<(MessageId, Occasion)>>,
}

impl Messenger for Moody {
    fn deliver(&self, outgoing: Outgoing) -> Delivering<'_> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::AcqRel);
            if self.away.load(Ordering::Acquire) {
                return Err(Undelivered::for_now("nobody is there"));
            }
            if self.strict.load(Ordering::Acquire) {
                return Err(Undelivered::for_good("nobody lives there"));
            }
            self.delivered.lock().unwrap().push((outgoing.message, outgoing.letter.occasion));
            if self.silent.load(Ordering::Acquire) {
                std::future::pending::<()>().await;
            }
            Ok(Delivered { reference: "moody".to_owned() })
        })
    }
}

async fn cinema_told_by(messenger: Arc<dyn Messenger>) -> World {
    let mut world = World::new("cinema").await;
    world.messenger = messenger;
    world
}

async fn sent(world: &World) -> usize {
    world.types().await.iter().filter(|event| *event == "MessageSent").count()
}

async fn until_sent(world: &World, how_many: usize) {
    world.until(&format!("{how_many} messages are sent"), || async { sent(world).await == how_many }).await;
}

/// Where the only message that has not gone out stands, and how often it has failed.
async fn stuck(world: &World) -> (Option<MessageStatus>, u32) {
    let events = world.journal.read_all(0, usize::MAX).await.unwrap();
    let last = events.iter().rfind(|event| event.category() == "message").unwrap();
    world.messages.inspect(last.aggregate_id(), |message, _| (message.status(), message.failures())).await.unwrap()
}

#[tokio::test]
async fn every_change_of_a_reservation_is_told_once_and_in_order() {
    let world = World::new("cinema").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    until_sent(&world, 2).await;
    world.cancel(rental).await;
    until_sent(&world, 4).await;
    world.quiet().await;
    assert_eq!(world.occasions(), CANCELLED);
    let told = world.told();
    let text = |index: usize| told[index]["text"].as_str().unwrap();
    assert_eq!(
        text(1),
        "Your reservation for Thing is confirmed: 1 seat(s) A0, 100 KRW in all. Shop is looking forward to seeing you."
    );
    assert_eq!(text(3), "Your reservation for Thing is cancelled. Refund: 100 KRW.");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_rejected_and_an_expired_reservation_are_told_of() {
    let world = World::new("cinema").await;
    let running = world.start().await;
    world.request("alice", "pm_declined").await;
    until_sent(&world, 2).await;
    world.provider.set_available(false);
    let rental = world.request("bob", "pm_ok").await;
    let asked = || async { world.payment(PaymentId::charge_of(rental)).await.is_some() };
    world.until("bob is asked to pay", asked).await;
    world.hands.advance(TimeDelta::seconds(600));
    world.until_status(rental, RentalStatus::Expired).await;
    until_sent(&world, 4).await;
    assert_eq!(world.occasions(), ["requested", "rejected", "requested", "expired"]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_business_tells_only_what_its_rules_list() {
    let world = World::new("coffee-shop").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    until_sent(&world, 1).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::Completed).await;
    world.quiet().await;
    assert_eq!(world.occasions(), ["prepared"]);
    assert_eq!(world.told()[0]["text"], "Your drink is ready: 1 × Thing. Please collect it at Shop.");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_overdue_car_is_told_of_when_it_was_due() {
    let world = World::new("car-rental").await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_event("DispatchRequested").await;
    world.prepare(rental).await;
    world.until_status(rental, RentalStatus::Prepared).await;
    world.hand_over(rental).await;
    world.until_status(rental, RentalStatus::HandedOver).await;
    world.quiet().await;
    assert!(world.told().is_empty());
    world.hands.set(at("2026-07-13T00:00:01Z"));
    until_sent(&world, 1).await;
    let text = world.told()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Thing was due back at Shop on 2026-07-13 00:00."), "{text}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn while_messages_are_paused_reservations_are_taken_and_what_was_missed_goes_out_later() {
    let world = World::new("cinema").await;
    let running = world.start().await;
    world.subscriptions.pause("messages").await.unwrap();
    let cancelled = world.request("alice", "pm_ok").await;
    world.until_status(cancelled, RentalStatus::Confirmed).await;
    world.cancel(cancelled).await;
    world.until_status(cancelled, RentalStatus::Cancelled).await;
    assert!(!world.types().await.contains(&"MessageRecorded".to_owned()));

    // Nor is a restart in between the end of it.
    running.stop().await.unwrap();
    let running = world.start().await;
    let kept = world.request("bob", "pm_ok").await;
    world.until_status(kept, RentalStatus::Confirmed).await;
    assert_eq!(sent(&world).await, 0);

    world.subscriptions.resume("messages").await.unwrap();
    until_sent(&world, 6).await;
    world.quiet().await;
    let told = world.told();
    let of = |customer: &str| {
        let theirs = told.iter().filter(|line| line["customer"] == customer);
        theirs.map(|line| line["occasion"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((of("alice"), of("bob")), (CANCELLED.map(str::to_owned).to_vec(), BOOKED.map(str::to_owned).to_vec()));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_messenger_that_is_away_is_tried_again_and_delivers_once_and_in_order() {
    let moody = Arc::new(Moody::default());
    moody.away.store(true, Ordering::Release);
    let world = cinema_told_by(moody.clone()).await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    let failures = || async { world.types().await.iter().filter(|event| *event == "MessageFailed").count() >= 4 };
    world.as_time_goes_by(failures).await;
    moody.away.store(false, Ordering::Release);
    world.as_time_goes_by(|| async { sent(&world).await == 2 }).await;
    world.quiet().await;
    let delivered: Vec<_> = moody.delivered.lock().unwrap().iter().map(|(_, occasion)| occasion.name()).collect();
    assert_eq!(delivered, BOOKED);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_message_that_fails_too_often_stays_failed_and_holds_nobody_up() {
    let moody = Arc::new(Moody::default());
    moody.away.store(true, Ordering::Release);
    let world = cinema_told_by(moody.clone()).await;
    let rental = world.request("alice", "pm_declined").await;
    let running = world.start().await;
    world.until_status(rental, RentalStatus::Rejected).await;
    // Half an hour for each of the two.
    for failures in 1..=24 {
        world
            .until("it has failed again", || async {
                world.types().await.iter().filter(|event| *event == "MessageFailed").count() >= failures
            })
            .await;
        world.hands.advance(TimeDelta::minutes(10));
    }
    world.quiet().await;
    assert_eq!(moody.calls.load(Ordering::Acquire), 24);
    assert_eq!(stuck(&world).await, (Some(MessageStatus::Failed), 12));
    // Not after a restart either.
    running.stop().await.unwrap();
    moody.away.store(false, Ordering::Release);
    let running = world.start().await;
    world.hands.advance(TimeDelta::hours(1));
    world.request("bob", "pm_declined").await;
    until_sent(&world, 2).await;
    world.quiet().await;
    assert_eq!(sent(&world).await, 2);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_messenger_that_does_not_answer_has_failed() {
    let moody = Arc::new(Moody::default());
    moody.silent.store(true, Ordering::Release);
    let world = cinema_told_by(moody.clone()).await;
    let patience = Settings { messenger_timeout: Duration::from_millis(20), ..settings() };
    let running = world.start_with(patience).await;
    world.request("alice", "pm_ok").await;
    world.until_event("MessageFailed").await;
    moody.silent.store(false, Ordering::Release);
    world.as_time_goes_by(|| async { sent(&world).await == 2 }).await;
    let delivered = moody.delivered.lock().unwrap().clone();
    // It was asked again under the same key, by which a messenger knows what it has delivered.
    assert_eq!(delivered[0], delivered[1]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_would_fail_again_is_not_tried_again_until_somebody_wants_it() {
    let moody = Arc::new(Moody::default());
    moody.strict.store(true, Ordering::Release);
    let world = cinema_told_by(moody.clone()).await;
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    let failures = || async { world.types().await.iter().filter(|event| *event == "MessageFailed").count() == 2 };
    world.until("both have failed", failures).await;
    world.hands.advance(TimeDelta::hours(24));
    world.quiet().await;
    assert_eq!(moody.calls.load(Ordering::Acquire), 2);

    // Nor after a restart; and whoever wants it tried again need not be there when it is.
    running.stop().await.unwrap();
    moody.strict.store(false, Ordering::Release);
    let events = world.journal.read_all(0, usize::MAX).await.unwrap();
    let message = events.iter().find(|event| event.category() == "message").unwrap().aggregate_id().to_owned();
    let retry = MessageCommand::Retry { now: world.hands.now() };
    world.messages.execute(&message, retry, &context("admin")).await.unwrap();
    let running = world.start().await;
    until_sent(&world, 1).await;
    world.quiet().await;
    assert_eq!((moody.calls.load(Ordering::Acquire), sent(&world).await), (3, 1));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_messenger_that_is_slow_and_what_was_under_way_goes_out_later() {
    let moody = Arc::new(Moody::default());
    moody.silent.store(true, Ordering::Release);
    let world = cinema_told_by(moody.clone()).await;
    let running = world.start_with(Settings { drain: Duration::from_millis(50), ..settings() }).await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    world.until("it was asked", || async { moody.calls.load(Ordering::Acquire) == 1 }).await;
    tokio::time::timeout(Duration::from_secs(5), running.stop()).await.unwrap().unwrap();
    moody.silent.store(false, Ordering::Release);
    let running = world.start().await;
    until_sent(&world, 2).await;
    running.stop().await.unwrap();
}

/// Writes the line and never says so: as if the program were killed before the record of it.
struct Killed(LogMessenger);

impl Messenger for Killed {
    fn deliver(&self, outgoing: Outgoing) -> Delivering<'_> {
        Box::pin(async move {
            self.0.deliver(outgoing).await?;
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn a_kill_between_the_line_and_its_record_leaves_one_line() {
    let mut world = World::new("cinema").await;
    world.messenger = Arc::new(Killed(LogMessenger::open(world.directory()).unwrap()));
    let running = world.start().await;
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;
    let mut looks = tokio::time::interval(Duration::from_millis(2));
    while world.told().is_empty() {
        looks.tick().await;
    }
    drop(running);
    assert_eq!(sent(&world).await, 0);

    world.messenger = Arc::new(LogMessenger::open(world.directory()).unwrap());
    let running = world.start().await;
    until_sent(&world, 2).await;
    world.quiet().await;
    assert_eq!(world.occasions(), BOOKED);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_message_has_the_words_of_the_day_on_which_it_is_recorded() {
    let world = World::new("cinema").await;
    let running = world.start().await;
    world.subscriptions.pause("messages").await.unwrap();
    let rental: RentalId = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;

    let mut policy = Policy::preset("cinema").unwrap();
    policy.words.messages.get_mut(&Occasion::Confirmed).unwrap().en = "{item}: {status}, {total}.".to_owned();
    policy.rules.messages.retain(|occasion| *occasion != Occasion::Requested);
    policy.words.messages.remove(&Occasion::Requested);
    let revise = StoreCommand::Revise { name: None, policy: Some(Box::new(policy)), now: world.hands.now() };
    world.stores.execute("shop", revise, &context("shop")).await.unwrap();

    world.subscriptions.resume("messages").await.unwrap();
    until_sent(&world, 1).await;
    world.quiet().await;
    // That it was requested, the shop has no words for any more.
    assert_eq!(world.occasions(), ["confirmed"]);
    assert_eq!(world.told()[0]["text"], "Thing: reserved, 100 KRW.");
    running.stop().await.unwrap();
}
