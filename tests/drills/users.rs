//! People who book one car after another, and come back when they are asked to.

use harness::{Client, Reply, Shop, august, july};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Nobody is turned away for want of cars: that is not what is drilled.
pub(crate) const CARS: u32 = 1_000_000;

/// What one booking was answered.
pub(crate) struct Answer {
    /// When, from the beginning.
    pub(crate) at: Duration,
    /// How long it took.
    pub(crate) took: Duration,
    /// 0 where there was no answer at all.
    pub(crate) status: u16,
    /// Whether it says when to come back.
    pub(crate) has_retry_after: bool,
    /// What it says where it is no 201.
    pub(crate) otherwise: Option<String>,
}

/// Gives each of them a token. Minting runs the program: not while something is measured.
pub(crate) fn invite(shop: &Shop, users: usize) {
    for user in 0..users {
        shop.data().token(&principal(user));
    }
}

/// So many users book until the time is over.
pub(crate) async fn book(shop: &Shop, users: usize, begun: Instant, duration: Duration) -> Vec<Answer> {
    let (stop, stopped) = watch::channel(false);
    let booking = book_until(shop.client(), shop.item.clone(), users, begun, stopped);
    let ending = async {
        tokio::time::sleep_until((begun + duration).into()).await;
        stop.send_replace(true);
    };
    tokio::join!(booking, ending).0
}

/// So many users book until they are told to stop.
pub(crate) async fn book_until(
    client: Client,
    item: String,
    users: usize,
    begun: Instant,
    stopped: watch::Receiver<bool>,
) -> Vec<Answer> {
    let mut tasks = JoinSet::new();
    for user in 0..users {
        let (client, item, stopped) = (client.clone(), item.clone(), stopped.clone());
        tasks.spawn(async move {
            let mut answers = Vec::new();
            let mut turn = user;
            while !*stopped.borrow() {
                turn += 1;
                let day = u32::try_from(turn % 25).unwrap_or(0) + 1;
                let (from, to) =
                    if turn.is_multiple_of(2) { (july(day), july(day + 2)) } else { (august(day), august(day + 2)) };
                let body = json!({ "item": item, "from": from, "to": to });
                let asked = Instant::now();
                let reply = client.post("/v1/rentals").by(principal(user)).json(body).sent().await.ok();
                let answer = Answer::of(reply.as_ref(), begun, asked);
                let pause = reply.as_ref().and_then(|reply| reply.header("retry-after")?.parse().ok());
                answers.push(answer);
                if let Some(pause) = pause {
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
            }
            answers
        });
    }
    let mut answers: Vec<Answer> = tasks.join_all().await.into_iter().flatten().collect();
    answers.sort_unstable_by_key(|answer| answer.at);
    answers
}

/// A user's token is for this one.
pub(crate) fn principal(user: usize) -> String {
    format!("customer:{}", name(user))
}

/// A user's name.
pub(crate) fn name(user: usize) -> String {
    format!("user-{user}")
}

impl Answer {
    fn of(reply: Option<&Reply>, begun: Instant, asked: Instant) -> Self {
        Self {
            at: begun.elapsed(),
            took: asked.elapsed(),
            status: reply.map_or(0, |reply| reply.status),
            otherwise: reply.filter(|reply| reply.status != 201).map(|reply| reply.text.clone()),
            has_retry_after: reply.is_some_and(|reply| reply.header("retry-after").is_some()),
        }
    }
}

/// How many of them were answered like that.
pub(crate) fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}
