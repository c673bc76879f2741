//! The provider is away for ten seconds while a hundred users book: killed and restarted with its books, or hanging.

use crate::Options;
use crate::audit::Audit;
use crate::books;
use crate::report::{Report, seconds, share};
use crate::users::{self, Answer, CARS};
use harness::{Provider, Shop};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const USERS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);

/// How the provider is away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Killed,
    Hanging,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Killed, Self::Hanging];

    const fn drill(self) -> &'static str {
        match self {
            Self::Killed => "outage: the provider is killed and comes back, 100 users",
            Self::Hanging => "outage: the provider takes requests and does not answer, 100 users",
        }
    }
}

/// When what happens, from the beginning.
struct Times {
    away: Duration,
    back: Duration,
    end: Duration,
}

pub(crate) async fn run(options: &Options, kind: Kind) -> Report {
    let mut report = Report::new(kind.drill());
    let scale = if options.short { [2, 4, 12] } else { [10, 20, 40] };
    let [away, back, end] = scale.map(Duration::from_secs);
    let provider = Provider::start().await;
    let shop = Shop::with_cars_and_options(CARS, &["--payment-provider", provider.address()]).await;
    provider.tells(&shop).await;
    let script = json!({ "latency_ms": [100, 200], "seed": options.seed() });
    provider.plays(script.clone()).await;
    users::invite(&shop, USERS);
    let begun = Instant::now();
    let service = async {
        sleep(away).await;
        let provider = away_for(provider, back - away, kind, &script).await;
        provider.tells(&shop).await;
        provider
    };
    // The provider's return is known to this process only after it: what is measured from it is not flattered.
    let (answers, (provider, back)) = tokio::join!(users::book(&shop, USERS, begun, end), async {
        let provider = service.await;
        let back = begun.elapsed();
        (provider, back)
    });
    let mut audit = Audit::default();
    let rest = books::at_rest(&shop, &mut audit, PATIENCE).await;
    tell(&mut report, &answers, &Times { away, back, end });
    report.row("everything settled after", seconds(rest));
    let ends = audit.ends();
    report.row(
        "in the end",
        format!("{} confirmed, {} rejected, {} expired", ends.confirmed, ends.declined, ends.expired),
    );
    let let_in = answers.len() - users::count(&answers, 503);
    let as_many = audit.rentals() == let_in;
    report.holds("as many rentals as were let in", as_many, format!("{} of {let_in}", audit.rentals()));
    let others: Vec<u16> =
        answers.iter().map(|answer| answer.status).filter(|status| ![201, 202, 503].contains(status)).collect();
    report.holds("every answer is 201, 202 or 503", others.is_empty(), format!("{others:?}"));
    let mute = answers.iter().filter(|answer| answer.status == 503 && !answer.has_retry_after).count();
    report.holds("every 503 says when to come back", mute == 0, format!("{mute} do not"));
    books::compare(shop, &provider, &audit, &mut report).await;
    report
}

async fn away_for(provider: Provider, time: Duration, kind: Kind, script: &Value) -> Provider {
    match kind {
        Kind::Killed => {
            let killed = provider.kill().await;
            sleep(time).await;
            let provider = killed.restart().await;
            provider.plays(script.clone()).await;
            provider
        }
        Kind::Hanging => {
            let mut hanging = script.clone();
            hanging["outage"] = json!({ "kind": "hang", "for_ms": u64::try_from(time.as_millis()).unwrap() });
            provider.plays(hanging).await;
            sleep(time).await;
            provider
        }
    }
}

fn tell(report: &mut Report, answers: &[Answer], times: &Times) {
    let Times { away, back, end } = times;
    for (what, from, to) in [("before", Duration::ZERO, *away), ("away", *away, *back), ("after", *back, *end)] {
        let part: Vec<&Answer> = answers.iter().filter(|answer| (from..to).contains(&answer.at)).collect();
        let count = |status| part.iter().filter(|answer| answer.status == status).count();
        let [confirmed, undecided, asked_back] = [201, 202, 503].map(count);
        report.row(
            format!("{what}: {} answers", part.len()),
            format!("{confirmed} × 201 ({}), {undecided} × 202, {asked_back} × 503", share(confirmed, part.len())),
        );
    }
    let longest = |statuses: &[u16]| {
        let waits = answers.iter().filter(|answer| statuses.contains(&answer.status)).map(|answer| answer.took);
        seconds(waits.max().unwrap_or_default())
    };
    report.row("longest wait for 201 or 202 (they wait 2 s at most)", longest(&[201, 202]));
    report.row("longest wait for 503", longest(&[503]));
    let first = answers.iter().find(|answer| answer.at >= *back && answer.status == 201);
    report.row("first 201 after its return", first.map_or("never".to_owned(), |answer| seconds(answer.at - *back)));
    let normal = normal_after(answers, times);
    report.row("90 % of the usual rate after its return", normal.map_or("never".to_owned(), seconds));
}

/// After which time from the provider's return a whole second has nine tenths of the confirmations that were usual before.
fn normal_after(answers: &[Answer], times: &Times) -> Option<Duration> {
    const STEP: Duration = Duration::from_millis(100);
    const WINDOW: Duration = Duration::from_secs(1);
    let confirmed = |from: Duration, to: Duration| {
        answers.iter().filter(|answer| answer.status == 201 && (from..to).contains(&answer.at)).count()
    };
    // The first second belongs to the start.
    let usual = confirmed(WINDOW, times.away) * 1_000 / usize::try_from((times.away - WINDOW).as_millis()).ok()?.max(1);
    let mut from = times.back;
    while from + WINDOW <= times.end {
        if confirmed(from, from + WINDOW) * 10 >= usual * 9 {
            return Some(from + WINDOW - times.back);
        }
        from += STEP;
    }
    None
}
