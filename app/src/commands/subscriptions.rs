//! `reservoir subscriptions`: asks a running server how far its subscriptions are, and tells them what to do.

use crate::config::Config;
use crate::failure::Failure;
use crate::system::Address;
use api::Principal;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Where the server is [default: the one that uses the data directory]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show name, state, position, lag and parked sequences, and which process works for each
    List,
    /// Stop reading on
    Pause { name: String },
    /// Read on
    Resume { name: String },
    /// Fold a view again from the first event, beside the live one
    Rebuild { name: String },
    /// Try a parked sequence again
    Retry { name: String, sequence: String },
}

/// Talks to the server as an administrator, with a token of the journal's own key.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let base = match &arguments.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", Address::read(&config.data)?),
    };
    let keys = config.keys().await?;
    let token = keys
        .mint(&Principal::Admin, Duration::from_secs(60))
        .map_err(|error| Failure::because("cannot sign", error))?;
    let all = format!("{base}/v1/admin/subscriptions");
    let client = reqwest::Client::new();
    let request = match &arguments.action {
        None | Some(Action::List) => client.get(&all),
        Some(Action::Pause { name }) => client.post(format!("{all}/{name}/pause")),
        Some(Action::Resume { name }) => client.post(format!("{all}/{name}/resume")),
        Some(Action::Rebuild { name }) => client.post(format!("{all}/{name}/rebuild")),
        Some(Action::Retry { name, sequence }) => {
            client.post(format!("{all}/{name}/retry")).json(&json!({ "sequence": sequence }))
        }
    };
    let unreachable = |error| Failure::because(format!("no answer from {base}"), error);
    let answer = request.bearer_auth(token).send().await.map_err(unreachable)?;
    let ok = answer.status().is_success();
    let body: Value = answer.json().await.map_err(unreachable)?;
    if !ok {
        let detail = body["detail"].as_str().or(body["title"].as_str()).unwrap_or("refused");
        return Err(Failure::new(detail));
    }
    let shown = body["items"].as_array().map_or_else(|| std::slice::from_ref(&body), Vec::as_slice);
    let mut out = std::io::stdout();
    for line in table(shown) {
        writeln!(out, "{line}")?;
    }
    for subscription in shown {
        for parked in subscription["parked"].as_array().into_iter().flatten() {
            let (name, sequence) = (text(subscription, "name"), text(parked, "sequence"));
            writeln!(out, "parked by {name}: {sequence} at {}: {}", parked["position"], text(parked, "reason"))?;
        }
    }
    Ok(())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

const TITLES: [&str; 8] = ["NAME", "STATE", "POSITION", "LAG", "OWNER", "EPOCH", "SINCE", "UNTIL"];
/// Columns of numbers.
const RIGHT: [usize; 3] = [2, 3, 5];

/// A line for each subscription under a line of titles, in columns as wide as what is in them.
fn table(subscriptions: &[Value]) -> Vec<String> {
    let cells = subscriptions.iter().map(|one| {
        let word = |field: &str| one[field].as_str().unwrap_or("-").to_owned();
        let number = |field: &str| one[field].to_string();
        let owner = one["owner"].as_str().unwrap_or("nobody").to_owned();
        let (name, state, since, until) = (word("name"), word("state"), word("since"), word("until"));
        [name, state, number("position"), number("lag"), owner, number("epoch"), since, until]
    });
    let rows: Vec<_> = [TITLES.map(str::to_owned)].into_iter().chain(cells).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; TITLES.len()] = std::array::from_fn(width);
    let line = |row: &[String; TITLES.len()]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match RIGHT.contains(&column) {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn a_table_says_who_owns_what() {
        let owned = json!({
            "name": "reservation", "state": "running", "position": 12_345, "lag": 0, "owner": "web1:77 sagas 0199",
            "epoch": 3, "since": "2026-11-20T22:00:00Z", "until": "2026-11-20T22:05:00Z",
        });
        let alone = json!({ "name": "dispatch", "state": "paused", "position": 7, "lag": 12_338, "epoch": 0 });
        let lines = [
            "NAME         STATE    POSITION    LAG  OWNER               EPOCH  SINCE                 UNTIL",
            "reservation  running     12345      0  web1:77 sagas 0199      3  2026-11-20T22:00:00Z  2026-11-20T22:05:00Z",
            "dispatch     paused          7  12338  nobody                  0  -                     -",
        ];
        assert_eq!(table(&[owned, alone]), lines);
    }
}
