//! A rental and what belongs to it.

use super::Money;
use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

/// A rental.
#[derive(ToSchema)]
pub(crate) struct Rental {
    id: Uuid,
    store: String,
    item: Uuid,
    quantity: u32,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    seats: Option<Vec<String>>,
    customer: String,
    policy: String,
    /// `requested`, `confirmed`, `prepared`, `handed_over`, `returned`, `completed`, `cancelling`, `cancelled`,
    /// `rejected`, `expired` or `overdue`.
    status: String,
    /// The business's word for it.
    status_label: String,
    #[schema(value_type = Option<Object>)]
    reason: Option<()>,
    payment: Option<PaymentOfRental>,
    dispatch: Option<DispatchOfRental>,
    total: Option<Money>,
    /// While it waits in line.
    waiting: Option<Waiting>,
    deadlines: Deadlines,
    days_late: Option<u32>,
    late_fee: Option<PaymentOfRental>,
    /// Why the charge for being late was declined: it is owed.
    late_fee_declined: Option<String>,
    /// The store does without that charge.
    late_fee_waived: Option<bool>,
    extension: Option<Extension>,
    extension_payments: Option<Vec<PaymentOfRental>>,
    cancellation: Option<Cancellation>,
    /// In clear, for those who may read it.
    cancellation_reason: Option<String>,
    refunded: Option<Money>,
    review: Option<ReviewOfRental>,
    requested_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    revision: u64,
}

/// What its customer says of it.
#[derive(ToSchema)]
pub(crate) struct ReviewOfRental {
    /// 1 to 5.
    stars: u8,
    /// In clear, for those who may read it; null where there are no words, or not any more. Not in the answers to commands.
    text: Option<String>,
    /// When they said so.
    at: DateTime<Utc>,
}

/// What a customer says of an item.
#[derive(ToSchema)]
pub(crate) struct Review {
    /// 1 to 5.
    stars: u8,
    /// Null where there are no words, or not any more.
    #[schema(required)]
    text: Option<String>,
    written_at: DateTime<Utc>,
    #[schema(required)]
    edited_at: Option<DateTime<Utc>>,
}

/// A rental, in a line, as a kiosk shows it.
#[derive(ToSchema)]
pub(crate) struct KioskReservation {
    rental: Uuid,
    item: Uuid,
    /// What the item is called.
    item_name: Option<String>,
    customer: String,
    quantity: u32,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    /// `confirmed`, `prepared`, `handed_over` or `overdue`.
    status: String,
    /// The business's word for it.
    status_label: String,
}

/// What is paid for a rental.
#[derive(ToSchema)]
pub(crate) struct PaymentOfRental {
    id: Uuid,
    /// `requested`, `approved`, `declined`, `unknown`, `refunding`, `refunded` or `refund_failed`.
    status: String,
    amount: Money,
    refunded: Option<Money>,
}

/// The newest wish to keep a rental longer.
#[derive(ToSchema)]
pub(crate) struct Extension {
    /// Which extension of the rental, from 1.
    number: u32,
    to: DateTime<Utc>,
    /// `requested`, `extended` or `refused`.
    status: String,
    /// Why it was refused.
    #[schema(value_type = Option<Object>)]
    reason: Option<()>,
}

/// What the store does for a rental.
#[derive(ToSchema)]
pub(crate) struct DispatchOfRental {
    /// `waiting`, `requested`, `prepared`, `handed_over` or `cancelled`.
    status: String,
}

/// Waiting in line.
#[derive(ToSchema)]
pub(crate) struct Waiting {
    since: DateTime<Utc>,
    /// The place in line at that time; 1 was next.
    place: u32,
}

/// A place in line.
#[derive(ToSchema)]
pub(crate) struct PlaceInLine {
    /// 1 is next.
    place: u32,
    quantity: u32,
    since: DateTime<Utc>,
    /// For its customer and the staff of the store.
    rental: Option<Uuid>,
}

/// What has to be done by when.
#[derive(ToSchema)]
pub(crate) struct Deadlines {
    /// Until then what is offered can be accepted.
    accept_by: Option<DateTime<Utc>>,
    pay_by: Option<DateTime<Utc>>,
    return_by: Option<DateTime<Utc>>,
}

/// Who wanted out, and what that costs.
#[derive(ToSchema)]
pub(crate) struct Cancellation {
    /// `customer`, `store` or `no_show`.
    by: String,
    fee: Option<Money>,
    requested_at: DateTime<Utc>,
    refused: Option<bool>,
}

/// A rental, in a line.
#[derive(ToSchema)]
pub(crate) struct Reservation {
    id: Uuid,
    store: String,
    item: Uuid,
    quantity: u32,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    status: String,
    status_label: String,
}

/// A charge and its refunds.
#[derive(ToSchema)]
pub(crate) struct Payment {
    id: Uuid,
    rental: Uuid,
    customer: String,
    store: String,
    /// `"rental"`, `"late_fee"` or `{"extension": {"number": 1}}`.
    #[schema(value_type = Value)]
    purpose: (),
    amount: Money,
    status: String,
    reference: Option<String>,
    code: Option<String>,
    refunded: Option<Money>,
    requested_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

/// What a customer was told of a rental.
#[derive(ToSchema)]
pub(crate) struct Message {
    id: Uuid,
    rental: Uuid,
    store: String,
    customer: String,
    /// The change that it tells of: `requested`, `offered`, `confirmed`, `rejected`, `expired`, `prepared`, `handed_over`,
    /// `extended`, `extension_refused`, `overdue`, `returned`, `completed`, `cancelling`, `cancellation_refused` or `cancelled`.
    occasion: String,
    /// `en` or `ko`.
    language: String,
    text: String,
    /// `recorded`, `sent` or `failed`.
    status: String,
    recorded_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
    /// How often it has not gone out.
    failures: u32,
    /// Why not, the last time.
    reason: Option<String>,
    /// Whether that would happen again: then it is not tried again by itself.
    permanent: Option<bool>,
}

/// A message after somebody wanted it tried again.
#[derive(ToSchema)]
pub(crate) struct MessageStands {
    id: Uuid,
    /// `recorded` or `sent`.
    status: String,
    /// How often it has not gone out.
    failures: u32,
}

/// Where a customer is written to.
#[derive(ToSchema)]
pub(crate) struct Contact {
    #[schema(example = "alice@example.org")]
    email: String,
    given_at: DateTime<Utc>,
}

/// Whether a customer is written to.
#[derive(ToSchema)]
pub(crate) struct ContactGiven {
    given: bool,
}

/// What a store has to do for one rental.
#[derive(ToSchema)]
pub(crate) struct Dispatch {
    rental: Uuid,
    store: String,
    item: Uuid,
    customer: String,
    quantity: u32,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    #[schema(value_type = Vec<Object>)]
    steps: (),
    status: String,
    requested_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}
