//! `reservoir events`: the journal, one JSON object a line.

use crate::config::Config;
use crate::failure::Failure;
use chrono::SecondsFormat;
use journal::Recorded;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::time::Duration;

const PAGE: usize = 1_000;
/// Another process writes it, and nothing tells this one when.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Go on with what comes
    #[arg(long)]
    follow: bool,
    /// Only this stream: `rental-<id>`
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// Only what comes after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
}

/// Reads beside a server that may be running; takes no lock.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let open = |error| Failure::because("cannot read the journal", error);
    let mut journal = config.journal.open_reading().await.map_err(open)?;
    let mut out = BufWriter::new(std::io::stdout());
    let mut after = arguments.after;
    loop {
        let events = journal.read(arguments.stream.as_deref(), after, PAGE).await.map_err(open)?;
        for event in &events {
            serde_json::to_writer(&mut out, &described(event)?).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            after = event.position;
        }
        if events.is_empty() {
            out.flush()?;
            if !arguments.follow {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// What the API calls an event.
fn described(event: &Recorded) -> Result<Value, Failure> {
    let unreadable = |error| Failure::because(format!("position {}: not JSON", event.position), error);
    let payload: Value = serde_json::from_str(&event.payload).map_err(unreadable)?;
    Ok(json!({
        "position": event.position,
        "stream": &*event.stream,
        "revision": event.revision,
        "type": &*event.event_type,
        "at": event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "actor": &*event.actor,
        "event_id": event.event_id.to_string(),
        "correlation_id": &*event.correlation_id,
        "causation_id": event.causation_id.map(|id| id.to_string()),
        "data": unwrapped(payload, &event.event_type),
    }))
}

/// The data of an event without its name, which stands beside it.
fn unwrapped(payload: Value, name: &str) -> Value {
    match payload {
        Value::Object(mut members) if members.len() == 1 => match members.remove(name) {
            Some(data) => data,
            None => Value::Object(members),
        },
        other => other,
    }
}
