//! One part is away for a while: its process is killed, or stopped, or the database is. Customers go on.

use super::{Fleet, Roles};
use crate::Options;
use crate::audit::Audit;
use crate::books;
use crate::report::{Report, seconds};
use harness::{Client, july};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

const USERS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A lease is over by then.
const PAST_THE_LEASE: Duration = Duration::from_secs(12);

const APART: [Roles; 6] = [
    ("api-1", "api"),
    ("api-2", "api"),
    ("sagas", "reservation,extension,waiting,messages"),
    ("dispatch", "dispatch"),
    ("payments", "payments"),
    ("views", "projections"),
];
const TWICE: [Roles; 5] =
    [("api-1", "api"), ("api-2", "api"), ("sagas-1", "sagas"), ("sagas-2", "sagas"), ("views", "projections")];

/// What is away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Dispatch,
    Payments,
    Views,
    Api,
    Database,
    /// Stopped past its lease, and woken.
    Owner,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::Dispatch, Self::Payments, Self::Views, Self::Api, Self::Database, Self::Owner];

    const fn drill(self) -> &'static str {
        match self {
            Self::Dispatch => "processes: dispatch is killed and comes back, 20 users",
            Self::Payments => "processes: payments are killed and come back, 20 users",
            Self::Views => "processes: the views are killed and come back, 20 users",
            Self::Api => "processes: one of two API processes is killed and comes back, 20 users",
            Self::Database => "processes: the database crashes and comes back, 20 users",
            Self::Owner => "processes: the sagas' owner is stopped past its leases and woken, 20 users",
        }
    }

    const fn process(self) -> Option<&'static str> {
        match self {
            Self::Dispatch => Some("dispatch"),
            Self::Payments => Some("payments"),
            Self::Views => Some("views"),
            Self::Api => Some("api-2"),
            Self::Database | Self::Owner => None,
        }
    }

    const fn roles(self) -> &'static [Roles] {
        match self {
            Self::Owner => &TWICE,
            Self::Dispatch | Self::Payments | Self::Views | Self::Api | Self::Database => &APART,
        }
    }
}

/// What somebody saw.
struct Seen {
    at: Duration,
    took: Duration,
    what: &'static str,
    /// 0 where there was no answer at all.
    status: u16,
    is_mute: bool,
}

pub(crate) async fn run(options: &Options, fault: Fault) -> Report {
    let mut report = Report::new(fault.drill());
    let scale = if options.short { [2, 5, 9] } else { [8, 18, 30] };
    let [away, mut back, mut end] = scale.map(Duration::from_secs);
    if fault == Fault::Owner {
        (back, end) = (away + PAST_THE_LEASE, end + PAST_THE_LEASE);
    }
    let mut fleet = Fleet::start(fault.roles(), &[]).await;
    let item = fleet.found().await;
    let clients: Arc<[Client]> = [fleet.client("api-1"), fleet.client("api-2")].into();
    clients.iter().for_each(|client| {
        (0..USERS).for_each(|user| drop(client.data().token(&principal(user))));
        client.data().token("staff:seoul-cars");
    });
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for user in 0..USERS {
        tasks.spawn(book(clients.clone(), item.clone(), user, begun, end));
    }
    tasks.spawn(look(clients.clone(), begun, end));
    sleep(away).await;
    let owners = owners(&clients[0]).await;
    go_away(&mut fleet, fault, back - away, &mut report, &owners).await;
    let back = begun.elapsed();
    let seen: Vec<Seen> = tasks.join_all().await.into_iter().flatten().collect();
    tell(&mut report, &seen, &[("before", Duration::ZERO, away), ("away", away, back), ("after", back, Duration::MAX)]);
    let (mut audit, client) = (Audit::default(), fleet.client("api-1"));
    let rest = books::at_rest(&client, &mut audit, PATIENCE).await;
    report.row("everything settled after", seconds(rest));
    let ends = audit.ends();
    report.row(
        "in the end",
        format!(
            "{} confirmed, {} cancelled, {} expired, {} open",
            ends.confirmed, ends.cancelled, ends.expired, ends.open
        ),
    );
    judge(&mut report, &seen, &audit);
    fleet.judge(&client, &audit, &mut report).await;
    report
}

/// Takes a part away for a time, and brings it back.
async fn go_away(fleet: &mut Fleet, fault: Fault, time: Duration, report: &mut Report, owners: &Owners) {
    if let Some(process) = fault.process() {
        fleet.kill(process).await;
        sleep(time).await;
        fleet.restart(process).await;
        return;
    }
    if fault == Fault::Database {
        let cluster = fleet.cluster.clone();
        tokio::task::spawn_blocking(move || cluster.crash()).await.expect("it crashes");
        sleep(time).await;
        let cluster = fleet.cluster.clone();
        tokio::task::spawn_blocking(move || cluster.resume()).await.expect("it comes back");
        return;
    }
    fleet.server("sagas-1").signal("STOP");
    sleep(time).await;
    let during = self::owners(&fleet.client("api-1")).await;
    fleet.server("sagas-1").signal("CONT");
    // Long enough for whatever it had begun.
    sleep(Duration::from_secs(3)).await;
    let woken = self::owners(&fleet.client("api-1")).await;
    let moved = |from: &Owners, to: &Owners| {
        let sagas = from.iter().filter(|(name, _)| !name.starts_with("view-"));
        sagas.filter(|(name, of)| to.get(*name).is_some_and(|now| now.0 != of.0 && now.1 > of.1)).count()
    };
    report.row("sagas that found another owner while theirs was stopped", moved(owners, &during));
    report.holds(
        "each saga of the stopped owner has found another",
        moved(owners, &during) >= 6,
        format!("{during:?}"),
    );
    report.holds("the woken owner takes nothing back", during == woken, format!("{during:?}, then {woken:?}"));
}

