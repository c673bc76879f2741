//! The composition root: which parts there are, and in which order they start and stop.

use crate::config::Config;
use crate::failure::Failure;
use crate::opening::Opened;
use crate::provider;
use crate::serving::{listen, serve};
use crate::webhooks;
use api::{Keys, PaymentDoor, Vault};
use domain::contact::Contact;
use domain::dispatch::Dispatch;
use domain::inventory::Item;
use domain::message::Message;
use domain::payment::Payment;
use domain::quota::Quota;
use domain::rental::Rental;
use domain::store::Store;
use domain::webhook::Webhook;
use journal::{Executable, Executor, Journal};
use sagas::{Breaker, BreakerSettings, Door, SystemClock};
use std::fs::File;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Requests that are in flight when the program is asked to stop get this long to finish.
const DRAIN: Duration = Duration::from_secs(15);

/// A running Reservoir.
pub(crate) struct System {
    address: Address,
    journal: Journal,
    _lock: Option<File>,
    keys: Keys,
    server: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    drain: Duration,
    api: api::Running,
    sagas: sagas::Running,
    webhooks: Option<sagas::webhooks::WebhooksRunning>,
    views: projections::Supervised,
}

fn executor<A>(journal: &Journal) -> Executor<A>
where
    A: Executable,
    domain::Event: From<A::Event>,
{
    Executor::new::<domain::Event>(journal.clone())
}

impl System {
    /// Starts every part on a data directory and listens.
    pub(crate) async fn start(config: &Config) -> Result<Self, Failure> {
        let Opened { journal, lock } = config.open_journal("cannot serve").await?;
        let started = Self::start_parts(config, journal.clone(), lock).await;
        if started.is_err() {
            journal.close().await;
        }
        started
    }

