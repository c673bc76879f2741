//! The shapes of the contract, for the OpenAPI document.

#![expect(dead_code, reason = "these shapes are described here and made from the domain's own types elsewhere")]

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};
use uuid::Uuid;

/// A body with nothing in it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What every command may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct CommandHeaders {
    /// The ETag that the caller has seen; 412 when it is not the last one any more.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
    /// The caller's name for this intention: using it again gives the first answer again.
    #[param(rename = "Idempotency-Key", max_length = 255)]
    idempotency_key: Option<String>,
    /// Names the conversation in the metadata of every event that follows.
    #[param(rename = "X-Correlation-Id", max_length = 128)]
    x_correlation_id: Option<String>,
}

/// How long a command may wait.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct WaitHeaders {
    /// `wait=N` seconds for the outcome (2 unless said otherwise, 30 at the most), or `respond-async`.
    #[param(rename = "Prefer", example = "wait=5")]
    prefer: Option<String>,
}

/// What every query may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueryParams {
    /// A journal position that the answer has to show; waits up to 2 seconds for it, then 503.
    at_least: Option<u64>,
}

/// For what can be read as it was.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOf {
    /// A journal position or an instant.
    as_of: Option<String>,
}

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which part of the journal.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AfterParams {
    /// The position to begin behind.
    after: Option<u64>,
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// Which dispatches.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatusParam {
    /// Only these: `requested`, `prepared`, `handed_over` or `cancelled`.
    status: Option<String>,
}

/// From when to when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeParams {
    /// An instant, or a date at the store.
    #[param(example = "2026-07-01")]
    from: Option<String>,
    /// Not included.
    #[param(example = "2026-07-04")]
    to: Option<String>,
}

/// How a command fails. `type` says which failure it is.
#[derive(IntoResponses)]
pub(crate) enum CommandProblems {
    /// It cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// No valid token
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// Not for this caller
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// There is no such thing, or it is somebody else's
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
    /// A rule refuses it
    #[response(status = 409, content_type = "application/problem+json")]
    Refused(#[to_schema] Problem),
    /// It has changed since
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] Problem),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not JSON
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] Problem),
    /// A value is not acceptable, or the key was used for something else
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// Not now; `Retry-After` says when
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// How a query fails.
#[derive(IntoResponses)]
pub(crate) enum QueryProblems {
    /// It cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// No valid token, where one is needed
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// Not for this caller
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// There is no such thing, or it is somebody else's
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
    /// A parameter is not acceptable
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// The view has not got that far; `Retry-After` says when
    #[response(status = 503, content_type = "application/problem+json")]
    Behind(#[to_schema] Problem),
}

/// A failure (RFC 9457). Beside these, it has the ids and numbers that a program needs.
#[derive(ToSchema)]
pub(crate) struct Problem {
    /// Says which failure it is, for ever.
    #[schema(example = "/problems/out-of-stock")]
    r#type: String,
    title: String,
    status: u16,
    detail: String,
}

/// Money in minor units of its currency.
#[derive(ToSchema)]
pub(crate) struct Money {
    #[schema(example = 45000)]
    amount_minor: i64,
    #[schema(example = "KRW")]
    currency: String,
}

/// The name of a preset, or a whole policy.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PolicyChoice {
    /// `car-rental`, `phone-shop`, `coffee-shop`, `cinema` or `library`.
    Preset(String),
    /// A policy of the user's own.
    Own(Policy),
}

/// How a line of business behaves, and its words.
#[derive(Serialize, ToSchema)]
pub(crate) struct Policy {
    name: String,
    #[schema(value_type = Object)]
    rules: (),
    #[schema(value_type = Object)]
    words: (),
}

/// Units, null for made to order, or named seats.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Stock {
    /// So many.
    Units(Option<u32>),
    /// These.
    Seats {
        /// Their names.
        seats: Vec<String>,
    },
}

/// A list and where it goes on.
#[derive(ToSchema)]
pub(crate) struct List<T> {
    items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// A store.
#[derive(ToSchema)]
pub(crate) struct Store {
    slug: String,
    name: String,
    policy: String,
    time_zone: String,
    currency: String,
    open: bool,
}

/// An item.
#[derive(ToSchema)]
pub(crate) struct Item {
    id: Uuid,
    store: String,
    name: String,
    description: Option<String>,
    price: Money,
    stock: Stock,
    /// `pool`, `sale` or `seats`.
    stock_kind: String,
    /// Now; null for as many as are asked for.
    available: Option<u32>,
    retired: bool,
    reservations: Option<u64>,
    last_action: Option<LastAction>,
}

/// What was done to an item last.
#[derive(ToSchema)]
pub(crate) struct LastAction {
    action: String,
    at: DateTime<Utc>,
}

/// How much can be had over a whole range.
#[derive(ToSchema)]
pub(crate) struct Availability {
    item: Uuid,
    /// Null for as many as are asked for.
    available: Option<u32>,
}

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
    deadlines: Deadlines,
    days_late: Option<u32>,
    late_fee: Option<PaymentOfRental>,
    cancellation: Option<Cancellation>,
    /// In clear, for those who may read it.
    cancellation_reason: Option<String>,
    refunded: Option<Money>,
    requested_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    revision: u64,
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

/// What the store does for a rental.
#[derive(ToSchema)]
pub(crate) struct DispatchOfRental {
    /// `waiting`, `requested`, `prepared`, `handed_over` or `cancelled`.
    status: String,
}

/// What has to be done by when.
#[derive(ToSchema)]
pub(crate) struct Deadlines {
    pay_by: Option<DateTime<Utc>>,
    return_by: Option<DateTime<Utc>>,
}

/// Who wanted out, and what that costs.
#[derive(ToSchema)]
pub(crate) struct Cancellation {
    /// `customer` or `store`.
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
    /// `rental` or `late_fee`.
    purpose: String,
    amount: Money,
    status: String,
    reference: Option<String>,
    code: Option<String>,
    refunded: Option<Money>,
    requested_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
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

/// Events, in order.
#[derive(ToSchema)]
pub(crate) struct Events {
    items: Vec<Event>,
    #[schema(required)]
    next: Option<String>,
}

/// One event.
#[derive(ToSchema)]
pub(crate) struct Event {
    position: u64,
    stream: String,
    revision: u64,
    r#type: String,
    at: DateTime<Utc>,
    actor: String,
    correlation_id: String,
    causation_id: Option<Uuid>,
    event_id: Uuid,
    command_id: Uuid,
    #[schema(value_type = Object)]
    data: (),
}

/// An ordered read of the journal under a name.
#[derive(ToSchema)]
pub(crate) struct Subscription {
    name: String,
    /// `running` or `paused`.
    state: String,
    position: u64,
    lag: u64,
    parked: Vec<Parked>,
}

/// A sequence that was set aside.
#[derive(ToSchema)]
pub(crate) struct Parked {
    sequence: String,
    position: u64,
    r#type: String,
    attempts: u32,
    reason: String,
    parked_at: DateTime<Utc>,
}

/// A view that was folded anew.
#[derive(ToSchema)]
pub(crate) struct Rebuilt {
    view: String,
    position: u64,
    documents: u64,
    /// Documents that were not the same before.
    differed: u64,
}

/// How this process is.
#[derive(ToSchema)]
pub(crate) struct Health {
    status: String,
    #[schema(value_type = Option<Object>)]
    journal: Option<()>,
    #[schema(value_type = Option<Vec<Object>>)]
    subscriptions: Option<()>,
}
