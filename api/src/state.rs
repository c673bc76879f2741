//! What every handler works with.

use crate::admission::{Admission, FrontDoor};
use crate::error::payment_unavailable;
use crate::idempotency::{Ids, Requests};
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::outcomes::Outcomes;
use crate::problem::Problem;
use crate::subscribers::WebhookSender;
use crate::undecided::Undecided;
use crate::vault::Vault;
use crate::webhooks::PaymentWebhooks;
use domain::contact::Contact;
use domain::dispatch::Dispatch;
use domain::inventory::Item;
use domain::message::Message;
use domain::payment::Payment;
use domain::policy::{PaymentTiming, Policy};
use domain::rental::Rental;
use domain::store::{Profile, Store};
use domain::webhook::Webhook;
use domain::{CustomerId, ItemId, Personal, StoreSlug};
use journal::{Basis, Context, Done, Executable, ExecuteError, Executor, Journal, ReadError, Subscriptions};
use projections::Views;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Items whose store is remembered.
const KNOWN_ITEMS: usize = 100_000;

/// What callers are told of the payment provider before anything is done for them.
pub trait PaymentDoor: Send + Sync + 'static {
    /// Whether somebody who is to pay had better come in now.
    ///
    /// # Errors
    /// When they had better not: after which time to come back.
    fn visit(&self) -> Result<(), Duration>;

    /// `closed` (all is well), `open` or `half_open`, as of a circuit breaker.
    fn breaker(&self) -> &'static str;

    /// How often the breaker has opened since the start.
    fn times_opened(&self) -> u64;
}

/// What the API is made over.
pub struct Parts {
    /// Appended to for idempotency keys, and followed for outcomes.
    pub journal: Journal,
    /// Watched and steered by administrators.
    pub subscriptions: Subscriptions,
    /// Read by queries.
    pub views: Views,
    /// Executes what is asked of rentals.
    pub rentals: Executor<Rental>,
    /// Executes what is asked of items.
    pub items: Executor<Item>,
    /// Executes what is asked of stores.
    pub stores: Executor<Store>,
    /// Executes what is asked of dispatches.
    pub dispatches: Executor<Dispatch>,
    /// Asked before a rental that is to be paid.
    pub door: Arc<dyn PaymentDoor>,
    /// Executes what providers say of payments.
    pub payments: Executor<Payment>,
    /// Executes what administrators ask of messages.
    pub messages: Executor<Message>,
    /// Executes what customers say of where to write to.
    pub contacts: Executor<Contact>,
    /// Executes what stores ask of webhooks.
    pub webhooks: Executor<Webhook>,
    /// Sends them.
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// Proves and reads what providers send.
    pub payment_webhooks: Arc<dyn PaymentWebhooks>,
    /// Verifies tokens.
    pub keys: Keys,
    /// Seals what is personal.
    pub vault: Vault,
    /// How much is let in.
    pub settings: Settings,
}

/// How much is let in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Commands that are let in; more are answered with 503 at the door. As many rentals may be undecided after their answer.
    pub max_in_flight: usize,
    /// How many of them are worked on at once; the others wait for their turn. Those that wait for a payment provider, or for a part
    /// that is away, do not count.
    pub at_work: usize,
    /// How many queries are worked on at once; the others wait for their turn. Those that wait for a view do not count.
    pub queries_at_work: usize,
    /// How long a command waits for its outcome where its caller says nothing.
    pub wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_in_flight: 1_024, at_work: 128, queries_at_work: 16, wait: Duration::from_secs(2) }
    }
}

/// What every handler works with.
pub(crate) struct Api {
    pub(crate) journal: Journal,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) views: Views,
    pub(crate) rentals: Executor<Rental>,
    pub(crate) items: Executor<Item>,
    pub(crate) stores: Executor<Store>,
    pub(crate) dispatches: Executor<Dispatch>,
    pub(crate) door: Arc<dyn PaymentDoor>,
    pub(crate) payments: Executor<Payment>,
    pub(crate) messages: Executor<Message>,
    pub(crate) contacts: Executor<Contact>,
    pub(crate) webhooks: Executor<Webhook>,
    pub(crate) webhook_sender: Arc<dyn WebhookSender>,
    pub(crate) payment_webhooks: Arc<dyn PaymentWebhooks>,
    pub(crate) keys: Keys,
    pub(crate) vault: Vault,
    pub(crate) settings: Settings,
    pub(crate) outcomes: Outcomes,
    pub(crate) requests: Requests,
    pub(crate) admission: Admission,
    pub(crate) undecided: Undecided,
    pub(crate) metrics: Metrics,
    pub(crate) openapi: String,
    /// An item never changes its store.
    store_of: Cache<ItemId, StoreSlug>,
    draining: AtomicBool,
}

