//! Starts the process managers and stops them.

use crate::Clock;
use crate::cashier::Cashier;
use crate::messages::{Messages, Messenger, Pace, Post};
use crate::payments::{Breaker, PaymentProvider, Payments, Till};
use crate::processes::dispatch::{Counter, Dispatching};
use crate::processes::extension::{Clerk, Extending};
use crate::processes::reservation::{Desk, Reservation};
use crate::processes::waiting::{Steward, Waiting};
use crate::runner::{Orders, Process, Runner, Saved};
use domain::dispatch::Dispatch;
use domain::inventory::Item;
use domain::message::Message;
use domain::payment::Payment;
use domain::quota::Quota;
use domain::rental::Rental;
use domain::store::Store;
use journal::{Executor, Subscriptions};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// Why the process managers cannot start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The file of processes cannot be used.
    #[error("cannot use the file of processes")]
    Database(#[from] rusqlite::Error),
    /// No thread could be had.
    #[error("cannot start the thread of the file of processes")]
    Thread(#[source] std::io::Error),
    /// The subscription cannot go on.
    #[error(transparent)]
    Subscription(#[from] journal::SubscriptionError),
    /// The journal takes no more.
    #[error("no more commands can be carried out: {0}")]
    Stopped(String),
    /// The journal is not the one that the processes were saved with, or was restored from a backup.
    #[error("`{process}` has handled events up to {checkpoint}, but the journal ends at {head}")]
    AheadOfTheJournal {
        /// Whose checkpoint.
        process: &'static str,
        /// What it says.
        checkpoint: u64,
        /// Where the journal ends.
        head: u64,
    },
    /// Others were started with the same file.
    #[error("other process managers have taken over the file of processes")]
    TakenOver,
    /// The program is ending.
    #[error("the file of processes is closing")]
    Closing,
}

/// What can be set.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a call to the provider may take.
    pub provider_timeout: Duration,
    /// Calls to the provider at once.
    pub provider_calls: usize,
    /// How long the messenger may take for a message.
    pub messenger_timeout: Duration,
    /// Messages that go out at once.
    pub messenger_calls: usize,
    /// Messages that go out in a second, evenly spread; as many as there are where nothing is said.
    pub messages_per_second: Option<NonZeroU32>,
    /// Processes of one kind that handle something at once.
    pub in_flight: usize,
    /// Idle processes of one kind that stay in memory.
    pub in_memory: usize,
    /// Processes are saved at the latest after so many have changed …
    pub save_every_events: usize,
    /// … or after this time.
    pub save_every: Duration,
    /// How often the clock is looked at for deadlines.
    pub tick: Duration,
    /// How long what is under way may take once all is to stop. The rest is done again after the next start.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            provider_timeout: Duration::from_millis(610),
            provider_calls: 512,
            messenger_timeout: Duration::from_secs(10),
            messenger_calls: 256,
            messages_per_second: None,
            in_flight: 1_024,
            in_memory: 16_384,
            save_every_events: 10_000,
            save_every: Duration::from_millis(500),
            tick: Duration::from_millis(50),
            drain: Duration::from_secs(15),
        }
    }
}

/// What the process managers work with.
pub struct Parts {
    /// Where `reservation`, `extension`, `dispatch`, `waiting`, `payments` and `messages` subscribe.
    pub subscriptions: Subscriptions,
    /// Where `sagas.db` is, or will be.
    pub directory: PathBuf,
    /// Executors over the journal, shared with whoever else gives orders.
    pub rentals: Executor<Rental>,
    /// See `rentals`.
    pub payments: Executor<Payment>,
    /// See `rentals`.
    pub items: Executor<Item>,
    /// See `rentals`.
    pub dispatches: Executor<Dispatch>,
    /// See `rentals`.
    pub quotas: Executor<Quota>,
    /// See `rentals`.
    pub stores: Executor<Store>,
    /// See `rentals`.
    pub messages: Executor<Message>,
    /// Who moves the money.
    pub provider: Arc<dyn PaymentProvider>,
    /// Leaves the provider alone while it fails; shared with whoever lets customers in.
    pub breaker: Breaker,
    /// Who carries messages to customers.
    pub messenger: Arc<dyn Messenger>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What can be set.
    pub settings: Settings,
}

/// The process managers.
#[derive(Debug)]
pub struct Sagas;

