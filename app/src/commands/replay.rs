//! `reservoir replay`: drops views and builds them again from the first event.

use crate::config::Config;
use crate::failure::Failure;
use crate::opening::Opened;
use journal::postgres::PostgresAddress;
use journal::{Journal, Lease, Owner, Source, Subscriptions};
use projections::{ReplayError, ReplayReport, Views};
use std::io::Write;
use std::time::Duration;

/// Folding goes at tens of thousands of events a second; a view database that fails is tried again for ever.
const CATCH_UP: Duration = Duration::from_secs(600);

/// The lease of a process that died is free after this.
const LEASE: Duration = Duration::from_secs(8);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which views; all of them where none is named
    views: Vec<String>,
    /// Fail when a view was not what its replay gives
    #[arg(long)]
    verify: bool,
}

/// Needs the data directory, or the views of the database, for itself; a running server rebuilds by `reservoir subscriptions rebuild`.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    // Only what is there is replayed: a journal that is missing is not made.
    drop(config.journal.open_reading().await.map_err(|error| Failure::because("cannot replay", error))?);
    let Opened { journal, lock: _lock } = config.open_journal("cannot replay").await?;
    if arguments.verify && matches!(config.journal, Source::Directory(_)) {
        catch_up(config, &journal).await?;
    }
    let bar = super::progress_bar("replaying");
    let progress = |position, head| {
        bar.set_length(head);
        bar.set_position(position);
    };
    let replayed = match &config.journal {
        Source::Directory(data) => projections::replay::run(&journal, data, &arguments.views, progress).await,
        Source::Postgres(address) => {
            Shared::open(&journal, address, arguments).await?.replay(arguments, progress).await
        }
    };
    bar.finish_and_clear();
    let reports = replayed.map_err(|error| Failure::because("the replay stopped early", error))?;
    journal.close().await;
    say(&reports, arguments.verify)
}

fn say(reports: &[ReplayReport], verify: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    let mut differing = Vec::new();
    for report in reports {
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
    if verify && !differing.is_empty() {
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

/// Views in a database that other processes may use: what is replayed is leased, so that nobody else folds it meanwhile.
struct Shared {
    journal: Journal,
    views: Views,
    leases: Vec<Lease>,
}

impl Shared {
    async fn open(journal: &Journal, address: &PostgresAddress, arguments: &Arguments) -> Result<Self, Failure> {
        let owner = Owner::this_process("replay");
        let subscriptions = Subscriptions::connect(journal.clone(), address, owner)
            .await
            .map_err(|error| Failure::because("cannot open the checkpoints", error))?;
        let failed = |error| Failure::because("cannot open the views", error);
        let views = Views::connect(address).await.map_err(failed)?;
        let mut leases = Vec::new();
        for (view, subscription) in views.subscriptions() {
            // To be compared, all of them have to come to rest.
            if arguments.verify || arguments.views.is_empty() || arguments.views.iter().any(|name| name == view) {
                leases.push(lease(&subscriptions, subscription).await?);
            }
        }
        let this = Self { journal: journal.clone(), views, leases };
        if arguments.verify {
            this.catch_up(&subscriptions).await?;
        }
        Ok(this)
    }

    async fn catch_up(&self, subscriptions: &Subscriptions) -> Result<(), Failure> {
        let failed = |error| Failure::because("cannot bring the views up to date", error);
        let running = self.views.start_empty(self.journal.clone(), subscriptions).map_err(failed)?;
        for ((view, _), lease) in self.views.subscriptions().into_iter().zip(&self.leases) {
            running.join(view, Some(lease.fence())).await.map_err(failed)?;
        }
        let settled = tokio::time::timeout(CATCH_UP, self.views.settle(self.journal.head())).await;
        running.stop().await;
        settled.map_err(|_| Failure::new("the views do not come up to date; `--log warn` says why"))
    }

    async fn replay(
        self,
        arguments: &Arguments,
        progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Vec<ReplayReport>, ReplayError> {
        let fences: Vec<_> = self.leases.iter().map(Lease::fence).collect();
        let replayed = self.views.replay(&self.journal, &arguments.views, &fences, progress).await;
        for lease in self.leases {
            lease.release().await;
        }
        self.views.close().await;
        replayed
    }
}

async fn lease(subscriptions: &Subscriptions, name: &str) -> Result<Lease, Failure> {
    match tokio::time::timeout(LEASE, subscriptions.lease(name)).await {
        Ok(lease) => lease.map_err(|error| Failure::because("cannot replay", error)),
        Err(_) => Err(Failure::new(format!(
            "cannot replay: a server works for `{name}`; it builds the view anew by `reservoir subscriptions rebuild {name}`"
        ))),
    }
}
