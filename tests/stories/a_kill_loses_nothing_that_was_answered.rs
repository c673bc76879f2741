//! kill -9 in the middle of load: what was answered stands, what was begun ends, and the views are what a replay gives.

use harness::{Client, Data, PATIENCE, Seed, Shop, eventually, july};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ROUNDS: usize = 4;
const TASKS: usize = 256;
const CUSTOMERS: usize = 16;
const CARS: u32 = 60;
/// A kill finds bookings at every step: payments take their time, and some answers of the provider are lost.
const OPTIONS: &[&str] = &["--simulated-latency-ms", "0-20", "--payment-timeout-ms", "200"];
const METHODS: [&str; 6] =
    ["pm_ok", "pm_ok", "pm_ok", "pm_declined", "pm_charged_but_timed_out", "pm_refund_fails_once"];

/// What one customer knows at the moment of the kill.
#[derive(Default)]
struct Known {
    /// Bookings that were answered 201, and whether a cancellation was asked for.
    booked: Vec<Booked>,
}

struct Booked {
    customer: String,
    rental: String,
    cancellation: Cancellation,
}

enum Cancellation {
    NotAsked,
    Asked,
    Answered,
}

#[tokio::test]
async fn a_kill_in_the_middle_of_load_loses_nothing_that_was_answered() {
    let mut seed = Seed::printed("a kill in the middle of load");
    let mut shop = Shop::with_cars_and_options(CARS, OPTIONS).await;
    let mut known = Vec::new();
    for round in 0..ROUNDS {
        let answers = usize::try_from(20 + seed.below(400)).unwrap();
        let load = load(&shop, &mut seed, answers).await;
        let data = shop.into_server().kill().await;
        let parts = timeout(PATIENCE, load.join_all()).await.expect("the load ends");
        known.extend(parts.into_iter().flat_map(|part: Known| part.booked));
        if round % 2 == 1 {
            // Nobody has started the program again: a replay makes up for what the views had missed.
            data.run(&["replay", "--verify"]).await.success();
        }
        shop = Shop::again(&data).await;
        every_saga_ends(&shop).await;
        every_answered_booking_stands(&shop, &known).await;
    }
    let item = shop.item.clone();
    let (data, code) = shop.into_server().stop().await;
    assert_eq!(code, Some(0));
    views_are_what_a_replay_gives(&data).await;
    data.run(&["verify"]).await.success();

    // And the program goes on with it.
    let server = data.serve().await;
    server.get(format!("/v1/items/{item}")).await.is(200);
}

/// Customers who book, and sometimes cancel, as fast as they can until the server is gone. Returns when so many requests
/// were answered.
async fn load(shop: &Shop, seed: &mut Seed, answers: usize) -> JoinSet<Known> {
    let counted = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let customer = format!("customer-{}", task % CUSTOMERS);
        shop.data().token(&format!("customer:{customer}"));
        let (client, item, counted) = (shop.client(), shop.item.clone(), counted.clone());
        let mut seed = seed.split();
        tasks.spawn(async move {
            let mut known = Known::default();
            while go_on(&client, &item, &customer, &mut seed, &mut known).await.is_some() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            known
        });
    }
    eventually("enough requests were answered", async || (counted.load(Ordering::Relaxed) >= answers).then_some(()))
        .await;
    tasks
}

/// One booking, and perhaps its cancellation; `None` when the server is gone.
async fn go_on(client: &Client, item: &str, customer: &str, seed: &mut Seed, known: &mut Known) -> Option<()> {
    let principal = format!("customer:{customer}");
    let from = 1 + u32::try_from(seed.below(25)).unwrap();
    let to = from + 1 + u32::try_from(seed.below(4)).unwrap();
    let method = METHODS[usize::try_from(seed.below(6)).unwrap()];
    let body = json!({ "item": item, "from": july(from), "to": july(to), "payment_method": method });
    let reply = client.post("/v1/rentals").by(&principal).json(body).sent().await.ok()?;
    match reply.status {
        201 => {}
        202 | 402 | 409 | 503 => return Some(()),
        other => panic!("a booking was answered {other}: {}", reply.text),
    }
    let (customer, rental) = (customer.to_owned(), reply.id());
    known.booked.push(Booked { customer, rental: rental.clone(), cancellation: Cancellation::NotAsked });
    if seed.below(3) > 0 {
        return Some(());
    }
    let booked = known.booked.last_mut()?;
    booked.cancellation = Cancellation::Asked;
    let cancel = client.post(format!("/v1/rentals/{rental}/cancel")).by(principal).json(json!({}));
    let cancelled = cancel.sent().await.ok()?;
    assert!([200, 202].contains(&cancelled.status), "a cancellation was answered {}", cancelled.text);
    booked.cancellation = Cancellation::Answered;
    Some(())
}

