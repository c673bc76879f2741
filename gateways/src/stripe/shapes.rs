//! The parts of Stripe's answers and events that matter here. All else in them is passed over.

use crate::Notice;
use crate::http::Reply;
use domain::PaymentId;
use sagas::payments::{Charged, Declined, Truth};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use uuid::Uuid;

/// Names our payment in everything that is made for it.
pub(super) const PAYMENT: &str = "reservoir_payment";
/// Names our refund.
pub(super) const REFUND: &str = "reservoir_refund";

/// A payment intent.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    status: String,
    #[serde(default)]
    metadata: HashMap<String, String>,
    last_payment_error: Option<Failure>,
}

/// Where an intent stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It will not move any more, or will by itself.
    Settled(Truth),
    /// Somebody would have to do something. Nobody will: it is to be cancelled.
    Waiting,
    /// Of a kind that is not known here.
    Strange,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) status: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    pub(super) failure_reason: Option<String>,
}

/// A list, or what a search has found.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
}

/// Why something was not done.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Failure {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    pub(super) payment_intent: Option<Box<Intent>>,
}

#[derive(Deserialize)]
struct Failed {
    error: Failure,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: serde_json::Value,
}

/// An answer that is what it should be.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
    reply.status.is_success().then(|| serde_json::from_slice(&reply.body).ok()).flatten()
}

/// What an answer that is none says.
pub(super) fn failure(reply: &Reply) -> Failure {
    serde_json::from_slice::<Failed>(&reply.body).map(|failed| failed.error).unwrap_or_default()
}

impl Failure {
    /// The most exact reason there is.
    pub(super) fn reason(&self) -> Option<&str> {
        self.decline_code.as_deref().or(self.code.as_deref())
    }
}

impl Intent {
    pub(super) fn is_for(&self, payment: PaymentId) -> bool {
        self.metadata.get(PAYMENT).is_some_and(|text| *text == payment.to_string())
    }

    pub(super) fn is_charged(&self) -> bool {
        self.status == "succeeded"
    }

    fn payment(&self) -> Option<PaymentId> {
        self.metadata.get(PAYMENT)?.parse().ok()
    }

    fn declined(&self) -> Declined {
        let reason = self.last_payment_error.as_ref().and_then(Failure::reason);
        Declined { code: reason.unwrap_or("declined").to_owned() }
    }

    pub(super) fn standing(&self) -> Standing {
        match self.status.as_str() {
            "succeeded" => Standing::Settled(Truth::Charged(Charged { reference: self.id.clone() })),
            "processing" => Standing::Settled(Truth::InProgress),
            "requires_payment_method" => Standing::Settled(Truth::Declined(self.declined())),
            // Cancelled by us, since the customer would have had to prove who they are.
            "canceled" => Standing::Settled(Truth::Declined(Declined { code: "authentication_required".to_owned() })),
            "requires_action" | "requires_confirmation" | "requires_capture" => Standing::Waiting,
            _ => Standing::Strange,
        }
    }
}

impl Refund {
    pub(super) fn is(&self, key: Uuid) -> bool {
        self.metadata.get(REFUND).is_some_and(|text| *text == key.to_string())
    }
}

/// What an event says that was proven to be Stripe's.
pub(crate) fn notice(body: &[u8]) -> Notice {
    let Ok(Event { kind, data }) = serde_json::from_slice(body) else { return Notice::Irrelevant };
    let intent = || {
        let intent: Intent = serde_json::from_value(data.object).ok()?;
        Some((intent.payment()?, intent))
    };
    match kind.as_str() {
        "payment_intent.succeeded" => {
            intent().map_or(Notice::Irrelevant, |(payment, intent)| Notice::Approved { payment, reference: intent.id })
        }
        "payment_intent.payment_failed" => intent()
            .map_or(Notice::Irrelevant, |(payment, intent)| Notice::Declined { payment, code: intent.declined().code }),
        "payment_intent.canceled" => intent()
            .map_or(Notice::Irrelevant, |(payment, _)| Notice::Declined { payment, code: "canceled".to_owned() }),
        _ => Notice::Irrelevant,
    }
}
