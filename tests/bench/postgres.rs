//! `bench --postgres`: ours, a service written plainly from the manuals of cqrs-es and postgres-es, and the bare limit, each on a database
//! of its own in one PostgreSQL server that keeps what it acknowledges. Afterwards the events are counted: a booking that was answered is
//! paid, taken from the stock, confirmed and dispatched, and nothing else is.

use crate::bare;
use crate::load::{self, Cell};
use crate::report::{self, Row};
use crate::{Options, rental, work};
use cluster::Cluster;
use harness::wire::{self, Connection};
use harness::{Data, Server};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Of each service, before it is measured.
const WARM_UP: Duration = Duration::from_secs(2);
const SETTINGS: &[&str] = &["fsync", "synchronous_commit", "full_page_writes", "shared_buffers"];
/// What every booking leads to, in both services: as many events as the bare limit appends at once.
const STEPS: &[&str] = &[
    "RentalRequested",
    "StockHeld",
    "PaymentRequested",
    "PaymentApproved",
    "StockCommitted",
    "RentalConfirmed",
    "DispatchRequested",
];

/// A service that takes bookings.
trait Subject {
    const NAME: &'static str;
    /// Whether every booking that it begins has to come to its end.
    const COMPLETE: bool;

    fn address(&self) -> &str;
    /// Of its process.
    fn id(&self) -> u32;
    fn tokens(&self) -> &[String];
    async fn items(&self, count: usize) -> Vec<String>;
    async fn dispatched(&self);
    async fn stop(self);
}

pub(crate) async fn measure(options: &Options) {
    let cluster = Cluster::start();
    let shown = |setting: &&str| format!("{setting} {}", cluster.sql("postgres", &format!("SHOW {setting}")));
    println!("PostgreSQL: {}", SETTINGS.iter().map(shown).collect::<Vec<_>>().join(", "));
    run_in(&cluster);
    println!("load before: {}", load_average());
    report::heading();
    let limit = bare_limit(options, &cluster).await;
    for (items, workload) in [(1, "one hot item"), (options.items, "many items")] {
        let database = cluster.database();
        let plain = Plain::start(&database).await;
        let plain = bookings(options, plain, &cluster, (items, workload), &limit, None).await;
        check::<Plain>(&cluster, &database, plain.created);
        leave_nothing(&cluster, &database);
        let database = cluster.database();
        let ours = Ours::start(&database).await;
        let ours = bookings(options, ours, &cluster, (items, workload), &limit, Some(&plain.cells)).await;
        check::<Ours>(&cluster, &database, ours.created);
        leave_nothing(&cluster, &database);
    }
    println!("load after: {}", load_average());
}

/// A database that was just made also makes its log, 16 MiB at a time, and whoever commits waits for that. One that has run for a
/// while writes over what it has. That is what is measured, for all alike.
fn run_in(cluster: &Cluster) {
    let segments = "DO $$ BEGIN FOR segment IN 1..120 LOOP \
                    PERFORM pg_logical_emit_message(false, 'bench', 'x'); PERFORM pg_switch_wal(); END LOOP; END $$";
    let steps =
        ["ALTER SYSTEM SET min_wal_size = '2GB'", "SELECT pg_reload_conf()", segments, "CHECKPOINT", "CHECKPOINT"];
    steps.iter().for_each(|step| drop(cluster.sql("postgres", step)));
}

async fn bare_limit(options: &Options, cluster: &Cluster) -> Vec<Cell> {
    let database = cluster.database();
    let server = bare::Server::start(Some(&database), STEPS.len()).await;
    let requests = server.requests();
    let mut cells = Vec::new();
    for &connections in &options.connections {
        let before = Worked::by(server.id(), cluster);
        let cell = load::run(server.address(), &requests, connections, options.duration(), async || {}).await;
        let work_us = Worked::by(server.id(), cluster).since(&before).per(cell.created);
        let workload = "bare limit";
        report::row(&Row { connections, work_us: Some(work_us), ..Row::of(workload, &cell) });
        cells.push(cell);
    }
    drop(server);
    leave_nothing(cluster, &database);
    cells
}

/// What is left of one measurement is not vacuumed during the next.
fn leave_nothing(cluster: &Cluster, database: &str) {
    cluster.sql("postgres", &format!("DROP DATABASE {} WITH (FORCE)", name_of(database)));
    cluster.sql("postgres", "CHECKPOINT");
}

/// The name in a database's address.
fn name_of(address: &str) -> &str {
    address.split('?').next().and_then(|address| address.rsplit('/').next()).expect("a database's name")
}

/// Processor time of a service, and of the database for it.
struct Worked {
    service: Duration,
    database: Duration,
}

impl Worked {
    fn by(service: u32, cluster: &Cluster) -> Self {
        Self { service: work::of(service), database: work::of_children(cluster.id()) }
    }

    fn since(&self, before: &Self) -> Self {
        let (service, database) = (self.service - before.service, self.database.saturating_sub(before.database));
        Self { service, database }
    }

    /// Of each of so many bookings, in microseconds.
    fn per(&self, bookings: u64) -> (u128, u128) {
        let each = |all: Duration| all.as_micros() / u128::from(bookings.max(1));
        (each(self.service), each(self.database))
    }
}

