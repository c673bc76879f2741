//! A rental's story as lines that two runs have in common.

use serde_json::Value;
use std::fmt::Write;

/// One line an event, with the kind of its stream instead of ids: `RentalRequested rental@1 by customer:alice`. What customers
/// are told is left out: messages go out beside the story, at a pace of their own.
///
/// # Panics
/// When an event lacks what every event has.
#[must_use]
pub fn transcript(events: &[Value]) -> String {
    let mut lines = String::new();
    for event in events {
        let text = |member: &str| event[member].as_str().unwrap_or_else(|| panic!("no {member}: {event}"));
        let kind = text("stream").split('-').next().unwrap_or_default();
        if kind == "message" {
            continue;
        }
        let revision = event["revision"].as_u64().expect("a revision");
        writeln!(lines, "{} {kind}@{revision} by {}", text("type"), text("actor")).unwrap();
    }
    lines
}
