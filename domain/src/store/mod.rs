//! A shop: its name, time zone, currency and policy, and whether it is open.
//!
//! `registered (open) ⇄ closed`. A closed shop's rentals are still taken; its dispatches wait.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::{Profile, Store};
pub use command::StoreCommand;
pub use error::StoreError;
pub use event::StoreEvent;