    async fn start_parts(config: &Config, journal: Journal, lock: Option<File>) -> Result<Self, Failure> {
        let data = &config.data;
        let listener = listen(config.listen)
            .map_err(|error| Failure::because(format!("cannot listen on {}", config.listen), error))?;
        let subscriptions = config.subscriptions(&journal).await?;
        let views = config.views().await?;
        let running_views = views
            .supervise(journal.clone(), &subscriptions, &config.roles.views())
            .await
            .map_err(|error| Failure::because("cannot start the views", error))?;
        let keys = config.keys().await?;
        let vault = Vault::of(&config.journal).await;
        let vault = vault.map_err(|error| Failure::because("cannot open the personal keys", error))?;
        let contacts = executor::<Contact>(&journal);
        let messages = executor::<Message>(&journal);
        let messenger = config.messenger.messenger(data, &contacts, &vault)?;

        let rentals = executor::<Rental>(&journal);
        let items = executor::<Item>(&journal);
        let stores = executor::<Store>(&journal);
        let dispatches = executor::<Dispatch>(&journal);
        let payments = executor::<Payment>(&journal);
        let breaker = Breaker::new("payments", BreakerSettings::default());
        let door = match subscriptions.are_shared() {
            true => Door::shared(breaker.clone(), subscriptions.clone()),
            false => Door::alone(breaker.clone()),
        };
        let parts = sagas::Parts {
            subscriptions: subscriptions.clone(),
            names: config.roles.sagas(),
            source: config.journal.clone(),
            rentals: rentals.clone(),
            payments: payments.clone(),
            items: items.clone(),
            dispatches: dispatches.clone(),
            quotas: executor::<Quota>(&journal),
            stores: stores.clone(),
            messages: messages.clone(),
            provider: provider::provider(config)?,
            breaker,
            messenger,
            clock: Arc::new(SystemClock),
            settings: config
                .messenger
                .settings(sagas::Settings { provider_timeout: config.payment_timeout, ..sagas::Settings::default() }),
        };
        let running_sagas =
            sagas::Sagas::start(parts).await.map_err(|error| Failure::because("cannot start the sagas", error))?;
        let subscribed = executor::<Webhook>(&journal);
        let outbox = webhooks::open(config).await?;
        let running_webhooks = webhooks::start(config, &outbox, &subscriptions, &rentals, &subscribed, &keys).await?;
        let parts = api::Parts {
            journal: journal.clone(),
            subscriptions,
            views,
            rentals,
            items,
            stores,
            dispatches,
            door: Arc::new(AtTheDoor(door)),
            payments,
            messages,
            contacts,
            webhook_sender: webhooks::sender(config, &outbox),
            webhooks: subscribed,
            payment_webhooks: provider::webhooks(config),
            keys: keys.clone(),
            vault,
            settings: api::Settings { max_in_flight: config.max_in_flight, ..api::Settings::default() },
        };
        let start = if config.roles.has_api() { api::start } else { api::start_watched };
        let (router, running_api) = start(parts);

        let local = listener.local_addr().map_err(|error| Failure::because("no local address", error))?;
        let address = Address::write(data, local)?;
        let (stopping, asked) = watch::channel(false);
        let front_door = running_api.front_door();
        let server = tokio::spawn(serve(listener, router, front_door, config.max_connections, asked));
        Ok(Self {
            address,
            journal,
            _lock: lock,
            keys,
            server,
            stopping,
            drain: config.drain,
            api: running_api,
            sagas: running_sagas,
            webhooks: running_webhooks,
            views: running_views,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.local
    }

    pub(crate) fn keys(&self) -> Keys {
        self.keys.clone()
    }

    /// Waits until somebody asks to stop, or the journal has failed: a server that can acknowledge nothing had better end,
    /// so that whoever supervises it starts it again.
    pub(crate) async fn failed_or(&self, asked: impl Future<Output = ()>) {
        tokio::select! {
            () = asked => {}
            reason = self.journal.failed() => tracing::error!(%reason, "the journal has failed"),
        }
    }

    /// Drains: no new connections, requests in flight finish, sagas and views come to rest, the journal is written out.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.api.drain();
        // Whoever sends requests here has to notice first that there is another address for them.
        tokio::time::sleep(self.drain).await;
        self.stopping.send_replace(true);
        let mut server = self.server;
        if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
            tracing::warn!("requests were still in flight after {DRAIN:?}; they are cut off");
            server.abort();
        }
        self.api.stop().await;
        let sagas = self.sagas.stop().await;
        if let Some(webhooks) = self.webhooks {
            webhooks.stop().await;
        }
        self.views.stop().await;
        self.journal.close().await;
        drop(self.address);
        match self.journal.failure() {
            Some(reason) => Err(Failure::new(format!("the journal has failed: {reason}"))),
            None => sagas.map_err(|error| Failure::because("the sagas had stopped", error)),
        }
    }
}

/// The breaker around the payment provider, as callers come past it: in this process or where the calls are made.
struct AtTheDoor(Door);

impl PaymentDoor for AtTheDoor {
    fn visit(&self) -> Result<(), Duration> {
        self.0.visit()
    }

    fn breaker(&self) -> &'static str {
        self.0.breaker()
    }

    fn times_opened(&self) -> u64 {
        self.0.times_opened()
    }
}

/// Where the server of a data directory listens, for other commands on the same machine. Gone when the server is.
pub(crate) struct Address {
    local: SocketAddr,
    path: PathBuf,
}

impl Address {
    fn path(data: &Path) -> PathBuf {
        data.join("serve.address")
    }

    fn write(data: &Path, local: SocketAddr) -> Result<Self, Failure> {
        let path = Self::path(data);
        std::fs::write(&path, local.to_string())
            .map_err(|error| Failure::because("cannot say where it listens", error))?;
        Ok(Self { local, path })
    }

    /// Reads where the running server listens.
    pub(crate) fn read(data: &Path) -> Result<SocketAddr, Failure> {
        let none = || Failure::new(format!("no server is using {}; start one, or name it with --url", data.display()));
        std::fs::read_to_string(Self::path(data)).ok().and_then(|text| text.parse().ok()).ok_or_else(none)
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        // A file that stays behind names a port where nobody answers, and the next server writes it anew.
        let _ = std::fs::remove_file(&self.path);
    }
}
