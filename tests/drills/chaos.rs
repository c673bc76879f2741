//! Thousands of sagas against a provider with every behaviour, while the program and the provider are killed at random.
//! In the end the provider's books are ours, to the unit. The negative control has to find the double charge.

mod customers;

use crate::Options;
use crate::audit::{Audit, shortened};
use crate::books;
use crate::report::{Report, seconds};
use customers::{Customers, Known};
use harness::{Client, Provider, Seed, Shop};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const CARS: u32 = crate::users::CARS;
const PATIENCE: Duration = Duration::from_secs(300);
/// Without keys it may go on for ever.
const PATIENCE_OF_CONTROL: Duration = Duration::from_secs(20);
/// A provider is killed with every so many kills of the program.
const PROVIDER_EVERY: usize = 8;

/// What is killed, restarted and looked at.
struct House {
    shop: Shop,
    provider: Provider,
    seed: Seed,
    provider_kills: usize,
}

pub(crate) async fn run(options: &Options) -> Report {
    let title = if options.negative_control { "chaos: negative control, without idempotency keys" } else { "chaos" };
    let mut report = Report::new(title);
    let sagas = options.sagas.unwrap_or(if options.short { 300 } else { 5_000 });
    let kills = options.kills.unwrap_or(if options.short { 4 } else { 50 });
    let mut seed = options.chance();
    let keys: &[&str] = if options.negative_control { &["--ignore-keys"] } else { &[] };
    let provider = Provider::with_options(keys).await;
    let told = ["--payment-provider", provider.address(), "--payment-timeout-ms", "200", "--log", "error"];
    let shop = Shop::with_cars_and_options(CARS, &told).await;
    let customers = Customers::begin(&shop, sagas, &mut seed);
    let mut house = House { shop, provider, seed, provider_kills: 0 };
    house.open().await;
    let begun = Instant::now();
    customers.are_served_by(Some(house.shop.client()));
    let mut listed = None;
    for number in 0..kills {
        // The last fifth of the kills hits what is settling when everybody has gone.
        let answers = sagas * (number + 1) / (kills - kills / 5).max(1);
        customers.answered(answers.min(sagas)).await;
        if number == kills / 2 && !options.negative_control {
            listed = Some(house.unknown_is_listed().await);
        }
        house = house.killed_and_restarted(&customers, number).await;
    }
    let known = customers.gone().await;
    let done = begun.elapsed();
    house.provider.plays(json!({})).await;
    let mut audit = Audit::default();
    let patience = if options.negative_control { PATIENCE_OF_CONTROL } else { PATIENCE };
    let rest = books::at_rest(&house.shop, &mut audit, patience).await;
    report.row("sagas", sagas);
    report.row("kills of the program", kills);
    report.row("kills of the provider", house.provider_kills);
    report.row("all were answered after", seconds(done));
    report.row("everything settled after another", seconds(rest));
    let ends = audit.ends();
    report.row(
        "in the end",
        format!(
            "{} confirmed, {} cancelled, {} declined, {} expired, {} open",
            ends.confirmed, ends.cancelled, ends.declined, ends.expired, ends.open
        ),
    );
    if options.negative_control {
        let twice = books::twice(&house.provider).await;
        report.row("charged or refunded twice", twice.len());
        report.holds("the double charge is found", !twice.is_empty(), "the drill would not notice one");
        return report;
    }
    if let Some(listed) = listed {
        report.row("unknown and listed, with the provider hanging", listed.as_ref().map_or(0, |&count| count));
        report.holds("what is unknown is listed", listed.is_ok(), listed.err().unwrap_or_default());
    }
    let same = audit.rentals() == sagas;
    report.holds("a rental for each key", same, format!("{} rentals for {sagas} keys", audit.rentals()));
    report.none("answers that do not stand", &shortened(&fallen(&known, &audit)));
    let strange: Vec<String> = known.into_iter().flat_map(|known| known.strange).collect();
    report.none("strange answers", &shortened(&strange));
    books::compare(house.shop, &house.provider, &audit, &mut report).await;
    report
}

/// What customers were told that is not so.
fn fallen(known: &[Known], audit: &Audit) -> Vec<String> {
    let mut fallen = Vec::new();
    for Known { rental, confirmed, cancelled, asked_to_cancel, .. } in known {
        let Some(rental) = rental else { continue };
        let status = audit.status(rental);
        let stands = match (asked_to_cancel, cancelled, confirmed) {
            (_, true, _) => status == "cancelled",
            (true, false, _) => status != "lost",
            (false, false, true) => status == "confirmed",
            (false, false, false) => status != "lost" && status != "cancelled",
        };
        if !stands {
            fallen.push(format!("rental {rental} is {status}"));
        }
    }
    fallen
}

impl House {
    /// Every behaviour, by methods and by chance.
    async fn open(&mut self) {
        let script = json!({
            "seed": self.seed.below(u64::MAX), "latency_ms": [0, 20], "slow_ms": 300, "late_webhook_ms": 1_000,
            "behaviours": { "approve": 20, "refund_fails_always": 1, "slow": 1, "charged_answer_lost": 1 },
        });
        self.provider.plays(script).await;
        self.provider.tells(&self.shop).await;
    }

    async fn killed_and_restarted(mut self, customers: &Customers, number: usize) -> Self {
        sleep(Duration::from_millis(self.seed.below(60))).await;
        let with_provider = number % PROVIDER_EVERY == PROVIDER_EVERY / 2 || number == 1;
        customers.are_served_by(None);
        let data = self.shop.into_server().kill().await;
        if with_provider {
            self.provider = self.provider.killed_and_restarted().await;
            self.provider_kills += 1;
        }
        self.shop = Shop::again(&data).await;
        self.open().await;
        customers.are_served_by(Some(self.shop.client()));
        self
    }

    /// With a provider that hangs, what is unknown is exactly what is listed; how many that are.
    async fn unknown_is_listed(&mut self) -> Result<usize, String> {
        self.provider.plays(json!({ "outage": { "kind": "hang", "for_ms": 60_000 } })).await;
        let begun = Instant::now();
        let mut audit = Audit::default();
        let outcome = loop {
            audit.read_on(&self.shop).await;
            let (ours, listed) = (audit.unknown(), listed_as_unknown(&self.shop).await);
            if ours == listed && !ours.is_empty() {
                break Ok(ours.len());
            }
            if begun.elapsed() > Duration::from_secs(30) {
                break Err(format!("{} are unknown, {} are listed", ours.len(), listed.len()));
            }
            sleep(Duration::from_millis(100)).await;
        };
        self.open().await;
        outcome
    }
}

async fn listed_as_unknown(client: &Client) -> BTreeSet<String> {
    let (mut listed, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/v1/admin/payments?status=unknown&limit=100{cursor}");
        let page = client.get(path).by("admin").await.is(200);
        listed.extend(page.items().iter().filter_map(|payment| payment["id"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return listed,
        }
    }
}