impl Sagas {
    /// Goes on where the process managers were stopped, or begins at the start of the journal.
    ///
    /// # Errors
    /// When a file cannot be used, or the journal is older than what was handled.
    pub async fn start(parts: Parts) -> Result<Running, SagaError> {
        let Parts { subscriptions, directory, rentals, payments, items, dispatches, quotas, stores, .. } = parts;
        let Parts { messages, provider, breaker, messenger, clock, settings, .. } = parts;
        let cashier = || Cashier { rentals: rentals.clone(), payments: payments.clone(), clock: clock.clone() };
        let desk: Desk = Desk {
            rentals: rentals.clone(),
            cashier: cashier(),
            items: items.clone(),
            dispatches: dispatches.clone(),
            quotas,
            clock: clock.clone(),
        };
        let post = Post {
            messages,
            rentals: rentals.clone(),
            items: items.clone(),
            stores: stores.clone(),
            messenger,
            clock: clock.clone(),
            timeout: settings.messenger_timeout,
            lines: Semaphore::new(settings.messenger_calls.min(Semaphore::MAX_PERMITS)),
            pace: Pace::new(settings.messages_per_second),
        };
        let clerk = Clerk { rentals: rentals.clone(), items: items.clone(), cashier: cashier(), clock: clock.clone() };
        let counter: Counter = Counter { rentals, dispatches, stores, clock: clock.clone() };
        let steward: Steward = Steward { items, clock: clock.clone() };
        let (timeout, calls) = (settings.provider_timeout, settings.provider_calls);
        let till: Till = Till::new(payments, provider, clock.clone(), breaker, timeout, calls);
        let start =
            Start { subscriptions, saved: Saved::open(&directory)?, clock, settings, stop: watch::Sender::new(false) };
        let (reservation, extension, dispatch, waiting, payments, messages) = (
            start.resume::<Reservation, _>(desk).await?,
            start.resume::<Extending, _>(clerk).await?,
            start.resume::<Dispatching, _>(counter).await?,
            start.resume::<Waiting, _>(steward).await?,
            start.resume::<Payments, _>(till).await?,
            start.resume::<Messages, _>(post).await?,
        );
        let failure = Arc::new(OnceLock::new());
        let runs = vec![
            start.run(reservation, &failure),
            start.run(extension, &failure),
            start.run(dispatch, &failure),
            start.run(waiting, &failure),
            start.run(payments, &failure),
            start.run(messages, &failure),
        ];
        Ok(Running { stop: start.stop, runs, failure })
    }
}

struct Start {
    subscriptions: Subscriptions,
    saved: Saved,
    clock: Arc<dyn Clock>,
    settings: Settings,
    stop: watch::Sender<bool>,
}

type Failure = Arc<OnceLock<String>>;

impl Start {
    async fn resume<P: Process, O: Orders<P>>(&self, orders: O) -> Result<Runner<P, O>, SagaError> {
        let subscription = self.subscriptions.subscribe(P::NAME).await?;
        Runner::resume(subscription, Arc::new(orders), self.saved.clone(), self.clock.clone(), self.settings).await
    }

    fn run<P: Process, O: Orders<P>>(&self, runner: Runner<P, O>, failure: &Failure) -> Run {
        let (stop, failure) = (self.stop.subscribe(), failure.clone());
        tokio::spawn(async move {
            let ended = runner.run(stop).await;
            if let Err(error) = &ended {
                tracing::error!(subscription = P::NAME, %error, "a process manager has stopped");
                let _ = failure.set(format!("{}: {error}", P::NAME));
            }
            ended
        })
    }
}

type Run = JoinHandle<Result<(), SagaError>>;

/// The process managers, running. Dropped without [`Running::stop`] they end as in a crash, which loses nothing.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    runs: Vec<Run>,
    failure: Failure,
}

impl Running {
    /// Why a process manager has ended by itself, if one has.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.get().cloned()
    }

    /// Takes up nothing new, finishes what is under way and does not take too long, and saves.
    ///
    /// # Errors
    /// When a process manager had ended before, or what it knows cannot be saved; nothing is lost, and more is repeated.
    pub async fn stop(mut self) -> Result<(), SagaError> {
        self.stop.send_replace(true);
        let mut ended = Ok(());
        for run in std::mem::take(&mut self.runs) {
            ended = ended.and(run.await.unwrap_or(Err(SagaError::Closing)));
        }
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for run in &self.runs {
            run.abort();
        }
    }
}
