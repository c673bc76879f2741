//! A payment provider as a little HTTP server on loopback, which fails in all the ways that real ones do and keeps books that
//! survive its own end. `reservoir simulate-provider` runs it.
//!
//! The protocol is in `protocol.rs`. Beside it, `GET /ledger` tells everything that was done, `GET /script` how the provider
//! behaves, `PUT /script` changes that while it runs, and `PUT /webhook-url` where its webhooks go.

mod book;
mod desk;
mod ledger;
mod routes;
mod script;
mod sender;
mod server;

pub use ledger::{Entry, LedgerError};
pub use script::{Behaviour, Outage, OutageKind, Script, ScriptError};
pub use server::{Settings, Simulator, SimulatorError};
