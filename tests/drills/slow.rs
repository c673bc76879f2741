//! Clients that send half a head or half a body, read nothing, or send too much, beside others who only want to book.

use crate::Options;
use crate::crowd::{Answers, Arrivals, Crowd};
use crate::process::{MemoryWatch, connections_mb};
use crate::report::{Report, per_mille, seconds};
use crate::users::CARS;
use harness::Shop;
use harness::wire::{self, Connection};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

const BOOKINGS_PER_SECOND: u64 = 100;
const CONNECTIONS: usize = 400;
const HALF_HEADS: usize = 1_000;
/// More than there are places for commands.
const HALF_BODIES: usize = 5_000;
const READ_NOTHING: usize = 500;
/// Of what they do not read: at both ends, since both are on this machine.
const READ_NOTHING_MB: u64 = 500;
const TOO_LARGE: usize = 50;
/// A connection that is held for longer is held for ever.
const PATIENCE: Duration = Duration::from_secs(90);
const BODY_LIMIT: usize = 64 << 10;
/// Answers that nobody reads, more than fits into what the kernel keeps for a connection.
const UNREAD: usize = 100;

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::new("slow clients");
    let shop = Shop::with_cars_and_options(CARS, &[]).await;
    let crowd = Crowd::of(&shop).await;
    let time = Duration::from_secs(if options.short { 4 } else { 15 });
    let arrivals = Arrivals::Open { per_second: BOOKINGS_PER_SECOND, connections: CONNECTIONS };
    let alone = crowd.come(arrivals, time).await;
    let mut slow = JoinSet::new();
    let (before, kernel) = (connections_mb(), MemoryWatch::of(connections_mb));
    let begun = Instant::now();
    let token = shop.data().token("customer:slow");
    let large = wire::post("/v1/rentals", &token, &"x".repeat(BODY_LIMIT + 1));
    let half_body = wire::post("/v1/rentals", &token, &"x".repeat(1_000));
    let half_body = half_body[..half_body.len() - 500].to_vec();
    let half_head = crowd.request()[..60].to_vec();
    let questions = "GET /openapi.json HTTP/1.1\r\nhost: drill\r\n\r\n".repeat(UNREAD).into_bytes();
    for (kind, count, bytes) in [
        ("half a head", HALF_HEADS, half_head),
        ("half a body", HALF_BODIES, half_body),
        ("nothing read", READ_NOTHING, questions),
    ] {
        for _ in 0..count {
            let connection = Connection::open(crowd.host()).await.expect("there is room");
            let (bytes, reads) = (bytes.clone(), kind != "nothing read");
            slow.spawn(async move { (kind, held(connection, &bytes, reads, begun).await) });
        }
    }
    report.row("slow clients are there after", seconds(begun.elapsed()));
    let (beside, refused) = tokio::join!(crowd.come(arrivals, time), too_large(crowd.host(), &large));
    tell(&mut report, "alone", &alone);
    tell(&mut report, "beside slow clients", &beside);
    report.holds("nobody is asked to come back because of them", beside.asked_back == 0, beside.asked_back);
    report.holds("nobody else's connection breaks", beside.broken + beside.others == 0, beside.broken + beside.others);
    report.holds("64 KiB and a byte are answered with 413", refused == TOO_LARGE, format!("{refused} of {TOO_LARGE}"));
    let kept = kernel.end().into_iter().max().unwrap_or(0).saturating_sub(before);
    report.row(format!("kept by the kernel for {READ_NOTHING} who read nothing"), format!("{kept} MB"));
    report.holds(
        "the kernel keeps at most 1 MB for each who reads nothing",
        kept <= READ_NOTHING_MB,
        format!("{kept} MB"),
    );
    let mut ended: Vec<(&str, Option<Duration>)> = slow.join_all().await;
    ended.sort_unstable();
    for kind in ["half a head", "half a body", "nothing read"] {
        let of_kind = || ended.iter().filter(|(other, _)| *other == kind);
        let held = of_kind().filter(|(_, after)| after.is_none()).count();
        let longest = of_kind().filter_map(|(_, after)| *after).max().unwrap_or_default();
        report
            .row(format!("{kind}: {} connections, the last one is let go after", of_kind().count()), seconds(longest));
        report.holds(&format!("{kind}: nobody holds a connection for ever"), held == 0, format!("{held} do"));
    }
    shop.settled().await;
    let (_, code) = shop.into_server().stop().await;
    report.holds("the server ends well", code == Some(0), format!("{code:?}"));
    report
}

/// After which time the server ends a connection; none, if it does not.
async fn held(mut connection: Connection, bytes: &[u8], reads: bool, begun: Instant) -> Option<Duration> {
    let ended = async {
        if connection.send(bytes).await.is_ok() {
            if reads {
                // An answer may come first; then the end.
                while connection.answer().await.is_ok() {}
            } else {
                connection.is_reset().await;
            }
        }
    };
    timeout(PATIENCE, ended).await.ok().map(|()| begun.elapsed())
}

/// How many of some bodies that are too large are answered with 413.
async fn too_large(host: &str, request: &[u8]) -> usize {
    let mut refused = 0;
    for _ in 0..TOO_LARGE {
        let Ok(mut connection) = Connection::open(host).await else { continue };
        let answer = connection.exchange(request).await;
        refused += usize::from(answer.is_ok_and(|answer| answer.status == 413));
    }
    refused
}

fn tell(report: &mut Report, what: &str, answers: &Answers) {
    let (median, most) = (per_mille(&answers.taken, 500), per_mille(&answers.taken, 990));
    report.row(
        format!("{what}: bookings, median, 99 %"),
        format!("{} × 201, {} × 503, {}, {}", answers.confirmed, answers.asked_back, seconds(median), seconds(most)),
    );
}
