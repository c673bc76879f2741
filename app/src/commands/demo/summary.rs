//! What was played, counted from the journal.

use super::business::Business;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const TITLES: [&str; 9] =
    ["business", "stories", "confirmed", "cancelled", "refused", "events", "taken", "given back", "time"];

/// A row a business, and one for all.
#[derive(Debug, Default)]
pub(super) struct Summary {
    rows: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    name: String,
    stories: usize,
    confirmed: usize,
    cancelled: usize,
    refused: usize,
    events: usize,
    taken: Sums,
    given_back: Sums,
    took: Duration,
}

/// Minor units by currency.
type Sums = BTreeMap<String, i64>;

impl Summary {
    /// Counts what a business has left in the journal.
    pub(super) fn add(&mut self, business: Business, stories: usize, took: Duration, journal: &[Value]) {
        let mut row = Row { name: business.to_string(), stories, events: journal.len(), took, ..Row::default() };
        let mut charges: BTreeMap<&str, &Value> = BTreeMap::new();
        for event in journal {
            let (stream, data) = (event["stream"].as_str().unwrap_or_default(), &event["data"]);
            match event["type"].as_str().unwrap_or_default() {
                "RentalConfirmed" => row.confirmed += 1,
                "RentalCancelled" => row.cancelled += 1,
                "RentalRejected" | "RentalExpired" => row.refused += 1,
                "PaymentRequested" => drop(charges.insert(stream, &data["charge"]["amount"])),
                "PaymentApproved" => add(&mut row.taken, charges.get(stream).copied().unwrap_or(&Value::Null)),
                "PaymentRefunded" => add(&mut row.given_back, &data["amount"]),
                _ => {}
            }
        }
        self.rows.push(row);
    }

    /// The table, with a last row for all where there are several.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut table: Vec<[String; 9]> = vec![TITLES.map(str::to_owned)];
        table.extend(self.rows.iter().map(Row::cells));
        if self.rows.len() > 1 {
            table.push(self.all().cells());
        }
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
        let line = |row: &[String; 9]| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ")
        };
        table.iter().map(line).collect()
    }

    fn all(&self) -> Row {
        let mut all = Row { name: "all".to_owned(), ..Row::default() };
        for row in &self.rows {
            all.stories += row.stories;
            all.confirmed += row.confirmed;
            all.cancelled += row.cancelled;
            all.refused += row.refused;
            all.events += row.events;
            all.took += row.took;
            for (sums, more) in [(&mut all.taken, &row.taken), (&mut all.given_back, &row.given_back)] {
                for (currency, minor) in more {
                    *sums.entry(currency.clone()).or_default() += minor;
                }
            }
        }
        all
    }
}

impl Row {
    fn cells(&self) -> [String; 9] {
        [
            self.name.clone(),
            self.stories.to_string(),
            self.confirmed.to_string(),
            self.cancelled.to_string(),
            self.refused.to_string(),
            self.events.to_string(),
            text(&self.taken),
            text(&self.given_back),
            format!("{} ms", self.took.as_millis()),
        ]
    }
}

fn add(sums: &mut Sums, amount: &Value) {
    let currency = amount["currency"].as_str().unwrap_or_default().to_owned();
    *sums.entry(currency).or_default() += amount["amount_minor"].as_i64().unwrap_or_default();
}

fn text(sums: &Sums) -> String {
    if sums.is_empty() {
        return "0".to_owned();
    }
    sums.iter().map(|(currency, minor)| format!("{minor} {currency}")).collect::<Vec<_>>().join(" + ")
}
