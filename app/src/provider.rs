//! Which payment provider there is, and whose webhooks are believed.

use crate::config::Config;
use crate::failure::Failure;
use api::PaymentNotice;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use gateways::{Notice, PaymentWebhooks, RemoteProvider, Secret};
use sagas::{PaymentProvider, SimulatedProvider};
use std::sync::Arc;

/// Signs the webhooks of the simulated provider.
const PROVIDER_SECRET: &str = "RESERVOIR_PROVIDER_SECRET";

/// What was chosen with `--payment-provider`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// In this process.
    Simulated,
    /// A `reservoir simulate-provider` at an address.
    Remote(String),
}

/// Secrets, from the environment only: a command line and a file can be read by others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    pub(crate) provider: Option<Secret>,
}

impl Secrets {
    pub(crate) fn of_environment() -> Result<Self, Failure> {
        Ok(Self { provider: secret(PROVIDER_SECRET)? })
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
            address if address.starts_with("http://") => Ok(Self::Remote(address.to_owned())),
            // It may hold a password, and is not repeated.
            _ => Err(Failure::new("payment-provider: `simulated`, or an address like http://127.0.0.1:8081")),
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
    })
}

/// Whose webhooks are believed: the chosen provider's, where there is a secret to prove them by.
pub(crate) fn webhooks(config: &Config) -> Arc<dyn api::PaymentWebhooks> {
    let believed = match (&config.payment_provider, &config.secrets.provider) {
        (Choice::Remote(_), Some(secret)) => PaymentWebhooks::none().with_simulated(secret.clone()),
        (Choice::Remote(_), None) | (Choice::Simulated, _) => PaymentWebhooks::none(),
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
