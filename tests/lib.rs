//! What the stories stand on: the real program on a data directory of its own, an HTTP client, and a shop of any business.
//!
//! Nothing here knows more of Reservoir than its command line and its HTTP contract. Nothing sleeps: a test waits for a
//! condition, by the contract's own means or by [`eventually`].
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails its test by panicking")]

mod business;
mod dates;
mod eventually;
mod http;
mod mail;
mod money;
mod program;
mod provider;
mod receiver;
mod seed;
mod server;
mod shop;
mod transcript;
pub mod wire;

pub use business::{Business, PRICE};
pub use dates::{august, date_next_year, day_at_seoul, instant_in, july, last_sunday};
pub use eventually::{PATIENCE, eventually};
pub use http::{Client, Reply, Request};
pub use mail::MailServer;
pub use money::adds_up;
pub use program::{Data, Outcome};
pub use provider::{Books, KilledProvider, Provider, our_books};
pub use receiver::{Receiver, Sent};
pub use seed::Seed;
pub use server::Server;
pub use shop::{ADMIN, Shop};
pub use transcript::transcript;
