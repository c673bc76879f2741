//! The process managers: pure answers to events, and the orders that carry them out.

pub(crate) mod dispatch;
pub(crate) mod extension;
pub(crate) mod reservation;
pub(crate) mod waiting;
