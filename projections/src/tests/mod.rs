//! The runner and the handle, over a real journal and a real database.

mod messages;
mod poison;
mod reading;
mod rebuilding;
mod running;
mod sharing;
mod speed;
pub(crate) mod webhooks;
