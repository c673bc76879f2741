//! A hundred users for a minute, with a payment that takes 400 to 620 ms against a time-out of 610 ms: the load picture of
//! the five old systems, which handled about 97 %.

use crate::Options;
use crate::audit::Audit;
use crate::books;
use crate::report::{Report, per_mille, seconds, share};
use crate::users::{self, CARS};
use harness::{Provider, Shop};
use serde_json::json;
use std::time::{Duration, Instant};

const USERS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::new("steady: 100 users, payment in 400–620 ms, time-out 610 ms");
    let provider = Provider::start().await;
    let shop = Shop::with_cars_and_options(CARS, &["--payment-provider", provider.address()]).await;
    provider.tells(&shop).await;
    provider.plays(json!({ "latency_ms": [400, 620], "seed": options.seed() })).await;
    users::invite(&shop, USERS);
    let duration = Duration::from_secs(if options.short { 6 } else { 60 });
    let answers = users::book(&shop, USERS, Instant::now(), duration).await;
    let mut audit = Audit::default();
    let rest = books::at_rest(&shop, &mut audit, PATIENCE).await;
    let all = answers.len();
    report.row("time", seconds(duration));
    report.row("bookings", all);
    for (what, status) in [
        ("confirmed (201)", 201),
        ("asked to come back (503)", 503),
        ("undecided when answered (202)", 202),
        ("declined (402)", 402),
        ("no answer", 0),
    ] {
        let count = users::count(&answers, status);
        report.row(what, format!("{count}, {}", share(count, all)));
    }
    let others = answers.iter().filter(|answer| ![201, 202, 503].contains(&answer.status)).count();
    report.holds("every answer is 201, 202 or 503", others == 0, format!("{others} are not"));
    let ends = audit.ends();
    report.row(
        "in the end",
        format!("{} confirmed, {} rejected, {} expired", ends.confirmed, ends.declined, ends.expired),
    );
    report.row("everything settled after", seconds(rest));
    let mut took: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    took.sort_unstable();
    report.row("answers: median", seconds(per_mille(&took, 500)));
    report.row("answers: 99 %", seconds(per_mille(&took, 990)));
    report.row("answers: longest", seconds(per_mille(&took, 1_000)));
    let rented = all - users::count(&answers, 503);
    report.holds(
        "as many rentals as were let in",
        audit.rentals() == rented,
        format!("{} of {rented}", audit.rentals()),
    );
    books::compare(shop, &provider, &audit, &mut report).await;
    report
}
