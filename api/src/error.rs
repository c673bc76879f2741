//! The one table that turns failures into problems. **A 5xx never says its cause; it is logged here, once.**

use crate::problem::{Kind, Problem};
use crate::vault::VaultError;
use axum::http::StatusCode;
use domain::dispatch::DispatchError;
use domain::inventory::ItemError;
use domain::message::MessageError;
use domain::policy::PolicyError;
use domain::rental::{ExtensionRefusal, RejectReason, RentalError};
use domain::store::StoreError;
use domain::{RentalId, StoreSlug};
use journal::{AppendError, ExecuteError, ReadError, SubscriptionError};
use projections::{ReplayError, ViewError};
use std::convert::Infallible;
use std::time::Duration;

macro_rules! kinds {
    ($($name:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        $(pub(crate) const $name: Kind = Kind { slug: $slug, status: StatusCode::$status, title: $title };)+
        #[cfg(test)]
        const KINDS: &[Kind] = &[$($name),+];
    };
}

kinds! {
    MALFORMED = BAD_REQUEST, "malformed-request", "The request cannot be read";
    MALFORMED_JSON = BAD_REQUEST, "malformed-json", "The body is not JSON";
    BAD_CURSOR = BAD_REQUEST, "bad-cursor", "The cursor is not one of this list";
    NOT_AUTHENTIC = BAD_REQUEST, "not-authentic", "It cannot be believed";
    UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "A valid bearer token is needed";
    PAYMENT_DECLINED = PAYMENT_REQUIRED, "payment-declined", "The payment was declined";
    FORBIDDEN = FORBIDDEN, "forbidden", "Not for this caller";
    NOT_FOUND = NOT_FOUND, "not-found", "There is no such thing";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "Not with this method";
    OUT_OF_STOCK = CONFLICT, "out-of-stock", "Not enough of it is available";
    SEATS_TAKEN = CONFLICT, "seats-taken", "These seats cannot be had";
    QUOTA_EXCEEDED = CONFLICT, "quota-exceeded", "As many rentals as may be are open";
    ITEM_RETIRED = CONFLICT, "item-retired", "The item is not offered any more";
    EXPIRED = CONFLICT, "expired", "It was not paid in time";
    WRONG_STATUS = CONFLICT, "wrong-status", "Not possible where the rental stands";
    DOES_NOT_COME_BACK = CONFLICT, "does-not-come-back", "It was handed over for good";
    NOTHING_OFFERED = CONFLICT, "nothing-offered", "Nothing is offered";
    OFFER_OVER = CONFLICT, "offer-over", "The offer is over";
    ALREADY_HANDED_OVER = CONFLICT, "already-handed-over", "It was handed over first";
    NOT_EXTENDABLE = CONFLICT, "not-extendable", "It cannot be kept longer";
    NOTHING_OWED = CONFLICT, "nothing-owed", "No late fee is owed";
    NOT_DISPATCHED_YET = CONFLICT, "not-dispatched-yet", "The store does not know of it yet";
    STORE_CLOSED = CONFLICT, "store-closed", "The store is closed";
    DISPATCH_CANCELLED = CONFLICT, "dispatch-cancelled", "It is not to be handed over any more";
    NOT_PREPARED = CONFLICT, "not-prepared", "It has to be prepared first";
    NO_SUCH_STEP = CONFLICT, "no-such-step", "This business has no such step";
    NO_REVIEWS = CONFLICT, "no-reviews", "This business has no reviews";
    NOT_REVIEWABLE_YET = CONFLICT, "not-reviewable-yet", "The customer has not had it yet";
    ALREADY_REVIEWED = CONFLICT, "already-reviewed", "It was reviewed already";
    NO_KIOSK = CONFLICT, "no-kiosk", "This business has no kiosk";
    RETURN_NOT_PROCESSED = CONFLICT, "return-not-processed", "The return of the one before is not processed yet";
    SLUG_TAKEN = CONFLICT, "slug-taken", "Another store has this name in addresses";
    ANOTHER_KIND_OF_STOCK = CONFLICT, "another-kind-of-stock", "A store keeps its kind of stock";
    ID_TAKEN = CONFLICT, "id-taken", "This id is something else's";
    STOCK_PROMISED = CONFLICT, "stock-promised", "More is promised than would remain";
    NOTHING_HELD = CONFLICT, "nothing-held", "The rental holds nothing of this item";
    STALE_REVISION = PRECONDITION_FAILED, "stale-revision", "It has changed since";
    BODY_TOO_SLOW = REQUEST_TIMEOUT, "body-too-slow", "The body took too long";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    NOT_JSON = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body has to be application/json";
    INVALID = UNPROCESSABLE_ENTITY, "invalid", "A value is not acceptable";
    STARTS_IN_THE_PAST = UNPROCESSABLE_ENTITY, "starts-in-the-past", "The period starts in the past";
    KEY_REUSED = UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key was used for something else";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Something went wrong here";
    UNAVAILABLE = SERVICE_UNAVAILABLE, "unavailable", "Not possible at the moment";
    PAYMENT_UNAVAILABLE = SERVICE_UNAVAILABLE, "payment-unavailable", "Payments are not possible at the moment";
    OVERLOADED = SERVICE_UNAVAILABLE, "overloaded", "Too many commands at once";
    VIEW_BEHIND = SERVICE_UNAVAILABLE, "view-behind", "The view has not got that far";
    STILL_WORKING = SERVICE_UNAVAILABLE, "still-working", "The first request with this key is still being worked on";
}

/// A field of a request that is not acceptable.
pub(crate) fn invalid(field: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(INVALID, format!("{field}: {why}")).with("field", field)
}

/// A body that is JSON and not what is asked for.
pub(crate) fn invalid_body(error: &serde_json::Error) -> Problem {
    Problem::new(INVALID, error.to_string()).with("line", error.line()).with("column", error.column())
}

/// A header or address that cannot be read.
pub(crate) fn malformed(what: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(MALFORMED, format!("{what}: {why}")).with("field", what)
}

/// Something of that kind and name does not exist, or is somebody else's.
pub(crate) fn not_found(what: &'static str, name: impl std::fmt::Display) -> Problem {
    let name = name.to_string();
    Problem::new(NOT_FOUND, format!("there is no {what} `{name}`")).with(what, name)
}

/// The caller is somebody else than who may.
pub(crate) fn forbidden(who: &'static str) -> Problem {
    Problem::new(FORBIDDEN, format!("only {who} may do this"))
}

/// Our fault, and nothing is known about it here.
pub(crate) fn internal() -> Problem {
    Problem::new(INTERNAL, "it was logged and nothing was acknowledged")
}

/// The journal, the disk or a subscription cannot do it now.
pub(crate) fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(cause, "a request was answered with 503");
    Problem::new(UNAVAILABLE, "try again shortly").retry_after_s(1)
}

