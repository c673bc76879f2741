//! Refunds: looked for before they are made, since a key is kept for a day and a failed refund is tried for longer.

use super::shapes::{List, REFUND, Refund, failure, read};
use super::{StripeProvider, amount, strange, unavailable};
use hyper::StatusCode;
use sagas::payments::{Declined, RefundError, RefundRequest, Refunded, Unavailable};

/// Answers of earlier attempts that are passed over in one call.
const MOST_REPLAYS: usize = 8;
/// Says that an answer was given before.
const REPLAYED: &str = "idempotent-replayed";

impl StripeProvider {
    pub(super) async fn give_back(&self, request: RefundRequest) -> Result<Refunded, RefundError> {
        let RefundRequest { payment, reference, key, amount: money } = request;
        // Money was taken for this payment: it will be found, if not yet.
        let intent = match reference {
            Some(intent) => intent.into(),
            None => self.intents_of(payment).await?.first().cloned().ok_or(Unavailable)?,
        };
        let query = [("payment_intent", &*intent), ("limit", "100")];
        let reply = self.get("/v1/refunds", &query).await.map_err(|error| unavailable(payment, &error))?;
        let Some(made) = read::<List<Refund>>(&reply) else {
            strange(payment, &reply);
            return Err(Unavailable.into());
        };
        let ours: Vec<Refund> = made.data.into_iter().filter(|refund| refund.is(key)).collect();
        if let Some(refund) = ours.iter().find(|refund| !has_failed(refund)) {
            return outcome(refund);
        }
        let Some(amount) = amount(money) else {
            return Err(Declined { code: "amount_not_refundable".to_owned() }.into());
        };
        let (amount, name, metadata) = (amount.to_string(), key.to_string(), format!("metadata[{REFUND}]"));
        let form = [("payment_intent", &*intent), ("amount", &amount), (&metadata, &name)];
        // The key of an attempt whose failure was told would only tell it again.
        for attempt in ours.len()..ours.len() + MOST_REPLAYS {
            let key = if attempt == 0 { name.clone() } else { format!("{name}-{attempt}") };
            let reply = self.post("/v1/refunds", &key, &form).await.map_err(|error| unavailable(payment, &error))?;
            let was_told = reply.headers.get(REPLAYED).is_some_and(|value| value == "true");
            if let Some(refund) = read::<Refund>(&reply) {
                // What is told again is how it stood when it was made, and it has failed since.
                if ours.iter().any(|failed| failed.id == refund.id) {
                    continue;
                }
                return outcome(&refund);
            }
            strange(payment, &reply);
            match reply.status {
                StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND if was_told => {}
                StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND => {
                    let code = failure(&reply).reason().unwrap_or("invalid_request").to_owned();
                    return Err(Declined { code }.into());
                }
                // Perhaps it was made: the next call looks for it first.
                _ => return Err(Unavailable.into()),
            }
        }
        Err(Unavailable.into())
    }
}

fn has_failed(refund: &Refund) -> bool {
    matches!(refund.status.as_deref(), Some("failed" | "canceled"))
}

fn outcome(refund: &Refund) -> Result<Refunded, RefundError> {
    match refund.status.as_deref() {
        Some("succeeded") => Ok(Refunded { reference: refund.id.clone() }),
        Some("failed" | "canceled") => {
            let code = refund.failure_reason.clone().unwrap_or_else(|| "refund_failed".to_owned());
            Err(Declined { code }.into())
        }
        // On its way: it is asked about again.
        _ => Err(Unavailable.into()),
    }
}
