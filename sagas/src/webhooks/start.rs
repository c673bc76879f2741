//! Keeps stores' programs told: whenever the lease is this process's, and until the program stops.

use super::outbox::{Deliveries, Outbox};
use super::runner::Runner;
use super::{Courier, NAME};
use crate::{Clock, SagaError};
use domain::rental::Rental;
use domain::webhook::Webhook;
use journal::{Executor, Source, Subscriptions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a start waits for its turn, where there are other processes.
const FIRST_START: Duration = Duration::from_secs(1);

/// What webhooks are made over.
#[derive(Clone)]
pub struct WebhookParts {
    /// Where `webhooks` subscribes.
    pub subscriptions: Subscriptions,
    /// Where the journal is kept: there the outbox is kept, too.
    pub source: Source,
    /// Looked at for a rental's store.
    pub rentals: Executor<Rental>,
    /// Told when a receiver is gone.
    pub webhooks: Executor<Webhook>,
    /// Who carries what is said.
    pub courier: Arc<dyn Courier>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often the clock is looked at.
    pub tick: Duration,
}

/// What tells stores' programs.
#[derive(Debug, Clone)]
pub struct Webhooks {
    outbox: Outbox,
    again: Arc<Notify>,
}

/// The same, running. Dropped without [`WebhooksRunning::stop`] it ends as in a crash, which repeats what was under way.
#[derive(Debug)]
pub struct WebhooksRunning {
    stop: watch::Sender<bool>,
    run: JoinHandle<()>,
}

impl Webhooks {
    /// Opens the outbox, or makes it.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn open(source: &Source) -> Result<Self, SagaError> {
        Ok(Self { outbox: Outbox::open(source).await?, again: Arc::default() })
    }

    /// Reads how deliveries stand, wherever they are made.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        self.outbox.deliveries(self.again.clone())
    }

    /// Goes on where it was stopped, or begins at the start of the journal; where several processes share the journal, as soon as
    /// no other process does.
    ///
    /// # Errors
    /// When what is noted cannot be used, on a journal that is not shared.
    pub async fn start(&self, parts: WebhookParts) -> Result<WebhooksRunning, SagaError> {
        let (stop, stopping) = watch::channel(false);
        let (begun, begins) = oneshot::channel();
        let shared = parts.subscriptions.are_shared();
        let turns = Turns { webhooks: self.clone(), parts, stop: stopping, shared, begun: Some(begun) };
        let run = tokio::spawn(turns.run());
        if shared {
            // Others may have it, and then there is nothing to wait for.
            let _ = timeout(FIRST_START, begins).await;
        } else {
            begins.await.map_err(|_| SagaError::Closing)??;
        }
        Ok(WebhooksRunning { stop, run })
    }
}

impl WebhooksRunning {
    /// Takes up nothing new, and finishes what is under way; each attempt ends in its time.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.run).await {
            tracing::error!(%error, "webhooks did not end by themselves");
        }
    }
}

impl Drop for WebhooksRunning {
    fn drop(&mut self) {
        self.run.abort();
    }
}

/// One turn after the other. **A turn leaves nothing behind in memory.**
struct Turns {
    webhooks: Webhooks,
    parts: WebhookParts,
    stop: watch::Receiver<bool>,
    /// Other processes may take over, and the database may be away for a while.
    shared: bool,
    /// Told once, when the first turn begins or cannot.
    begun: Option<oneshot::Sender<Result<(), SagaError>>>,
}

impl Turns {
    async fn run(mut self) {
        loop {
            match self.turn().await {
                Ok(()) if *self.stop.borrow() => return,
                Ok(()) => tracing::warn!(subscription = NAME, "the lease is lost; what is remembered is thrown away"),
                Err(error) if self.shared && error.may_pass() => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(subscription = NAME, error, "telling stores' programs has ended, and begins again");
                }
                Err(error) => {
                    let shown: &dyn std::error::Error = &error;
                    tracing::error!(subscription = NAME, error = shown, "stores' programs are told nothing any more");
                    if let Some(begun) = self.begun.take() {
                        // Nobody may be waiting for it.
                        let _ = begun.send(Err(error));
                    }
                    return;
                }
            }
            if timeout(PAUSE, self.stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
        }
    }

    /// Waits for the lease, and works as long as it lasts.
    async fn turn(&mut self) -> Result<(), SagaError> {
        let lease = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => return Ok(()),
            lease = self.parts.subscriptions.lease(NAME) => Arc::new(lease?),
        };
        let work = async {
            let subscription = self.parts.subscriptions.subscribe(NAME).await?;
            let outbox = self.webhooks.outbox.under(&lease.fence());
            let again = self.webhooks.again.clone();
            let runner = Runner::resume(self.parts.clone(), subscription, outbox, again, lease.clone()).await?;
            if let Some(begun) = self.begun.take() {
                let _ = begun.send(Ok(()));
            }
            runner.run(self.stop.clone()).await
        };
        let worked = tokio::select! {
            biased;
            () = lease.lost() => Ok(()),
            worked = work => worked,
        };
        lease.release().await;
        worked
    }
}