/// The payment provider is left alone for a while: nothing was done.
pub(crate) fn payment_unavailable(after: Duration) -> Problem {
    let seconds = after.as_millis().div_ceil(1_000);
    Problem::new(PAYMENT_UNAVAILABLE, "nothing was reserved; try again shortly")
        .retry_after_s(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX))
}

/// The caller has asked for a position that a view has not reached in time.
pub(crate) fn view_behind(wanted: u64, reached: u64) -> Problem {
    Problem::new(VIEW_BEHIND, format!("position {wanted} was asked for and {reached} is reached"))
        .with("wanted", wanted)
        .with("reached", reached)
        .retry_after_s(1)
}

impl<E> From<ExecuteError<E>> for Problem
where
    E: std::error::Error + 'static,
    Self: From<E>,
{
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::Stale { actual } => {
                Self::new(STALE_REVISION, format!("the revision is {actual}")).with("revision", actual)
            }
            error @ (ExecuteError::Contended
            | ExecuteError::Journal(_)
            | ExecuteError::Read(_)
            | ExecuteError::Unfoldable { .. }) => unavailable(&error),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        unavailable(&error)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        unavailable(&error)
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        unavailable(&error)
    }
}

impl From<SubscriptionError> for Problem {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::NoSuchSubscription(name) => not_found("subscription", name),
            SubscriptionError::NoSuchSequence(name) => not_found("sequence", name),
            error @ (SubscriptionError::Read(_)
            | SubscriptionError::Database(_)
            | SubscriptionError::Away(_)
            | SubscriptionError::Stale(_)
            | SubscriptionError::NotHeld(_)
            | SubscriptionError::Thread(_)
            | SubscriptionError::Closing) => unavailable(&error),
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::BadCursor => Self::new(BAD_CURSOR, "take the cursor from `next` of the same list"),
            ViewError::NoSuchView { name, .. } => not_found("view", name),
            error @ (ViewError::Unreadable { .. }
            | ViewError::OtherJournal { .. }
            | ViewError::Directory { .. }
            | ViewError::Database(_)
            | ViewError::Postgres(_)
            | ViewError::Stale(_)
            | ViewError::Moved
            | ViewError::OtherShape { .. }
            | ViewError::FoldedElsewhere { .. }
            | ViewError::Read(_)
            | ViewError::Subscription(_)
            | ViewError::Thread(_)
            | ViewError::NotRunning
            | ViewError::AlreadyStarted
            | ViewError::Closing) => unavailable(&error),
        }
    }
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::View(error) => error.into(),
            error @ (ReplayError::Read(_)
            | ReplayError::Missing { .. }
            | ReplayError::Cut { .. }
            | ReplayError::Poison { .. }
            | ReplayError::Unsettled { .. }
            | ReplayError::Panicked) => unavailable(&error),
        }
    }
}

