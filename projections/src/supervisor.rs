//! Keeps views up with the journal for as long as the program runs: each whenever its lease is this process's.
//!
//! A tenure leaves nothing behind in memory: whoever gets the lease goes on from the checkpoint that stands in the database.

use crate::error::ViewError;
use crate::handle::Views;
use crate::runner::Running;
use journal::{Journal, Subscriptions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long to wait after a failure, at first and at the most.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long views may take to come to rest.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a view that nobody has ever worked for is waited for.
const FIRST_START: Duration = Duration::from_secs(1);

/// Views that are folded here, all the time or when it is this process's turn.
pub struct Supervised {
    running: Arc<Running>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Views {
    /// Follows the journal and keeps views up with it, each as a subscription of its own. Where several processes share the journal,
    /// those of these names, and each as soon as no other process does; else all of them.
    ///
    /// # Errors
    /// When the files cannot be used, or the views were made from another journal.
    pub async fn supervise(
        &self,
        journal: Journal,
        subscriptions: &Subscriptions,
        names: &[&'static str],
    ) -> Result<Supervised, ViewError> {
        let (stop, stopped) = watch::channel(false);
        if !subscriptions.are_shared() {
            let running = Arc::new(self.start(journal, subscriptions).await?);
            return Ok(Supervised { running, stop, tasks: Vec::new() });
        }
        let running = Arc::new(self.start_empty(journal.clone(), subscriptions)?);
        let known: Vec<_> = subscriptions.list().into_iter().map(|status| status.name).collect();
        let (mut tasks, mut begins) = (Vec::new(), Vec::new());
        for (view, subscription) in self.subscriptions() {
            if !names.contains(&subscription) {
                continue;
            }
            let (begun, begin) = oneshot::channel();
            let (subscriptions, journal) = (subscriptions.clone(), journal.clone());
            let (running, stop) = (running.clone(), stopped.clone());
            let supervisor = Supervisor { view, subscription, subscriptions, journal, running, stop };
            tasks.push(tokio::spawn(supervisor.run(begun)));
            if !known.iter().any(|known| *known == *subscription) {
                begins.push(begin);
            }
        }
        for begin in begins {
            // The first start of all: administrators find it as soon as this process says that it serves.
            let _ = tokio::time::timeout(FIRST_START, begin).await;
        }
        Ok(Supervised { running, stop, tasks })
    }
}

impl Supervised {
    /// Finishes what is being written, gives the leases back, then stops.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let patience = Instant::now() + DRAIN;
        for mut task in self.tasks {
            // A database that is away keeps a view from being left; its lease ends by itself then.
            if tokio::time::timeout_at(patience, &mut task).await.is_err() {
                tracing::warn!("a view could not be left in time");
                task.abort();
                let _ = task.await;
            }
        }
        if let Some(running) = Arc::into_inner(self.running) {
            running.stop().await;
        }
    }
}

struct Supervisor {
    view: &'static str,
    subscription: &'static str,
    subscriptions: Subscriptions,
    journal: Journal,
    running: Arc<Running>,
    stop: watch::Receiver<bool>,
}

enum Ended {
    Stopped,
    Elsewhere,
}

impl Supervisor {
    async fn run(mut self, begun: oneshot::Sender<()>) {
        let mut begun = Some(begun);
        let mut pause = SHORTEST_PAUSE;
        loop {
            let since = Instant::now();
            match self.turn(&mut begun).await {
                Ok(Ended::Stopped) => return,
                Ok(Ended::Elsewhere) => tracing::warn!(view = self.view, "the lease is lost, or the view was moved"),
                Err(error @ (ViewError::OtherJournal { .. } | ViewError::OtherShape { .. })) => {
                    tracing::error!(
                        view = self.view,
                        error = &error as &dyn std::error::Error,
                        "a view is not folded here"
                    );
                    return;
                }
                Err(error) => {
                    tracing::warn!(view = self.view, error = &error as &dyn std::error::Error, "a view begins again");
                }
            }
            if since.elapsed() > LONGEST_PAUSE {
                pause = SHORTEST_PAUSE;
            }
            // Running out of time is the usual case.
            if tokio::time::timeout(pause, self.stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits for the lease, and folds as long as it lasts.
    async fn turn(&mut self, begun: &mut Option<oneshot::Sender<()>>) -> Result<Ended, ViewError> {
        let lease = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => return Ok(Ended::Stopped),
            lease = self.subscriptions.lease(self.subscription) => lease?,
        };
        let joined = async {
            // What others folded before is in the journal, and seen.
            self.journal.caught_up().await?;
            self.running.join(self.view, Some(lease.fence())).await
        };
        let mut folding = match joined.await {
            Ok(folding) => folding,
            Err(error) => {
                lease.release().await;
                return Err(error);
            }
        };
        if let Some(begun) = begun.take() {
            // Nobody may be waiting for it.
            let _ = begun.send(());
        }
        let ended = tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => Ended::Stopped,
            () = folding.ended() => Ended::Elsewhere,
            () = lease.lost() => Ended::Elsewhere,
        };
        folding.leave().await;
        lease.release().await;
        Ok(ended)
    }
}
