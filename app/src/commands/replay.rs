//! `reservoir replay`: drops views and builds them again from the first event.

use crate::config::Config;
use crate::failure::Failure;
use journal::Journal;
use std::io::Write;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which views; all of them where none is named
    views: Vec<String>,
    /// Fail when a view was not what its replay gives
    #[arg(long)]
    verify: bool,
}

/// Needs the data directory for itself; a running server rebuilds by `reservoir subscriptions rebuild`.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    if !config.data.join("journal.db").exists() {
        return Err(Failure::new(format!("there is no journal in {}", config.data.display())));
    }
    let journal = Journal::open(&config.data).map_err(|error| Failure::because("cannot replay", error))?;
    let bar = super::progress_bar("replaying");
    let replayed = projections::replay::run(&journal, &config.data, &arguments.views, |position, head| {
        bar.set_length(head);
        bar.set_position(position);
    })
    .await;
    bar.finish_and_clear();
    let reports = replayed.map_err(|error| Failure::because("the replay stopped early", error))?;
    journal.close().await;
    let mut out = std::io::stdout();
    let mut differing = Vec::new();
    for report in &reports {
        let found = match &report.first_difference {
            None if report.compared => "as before".to_owned(),
            None => "not compared: it was at another position".to_owned(),
            Some(first) => format!("{} differed, the first is {first}", report.differed),
        };
        writeln!(out, "{}: {} documents, {found}", report.view, report.documents)?;
        if report.differed > 0 {
            differing.push(report.view.to_string());
        }
    }
    if arguments.verify && !differing.is_empty() {
        return Err(Failure::new(format!("not what the replay gives: {}", differing.join(", "))));
    }
    Ok(())
}
