//! CIN-2, CIN-3, CIN-5: everybody wants seats of the same screening at once, picked at random, and some cards are bad.

use harness::{Business, Reply, Seed, Shop};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

const SEATS: usize = 40;
const CUSTOMERS: usize = 200;

/// The screening as everybody in it sees it: who has which seats, by what was answered.
struct Screening {
    shop: Shop,
    seats: Vec<String>,
    holders: BTreeMap<String, (String, String)>,
    taken_minor: i64,
}

impl Screening {
    async fn open() -> Self {
        let seats: Vec<String> =
            (0..SEATS).map(|seat| format!("{}{}", ["A", "B", "C", "D"][seat / 10], seat % 10 + 1)).collect();
        let shop = Shop::of(Business::cinema(), json!({ "seats": seats })).await;
        Self { shop, seats, holders: BTreeMap::new(), taken_minor: 0 }
    }

    /// One to three different seats of some.
    fn pick(seed: &mut Seed, among: &[String]) -> Vec<String> {
        let (mut left, mut picked) = (among.to_vec(), Vec::new());
        for _ in 0..(1 + seed.below(3)).min(among.len() as u64) {
            picked.push(left.swap_remove(usize::try_from(seed.below(left.len() as u64)).unwrap()));
        }
        picked
    }

    /// Everybody at once; what each was answered.
    async fn rush(&mut self, seed: &mut Seed, round: usize) -> Vec<(Vec<String>, bool, Reply)> {
        let mut wishes = JoinSet::new();
        for number in 0..CUSTOMERS {
            let customer = format!("customer-{round}-{number}");
            let (seats, broke) = (Self::pick(seed, &self.seats), seed.below(5) == 0);
            let method = if broke { "pm_declined" } else { "pm_ok" };
            // Minted before anybody starts.
            self.shop.data().token(&format!("customer:{customer}"));
            let wish = json!({ "seats": seats, "quantity": seats.len(), "payment_method": method });
            let wish = self.shop.wish(&customer, &wish).waiting_s(30);
            wishes.spawn(async move { (seats, broke, wish.await) });
        }
        wishes.join_all().await
    }

