//! `reservoir copy`: moves a journal, and the keys that belong to it, from one back end to another.

use crate::config::{Config, place};
use crate::failure::Failure;
use api::KeysToMove;
use indicatif::ProgressBar;
use journal::{Copying, Source};
use std::io::Write;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The journal to copy: a data directory, or `postgres://user@host/database`
    #[arg(long, value_name = "JOURNAL")]
    from: String,
    /// Where to: a data directory, or `postgres://user@host/database`; empty, or with a copy that was begun
    #[arg(long, value_name = "JOURNAL")]
    to: String,
}

/// Goes on where it was stopped. The source may be in use; the target may not.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let from = place("from", &arguments.from, &config.data)?;
    let to = place("to", &arguments.to, &config.data)?;
    let mut out = std::io::stdout();
    let keys = KeysToMove::between(&from, &to).await.map_err(|error| Failure::because("cannot copy", error))?;
    let mut copying = Copying::begin(&from, &to).await.map_err(|error| Failure::because("cannot copy", error))?;
    if copying.found() > 0 {
        writeln!(out, "{} events are there already; the copy goes on behind them", copying.found())?;
    }
    let progress = Progress::of("copying");
    let copied = copying.run(|position, head| progress.tell(position, head)).await;
    progress.bar.finish_and_clear();
    let early = || format!("the copy stopped early, after {} events; the same command goes on", copying.position());
    copied.map_err(|error| Failure::because(early(), error))?;
    let progress = Progress::of("verifying");
    let verified = copying.verify(|position, head| progress.tell(position, head)).await;
    progress.bar.finish_and_clear();
    let verified = verified.map_err(|error| Failure::because("the copy is not verified", error))?;
    let customers = keys.move_all().await.map_err(|error| Failure::because("the keys were not copied", error))?;
    let behind = copying.finish().await.map_err(|error| Failure::because("the copy is not finished", error))?;

    let hash: String = verified.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let (events, streams, to) = (verified.events, verified.streams, named(&to));
    writeln!(out, "{events} events in {streams} streams are in {to}, as they are in {}", named(&from))?;
    writeln!(out, "the last hash of both is {hash}")?;
    writeln!(out, "{customers} personal keys and the key of tokens came along")?;
    writeln!(out, "views, checkpoints, pauses and stages did not: they are built again at the first start")?;
    writeln!(out, "without the webhooks.db of before, programs of stores are told everything again: docs/copying.md")?;
    if behind > 0 {
        writeln!(
            out,
            "the source has {behind} more meanwhile: stop what writes it and copy again, before {to} is used"
        )?;
    }
    Ok(())
}

/// Shows no password.
fn named(source: &Source) -> String {
    match source {
        Source::Directory(directory) => directory.display().to_string(),
        Source::Postgres(address) => address.to_string(),
    }
}

/// A bar; where nobody watches, a line for each tenth.
struct Progress {
    what: &'static str,
    bar: ProgressBar,
    tenths: std::cell::Cell<u64>,
}

impl Progress {
    fn of(what: &'static str) -> Self {
        Self { what, bar: super::progress_bar(what), tenths: std::cell::Cell::new(0) }
    }

    fn tell(&self, position: u64, head: u64) {
        self.bar.set_length(head);
        self.bar.set_position(position);
        let tenths = (position * 10).checked_div(head).unwrap_or(10);
        if self.bar.is_hidden() && tenths > self.tenths.replace(tenths) {
            // A copy does not end because nobody listens.
            let _ = writeln!(std::io::stdout(), "{}: {position} of {head} events", self.what);
        }
    }
}
