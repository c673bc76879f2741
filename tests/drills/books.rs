//! At the end of a drill: everything is at rest, and journal, views and the provider's books say the same.

use crate::audit::{Audit, shortened};
use crate::report::Report;
use harness::{Books, Client, Data, Provider, Shop};
use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(200);
const REPLAY: Duration = Duration::from_secs(300);

/// Waits until nothing more is to come, and reads the journal to its end. What is still open after that time is found by
/// the audit.
pub(crate) async fn at_rest(shop: &Client, audit: &mut Audit, patience: Duration) -> Duration {
    let begun = Instant::now();
    loop {
        audit.read_on(shop).await;
        if audit.is_at_rest() || begun.elapsed() > patience {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let took = begun.elapsed();
    shop.settled().await;
    audit.read_on(shop).await;
    took
}

/// Compares everything with everything, and ends the server.
pub(crate) async fn compare(shop: Shop, provider: &Provider, audit: &Audit, report: &mut Report) {
    agree(&shop, provider, audit, report).await;
    let (data, code) = shop.into_server().stop().await;
    report.holds("the server ends well", code == Some(0), format!("{code:?}"));
    replayed(&data, report).await;
}

/// The journal, the provider's books and what customers are shown.
pub(crate) async fn agree(client: &Client, provider: &Provider, audit: &Audit, report: &mut Report) {
    audit.judge(report);
    provider_agrees(provider, &audit.books(), report).await;
    views_agree(client, audit, report).await;
}

/// Replays what has ended, and verifies its journal.
pub(crate) async fn replayed(data: &Data, report: &mut Report) {
    let replayed = data.run_within(REPLAY, &["replay", "--verify"]).await;
    let same = replayed.code == Some(0) && replayed.stdout.lines().all(|line| line.ends_with("as before"));
    report.holds("views are what a replay gives", same, format!("{replayed:?}"));
    let verified = data.run_within(REPLAY, &["verify"]).await;
    report.holds("the journal is whole", verified.code == Some(0), format!("{verified:?}"));
}

/// The provider's books, entry by entry, against ours.
pub(crate) async fn provider_agrees(provider: &Provider, ours: &Books, report: &mut Report) {
    let theirs = provider.books().await;
    let mut differ = Vec::new();
    for id in theirs.keys().chain(ours.keys()) {
        let (theirs, ours) = (theirs.get(id), ours.get(id));
        if theirs != ours {
            differ.push(format!("payment {id}: the provider has {theirs:?}, we have {ours:?}"));
        }
    }
    differ.dedup();
    let sum = |books: &Books| books.values().map(|(taken, refunded)| taken - refunded).sum::<i64>();
    report.row("kept by the provider", format!("{} won", sum(&theirs)));
    report.row("kept by our journal", format!("{} won", sum(ours)));
    report.none("payments whose books differ", &shortened(&differ));
    report.none("charged or refunded twice", &shortened(&twice(provider).await));
}

/// Charges and refunds that the provider made more than once.
pub(crate) async fn twice(provider: &Provider) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut twice = Vec::new();
    for entry in provider.ledger().await {
        let (kind, key) = (entry["entry"].to_string(), entry["key"].to_string());
        let moves_money = kind.contains("charged") || kind.contains("refunded");
        if moves_money && !seen.insert((kind, key)) {
            twice.push(entry.to_string());
        }
    }
    twice
}

async fn views_agree(shop: &Client, audit: &Audit, report: &mut Report) {
    let mut differ = Vec::new();
    for (customer, kept) in audit.kept_of_customers() {
        let payments = shop.all("/v1/mypage/payments", &format!("customer:{customer}")).await;
        let shown: i64 = payments.iter().map(kept_of).sum();
        if shown != kept {
            differ.push(format!("{customer}'s page shows {shown}, the journal {kept}"));
        }
    }
    report.none("pages that show another sum", &shortened(&differ));
    for status in ["unknown", "refund_failed"] {
        let open = shop.get(format!("/v1/admin/payments?status={status}&limit=100")).by("admin").await.is(200).items();
        let open: Vec<String> = open.iter().map(ToString::to_string).collect();
        report.none(&format!("payments listed as {status}"), &shortened(&open));
    }
    let listed = shop.get("/v1/admin/payments/contradictions").by("admin").await.is(200).items();
    let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
    report.none("contradictions of the provider", &shortened(&listed));
    let subscriptions = shop.subscriptions().await;
    let parked = subscriptions.iter().filter(|one| one["parked"].as_array().is_some_and(|list| !list.is_empty()));
    let parked: Vec<String> = parked.map(ToString::to_string).collect();
    report.none("parked", &parked);
}

fn kept_of(payment: &serde_json::Value) -> i64 {
    let minor = |money: &serde_json::Value| money["amount_minor"].as_i64().unwrap_or(0);
    let was_taken = payment["reference"].is_string();
    if was_taken { minor(&payment["amount"]) - minor(&payment["refunded"]) } else { 0 }
}
