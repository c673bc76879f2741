//! Ten thousand buyers want a hundred phones, through two API processes.

use super::{Fleet, Roles};
use crate::Options;
use crate::report::{Report, seconds};
use harness::{Business, Shop};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

const PHONES: usize = 100;
const AT_ONCE: usize = 400;
const ROLES: [Roles; 3] = [("api-1", "api"), ("api-2", "api"), ("rest", "sagas,projections")];

pub(crate) async fn run(options: &Options) -> Report {
    let buyers = if options.short { 2_000 } else { 10_000 };
    let mut report = Report::new("rush: buyers for a hundred phones through two API processes");
    let fleet = Fleet::start(&ROLES, &[]).await;
    let item = Shop::found(fleet.server("api-1"), &Business::phones(), json!(PHONES)).await;
    let clients = [fleet.client("api-1"), fleet.client("api-2")];
    let names: Vec<String> = (0..buyers).map(|buyer| format!("customer:buyer-{buyer}")).collect();
    for client in &clients {
        client.data().tokens(&names).await;
    }
    let begun = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (clients, next, item) = (clients.clone(), next.clone(), item.clone());
        tasks.spawn(async move {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            loop {
                let buyer = next.fetch_add(1, Ordering::Relaxed);
                if buyer >= buyers {
                    return seen;
                }
                let wish = clients[buyer % 2].post("/v1/rentals").by(format!("customer:buyer-{buyer}"));
                let wish = wish
                    .json(json!({ "item": item }))
                    .header("idempotency-key", format!("buyer-{buyer}"))
                    .waiting_s(30);
                let mut reply = wish.clone().await;
                let mut turned_away = 0;
                while reply.status == 503 {
                    turned_away += 1;
                    sleep(Duration::from_secs(1)).await;
                    reply = wish.clone().await;
                }
                *seen.entry("503, and asked again".to_owned()).or_default() += turned_away;
                let what = format!("{} {}", reply.status, reply["type"].as_str().unwrap_or_default());
                *seen.entry(what.trim().to_owned()).or_default() += 1;
            }
        });
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for part in tasks.join_all().await {
        part.into_iter().for_each(|(what, count)| *seen.entry(what).or_default() += count);
    }
    report.row("buyers", buyers);
    report.row("all were answered after", seconds(begun.elapsed()));
    seen.iter().for_each(|(what, count)| report.row(what, count));
    let count = |what: &str| seen.get(what).copied().unwrap_or(0);
    report.holds("exactly 100 have one", count("201") == PHONES, count("201"));
    let refused = count("409 /problems/out-of-stock");
    report.holds("all others are told that there is none left", refused == buyers - PHONES, refused);
    let mut audit = crate::audit::Audit::default();
    let client = fleet.client("api-1");
    crate::books::at_rest(&client, &mut audit, Duration::from_secs(120)).await;
    let left = client.get(format!("/v1/items/{item}")).await.is(200)["available"].clone();
    report.holds("the catalogue has none", left == json!(0), left);
    report.holds("the journal has a hundred confirmed", audit.ends().confirmed == PHONES, audit.ends().confirmed);
    fleet.judge(&client, &audit, &mut report).await;
    report
}