async fn every_answered_booking_stands(shop: &Shop, known: &[Booked]) {
    assert!(!known.is_empty(), "nothing was booked before the kill");
    for Booked { customer, rental, cancellation } in known {
        let seen = shop.rental(customer, rental).await;
        let status = seen["status"].as_str().unwrap();
        let fits = match cancellation {
            Cancellation::NotAsked => status == "confirmed",
            Cancellation::Asked => status == "confirmed" || status == "cancelled",
            Cancellation::Answered => status == "cancelled",
        };
        assert!(fits, "{}", seen.text);
    }
}

/// No rental stays open; every confirmed one is paid once; and nobody else has paid, or holds a car.
async fn every_saga_ends(shop: &Shop) {
    let stories = eventually("every rental has an outcome", async || {
        let stories = stories(&shop.journal().await);
        stories.values().all(|story| has_ended(story)).then_some(stories)
    })
    .await;
    for (rental, story) in &stories {
        let count = |name: &str| story.iter().filter(|&known| known == name).count();
        let (confirmed, cancelled) = (count("RentalConfirmed"), count("RentalCancelled"));
        assert_eq!(confirmed + count("RentalRejected"), 1, "{rental}: {story:?}");
        assert_eq!(count("PaymentApproved"), confirmed, "{rental}: {story:?}");
        assert_eq!(count("PaymentRefunded"), cancelled, "{rental}: {story:?}");
        assert_eq!(count("StockHeld"), confirmed - cancelled + count("StockReleased"), "{rental}: {story:?}");
        assert!(count("PaymentRequested") <= 1, "{rental}: {story:?}");
    }
    shop.settled().await;
    for one in shop.subscriptions().await {
        assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
    }
}

/// Rejected; cancelled, where that was asked for; else confirmed and known to the shop.
fn has_ended(story: &[String]) -> bool {
    if has(story, "RentalCancellationRequested") {
        // Perhaps before the shop knew of it: then it never does.
        return has(story, "RentalCancelled");
    }
    has(story, "RentalRejected") || (has(story, "RentalConfirmed") && has(story, "DispatchRequested"))
}

fn has(story: &[String], name: &str) -> bool {
    story.iter().any(|known| known == name)
}

/// The names of all events by rental.
fn stories(events: &[Value]) -> HashMap<String, Vec<String>> {
    let mut stories: HashMap<String, Vec<String>> = HashMap::new();
    for event in events {
        let stream = event["stream"].as_str().unwrap();
        let id = match stream.split_once('-') {
            Some(("rental" | "dispatch", id)) => id.to_owned(),
            Some(("payment" | "item", _)) => match rental_in(&event["data"]) {
                Some(id) => id,
                None => continue,
            },
            _ => continue,
        };
        stories.entry(id).or_default().push(event["type"].as_str().unwrap().to_owned());
    }
    stories
}

/// The rental that an event names, wherever in its data.
fn rental_in(data: &Value) -> Option<String> {
    let object = data.as_object()?;
    let named = object.get("rental").and_then(Value::as_str).map(str::to_owned);
    named.or_else(|| object.values().find_map(rental_in))
}

async fn views_are_what_a_replay_gives(data: &Data) {
    let replayed = data.run(&["replay", "--verify"]).await;
    for line in replayed.success().lines() {
        assert!(line.ends_with("as before"), "{line}");
    }
}
