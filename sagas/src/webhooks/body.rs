//! What a store's program is told of an event. **Only what is named here is said**: nothing that a customer wrote, no customer's
//! name, and nothing to pay with.

use domain::rental::RentalEvent;
use domain::{RentalId, StoreSlug};
use journal::Recorded;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Serialize)]
struct Body<'a> {
    event_id: Uuid,
    position: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    at: String,
    store: &'a StoreSlug,
    rental: RentalId,
    data: Value,
}

/// The body, the same each time.
pub(super) fn body(
    recorded: &Recorded,
    store: &StoreSlug,
    rental: RentalId,
    event: &RentalEvent,
) -> serde_json::Result<String> {
    serde_json::to_string(&Body {
        event_id: recorded.event_id,
        position: recorded.position,
        event_type: &recorded.event_type,
        at: recorded.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        store,
        rental,
        data: data(event),
    })
}

fn data(event: &RentalEvent) -> Value {
    match event {
        RentalEvent::Requested { terms, .. } => json!({
            "item": terms.item, "quantity": terms.quantity, "period": terms.period, "seats": terms.seats, "wait": terms.wait,
        }),
        RentalEvent::Offered { period, until, .. } => json!({ "period": period, "until": until }),
        RentalEvent::Accepted { pay_by, .. } => json!({ "pay_by": pay_by }),
        RentalEvent::Confirmed { total, .. } => json!({ "total": total }),
        RentalEvent::Rejected { reason, .. } => json!({ "reason": reason }),
        RentalEvent::Returned { days_late, late_fee, .. } => json!({ "days_late": days_late, "late_fee": late_fee }),
        RentalEvent::ExtensionRequested { number, to, .. } => json!({ "number": number, "to": to }),
        RentalEvent::Extended { number, to, extra, total, .. } => {
            json!({ "number": number, "to": to, "extra": extra, "total": total })
        }
        RentalEvent::ExtensionRefused { number, reason, .. } => json!({ "number": number, "reason": reason }),
        RentalEvent::LateFeeDeclined { attempt, .. } | RentalEvent::LateFeeDemanded { attempt, .. } => {
            json!({ "attempt": attempt })
        }
        RentalEvent::CancellationRequested { by, fee, .. } => json!({ "by": by, "fee": fee }),
        RentalEvent::Cancelled { refunded, .. } => json!({ "refunded": refunded }),
        RentalEvent::ReviewWritten { item, number, stars, .. }
        | RentalEvent::ReviewEdited { item, number, stars, .. }
        | RentalEvent::ReviewDeleted { item, number, stars, .. } => {
            json!({ "item": item, "number": number, "stars": stars })
        }
        RentalEvent::Expired { .. }
        | RentalEvent::Prepared { .. }
        | RentalEvent::HandedOver { .. }
        | RentalEvent::Overdue { .. }
        | RentalEvent::LateFeeWaived { .. }
        | RentalEvent::Completed { .. }
        | RentalEvent::CancellationRefused { .. } => json!({}),
    }
}
