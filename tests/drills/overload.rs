//! Three times as many bookings as can be served, by the clock, for a minute: who is let in is served as fast as ever, the
//! others are asked to come back at once, and afterwards all is as before. And thousands who never wait when they are asked to.

use crate::Options;
use crate::audit::Audit;
use crate::crowd::{Answers, Arrivals, Crowd};
use crate::process::{Awake, MemoryWatch, keep_on, resident_mb};
use crate::report::{Report, per_mille, seconds, share};
use crate::users::{self, CARS};
use chrono::{DateTime, TimeDelta, Utc};
use harness::{Shop, july};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// More connections than may have a place.
const CONNECTIONS: usize = 6_000;
const MOST_MB: u64 = 2_048;
const PATIENCE: Duration = Duration::from_secs(120);

/// What bounds how much can be served.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The processor: the provider answers at once.
    Processor,
    /// The provider, who takes his time.
    Provider,
}

/// Between two moments.
#[derive(Clone, Copy)]
struct Span(DateTime<Utc>, DateTime<Utc>);

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Processor, Self::Provider];

    const fn drill(self) -> &'static str {
        match self {
            Self::Processor => "overload: three times what the processor can do",
            Self::Provider => "overload: three times what can be paid at the provider (300–500 ms, 512 at once)",
        }
    }

    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Processor => &[],
            Self::Provider => &["--simulated-latency-ms", "300-500"],
        }
    }

    /// As many as find the peak; more of them only wait.
    const fn at_once(self) -> usize {
        match self {
            Self::Processor => 256,
            Self::Provider => 768,
        }
    }
}

pub(crate) async fn run(options: &Options, kind: Kind) -> Report {
    let mut report = Report::new(kind.drill());
    let drill = std::process::id();
    // The server inherits its processor, and begins with as many threads as are good for one.
    let inherited = keep_on(drill, 0);
    let shop = Shop::with_cars_and_options(CARS, kind.options()).await;
    users::invite(&shop, 1);
    let crowd = Crowd::of(&shop).await;
    let apart = keep_on(drill, 1) && inherited;
    let server = shop.id();
    report.row("server and load each on a processor of its own", if apart { "yes" } else { "no" });

    let _awake = Awake::until_dropped();
    let (rounds, step, time) = if options.short { (1, 3, 8) } else { (2, 10, 60) };
    let in_turn = Arrivals::Closed { at_once: kind.at_once() };
    let answers = crowd.come(in_turn, Duration::from_secs(step)).await;
    shop.settled().await;
    let usual = probe(&shop).await.1;
    let sustainable = bear(&shop, &crowd, answers.confirmed as u64 / step, step).await;
    report.row("by the clock, over as many connections, are sustained", format!("{sustainable} per s"));

    let (before_mb, memory) = (resident_mb(server), MemoryWatch::of(move || resident_mb(server)));
    let by_the_clock = Arrivals::Open { per_second: sustainable * 11 / 10, connections: CONNECTIONS };
    let impatient = Arrivals::Closed { at_once: CONNECTIONS };
    let mut others = [in_turn, by_the_clock, impatient].map(|arrivals| (arrivals, Vec::new()));
    let mut all = Answers::default();
    take_others(&shop, &crowd, &mut others, step).await;
    let mut overloads = Vec::new();
    let (mut calm, mut rest) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..rounds {
        let arrivals = Arrivals::Open { per_second: sustainable * 3, connections: CONNECTIONS };
        let answers = crowd.come(arrivals, Duration::from_secs(time)).await;
        calm = calm.max(back_to_normal(&shop, usual).await);
        let settled = Instant::now();
        at_rest(&shop).await;
        rest = rest.max(settled.elapsed());
        overloads.push(Span::of(&answers, time));
        all.add(answers);
        take_others(&shop, &crowd, &mut others, step).await;
    }
    let [first, second] = memory.end();
    report.row("offered", format!("{} per s, {rounds} times for {time} s: {}", sustainable * 3, all.all()));
    tell(&mut report, &mut all);
    report.row("the usual wait again, after the load's end", seconds(calm));
    report.row("nothing left to be handled, after another", seconds(rest));
    report.row(
        "memory before, in the first half, in the second, at the end",
        format!("{before_mb}, {first}, {second}, {} MB", resident_mb(server)),
    );
    report.holds("memory stays within 2 GB", first.max(second) <= MOST_MB, format!("{first}, {second} MB"));
    let [in_turn, by_the_clock, impatient] = others.map(|(_, spans)| spans);
    judge(shop, report, &[in_turn, by_the_clock, impatient, overloads]).await
}

/// What the overloads are compared with. The machine is not always as fast: this is measured before and after each of them.
async fn take_others(shop: &Shop, crowd: &Crowd, others: &mut [(Arrivals, Vec<Span>)], time: u64) {
    for (arrivals, spans) in others {
        let answers = crowd.come(*arrivals, Duration::from_secs(time)).await;
        shop.settled().await;
        spans.push(Span::of(&answers, time));
    }
}

/// How many bookings a second the server bears when they come by the clock, whatever has become of those before: 99 in 100 are
/// confirmed. Begins with more than can be borne, and asks for less until it is.
async fn bear(shop: &Shop, crowd: &Crowd, about: u64, time: u64) -> u64 {
    let mut sustainable = 1;
    for percent in [120, 110, 105, 100, 95, 90, 85, 80, 75, 70, 60, 50] {
        sustainable = (about * percent / 100).max(1);
        let arrivals = Arrivals::Open { per_second: sustainable, connections: CONNECTIONS };
        let answers = crowd.come(arrivals, Duration::from_secs(time)).await;
        shop.settled().await;
        if answers.confirmed * 100 >= answers.all() * 99 {
            break;
        }
    }
    sustainable
}

