//! `reservoir replay`: drops views and builds them again from the first event.

use crate::config::Config;
use crate::failure::Failure;
use crate::opening::Opened;
use journal::{Journal, Subscriptions};
use projections::Views;
use std::io::Write;
use std::time::Duration;

/// Folding goes at tens of thousands of events a second; a view database that fails is tried again for ever.
const CATCH_UP: Duration = Duration::from_secs(600);

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
    // Only what is there is replayed: a journal that is missing is not made.
    drop(config.journal.open_reading().await.map_err(|error| Failure::because("cannot replay", error))?);
    let Opened { journal, lock: _lock } = config.open_journal("cannot replay").await?;
    if arguments.verify {
        catch_up(config, &journal).await?;
    }
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
        if report.differed > 0 || !report.compared {
            differing.push(report.view.to_string());
        }
    }
    if arguments.verify && !differing.is_empty() {
        return Err(Failure::new(format!("not shown to be what the replay gives: {}", differing.join(", "))));
    }
    Ok(())
}

/// Lets the live views go on to the journal's end: only at one position can they be compared with a replay. Views that
/// are paused stay where they are.
async fn catch_up(config: &Config, journal: &Journal) -> Result<(), Failure> {
    let subscriptions = Subscriptions::open(journal.clone(), &config.data)
        .map_err(|error| Failure::because("cannot open the checkpoints", error))?;
    let failed = |error| Failure::because("cannot bring the views up to date", error);
    let views = Views::open(&config.data).map_err(failed)?;
    let running = views.start(journal.clone(), &subscriptions).await.map_err(failed)?;
    let settled = tokio::time::timeout(CATCH_UP, views.settle(journal.head())).await;
    running.stop().await;
    views.close().await;
    settled.map_err(|_| Failure::new("the views do not come up to date; `--log warn` says why"))
}
