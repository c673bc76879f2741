//! One file a subcommand.

pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod policy;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod simulate_provider;
pub(crate) mod subscriptions;
pub(crate) mod token;
pub(crate) mod verify;

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar over positions, on standard error; silent where that is no terminal.
fn progress_bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{msg} {wide_bar} {human_pos}/{human_len} events, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
