//! How many open rentals a customer has at one shop, decided in a stream of its own and never by looking at a view.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::Quota;
pub use command::QuotaCommand;
pub use error::QuotaError;
pub use event::QuotaEvent;
