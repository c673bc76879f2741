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
    /// Show name, state, position, lag and parked sequences
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
    for subscription in shown {
        writeln!(out, "{}", line(subscription))?;
        for parked in subscription["parked"].as_array().into_iter().flatten() {
            let (sequence, reason) = (text(parked, "sequence"), text(parked, "reason"));
            writeln!(out, "    parked {sequence} at {}: {reason}", parked["position"])?;
        }
    }
    Ok(())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn line(subscription: &Value) -> String {
    let (name, state) = (text(subscription, "name"), text(subscription, "state"));
    format!("{name:<20} {state:<8} position {:>10}  lag {:>8}", subscription["position"], subscription["lag"])
}