impl From<RentalError> for Problem {
    fn from(refusal: RentalError) -> Self {
        let detail = refusal.to_string();
        match refusal {
            RentalError::NotRequested => Self::new(NOT_FOUND, detail),
            RentalError::StartsInThePast { from, today } => Self::new(STARTS_IN_THE_PAST, detail)
                .with("field", "from")
                .with("from", crate::when::text(from))
                .with("today", crate::when::text(today)),
            RentalError::DoesNotFit { field, why } => invalid(field, why),
            RentalError::WrongStatus { status, .. } => {
                Self::new(WRONG_STATUS, detail).with("rental_status", status.name())
            }
            RentalError::NothingOffered => Self::new(NOTHING_OFFERED, detail),
            RentalError::OfferOver { until } => Self::new(OFFER_OVER, detail).with("until", crate::when::text(until)),
            RentalError::DoesNotComeBack => Self::new(DOES_NOT_COME_BACK, detail),
            RentalError::NoReviews => Self::new(NO_REVIEWS, detail),
            RentalError::NotReviewableYet { status } => {
                Self::new(NOT_REVIEWABLE_YET, detail).with("rental_status", status.name())
            }
            RentalError::AlreadyReviewed => Self::new(ALREADY_REVIEWED, detail),
            RentalError::NotReviewed => Self::new(NOT_FOUND, detail),
            RentalError::NoKiosk => Self::new(NO_KIOSK, detail),
            RentalError::NotExtendable { .. } | RentalError::NoExtension { .. } => Self::new(NOT_EXTENDABLE, detail),
            RentalError::NothingOwed { .. } => Self::new(NOTHING_OWED, detail),
        }
    }
}

impl From<ItemError> for Problem {
    fn from(refusal: ItemError) -> Self {
        let detail = refusal.to_string();
        match refusal {
            ItemError::NotRegistered => Self::new(NOT_FOUND, detail),
            ItemError::AnotherItem => Self::new(ID_TAKEN, detail),
            ItemError::Retired => Self::new(ITEM_RETIRED, detail),
            ItemError::OutOfStock { wanted, available } => {
                Self::new(OUT_OF_STOCK, detail).with("wanted", wanted).with("available", available)
            }
            ItemError::SeatsTaken { seats } => Self::new(SEATS_TAKEN, detail).with("seats", seats),
            ItemError::DoesNotFit { field, why } => invalid(field, why),
            ItemError::SomebodyWaits => Self::new(NOT_EXTENDABLE, detail),
            ItemError::NothingHeld | ItemError::Committed => Self::new(NOTHING_HELD, detail),
            ItemError::NotBackYet { out, units } => {
                Self::new(RETURN_NOT_PROCESSED, detail).with("out", out).with("units", units).retry_after_s(1)
            }
            ItemError::Promised { promised } => Self::new(STOCK_PROMISED, detail).with("promised", promised),
        }
    }
}

impl From<MessageError> for Problem {
    fn from(refusal: MessageError) -> Self {
        let detail = refusal.to_string();
        match refusal {
            MessageError::NotRecorded => Self::new(NOT_FOUND, detail),
            // Attempts are the messenger's, not a caller's.
            MessageError::NotThatAttempt { .. } => unavailable(&refusal),
        }
    }
}

impl From<Infallible> for Problem {
    fn from(refusal: Infallible) -> Self {
        match refusal {}
    }
}

