//! `make bench`: complete sagas per second over HTTP, the latency of one alone, and the replay rate, beside the bare
//! limit of the same machine in the same run (HTTP and group commit, no domain), so that the figures are ratios. With
//! `--postgres` on PostgreSQL, beside a service that was written from manuals, too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that fails says so by panicking")]
#![allow(clippy::print_stdout, reason = "it prints a table")]

mod bare;
mod load;
mod postgres;
mod rental;
mod report;
mod work;

use harness::Data;
use load::Cell;
use report::Row;
use std::time::{Duration, Instant};

const USAGE: &str = "bench [--postgres] [--seconds N] [--short] [--connections 1,32,128]";

struct Options {
    postgres: bool,
    seconds: u64,
    connections: Vec<usize>,
    items: usize,
}

impl Options {
    fn read() -> Self {
        let mut options = Self { postgres: false, seconds: 5, connections: vec![1, 32, 128], items: 1_000 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().expect(USAGE);
            match argument.as_str() {
                "--postgres" => options.postgres = true,
                "--seconds" => options.seconds = value().parse().expect(USAGE),
                "--connections" => options.connections = value().split(',').map(|n| n.parse().expect(USAGE)).collect(),
                // What a pipeline can afford: it shows that everything runs, not how fast.
                "--short" => (options.seconds, options.items) = (1, 50),
                _ => panic!("{USAGE}"),
            }
        }
        options
    }

    const fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some(bare::SUBCOMMAND) {
        return bare::serve();
    }
    let options = Options::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(&options));
}

async fn measure(options: &Options) {
    if options.postgres {
        return postgres::measure(options).await;
    }
    report::heading();
    let limit = bare_limit(options).await;
    let hot = rentals(options, "one hot item", 1, &limit).await;
    replay(&hot).await;
    let many = rentals(options, "1,000 items", options.items, &limit).await;
    replay(&many).await;
}

async fn bare_limit(options: &Options) -> Vec<Cell> {
    let server = bare::Server::start(None, 1).await;
    let requests = server.requests();
    let mut cells = Vec::new();
    for &connections in &options.connections {
        let cell = load::run(server.address(), &requests, connections, options.duration(), async || {}).await;
        report::row(&Row { connections, ..Row::of("bare limit", &cell) });
        cells.push(cell);
    }
    cells
}

/// Measures every number of connections on one server, and hands its data over at rest.
async fn rentals(options: &Options, workload: &str, items: usize, limit: &[Cell]) -> std::sync::Arc<Data> {
    let server = Data::empty().serve().await;
    let tokens = rental::opened(&server).await;
    let requests = rental::bookings(&rental::items(&server, items).await, &tokens);
    // A server that has just started measures its start.
    load::run(server.address(), &requests, 8, Duration::from_millis(500), async || server.settled().await).await;
    for (&connections, limit) in options.connections.iter().zip(limit) {
        let settled = async || rental::dispatched(&server).await;
        let cell = load::run(server.address(), &requests, connections, options.duration(), settled).await;
        report::row(&Row { connections, limit: Some(limit), ..Row::of(workload, &cell) });
    }
    server.stop().await.0
}

async fn replay(data: &Data) {
    let events = data.run_within(Duration::from_secs(120), &["verify"]).await;
    let events: u64 = events.success().split(' ').next().unwrap().parse().expect("how many events there are");
    let started = Instant::now();
    data.run_within(Duration::from_secs(600), &["replay"]).await.success();
    report::replay(events, started.elapsed());
}