struct Measured {
    cells: Vec<Cell>,
    /// Answers with 201, warming up included.
    created: u64,
}

async fn bookings<S: Subject>(
    options: &Options,
    service: S,
    cluster: &Cluster,
    (items, workload): (usize, &str),
    limit: &[Cell],
    plain: Option<&[Cell]>,
) -> Measured {
    let mut measured = Measured { cells: Vec::new(), created: 0 };
    let ids = service.items(items).await;
    let mut requests = rental::bookings(&ids, service.tokens());
    // A service that has just started measures its start.
    let warm = load::run(service.address(), &requests, 32, WARM_UP.min(options.duration()), async || {
        service.dispatched().await
    });
    measured.created += warm.await.created;
    for (index, &connections) in options.connections.iter().enumerate() {
        if items == 1 {
            // Nobody pays for what the measurements before have left on the item.
            requests = rental::bookings(&service.items(1).await, service.tokens());
        }
        let done = async || service.dispatched().await;
        let before = Worked::by(service.id(), cluster);
        let cell = load::run(service.address(), &requests, connections, options.duration(), done).await;
        let work_us = Some(Worked::by(service.id(), cluster).since(&before).per(cell.created));
        let workload = format!("{} {workload}", S::NAME);
        let (limit, plain) = (Some(&limit[index]), plain.map(|cells| &cells[index]));
        report::row(&Row { connections, limit, plain, work_us, ..Row::of(&workload, &cell) });
        measured.created += cell.created;
        measured.cells.push(cell);
    }
    service.stop().await;
    measured
}

/// Counts what became of the bookings.
fn check<S: Subject>(cluster: &Cluster, database: &str, created: u64) {
    let count = |step: &&str| -> u64 {
        let counted =
            cluster.sql(name_of(database), &format!("SELECT count(*) FROM events WHERE event_type = '{step}'"));
        counted.parse().expect("a number")
    };
    let counts: Vec<u64> = STEPS.iter().map(count).collect();
    let [begun, held, _, paid, taken, confirmed, dispatched] = counts[..] else { unreachable!("one count a step") };
    assert_eq!(taken, confirmed, "{}: units taken are not bookings confirmed: {counts:?}", S::NAME);
    assert!(confirmed >= created, "{}: {created} bookings were answered, {confirmed} stand", S::NAME);
    assert!(!S::COMPLETE || counts.iter().all(|count| *count == confirmed), "{}: {counts:?}", S::NAME);
    let (stuck, unpaid) = (paid - confirmed, held - paid);
    println!(
        "{}: {begun} begun, {confirmed} confirmed = units taken, {dispatched} dispatched; {stuck} paid and not confirmed, {unpaid} held and not paid",
        S::NAME
    );
}

struct Ours {
    server: Server,
    tokens: Vec<String>,
}

impl Ours {
    async fn start(database: &str) -> Self {
        let server = Data::with_options(&["--journal", database]).serve().await;
        let tokens = rental::opened(&server).await;
        Self { server, tokens }
    }
}

impl Subject for Ours {
    const NAME: &'static str = "ours";
    const COMPLETE: bool = true;

    fn address(&self) -> &str {
        self.server.address()
    }

    fn id(&self) -> u32 {
        self.server.id()
    }

    fn tokens(&self) -> &[String] {
        &self.tokens
    }

    async fn items(&self, count: usize) -> Vec<String> {
        rental::items(&self.server, count).await
    }

    async fn dispatched(&self) {
        rental::dispatched(&self.server).await;
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

/// `baseline`, in a process that ends with this value.
struct Plain {
    address: String,
    child: Child,
    tokens: Vec<String>,
}

impl Plain {
    async fn start(database: &str) -> Self {
        let program = std::env::current_exe().expect("this program has a path").with_file_name("baseline");
        let mut command = Command::new(program);
        command.arg(database).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("`baseline` was built beside this program: make bench-postgres");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.expect("it can be read").expect("it says where it listens");
        // It looks at no token, but takes in one as long as ours.
        Self { address, child, tokens: vec!["t".repeat(250)] }
    }
}

impl Subject for Plain {
    const NAME: &'static str = "plain";
    const COMPLETE: bool = false;

    fn address(&self) -> &str {
        &self.address
    }

    fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    fn tokens(&self) -> &[String] {
        &self.tokens
    }

    async fn items(&self, count: usize) -> Vec<String> {
        let mut connection = Connection::open(&self.address).await.expect("it takes connections");
        let mut ids = Vec::new();
        for number in 0..count {
            let id = Uuid::now_v7().to_string();
            let item = json!({ "id": id, "name": format!("Car {number}"), "stock": rental::UNITS });
            let request = wire::post("/v1/items", &self.tokens[0], &item.to_string());
            assert_eq!(connection.exchange(&request).await.expect("an answer").status, 201);
            ids.push(id);
        }
        ids
    }

    /// Its answers come after the dispatch.
    async fn dispatched(&self) {}

    async fn stop(mut self) {
        self.child.kill().await.expect("it was running");
    }
}

/// How busy the machine is, over one minute, five and fifteen.
fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
