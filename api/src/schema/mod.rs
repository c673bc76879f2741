//! The shapes of the contract, for the OpenAPI document.

#![expect(dead_code, reason = "these shapes are described here and made from the domain's own types elsewhere")]

mod asking;
mod rental;

pub(crate) use asking::{
    AfterParams, AsOf, CommandHeaders, CommandProblems, LanguageHeader, ListParams, MessageStatusParam,
    OpenStatusParam, QueryParams, QueryProblems, RangeParams, StatusParam, WaitHeaders,
};
pub(crate) use rental::{
    Contact, ContactGiven, Dispatch, KioskReservation, Message, MessageStands, Payment, PlaceInLine, Rental,
    Reservation, Review,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A body with nothing in it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

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

/// What a provider is told that has sent something.
#[derive(ToSchema)]
pub(crate) struct Taken {
    #[schema(example = "taken")]
    status: String,
}

/// A payment of which its provider says something else than the journal.
#[derive(ToSchema)]
pub(crate) struct Contradiction {
    at: DateTime<Utc>,
    payment: Uuid,
    #[schema(example = "stripe")]
    provider: String,
    /// `approved` or `declined`.
    said: String,
    /// The provider's name for the charge, or its reason.
    evidence: String,
    /// Where the payment stands in the journal.
    #[schema(example = "declined")]
    recorded: String,
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
    /// How many rentals wait in line.
    waiting: Option<u64>,
    payments: Option<ItemPayments>,
    reviews: Option<ItemReviews>,
    last_action: Option<LastAction>,
}

/// What was paid for an item, late fees included.
#[derive(ToSchema)]
pub(crate) struct ItemPayments {
    /// How many were approved.
    approved: u64,
    /// How much that was; null before the first.
    amount: Option<Money>,
    /// How much of it went back.
    refunded: Option<Money>,
}

/// The reviews of an item in two numbers.
#[derive(ToSchema)]
pub(crate) struct ItemReviews {
    count: u64,
    /// Stars, to two decimals; null where there is no review.
    #[schema(example = 4.33)]
    average: Option<f64>,
}

/// What was done to an item last.
#[derive(ToSchema)]
pub(crate) struct LastAction {
    /// `register`, `edit`, `stock`, `retire`, `reserve`, `pay`, `cancel`, `hand_over`, `overdue`, `return` or `review`.
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
    /// The process that works for it: host, process id, roles. Null where nobody does.
    owner: Option<String>,
    /// How often it has been given to a process; 0 where there is only one.
    epoch: u64,
    /// When it was given to its owner.
    since: Option<DateTime<Utc>>,
    /// When it is anybody's, unless the owner says before that it is still there.
    until: Option<DateTime<Utc>>,
    /// What the owner says of itself.
    note: Option<serde_json::Value>,
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
    /// The circuit breaker around the payment provider.
    #[schema(value_type = Option<Object>)]
    payments: Option<()>,
}
