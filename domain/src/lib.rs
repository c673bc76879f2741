//! The rules of every business that reserves something, takes payment for it and hands it over.
//!
//! **Nothing here reads a clock, makes a random id or does I/O.** An aggregate's `decide` turns a command into
//! events or a refusal, `apply` folds an event into state, and that is all there is.

mod aggregate;
pub mod contact;
pub mod dispatch;
mod event;
mod ids;
pub mod inventory;
mod language;
pub mod message;
mod money;
pub mod payment;
mod period;
mod personal;
pub mod policy;
pub mod quota;
pub mod rental;
pub mod store;
#[cfg(test)]
mod testing;
pub mod webhook;

pub use event::{DecodeError, Event};
pub use ids::{CustomerId, InvalidId, ItemId, MessageId, PaymentId, QuotaId, RentalId, StoreSlug, WebhookId};
pub use language::Language;
pub use money::{Currency, Money, MoneyError};
pub use period::{Period, PeriodError, days_started, instant_of_date, postponed, start_of_day};
pub use personal::Personal;

/// A point in time. Always UTC; a store's time zone is applied only where a date or a day is meant.
pub type Instant = chrono::DateTime<chrono::Utc>;
