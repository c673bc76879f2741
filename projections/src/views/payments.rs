//! A customer's payments.

use super::{payment_of, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::payment::{PaymentEvent, PaymentStatus, Purpose};
use domain::{CustomerId, Event, Instant, Money, PaymentId, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// A customer's payments and what went back of them.
pub struct Payments;

/// One charge and its refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEntry {
    /// Which payment.
    pub id: PaymentId,
    /// For which rental.
    pub rental: RentalId,
    /// Who pays.
    pub customer: CustomerId,
    /// Who is paid.
    pub store: StoreSlug,
    /// What for.
    pub purpose: Purpose,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: PaymentStatus,
    /// The provider's name for the charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why the provider said no, to the charge or to the last refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How much went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Money>,
    /// The provider's names for the refunds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refund_references: Vec<String>,
    /// When the money was asked for.
    pub requested_at: Instant,
    /// When its status was recorded.
    pub changed_at: Instant,
}

impl Projection for Payments {
    const NAME: &'static str = "payments.v2";
    const SUBSCRIPTION: &'static str = "view-payments";
    const TAGGED_ARE_FEW: bool = true;
    type State = PaymentEntry;
    type Document = PaymentEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Payment(_) => Ok(Some(payment_of(event)?.into())),
            Event::Rental(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<PaymentEntry> {
        let Event::Payment(PaymentEvent::Requested { rental, charge, at }) = decoded else { return None };
        Some(PaymentEntry {
            id: payment_of(event).ok()?,
            rental: *rental,
            customer: charge.customer.clone(),
            store: charge.store.clone(),
            purpose: charge.purpose,
            amount: charge.amount,
            status: PaymentStatus::Requested,
            reference: None,
            code: None,
            refunded: None,
            refund_references: Vec::new(),
            requested_at: *at,
            changed_at: event.recorded_at,
        })
    }

    fn apply(entry: &mut PaymentEntry, event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        let payment = match decoded {
            Event::Payment(payment) => payment,
            Event::Rental(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => return Err(unexpected(decoded)),
        };
        match payment {
            PaymentEvent::Requested { .. } => {}
            PaymentEvent::Approved { reference, .. } => {
                entry.status = PaymentStatus::Approved;
                entry.reference = Some(reference.clone());
            }
            PaymentEvent::Declined { code, .. } => {
                entry.status = PaymentStatus::Declined;
                entry.code = Some(code.clone());
            }
            PaymentEvent::Unknown { .. } => entry.status = PaymentStatus::Unknown,
            PaymentEvent::RefundRequested { .. } => entry.status = PaymentStatus::Refunding,
            PaymentEvent::Refunded { amount, reference, .. } => {
                entry.status = PaymentStatus::Refunded;
                entry.code = None;
                entry.refunded = Some(entry.refunded.map_or(Ok(*amount), |before| before.plus(*amount))?);
                entry.refund_references.push(reference.clone());
            }
            PaymentEvent::RefundFailed { code, .. } => {
                entry.status = PaymentStatus::RefundFailed;
                entry.code = Some(code.clone());
            }
        }
        entry.changed_at = event.recorded_at;
        Ok(())
    }

    fn row(entry: &PaymentEntry) -> Row<'_> {
        // What somebody has to look after.
        let tag = match entry.status {
            PaymentStatus::Unknown | PaymentStatus::RefundFailed => entry.status.name(),
            PaymentStatus::Requested
            | PaymentStatus::Approved
            | PaymentStatus::Declined
            | PaymentStatus::Refunding
            | PaymentStatus::Refunded => "",
        };
        Row { owner: entry.customer.as_str(), tag }
    }

    fn document(entry: PaymentEntry) -> PaymentEntry {
        entry
    }
}
