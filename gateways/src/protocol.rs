//! What is said between [`RemoteProvider`](crate::RemoteProvider) and the simulated provider, as JSON over HTTP:
//!
//! | request | answers |
//! |---|---|
//! | `POST /v1/charges`, with `Idempotency-Key` | 201 charged, 402 declined, 409 in flight, 422 the key was used for something else |
//! | `GET /v1/charges/{key}` | 200 with what became of it, 404 never seen |
//! | `POST /v1/charges/{key}/refunds`, with `Idempotency-Key` | 201 refunded, 402 failed, 404, 409, 422 |
//! | its webhooks | an [`Event`], signed in `Provider-Signature` |

use domain::{Instant, Money, PaymentId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
pub(crate) const SIGNATURE: &str = "provider-signature";

/// Take money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Charge {
    pub(crate) amount: Money,
    pub(crate) method: String,
}

/// Give money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refund {
    pub(crate) amount: Money,
}

/// What became of a charge or a refund, or why nothing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Told {
    Charged { reference: String },
    Declined { code: String },
    InProgress,
    NeverSeen,
    Refunded { reference: String },
    Failed { code: String },
    Refused { why: String },
}

/// What the provider says by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) at: Instant,
    /// The idempotency key of the charge.
    pub(crate) payment: PaymentId,
    /// As an answer would have told it.
    pub(crate) outcome: Told,
}

pub(crate) const CHARGE_SUCCEEDED: &str = "charge.succeeded";
pub(crate) const CHARGE_DECLINED: &str = "charge.declined";
pub(crate) const REFUND_SUCCEEDED: &str = "refund.succeeded";
