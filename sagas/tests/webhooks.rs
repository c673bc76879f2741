//! Webhooks: an event is tried for three days, and then the next one of its rental is sent.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use chrono::TimeDelta;
use domain::rental::RentalStatus;
use domain::webhook::{Webhook, WebhookCommand};
use domain::{Event, WebhookId};
use journal::{Executor, Source};
use sagas::webhooks::{
    Carried, Carrying, Courier, Deliveries, Parcel, Standing, WebhookParts, Webhooks, WebhooksRunning,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;
use world::{World, context};

const ID: WebhookId = WebhookId(Uuid::from_u128(7));

/// Refuses every `RentalRequested`, for ever.
#[derive(Default)]
struct Picky(Mutex<Vec<Parcel>>);

impl Courier for Picky {
    fn carry(&self, parcel: Parcel) -> Carrying<'_> {
        Box::pin(async move {
            let refuses = parcel.body.contains("RentalRequested");
            self.0.lock().unwrap().push(parcel);
            if refuses { Carried::Refused { reason: "it answered 500".to_owned() } } else { Carried::Taken }
        })
    }
}

impl Picky {
    fn types(&self) -> Vec<String> {
        let parcels = self.0.lock().unwrap();
        let of = |parcel: &Parcel| {
            let body: serde_json::Value = serde_json::from_str(&parcel.body).unwrap();
            body["type"].as_str().unwrap().to_owned()
        };
        parcels.iter().map(of).collect()
    }
}

async fn start(world: &World, courier: &Arc<Picky>) -> (Deliveries, WebhooksRunning) {
    let hands = world.hands.clone();
    let source = Source::Directory(world.directory().to_owned());
    let webhooks = Webhooks::open(&source).await.unwrap();
    let parts = WebhookParts {
        subscriptions: world.subscriptions.clone(),
        source,
        rentals: world.rentals.clone(),
        webhooks: Executor::new::<Event>(world.journal.clone()),
        courier: courier.clone(),
        clock: Arc::new(move || hands.now()),
        timeout: Duration::from_secs(1),
        tick: Duration::from_millis(2),
    };
    let running = webhooks.start(parts).await.unwrap();
    (webhooks.deliveries(), running)
}

async fn register(world: &World) {
    let webhooks = Executor::<Webhook>::new::<Event>(world.journal.clone());
    let command = WebhookCommand::Register {
        store: "shop".parse().unwrap(),
        url: "https://told.example.org/".to_owned(),
        events: BTreeSet::new(),
        now: world.hands.now(),
    };
    webhooks.execute_new(&ID.to_string(), command, &context("shop")).await.unwrap();
}

#[tokio::test]
async fn an_event_is_tried_for_three_days_with_growing_pauses_and_then_given_up() {
    let world = World::new("cinema").await;
    let (sagas, courier) = (world.start().await, Arc::new(Picky::default()));
    register(&world).await;
    let (deliveries, running) = start(&world, &courier).await;
    let begun = world.hands.now();
    let rental = world.request("alice", "pm_ok").await;
    world.until_status(rental, RentalStatus::Confirmed).await;

    let standing = || async { deliveries.standing(ID, 10).await.unwrap() };
    let noted = || async {
        let Standing { again_at, given_up, .. } = standing().await;
        !given_up.is_empty() || again_at.is_some_and(|at| at > world.hands.now())
    };
    let mut attempts = 0;
    while standing().await.given_up.is_empty() {
        eventually("the attempt is noted", noted).await;
        attempts += 1;
        assert_eq!(courier.types()[..attempts], vec!["RentalRequested"; attempts]);
        // The receiver rests for a minute at the most, too.
        let again_at = standing().await.again_at.map(|at| at + TimeDelta::minutes(1));
        world.hands.set(again_at.unwrap_or_else(|| world.hands.now()));
    }
    let tried_for = world.hands.now() - begun;
    assert!(tried_for > TimeDelta::hours(70) && tried_for <= TimeDelta::days(3) + TimeDelta::minutes(1), "{tried_for}");
    let given_up = standing().await.given_up;
    assert_eq!((given_up[0].rental, given_up[0].reason.as_str()), (rental, "it answered 500"));
    assert_eq!(usize::try_from(given_up[0].attempts).unwrap(), attempts);
    // What came after it in the same rental waited for it, and goes out once the receiver has rested.
    world.hands.set(world.hands.now() + TimeDelta::minutes(1));
    eventually("the next is taken", || async { courier.types().last().unwrap() == "RentalConfirmed" }).await;
    assert_eq!(courier.types().len(), attempts + 1);

    // Whoever looks after it has it sent again, with the same id and body; and until it is taken, it is tried for three days more.
    assert_eq!(deliveries.retry(ID).await.unwrap(), 1);
    eventually("it is tried again", || async { courier.types().len() > attempts + 1 }).await;
    eventually("the attempt is noted", noted).await;
    let again = courier.0.lock().unwrap().last().unwrap().clone();
    assert_eq!(again, courier.0.lock().unwrap()[0]);
    assert_eq!((standing().await.given_up, standing().await.waiting), (vec![], 1));
    assert_eq!(deliveries.retry(ID).await.unwrap(), 0);
    running.stop().await;
    sagas.stop().await.unwrap();
}

/// What happens here leaves no trace in the journal.
async fn eventually<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    let mut looks = tokio::time::interval(Duration::from_millis(2));
    for _ in 0..5_000 {
        if so().await {
            return;
        }
        looks.tick().await;
    }
    panic!("never: {what}");
}