/// Who owns what, under which epoch.
type Owners = BTreeMap<String, (String, u64)>;

async fn owners(client: &Client) -> Owners {
    let owner = |one: &Value| {
        let text = |member: &str| one[member].as_str().unwrap_or_default().to_owned();
        (text("name"), (text("owner"), one["epoch"].as_u64().unwrap_or(0)))
    };
    client.subscriptions().await.iter().map(owner).collect()
}

fn principal(user: usize) -> String {
    format!("customer:user-{user}")
}

/// Books one car after the other and cancels every fourth; goes to the other API process where one is gone, and asks again with
/// the same key.
async fn book(clients: Arc<[Client]>, item: String, user: usize, begun: Instant, end: Duration) -> Vec<Seen> {
    let mut seen = Vec::new();
    let (mut api, mut turn) = (user, 0_u32);
    while begun.elapsed() < end {
        turn += 1;
        let key = format!("user-{user}-{turn}");
        let body = json!({ "item": item, "from": july(1 + turn % 25), "to": july(2 + turn % 25) });
        loop {
            let asked = Instant::now();
            let request = clients[api % clients.len()].post("/v1/rentals").by(principal(user)).json(body.clone());
            let reply = request.header("idempotency-key", &key).sent().await.ok();
            let status = reply.as_ref().map_or(0, |reply| reply.status);
            let pause = reply.as_ref().and_then(|reply| reply.header("retry-after")?.parse().ok());
            let is_mute = status == 503 && pause.is_none();
            seen.push(Seen { at: begun.elapsed(), took: asked.elapsed(), what: "bookings", status, is_mute });
            match (status, pause) {
                (0, _) => {
                    api += 1;
                    sleep(LOOK_AGAIN).await;
                }
                (503, pause) => sleep(Duration::from_secs(pause.unwrap_or(1))).await,
                (201, _) if turn.is_multiple_of(4) => {
                    let rental = reply.map(|reply| reply.id()).unwrap_or_default();
                    let path = format!("/v1/rentals/{rental}/cancel");
                    let request = clients[api % clients.len()].post(path).by(principal(user)).json(json!({}));
                    // Whether it is cancelled is for the audit to see.
                    drop(request.header("idempotency-key", format!("{key}-cancel")).sent().await);
                    break;
                }
                _ => break,
            }
            if begun.elapsed() > end + PATIENCE {
                break;
            }
        }
    }
    seen
}

/// Looks at a customer's page and the shop's queue, all the time.
async fn look(clients: Arc<[Client]>, begun: Instant, end: Duration) -> Vec<Seen> {
    let mut seen = Vec::new();
    while begun.elapsed() < end {
        for (what, path, principal) in [
            ("mypage", "/v1/mypage?limit=1", "customer:user-0"),
            ("shop's queue", "/v1/stores/seoul-cars/dispatches?limit=1", "staff:seoul-cars"),
        ] {
            let asked = Instant::now();
            let reply = clients[0].get(path).by(principal).sent().await.ok();
            let status = reply.as_ref().map_or(0, |reply| reply.status);
            let is_mute = status == 503 && reply.is_some_and(|reply| reply.header("retry-after").is_none());
            seen.push(Seen { at: begun.elapsed(), took: asked.elapsed(), what, status, is_mute });
        }
        sleep(LOOK_AGAIN).await;
    }
    seen
}

fn tell(report: &mut Report, seen: &[Seen], phases: &[(&str, Duration, Duration)]) {
    for what in ["bookings", "mypage", "shop's queue"] {
        for (phase, from, to) in phases {
            let part = || seen.iter().filter(|one| one.what == what && (*from..*to).contains(&one.at));
            let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
            part().for_each(|one| *statuses.entry(one.status).or_default() += 1);
            let counts: Vec<String> = statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
            let longest = part().map(|one| one.took).max().unwrap_or_default();
            report.row(format!("{what}, {phase}"), format!("{}; longest wait {}", counts.join(", "), seconds(longest)));
        }
    }
}

fn judge(report: &mut Report, seen: &[Seen], audit: &Audit) {
    let bookings = || seen.iter().filter(|one| one.what == "bookings");
    let strange: Vec<u16> =
        bookings().map(|one| one.status).filter(|status| ![0, 201, 202, 503].contains(status)).collect();
    report.holds("every answer is 201, 202 or 503", strange.is_empty(), format!("{strange:?}"));
    let mute = seen.iter().filter(|one| one.is_mute).count();
    report.holds("every 503 says when to come back", mute == 0, format!("{mute} do not"));
    let let_in = bookings().filter(|one| [201, 202].contains(&one.status)).count();
    report.holds("a rental for each key", audit.rentals() == let_in, format!("{} of {let_in}", audit.rentals()));
}
