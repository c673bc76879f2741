//! Which payment provider there is, and whose webhooks are believed.

use crate::config::Config;
use crate::failure::Failure;
use api::PaymentNotice;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use gateways::{Notice, PaymentWebhooks, RemoteProvider, Secret, StripeProvider};
use sagas::{PaymentProvider, SimulatedProvider};
use std::sync::Arc;

/// Signs the webhooks of the simulated provider.
const PROVIDER_SECRET: &str = "RESERVOIR_PROVIDER_SECRET";
/// The account's key.
const STRIPE_KEY: &str = "STRIPE_SECRET_KEY";
/// Signs the webhooks of the endpoint that was set up for this server.
const STRIPE_WEBHOOK: &str = "STRIPE_WEBHOOK_SECRET";

/// What was chosen with `--payment-provider`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// In this process.
    Simulated,
    /// A `reservoir simulate-provider` at an address.
    Remote(String),
    /// Stripe.
    Stripe,
}

/// Secrets, from the environment only: a command line and a file can be read by others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    pub(crate) provider: Option<Secret>,
    stripe_key: Option<Secret>,
    stripe_webhook: Option<Secret>,
}

impl Secrets {
    pub(crate) fn of_environment() -> Result<Self, Failure> {
        Ok(Self {
            provider: secret(PROVIDER_SECRET)?,
            stripe_key: secret(STRIPE_KEY)?,
            stripe_webhook: secret(STRIPE_WEBHOOK)?,
        })
    }
}

pub(crate) fn secret(name: &str) -> Result<Option<Secret>, Failure> {
    match std::env::var(name) {
        Ok(text) => Ok(Secret::new(&text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::new(format!("{name} is not text"))),
    }
}

impl Choice {
    pub(crate) fn of(text: &str) -> Result<Self, Failure> {
        match text {
            "simulated" => Ok(Self::Simulated),
            "stripe" => Ok(Self::Stripe),
            address if address.starts_with("http://") => Ok(Self::Remote(address.to_owned())),
            // It may hold a password, and is not repeated.
            _ => Err(Failure::new("payment-provider: `simulated`, `stripe`, or an address like http://127.0.0.1:8081")),
        }
    }
}

impl Choice {
    /// How long it may take, where nothing is said: across the world it is more than next door.
    pub(crate) const fn usual_timeout_ms(&self) -> u64 {
        match self {
            Self::Simulated | Self::Remote(_) => 610,
            Self::Stripe => 10_000,
        }
    }
}

/// The provider that was chosen.
pub(crate) fn provider(config: &Config) -> Result<Arc<dyn PaymentProvider>, Failure> {
    Ok(match &config.payment_provider {
        Choice::Simulated => Arc::new(SimulatedProvider::default().with_latency(config.simulated_latency.clone())),
        Choice::Remote(address) => {
            Arc::new(RemoteProvider::new(address).map_err(|error| Failure::because("payment-provider", error))?)
        }
        Choice::Stripe => {
            let key = config.secrets.stripe_key.as_ref();
            let key =
                key.ok_or_else(|| Failure::new(format!("payment-provider stripe: {STRIPE_KEY} has to be set")))?;
            let failed = |error| Failure::because("payment-provider stripe", error);
            Arc::new(StripeProvider::new(&config.stripe_url, key).map_err(failed)?)
        }
    })
}

/// Whose webhooks are believed: the chosen provider's, where there is a secret to prove them by.
pub(crate) fn webhooks(config: &Config) -> Arc<dyn api::PaymentWebhooks> {
    let nobody = PaymentWebhooks::none();
    let Secrets { provider, stripe_webhook, .. } = &config.secrets;
    let believed = match (&config.payment_provider, provider, stripe_webhook) {
        (Choice::Remote(_), Some(secret), _) => nobody.with_simulated(secret.clone()),
        (Choice::Stripe, _, Some(secret)) => nobody.with_stripe(secret.clone()),
        (Choice::Simulated | Choice::Remote(_) | Choice::Stripe, _, _) => nobody,
    };
    Arc::new(Believed(believed))
}

/// The gateways' knowledge behind the API's port.
struct Believed(PaymentWebhooks);

impl api::PaymentWebhooks for Believed {
    fn open(&self, provider: &str, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Option<PaymentNotice> {
        // A header that comes twice is nobody's.
        let header = |name| {
            let mut values = headers.get_all(name).iter();
            values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
        };
        Some(match self.0.open(provider, header, body, now).ok()? {
            Notice::Approved { payment, reference } => PaymentNotice::Approved { payment, reference },
            Notice::Declined { payment, code } => PaymentNotice::Declined { payment, code },
            Notice::Irrelevant => PaymentNotice::Irrelevant,
        })
    }
}
