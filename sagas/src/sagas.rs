//! Starts the process managers and stops them.

use crate::crew::Crew;
use crate::messages::{Messages, Messenger};
use crate::payments::{Breaker, PaymentProvider, Payments};
use crate::processes::dispatch::Dispatching;
use crate::processes::extension::Extending;
use crate::processes::reservation::Reservation;
use crate::processes::waiting::Waiting;
use crate::runner::{Orders, Process, Saved};
use crate::supervisor::{Begun, Supervisor};
use crate::tenure::Tenure;
use crate::{Clock, SagaError};
use domain::dispatch::Dispatch;
use domain::inventory::Item;
use domain::message::Message;
use domain::payment::Payment;
use domain::quota::Quota;
use domain::rental::Rental;
use domain::store::Store;
use journal::{Executor, Source, Subscriptions};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How long a subscription that nobody has ever worked for is waited for.
const FIRST_START: Duration = Duration::from_secs(1);

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
    /// Which of [`Sagas::NAMES`] run in this process.
    pub names: Vec<&'static str>,
    /// Where the journal is kept: there the stages are kept, too.
    pub source: Source,
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
    /// All of them, by the names of their subscriptions.
    pub const NAMES: [&'static str; 6] =
        [Reservation::NAME, Extending::NAME, Dispatching::NAME, Waiting::NAME, Payments::NAME, Messages::NAME];

    /// Goes on where the process managers were stopped, or begins at the start of the journal. Where several processes share the
    /// journal, each runs here as soon as no other process runs it.
    ///
    /// # Errors
    /// When what is saved cannot be used; on a journal that is not shared also when it is older than what was handled.
    pub async fn start(parts: Parts) -> Result<Running, SagaError> {
        let Parts { subscriptions, names, source, rentals, payments, items, dispatches, quotas, stores, .. } = parts;
        let Parts { messages, provider, breaker, messenger, clock, settings, .. } = parts;
        let crew = Crew {
            rentals,
            payments,
            items,
            dispatches,
            quotas,
            stores,
            messages,
            provider,
            breaker,
            messenger,
            clock: clock.clone(),
            settings,
        };
        let shared = subscriptions.are_shared();
        let known: Vec<_> = subscriptions.list().into_iter().map(|status| status.name).collect();
        let (stop, stopped) = watch::channel(false);
        let saved = Saved::open(&source).await?;
        let supervisor = Supervisor { subscriptions, saved, clock, settings, shared, stop: stopped };
        let mut starting =
            Starting { supervisor, names, failure: Failure::default(), runs: Vec::new(), begun: Vec::new() };
        let crews = [(); 6].map(|()| crew.clone());
        let [reservation, extension, dispatch, waiting, payments, messages] = crews;
        starting.run::<Reservation, _>(move |_| reservation.desk());
        starting.run::<Extending, _>(move |_| extension.clerk());
        starting.run::<Dispatching, _>(move |_| dispatch.counter());
        starting.run::<Waiting, _>(move |_| waiting.steward());
        starting.run::<Payments, _>(move |tenure| payments.till(tenure));
        starting.run::<Messages, _>(move |tenure| messages.post(tenure));
        let Starting { failure, mut runs, begun, .. } = starting;
        for (index, (name, begun)) in begun.into_iter().enumerate() {
            if !shared {
                // Whoever ends before it has begun says why.
                if begun.await.is_err() {
                    return Err(runs.swap_remove(index).await.unwrap_or(Ok(())).err().unwrap_or(SagaError::Closing));
                }
            } else if !known.iter().any(|known| *known == *name) {
                // The first start of all: administrators find it as soon as this process says that it serves.
                let _ = tokio::time::timeout(FIRST_START, begun).await;
            }
        }
        Ok(Running { stop, runs, failure })
    }
}
type Failure = Arc<OnceLock<String>>;

/// Process managers on their way up.
struct Starting {
    supervisor: Supervisor,
    names: Vec<&'static str>,
    failure: Failure,
    runs: Vec<Run>,
    begun: Vec<(&'static str, oneshot::Receiver<()>)>,
}

impl Starting {
    fn run<P: Process, O: Orders<P>>(&mut self, orders: impl Fn(Tenure) -> O + Send + Sync + 'static) {
        if !self.names.contains(&P::NAME) {
            return;
        }
        let (supervisor, failure) = (self.supervisor.clone(), self.failure.clone());
        let (begun, begins): (Begun, _) = oneshot::channel();
        self.begun.push((P::NAME, begins));
        self.runs.push(tokio::spawn(async move {
            let ended = supervisor.run::<P, O>(orders, begun).await;
            if let Err(error) = &ended {
                let shown: &dyn std::error::Error = error;
                tracing::error!(subscription = P::NAME, error = shown, "a process manager has stopped");
                let _ = failure.set(format!("{}: {error}", P::NAME));
            }
            ended
        }));
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
