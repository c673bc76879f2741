//! kill -9 in the middle of load: what was answered stands, what was begun ends, and the views are what a replay gives.

use harness::{Client, Data, PATIENCE, Seed, Shop, eventually, july};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ROUNDS: usize = 4;
const TASKS: usize = 48;
const CARS: u64 = 30;
/// As `--payment-timeout-ms` and `--simulated-latency-ms`: a kill finds bookings at every step.
const OPTIONS: &[&str] = &["--simulated-latency-ms", "0-20"];

#[tokio::test]
async fn a_kill_in_the_middle_of_load_loses_nothing_that_was_answered() {
    let mut seed = Seed::printed("a kill in the middle of load");
    let mut shop = Shop::with_cars_and_options(u32::try_from(CARS).unwrap(), OPTIONS).await;
    let mut answered = Vec::new();
    for _ in 0..ROUNDS {
        let kill_after = usize::try_from(20 + seed.below(300)).unwrap();
        let load = load(&shop, &mut seed, kill_after).await;
        shop = shop.killed_and_restarted().await;
        answered.extend(timeout(PATIENCE, load.join_all()).await.expect("the load ends").into_iter().flatten());
        every_answered_booking_stands(&shop, &answered).await;
        every_saga_ends(&shop).await;
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

type Load = JoinSet<Vec<(String, String)>>;

/// Customers who book as fast as they can until the server is gone. Returns when so many bookings were answered.
async fn load(shop: &Shop, seed: &mut Seed, answers: usize) -> Load {
    let counted = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let customer = format!("customer-{task}");
        shop.data().token(&format!("customer:{customer}"));
        let (client, item, counted) = (shop.client(), shop.item.clone(), counted.clone());
        let mut seed = seed.split();
        tasks.spawn(async move {
            let mut answered = Vec::new();
            while let Some((status, id)) = book(&client, &item, &customer, &mut seed).await {
                counted.fetch_add(1, Ordering::Relaxed);
                if status == 201 {
                    answered.push((customer.clone(), id));
                }
            }
            answered
        });
    }
    eventually("enough bookings were answered", async || (counted.load(Ordering::Relaxed) >= answers).then_some(()))
        .await;
    tasks
}

/// `None` when the server is gone.
async fn book(client: &Client, item: &str, customer: &str, seed: &mut Seed) -> Option<(u16, String)> {
    let from = 1 + u32::try_from(seed.below(25)).unwrap();
    let to = from + 1 + u32::try_from(seed.below(4)).unwrap();
    let method =
        ["pm_ok", "pm_ok", "pm_ok", "pm_declined", "pm_charged_but_timed_out"][usize::try_from(seed.below(5)).unwrap()];
    let body = json!({ "item": item, "from": july(from), "to": july(to), "payment_method": method });
    let reply = client.post("/v1/rentals").by(format!("customer:{customer}")).json(body).sent().await.ok()?;
    match reply.status {
        201 => Some((201, reply.id())),
        202 | 402 | 409 | 503 => Some((reply.status, String::new())),
        other => panic!("a booking was answered {other}: {}", reply.text),
    }
}

async fn every_answered_booking_stands(shop: &Shop, answered: &[(String, String)]) {
    assert!(!answered.is_empty(), "nothing was booked before the kill");
    for (customer, rental) in answered {
        assert_eq!(shop.rental(customer, rental).await["status"], "confirmed", "{rental}");
    }
}

/// No rental stays open, every confirmed one is paid once, and nobody else has paid or holds a car.
async fn every_saga_ends(shop: &Shop) {
    let stories = eventually("every rental has an outcome", async || {
        let stories = stories(&shop.journal().await);
        stories.values().all(|story| has(story, "DispatchRequested") || has(story, "RentalRejected")).then_some(stories)
    })
    .await;
    for (rental, story) in &stories {
        let count = |name: &str| story.iter().filter(|&known| known == name).count();
        let confirmed = usize::from(has(story, "RentalConfirmed"));
        assert_eq!(count("RentalConfirmed") + count("RentalRejected"), 1, "{rental}: {story:?}");
        assert_eq!(count("PaymentApproved"), confirmed, "{rental}: {story:?}");
        assert_eq!(count("StockHeld") - count("StockReleased"), confirmed, "{rental}: {story:?}");
        assert!(count("PaymentRequested") <= 1, "{rental}: {story:?}");
    }
    shop.settled().await;
    for one in shop.subscriptions().await {
        assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
    }
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