impl Api {
    pub(crate) fn new(parts: Parts, openapi: String) -> Self {
        let Parts { journal, subscriptions, views, rentals, items, stores, dispatches, .. } = parts;
        let Parts {
            payments,
            messages,
            contacts,
            webhooks,
            webhook_sender,
            payment_webhooks,
            door,
            keys,
            vault,
            settings,
            ..
        } = parts;
        Self {
            journal,
            subscriptions,
            views,
            rentals,
            items,
            stores,
            dispatches,
            door,
            payments,
            messages,
            contacts,
            webhooks,
            webhook_sender,
            payment_webhooks,
            keys,
            vault,
            outcomes: Outcomes::new(),
            requests: Requests::default(),
            admission: Admission::at_most(settings.max_in_flight, settings.at_work, settings.queries_at_work),
            undecided: Undecided::at_most(settings.max_in_flight),
            metrics: Metrics::default(),
            openapi,
            settings,
            store_of: Cache::new(KNOWN_ITEMS),
            draining: AtomicBool::new(false),
        }
    }

    /// Whether this process is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// What a store is now; `None` when there is none.
    pub(crate) async fn profile(&self, store: &StoreSlug) -> Result<Option<Profile>, Problem> {
        Ok(self.stores.inspect(store.as_str(), |store, _| store.profile().cloned()).await?)
    }

    /// The same without asking the journal whether another process has changed it, for what is decided on that basis only.
    pub(crate) async fn profile_at_basis(&self, store: &StoreSlug) -> Result<(Option<Profile>, Basis), Problem> {
        Ok(self.stores.glance_at_basis(store.as_str(), |store| store.profile().cloned()).await?)
    }

    /// Whose an item is; `None` when there is none. A busy item is not disturbed for it.
    pub(crate) async fn store_of(&self, item: ItemId) -> Result<Option<StoreSlug>, Problem> {
        if let Some(store) = self.store_of.get(&item) {
            return Ok(Some(store));
        }
        let store = self.items.inspect(&item.to_string(), |item, _| item.store().cloned()).await?;
        if let Some(store) = &store {
            self.store_of.insert(item, store.clone());
        }
        Ok(store)
    }

    /// Carries out a command. One that is repeated after a crash, and whose `If-Match` its own effect has made stale, is
    /// found by its id and has succeeded.
    pub(crate) async fn execute<A: Executable>(
        &self,
        executor: &Executor<A>,
        id: &str,
        command: A::Command,
        context: &Context,
        ids: &Ids,
    ) -> Result<Done, ExecuteError<A::Error>> {
        match executor.execute(id, command, context).await {
            Err(ExecuteError::Stale { actual }) => {
                self.done_before::<A>(id, context, ids).await?.ok_or(ExecuteError::Stale { actual })
            }
            result => result,
        }
    }

    /// Turns a caller away who would have to wait for the payment provider; nothing has been done for them yet.
    pub(crate) fn check_door(&self, policy: &Policy) -> Result<(), Problem> {
        match policy.rules.payment {
            PaymentTiming::None => Ok(()),
            PaymentTiming::Upfront => self.door.visit().map_err(payment_unavailable),
        }
    }

    /// What a command came to that was carried out before a crash, if it was.
    pub(crate) async fn done_before<A: Executable>(
        &self,
        id: &str,
        context: &Context,
        ids: &Ids,
    ) -> Result<Option<Done>, ReadError> {
        if !ids.may_have_happened() {
            return Ok(None);
        }
        let events = self.journal.read_stream(&format!("{}-{id}", A::TYPE), 0).await?;
        let event = events.iter().rfind(|event| event.command_id == context.command_id);
        Ok(event.map(|event| Done { position: event.position, revision: event.revision, events: 0 }))
    }

    /// Seals a text under the customer's key.
    pub(crate) async fn seal(&self, customer: CustomerId, text: String) -> Result<Personal, Problem> {
        Ok(self.vault.seal(&customer, &text).await?)
    }

    /// Opens a text; `None` once it was erased.
    pub(crate) async fn unseal(&self, customer: CustomerId, sealed: Personal) -> Result<Option<String>, Problem> {
        Ok(self.vault.unseal(&customer, &sealed).await?)
    }

    /// Opens what was said, if anything was; `None` also once it was erased.
    pub(crate) async fn unsealed(
        &self,
        customer: &CustomerId,
        sealed: Option<Personal>,
    ) -> Result<Option<String>, Problem> {
        match sealed {
            Some(sealed) => self.unseal(customer.clone(), sealed).await,
            None => Ok(None),
        }
    }
}

/// What runs beside the router.
pub struct Running {
    api: Arc<Api>,
    /// Nothing where nobody waits for an outcome.
    following: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn following(api: Arc<Api>) -> Self {
        let following = Some(tokio::spawn(api.outcomes.clone().follow(api.journal.clone())));
        Self { api, following }
    }

    pub(crate) const fn alone(api: Arc<Api>) -> Self {
        Self { api, following: None }
    }

    /// To be asked before a request is looked at any further.
    #[must_use]
    pub fn front_door(&self) -> FrontDoor {
        FrontDoor::new(self.api.admission.clone())
    }

    /// Turns readiness red, so that no new requests are sent here. Those that come all the same are answered.
    pub fn drain(&self) {
        self.api.draining.store(true, Ordering::Release);
    }

    /// Stops following the journal, once no request is worked on any more.
    pub async fn stop(self) {
        self.drain();
        if let Some(task) = self.following {
            task.abort();
            // Its end is the cancellation that was just asked for.
            let _ = task.await;
        }
    }
}