    /// Counts an answer in, and asserts that it is one of those that tell why.
    fn answered(&mut self, seats: &[String], broke: bool, reply: Reply) {
        match reply.status {
            201 => {
                assert!(!broke, "a bad card was accepted: {}", reply.text);
                assert_eq!(reply["seats"], json!(seats));
                self.taken_minor += Business::cinema().price * i64::try_from(seats.len()).unwrap();
                for seat in seats {
                    let holder = (reply["customer"].as_str().unwrap().to_owned(), reply.id());
                    let before = self.holders.insert(seat.clone(), holder);
                    assert_eq!(before, None, "{seat} was given twice");
                }
            }
            402 => {
                assert!(broke, "a good card was declined: {}", reply.text);
                reply.problem(402, "payment-declined");
            }
            _ => {
                let refused = reply.problem(409, "seats-taken");
                let named: Vec<&str> = refused["seats"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                assert!(
                    !named.is_empty() && named.iter().all(|name| seats.iter().any(|seat| seat == name)),
                    "{}",
                    refused.text
                );
            }
        }
    }

    /// Seats that nobody has, asked for one by one by customers who can pay, until the screening is full.
    async fn fill(&mut self, round: usize) {
        let free: Vec<String> = self.seats.iter().filter(|seat| !self.holders.contains_key(*seat)).cloned().collect();
        for seat in free {
            let wish = json!({ "seats": [seat], "quantity": 1 });
            let reply = self.shop.wish(&format!("late-{round}"), &wish).waiting_s(30).await;
            assert_eq!(reply.status, 201, "{seat} is nobody's and cannot be had: {}", reply.text);
            self.answered(&[seat], false, reply);
        }
        let refused = self.shop.wish("nobody", &json!({})).await.problem(409, "out-of-stock");
        assert_eq!(refused["available"], 0);
    }

    /// What the journal, the views and the answers say of seats and money is the same.
    async fn adds_up(&self, refunded_minor: i64) {
        let shown = self.shop.shown().await;
        assert_eq!(shown["available"], SEATS - self.holders.len());
        let rentals: BTreeSet<&String> = self.holders.values().map(|(_, rental)| rental).collect();
        assert_eq!(shown["reservations"], rentals.len());
        let journal = self.shop.journal().await;
        let money = Money::of(&journal);
        assert_eq!((money.taken_minor, money.refunded_minor), (self.taken_minor, refunded_minor));
        let kept = Business::cinema().price * i64::try_from(self.holders.len()).unwrap();
        assert_eq!(money.taken_minor - money.refunded_minor, kept);
        for (rental, (taken, refunded)) in &money.rentals {
            let seen = self.shop.get(format!("/v1/rentals/{rental}")).by(self.shop.staff()).await.is(200);
            let shown = |field: &Value| field["amount_minor"].as_i64().unwrap_or(0);
            if seen["payment"]["status"] != "declined" {
                assert_eq!(shown(&seen["payment"]["amount"]), *taken, "{rental}");
            }
            assert_eq!(shown(&seen["payment"]["refunded"]), *refunded, "{rental}");
            assert!(
                ["confirmed", "cancelled", "rejected"].contains(&seen["status"].as_str().unwrap()),
                "{}",
                seen.text
            );
        }
    }
}

/// What the provider took and gave back, by its own references.
#[derive(Default)]
struct Money {
    taken_minor: i64,
    refunded_minor: i64,
    rentals: BTreeMap<String, (i64, i64)>,
}

impl Money {
    fn of(journal: &[Value]) -> Self {
        let (mut money, mut asked, mut references) = (Self::default(), BTreeMap::new(), BTreeSet::new());
        for event in journal {
            let (stream, data) = (event["stream"].as_str().unwrap(), &event["data"]);
            let rental = data["rental"].as_str().unwrap_or_default().to_owned();
            if let Some(reference) = data["reference"].as_str() {
                assert!(references.insert(reference), "the provider was asked twice: {event}");
            }
            match event["type"].as_str().unwrap() {
                "PaymentRequested" => {
                    let asked_before = asked.insert(stream, data["charge"]["amount"]["amount_minor"].as_i64().unwrap());
                    assert_eq!(asked_before, None, "{stream} was asked for twice");
                }
                "PaymentApproved" => {
                    let amount = asked[stream];
                    money.taken_minor += amount;
                    let before = money.rentals.entry(rental).or_default();
                    assert_eq!(before.0, 0, "charged twice: {event}");
                    before.0 = amount;
                }
                "PaymentRefunded" => {
                    let amount = data["amount"]["amount_minor"].as_i64().unwrap();
                    money.refunded_minor += amount;
                    money.rentals.entry(rental).or_default().1 += amount;
                }
                _ => {}
            }
        }
        money
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_customers_pick_forty_seats_at_random() {
    let mut seed = Seed::printed("two hundred customers, forty seats");
    let mut screening = Screening::open().await;
    for (seats, broke, reply) in screening.rush(&mut seed, 0).await {
        screening.answered(&seats, broke, reply);
    }
    screening.adds_up(0).await;
    screening.fill(0).await;
    assert_eq!(screening.holders.len(), SEATS, "every seat is somebody's, once");
    screening.adds_up(0).await;

    // A few change their minds; exactly their seats and exactly their money come back.
    let rentals: BTreeSet<(String, String)> = screening.holders.values().cloned().collect();
    let (mut refunded_minor, mut freed) = (0, 0);
    for (customer, rental) in rentals.iter().filter(|_| seed.below(4) == 0) {
        screening.shop.cancelled(customer, rental).await;
        let before = screening.holders.len();
        screening.holders.retain(|_, holder| &holder.1 != rental);
        let seats = before - screening.holders.len();
        freed += seats;
        let paid_back = screening.shop.rental(customer, rental).await["refunded"]["amount_minor"].as_i64().unwrap();
        assert_eq!(paid_back, Business::cinema().price * i64::try_from(seats).unwrap());
        refunded_minor += paid_back;
    }
    assert_eq!(screening.shop.shown().await["available"], freed);
    screening.adds_up(refunded_minor).await;

    // Two hundred more for what was given back.
    for (seats, broke, reply) in screening.rush(&mut seed, 1).await {
        screening.answered(&seats, broke, reply);
    }
    screening.fill(1).await;
    assert_eq!(screening.holders.len(), SEATS);
    screening.adds_up(refunded_minor).await;
}
