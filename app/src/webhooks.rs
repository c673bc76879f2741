//! Sending stores what they want to be told of, and what callers may know of that.

use crate::config::Config;
use crate::failure::Failure;
use api::{Keys, WebhookGivenUp, WebhookSender, WebhookStanding};
use domain::WebhookId;
use domain::rental::Rental;
use domain::webhook::Webhook;
use gateways::Secret;
use gateways::webhooks::{Allowed, SystemResolver, WebhookCourier};
use journal::{Executor, Subscriptions};
use sagas::SystemClock;
use sagas::webhooks::{Deliveries, GivenUp, WebhookParts, Webhooks, WebhooksRunning};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);

/// Opens what is to be sent.
pub(crate) async fn open(config: &Config) -> Result<Webhooks, Failure> {
    Webhooks::open(&config.journal).await.map_err(failed)
}

/// Begins to send, where that is a role of this process.
pub(crate) async fn start(
    config: &Config,
    outbox: &Webhooks,
    subscriptions: &Subscriptions,
    rentals: &Executor<Rental>,
    webhooks: &Executor<Webhook>,
    keys: &Keys,
) -> Result<Option<WebhooksRunning>, Failure> {
    if !config.roles.has_webhooks() {
        return Ok(None);
    }
    if !config.webhook_allow.is_empty() {
        let addresses = &config.webhook_allow;
        tracing::warn!(?addresses, "whoever works at a store can have webhooks sent to these addresses, unencrypted");
    }
    let keys = keys.clone();
    let secret_of = Arc::new(move |webhook| Secret::new(&keys.webhook_secret(webhook)));
    let parts = WebhookParts {
        subscriptions: subscriptions.clone(),
        source: config.journal.clone(),
        rentals: rentals.clone(),
        webhooks: webhooks.clone(),
        courier: Arc::new(WebhookCourier::new(secret_of, allowed(config), Arc::new(SystemResolver))),
        clock: Arc::new(SystemClock),
        timeout: TIMEOUT,
        tick: TICK,
    };
    outbox.start(parts).await.map(Some).map_err(failed)
}

fn failed(error: sagas::SagaError) -> Failure {
    Failure::because("cannot start the webhooks", error)
}

/// What callers may know.
pub(crate) fn sender(config: &Config, outbox: &Webhooks) -> Arc<dyn WebhookSender> {
    Arc::new(Sender { allowed: allowed(config), deliveries: outbox.deliveries() })
}

fn allowed(config: &Config) -> Allowed {
    config.webhook_allow.iter().copied().collect()
}

struct Sender {
    allowed: Allowed,
    deliveries: Deliveries,
}

impl WebhookSender for Sender {
    fn check(&self, url: &str) -> Result<(), String> {
        WebhookCourier::check(url, &self.allowed).map_err(|why| why.to_string())
    }

    fn standing(
        &self,
        webhook: WebhookId,
        most: usize,
    ) -> Pin<Box<dyn Future<Output = Option<WebhookStanding>> + Send + '_>> {
        Box::pin(async move {
            let standing = match self.deliveries.standing(webhook, most).await {
                Ok(standing) => standing,
                Err(error) => {
                    tracing::error!(webhook.id = %webhook, %error, "how a webhook's deliveries stand cannot be read");
                    return None;
                }
            };
            let shown = |GivenUp { rental, position, attempts, reason, at }| WebhookGivenUp {
                rental,
                position,
                attempts,
                reason,
                at,
            };
            Some(WebhookStanding {
                waiting: standing.waiting,
                again_at: standing.again_at,
                given_up: standing.given_up.into_iter().map(shown).collect(),
            })
        })
    }
    fn retry(&self, webhook: WebhookId) -> Pin<Box<dyn Future<Output = Option<u64>> + Send + '_>> {
        Box::pin(async move {
            let again = self.deliveries.retry(webhook).await;
            let failed = |error: &_| tracing::error!(webhook.id = %webhook, %error, "nothing can be sent again");
            again.inspect_err(failed).ok()
        })
    }
}
