//! Thousands who only want to see something, again and again, beside others who book.

use crate::Options;
use crate::crowd::{Answers, Arrivals, Crowd};
use crate::process::{MemoryWatch, resident_mb, threads};
use crate::report::{Report, per_mille, seconds};
use crate::users::{CARS, principal};
use harness::wire::{self, Connection};
use harness::{Shop, july};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const BOOKINGS_PER_SECOND: u64 = 200;
const CONNECTIONS: usize = 400;
const CURIOUS: [usize; 2] = [256, 4_000];
/// More than these only wait for each other. (Whoever is just done counts as well: a pool begins a new thread meanwhile.)
const MOST_MORE_THREADS: usize = 200;

/// How many questions were answered, and how many were not.
#[derive(Default)]
struct Seen {
    answered: u64,
    otherwise: u64,
}

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::new("curious: who asks again as soon as there is an answer");
    let shop = Shop::with_cars_and_options(CARS, &[]).await;
    let crowd = Crowd::of(&shop).await;
    let time = Duration::from_secs(if options.short { 4 } else { 15 });
    let arrivals = Arrivals::Open { per_second: BOOKINGS_PER_SECOND, connections: CONNECTIONS };
    tell(&mut report, "alone", &crowd.come(arrivals, time).await);
    let token = shop.data().token(&principal(0));
    let server = shop.id();
    let before = threads(server);
    for (what, path) in [
        ("their reservations", "/v1/mypage".to_owned()),
        ("what is left", format!("/v1/items/{}/availability?from={}&to={}", shop.item, july(1), july(3))),
        ("an item", format!("/v1/items/{}", shop.item)),
    ] {
        let request: Arc<[u8]> = wire::get(&path, &token).into();
        for count in CURIOUS {
            let memory = MemoryWatch::of(move || resident_mb(server));
            let looking = look(crowd.host(), &request, count, time);
            let (beside, seen) = tokio::join!(crowd.come(arrivals, time), looking);
            let (memory, threads) = (memory.end().into_iter().max().unwrap_or(0), threads(server));
            let what = format!("{count} look at {what}");
            report.row(
                format!("{what}: answers, memory"),
                format!("{} per s, {memory} MB", seen.answered / time.as_secs()),
            );
            tell(&mut report, "beside them", &beside);
            report.holds(&format!("{what}: all see it"), seen.otherwise == 0, seen.otherwise);
            let booked = beside.confirmed + beside.undecided;
            report.holds("and every booking is taken", booked == beside.all(), format!("{booked} of {}", beside.all()));
            report.holds(
                "by few more threads",
                threads <= before + MOST_MORE_THREADS,
                format!("{before}, then {threads}"),
            );
        }
    }
    shop.settled().await;
    let (_, code) = shop.into_server().stop().await;
    report.holds("the server ends well", code == Some(0), format!("{code:?}"));
    report
}

/// So many ask over and over until the time is over.
async fn look(host: &str, request: &Arc<[u8]>, count: usize, time: Duration) -> Seen {
    let end = Instant::now() + time;
    let mut looking = JoinSet::new();
    for _ in 0..count {
        let mut connection = Connection::open(host).await.expect("there is room");
        let request = request.clone();
        looking.spawn(async move {
            let mut seen = Seen::default();
            while Instant::now() < end {
                match connection.exchange(&request).await {
                    Ok(answer) if answer.status == 200 => seen.answered += 1,
                    Ok(_) => seen.otherwise += 1,
                    Err(_) => {
                        seen.otherwise += 1;
                        break;
                    }
                }
            }
            seen
        });
    }
    looking.join_all().await.into_iter().fold(Seen::default(), |sum, one| Seen {
        answered: sum.answered + one.answered,
        otherwise: sum.otherwise + one.otherwise,
    })
}

fn tell(report: &mut Report, what: &str, answers: &Answers) {
    let (median, most) = (per_mille(&answers.taken, 500), per_mille(&answers.taken, 990));
    report.row(
        format!("{what}: bookings, median, 99 %"),
        format!("{} × 201, {} × 202, {}, {}", answers.confirmed, answers.undecided, seconds(median), seconds(most)),
    );
}
