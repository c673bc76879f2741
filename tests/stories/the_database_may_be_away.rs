//! The journal's database is cut off under load and comes back: nobody waits for long, nothing that was answered is lost, and nothing
//! happens twice.

use cluster::Cluster;
use harness::{Client, PATIENCE, Seed, Shop, eventually, july};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

const CARS: u32 = 40;
const CUSTOMERS: usize = 24;
const ROUNDS: usize = 3;
/// Within this, whoever asks meanwhile has an answer.
const SOON: Duration = Duration::from_secs(8);

/// What customers know when all is over: which key was answered what.
#[derive(Default)]
struct Known {
    booked: BTreeMap<String, String>,
    /// Under way when they were answered.
    undecided: usize,
    refused: usize,
    turned_away: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_cut_off_under_load_loses_and_doubles_nothing() {
    let mut seed = Seed::printed("a database is cut off under load");
    let cluster = Arc::new(Cluster::start());
    let shop = Shop::with_cars_and_options(CARS, &["--journal", &cluster.database()]).await;
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    token_in_time(&shop);
    let mut load = JoinSet::new();
    for customer in 0..CUSTOMERS {
        shop.data().token(&format!("customer:customer-{customer}"));
        let (client, item, seed) = (shop.client(), shop.item.clone(), seed.split());
        load.spawn(books(client, item, customer, seed, stop.clone(), answered.clone()));
    }
    for _ in 0..ROUNDS {
        let before = answered.load(Ordering::Relaxed);
        let enough = before + 20 + usize::try_from(seed.below(60)).unwrap();
        eventually("bookings go on", async || (answered.load(Ordering::Relaxed) >= enough).then_some(())).await;
        on(&cluster, Cluster::crash).await;
        is_away(&shop).await;
        on(&cluster, Cluster::resume).await;
        eventually("it wants requests again", async || (shop.get("/health/ready").await.status == 200).then_some(()))
            .await;
    }
    stop.store(true, Ordering::Relaxed);
    let parts = timeout(3 * PATIENCE, load.join_all()).await.expect("everybody has an answer");
    all_is_as_it_was_said(&shop, &parts).await;
}

/// While the database is away nobody signs new ones.
fn token_in_time(shop: &Shop) {
    for principal in ["customer:somebody", "customer:bob", &shop.staff()] {
        shop.data().token(principal);
    }
}

/// In a thread where waiting is allowed.
async fn on(cluster: &Arc<Cluster>, what: fn(&Cluster)) {
    let cluster = cluster.clone();
    tokio::task::spawn_blocking(move || what(&cluster)).await.unwrap();
}

/// Readiness says so by itself, and whoever asks is told soon, and when to come back.
async fn is_away(shop: &Shop) {
    let health = eventually("readiness is red", async || {
        let health = shop.get("/health/ready").await;
        (health.status == 503).then_some(health)
    })
    .await;
    assert_eq!((&health["status"], &health["journal"]["writable"]), (&json!("journal-away"), &json!(false)));
    shop.get("/health/live").await.is(200);
    let asked = Instant::now();
    let refused = shop.booking("somebody", &july(1), &july(2)).await.problem(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    let store = shop.post(format!("/v1/stores/{}/close", shop.store())).by(shop.staff()).await;
    assert_eq!(store.problem(503, "unavailable").header("retry-after"), Some("1"));
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
}

/// Books again and again, each time under a key of its own and until it is said what became of it.
async fn books(
    client: Client,
    item: String,
    customer: usize,
    mut seed: Seed,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Known {
    let mut known = Known::default();
    for index in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{customer}-{index}");
        let from = 1 + u32::try_from(seed.below(25)).unwrap();
        let body =
            json!({ "item": item, "from": july(from), "to": july(from + 1 + u32::try_from(seed.below(3)).unwrap()) });
        loop {
            let asked = Instant::now();
            let booking = client.post("/v1/rentals").by(format!("customer:customer-{customer}")).json(body.clone());
            let reply = booking.header("idempotency-key", &key).sent().await.expect("the server itself stays");
            assert!(asked.elapsed() < SOON, "{:?}: {}", asked.elapsed(), reply.text);
            match reply.status {
                201 => {
                    known.booked.insert(key, reply.id());
                }
                202 => known.undecided += 1,
                409 if reply["type"] == "/problems/out-of-stock" => known.refused += 1,
                409 | 503 => {
                    assert!(reply.header("retry-after").is_some(), "{}", reply.text);
                    known.turned_away += 1;
                    continue;
                }
                other => panic!("a booking was answered {other}: {}", reply.text),
            }
            answered.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    known
}

async fn all_is_as_it_was_said(shop: &Shop, parts: &[Known]) {
    let sum = |count: fn(&Known) -> usize| parts.iter().map(count).sum::<usize>();
    assert!(sum(|part| part.turned_away) > 0, "nobody noticed anything");
    shop.settled().await;
    for one in shop.subscriptions().await {
        assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
    }
    let journal = shop.journal().await;
    let count = |name: &str| journal.iter().filter(|event| event["type"] == name).count();
    let (booked, refused, undecided) =
        (sum(|part| part.booked.len()), sum(|part| part.refused), sum(|part| part.undecided));
    let (confirmed, rejected) = (count("RentalConfirmed"), count("RentalRejected"));
    assert_eq!(count("RentalRequested"), booked + refused + undecided, "a key has had two effects, or none");
    assert_eq!(confirmed + rejected, booked + refused + undecided, "a booking has no outcome");
    assert!(confirmed >= booked && rejected >= refused, "{confirmed} {booked} {rejected} {refused}");
    assert_eq!((count("PaymentRequested"), count("PaymentApproved")), (confirmed, confirmed));
    for (key, rental) in parts.iter().flat_map(|part| &part.booked) {
        let customer = key.split('-').next().unwrap();
        let seen = shop.rental(&format!("customer-{customer}"), rental).await;
        assert_eq!(seen["status"], "confirmed", "{}", seen.text);
    }
    let verified = shop.data().run(&["verify"]).await;
    assert!(verified.success().starts_with(&format!("{} events", journal.len())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stands_still_keeps_nobody_waiting() {
    let cluster = Cluster::start();
    let shop = Shop::with_cars_and_options(CARS, &["--journal", &cluster.database()]).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    token_in_time(&shop);
    cluster.freeze();
    let answered = is_away_within(&shop).await;
    cluster.thaw();
    answered.expect("the answer came soon");
    eventually("it wants requests again", async || (shop.get("/health/ready").await.status == 200).then_some(())).await;
    assert_eq!(shop.rental("alice", &rental).await["status"], "confirmed");
    shop.booked("bob", &july(1), &july(4)).await;
}

/// Not asserted here: a server that was stopped is woken first.
async fn is_away_within(shop: &Shop) -> Result<(), String> {
    let asked = Instant::now();
    let refused = shop.booking("somebody", &july(1), &july(2)).await;
    let (status, took) = (refused.status, asked.elapsed());
    let ready = shop.get("/health/ready").await.status;
    match (status, ready) {
        (503, 503) if took < 2 * SOON => Ok(()),
        _ => Err(format!("{status} after {took:?}, readiness {ready}")),
    }
}