fn tell(report: &mut Report, answers: &mut Answers) {
    answers.sort();
    let all = answers.all();
    report.row("confirmed (201)", format!("{}, {}", answers.confirmed, share(answers.confirmed, all)));
    report.row("undecided when answered (202)", format!("{}, {}", answers.undecided, share(answers.undecided, all)));
    report.row("asked to come back (503)", format!("{}, {}", answers.asked_back, share(answers.asked_back, all)));
    report.row("connections that broke", answers.broken);
    let ms = |sorted: &[Duration]| format!("{} / {}", seconds(per_mille(sorted, 500)), seconds(per_mille(sorted, 990)));
    report.row("wait of who is let in: median / 99 %", ms(&answers.taken));
    report.row("wait for 503: median / 99 %", ms(&answers.refused));
    report.holds("every answer is 201, 202 or 503", answers.others == 0, answers.others);
    report.holds("every 503 says when to come back", answers.mute == 0, answers.mute);
}

/// Reads the whole journal with the program itself, and compares: users who ask again when answered, bookings that come by the
/// clock, users who do so in their thousands, and the overloads between them.
async fn judge(shop: Shop, mut report: Report, spans: &[Vec<Span>; 4]) -> Report {
    let (data, code) = shop.into_server().stop().await;
    report.holds("the server ends well", code == Some(0), format!("{code:?}"));
    let mut audit = Audit::default();
    let mut confirmed = spans.each_ref().map(|spans| vec![0_u64; spans.len()]);
    data.each_line(&["events"], |line| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        if let Some(at) = confirmation(&event) {
            for (span, confirmed) in spans.iter().flatten().zip(confirmed.iter_mut().flatten()) {
                *confirmed += u64::from(span.contains(at));
            }
        }
        audit.take_in(&event);
    })
    .await;
    for (span, confirmed) in spans.iter().flatten().zip(confirmed.iter_mut().flatten()) {
        *confirmed /= span.seconds();
    }
    let [in_turn, by_the_clock, impatient, overload] = confirmed;
    let kept = |(beyond, peaks): (&u64, &[u64])| beyond * 200 / peaks.iter().sum::<u64>().max(1);
    let share = |peaks: &[u64]| overload.iter().zip(peaks.windows(2)).map(kept).collect::<Vec<_>>();
    report.row("confirmed per s, by the journal: users who ask again when answered", format!("{in_turn:?}"));
    report.row("by the clock, a tenth more than is sustained", format!("{by_the_clock:?}"));
    report.row("between those: under overload", format!("{overload:?}"));
    report.row(
        "of the peaks before and after, in % of either",
        format!("{:?}, {:?}", share(&in_turn), share(&by_the_clock)),
    );
    report.row(format!("{CONNECTIONS} users who never wait when they are turned away"), format!("{impatient:?}"));
    let [peak, left] = [&in_turn, &impatient].map(|rates| rates.iter().sum::<u64>());
    report.holds("those leave at least half of the peak", left * 2 >= peak, format!("{impatient:?} of {in_turn:?}"));
    report.row("rentals in the journal", audit.rentals());
    audit.judge(&mut report);
    report
}

/// When an event confirmed a rental.
fn confirmation(event: &Value) -> Option<DateTime<Utc>> {
    let at = event["at"].as_str().filter(|_| event["type"] == "RentalConfirmed");
    at.and_then(|at| at.parse().ok())
}

impl Span {
    fn of(answers: &Answers, seconds: u64) -> Self {
        Self(answers.begun, answers.begun + TimeDelta::seconds(seconds.cast_signed()))
    }

    fn contains(self, at: DateTime<Utc>) -> bool {
        (self.0..self.1).contains(&at)
    }

    fn seconds(self) -> u64 {
        (self.1 - self.0).num_seconds().max(1).cast_unsigned()
    }
}

/// One booking: its status and how long it took.
async fn probe(shop: &Shop) -> (u16, Duration) {
    let sent = Instant::now();
    let body = json!({ "item": shop.item, "from": july(1), "to": july(2) });
    let reply = shop.post("/v1/rentals").by(users::principal(0)).json(body).sent().await;
    (reply.map_or(0, |reply| reply.status), sent.elapsed())
}

/// After which time ten bookings in a row are confirmed and take no more than twice as long as usual, and 20 ms.
async fn back_to_normal(shop: &Shop, usual: Duration) -> Duration {
    let begun = Instant::now();
    let mut since = begun;
    let mut in_a_row = 0;
    while in_a_row < 10 && begun.elapsed() < PATIENCE {
        let (status, took) = probe(shop).await;
        if status == 201 && took <= usual * 2 + Duration::from_millis(20) {
            in_a_row += 1;
        } else {
            (in_a_row, since) = (0, Instant::now());
            sleep(Duration::from_millis(20)).await;
        }
    }
    since - begun
}

/// Waits until everything is handled, which may be much.
async fn at_rest(shop: &Shop) {
    let begun = Instant::now();
    while shop.subscriptions().await.iter().any(|one| one["lag"] != 0) {
        assert!(begun.elapsed() < PATIENCE, "subscriptions lag behind after {PATIENCE:?}");
        sleep(Duration::from_millis(50)).await;
    }
}
