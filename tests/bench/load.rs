//! Keeps a number of connections busy and measures what comes back.

use harness::wire::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Requests that were built before, to be sent over and over.
pub(crate) type Requests = Arc<[Vec<u8>]>;

/// What was measured.
#[derive(Default)]
pub(crate) struct Cell {
    /// Answers with 201.
    pub(crate) created: u64,
    /// All other answers.
    pub(crate) others: u64,
    /// From the first request until everything that the answers promised was done.
    pub(crate) elapsed: Duration,
    /// Of the requests that were answered with 201, sorted, in microseconds.
    latencies_us: Vec<u32>,
}

impl Cell {
    /// Answers with 201 per second.
    pub(crate) fn rate(&self) -> u64 {
        u64::try_from(u128::from(self.created) * 1_000_000 / self.elapsed.as_micros().max(1)).unwrap()
    }

    /// The latency that so many per thousand of the requests did not exceed.
    pub(crate) fn latency_us(&self, per_mille: usize) -> u32 {
        let last = self.latencies_us.len().saturating_sub(1);
        self.latencies_us.get(last * per_mille / 1_000).copied().unwrap_or(0)
    }
}

/// Sends requests over so many connections for so long, then waits until what they began is `done`.
pub(crate) async fn run(
    address: &str,
    requests: &Requests,
    connections: usize,
    duration: Duration,
    done: impl AsyncFnOnce(),
) -> Cell {
    let host = address.trim_start_matches("http://");
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(host).await.expect("the server takes connections"));
    }
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, connection) in opened.into_iter().enumerate() {
        tasks.spawn(keep_busy(connection, requests.clone(), number, connections, started + duration));
    }
    let mut cell = Cell::default();
    for part in tasks.join_all().await {
        cell.created += part.created;
        cell.others += part.others;
        cell.latencies_us.extend(part.latencies_us);
    }
    done().await;
    cell.elapsed = started.elapsed();
    cell.latencies_us.sort_unstable();
    cell
}

async fn keep_busy(mut connection: Connection, requests: Requests, first: usize, step: usize, until: Instant) -> Cell {
    let (mut cell, mut next, mut sent) = (Cell::default(), first, Instant::now());
    while sent < until {
        let status = connection.exchange(&requests[next % requests.len()]).await.expect("an answer").status;
        let answered = Instant::now();
        if status == 201 {
            cell.created += 1;
            cell.latencies_us.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
        } else {
            cell.others += 1;
        }
        next += step;
        sent = answered;
    }
    cell
}