impl From<StoreError> for Problem {
    fn from(refusal: StoreError) -> Self {
        let detail = refusal.to_string();
        match refusal {
            StoreError::NotRegistered => Self::new(NOT_FOUND, detail),
            StoreError::SlugTaken => Self::new(SLUG_TAKEN, detail),
            StoreError::DoesNotFit { field, why } => invalid(field, why),
            StoreError::Policy(error) => error.into(),
            StoreError::AnotherKindOfStock => Self::new(ANOTHER_KIND_OF_STOCK, detail),
        }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Contradiction { field, why } => invalid(&format!("policy.{field}"), why),
            error @ (PolicyError::Unreadable(_) | PolicyError::NoSuchPreset(_)) => invalid("policy", error),
        }
    }
}

impl From<DispatchError> for Problem {
    fn from(refusal: DispatchError) -> Self {
        let detail = refusal.to_string();
        let kind = match refusal {
            DispatchError::NotRequested => NOT_DISPATCHED_YET,
            DispatchError::StoreClosed => STORE_CLOSED,
            DispatchError::Cancelled => DISPATCH_CANCELLED,
            DispatchError::NotPrepared => NOT_PREPARED,
            DispatchError::NoSuchStep => NO_SUCH_STEP,
            DispatchError::HandedOver => ALREADY_HANDED_OVER,
        };
        Self::new(kind, detail)
    }
}

/// Why a rental could not be had, with the rental to look it up by.
pub(crate) fn rejected(rental: RentalId, wanted: u32, reason: RejectReason) -> Problem {
    let problem = match reason {
        RejectReason::OutOfStock { available } => {
            Problem::new(OUT_OF_STOCK, format!("{wanted} wanted, {available} available"))
                .with("wanted", wanted)
                .with("available", available)
        }
        RejectReason::SeatsTaken { seats } => {
            Problem::new(SEATS_TAKEN, format!("seats that cannot be had: {}", seats.join(", "))).with("seats", seats)
        }
        RejectReason::QuotaExceeded { limit } => {
            Problem::new(QUOTA_EXCEEDED, format!("{limit} rentals may be open at once, and are")).with("limit", limit)
        }
        RejectReason::ItemRetired => Problem::new(ITEM_RETIRED, "the item is not offered any more"),
        RejectReason::NoSuchItem => Problem::new(NOT_FOUND, "there is no such item"),
        RejectReason::DoesNotFit { detail } => Problem::new(INVALID, detail),
        RejectReason::PaymentDeclined { code } => {
            Problem::new(PAYMENT_DECLINED, format!("the payment provider said `{code}`")).with("code", code)
        }
    };
    problem.with("rental", rental.to_string())
}

/// Why a rental could not be kept longer, with the rental to look it up by.
pub(crate) fn not_extended(rental: RentalId, wanted: u32, reason: ExtensionRefusal) -> Problem {
    let problem = match reason {
        ExtensionRefusal::OutOfStock { available } => {
            Problem::new(OUT_OF_STOCK, format!("{wanted} wanted for longer, {available} available"))
                .with("wanted", wanted)
                .with("available", available)
        }
        ExtensionRefusal::PaymentDeclined { code } => {
            Problem::new(PAYMENT_DECLINED, format!("the payment provider said `{code}`")).with("code", code)
        }
        ExtensionRefusal::Expired => Problem::new(EXPIRED, "the additional time was not paid in time"),
        ExtensionRefusal::ItemRetired => Problem::new(ITEM_RETIRED, "the item is not offered any more"),
        ExtensionRefusal::DoesNotFit { detail } => Problem::new(INVALID, detail),
        ExtensionRefusal::Overtaken => Problem::new(NOT_EXTENDABLE, "it was cancelled or brought back first"),
        ExtensionRefusal::SomebodyWaits => Problem::new(NOT_EXTENDABLE, "somebody is waiting for it"),
        ExtensionRefusal::Busy => {
            Problem::new(NOT_EXTENDABLE, "the payment of an earlier extension is still being undone")
        }
    };
    problem.with("rental", rental.to_string())
}

/// Somebody works there, but not at this store.
pub(crate) fn staff_of(store: &StoreSlug) -> Problem {
    Problem::new(FORBIDDEN, format!("only the staff of `{store}` may do this")).with("store", store.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_slug_names_one_kind() {
        let slugs: BTreeSet<_> = KINDS.iter().map(|kind| kind.slug).collect();
        assert_eq!(slugs.len(), KINDS.len());
    }

    #[test]
    fn a_5xx_never_says_its_cause() {
        let cause = AppendError::Unavailable("no space left on /dev/sda1".into());
        let answer = Problem::from(ExecuteError::<ItemError>::Journal(cause)).into_answer();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.body.contains("space"), "{}", answer.body);
    }
}
