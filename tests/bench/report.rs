//! The table. Everything in it is a whole number of something: there is nothing to round away.

use crate::load::Cell;
use std::time::Duration;

/// One line of the table.
pub(crate) struct Row<'a> {
    pub(crate) workload: &'a str,
    pub(crate) connections: usize,
    pub(crate) cell: &'a Cell,
    /// The bare limit at as many connections.
    pub(crate) limit: Option<&'a Cell>,
    /// What it is compared with, at as many connections.
    pub(crate) plain: Option<&'a Cell>,
    /// Processor time for each 201 of the service and of the database, in microseconds.
    pub(crate) work_us: Option<(u128, u128)>,
}

impl<'a> Row<'a> {
    /// Compared with nothing, over one connection.
    pub(crate) const fn of(workload: &'a str, cell: &'a Cell) -> Self {
        Self { workload, connections: 1, cell, limit: None, plain: None, work_us: None }
    }
}

pub(crate) fn heading() {
    println!(
        "{:<18} {:>11} {:>10} {:>10} {:>10} {:>9} {:>9} {:>12} {:>8}",
        "workload", "connections", "201 per s", "median ms", "p99 ms", "of limit", "of plain", "cpu us + db", "others"
    );
}

pub(crate) fn row(row: &Row<'_>) {
    let cell = row.cell;
    let share = row.limit.map_or_else(String::new, |limit| format!("{} %", cell.rate() * 100 / limit.rate().max(1)));
    let tenths = |plain: &Cell| cell.rate() * 10 / plain.rate().max(1);
    let ratio = row.plain.map(tenths).map_or_else(String::new, |tenths| format!("{}.{} x", tenths / 10, tenths % 10));
    let work = row.work_us.map_or_else(String::new, |(service, database)| format!("{service} + {database}"));
    println!(
        "{:<18} {:>11} {:>10} {:>10} {:>10} {share:>9} {ratio:>9} {work:>12} {:>8}",
        row.workload,
        row.connections,
        grouped(cell.rate()),
        milliseconds(cell.latency_us(500)),
        milliseconds(cell.latency_us(990)),
        cell.others,
    );
}

pub(crate) fn replay(events: u64, took: Duration) {
    let rate = u128::from(events) * 1_000_000 / took.as_micros().max(1);
    let rate = grouped(u64::try_from(rate).unwrap_or(u64::MAX));
    println!("replay: {} events into all views in {} ms, {rate} events per s", grouped(events), took.as_millis());
}

fn milliseconds(microseconds: u32) -> String {
    format!("{}.{:02}", microseconds / 1_000, microseconds % 1_000 / 10)
}

/// `12,345`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
