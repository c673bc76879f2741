//! Keeps a process manager running: whenever its lease is this process's, and until the program stops.
//!
//! **A tenure leaves nothing behind in memory.** Whoever gets the lease loads what was saved and reads on from there, also where
//! it had the lease before: what it remembers may be old.

use crate::runner::{Orders, Process, Runner, Saved};
use crate::tenure::Tenure;
use crate::{Clock, SagaError, Settings};
use journal::{Lease, Subscriptions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// How long to wait after a failure, at first and at the most.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What every process manager is run with.
#[derive(Clone)]
pub(crate) struct Supervisor {
    pub(crate) subscriptions: Subscriptions,
    pub(crate) saved: Saved,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    /// Other processes may take over, and the database may be away for a while.
    pub(crate) shared: bool,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Told once, when the process manager runs for the first time or cannot.
pub(crate) type Begun = oneshot::Sender<()>;

/// How a tenure ended without a failure.
enum Ended {
    Stopped,
    LeaseLost,
}

impl Supervisor {
    /// Runs one process manager, again and again. Ends when it is told to stop, or when going on makes no sense.
    pub(crate) async fn run<P: Process, O: Orders<P>>(
        mut self,
        orders: impl Fn(Tenure) -> O + Send + Sync,
        begun: Begun,
    ) -> Result<(), SagaError> {
        let mut begun = Some(begun);
        let mut pause = SHORTEST_PAUSE;
        loop {
            let since = Instant::now();
            match self.turn::<P, O>(&orders, &mut begun).await {
                Ok(Ended::Stopped) => return Ok(()),
                Ok(Ended::LeaseLost) => {
                    tracing::warn!(subscription = P::NAME, "the lease is lost; what is remembered is thrown away");
                }
                Err(error) if !self.shared || !error.may_pass() => return Err(error),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(subscription = P::NAME, error, "a process manager has ended, and begins again");
                }
            }
            if since.elapsed() > LONGEST_PAUSE {
                pause = SHORTEST_PAUSE;
            }
            // Running out of time is the usual case.
            if tokio::time::timeout(pause, self.stop.wait_for(|stop| *stop)).await.is_ok() {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits for the lease, and works as long as it lasts.
    async fn turn<P: Process, O: Orders<P>>(
        &mut self,
        orders: &(impl Fn(Tenure) -> O + Send + Sync),
        begun: &mut Option<Begun>,
    ) -> Result<Ended, SagaError> {
        let lease = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => return Ok(Ended::Stopped),
            lease = self.subscriptions.lease(P::NAME) => Arc::new(lease?),
        };
        let worked = tokio::select! {
            biased;
            () = lease.lost() => Ok(Ended::LeaseLost),
            worked = self.work::<P, O>(&lease, orders, begun) => worked.map(|()| Ended::Stopped),
        };
        lease.release().await;
        worked
    }

    async fn work<P: Process, O: Orders<P>>(
        &self,
        lease: &Arc<Lease>,
        orders: &(impl Fn(Tenure) -> O + Send + Sync),
        begun: &mut Option<Begun>,
    ) -> Result<(), SagaError> {
        let subscription = self.subscriptions.subscribe(P::NAME).await?;
        let tenure = Tenure::under(lease.clone(), self.subscriptions.clone());
        let (orders, saved) = (Arc::new(orders(tenure)), self.saved.clone());
        let runner = Runner::resume(subscription, orders, saved, self.clock.clone(), self.settings).await?;
        if let Some(begun) = begun.take() {
            // Nobody may be waiting for it.
            let _ = begun.send(());
        }
        runner.run(self.stop.clone()).await
    }
}
