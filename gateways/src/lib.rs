//! The outside world, behind the ports of the process managers: payment providers over HTTP, what they send by themselves, and mail.
//!
//! **Nothing here decides what a payment is.** A call is made, what came back is translated, and where nothing came back that
//! is what is said. Secrets are kept in [`Secret`], which no log and no error text can show.

mod http;
mod protocol;
mod remote;
mod secret;
mod signature;
pub mod simulator;
mod smtp;
mod stripe;
mod webhook;
pub mod webhooks;

pub use remote::{NotAnAddress, RemoteProvider};
pub use secret::Secret;
pub use signature::{Forged, TOLERANCE_S, signed, verify};
pub use smtp::{AddressBook, Lookup, MailAccount, NotAMailServer, PAGE_ONLY, SmtpMessenger, Unreadable};
pub use stripe::{STRIPE_URL, StripeError, StripeProvider};
pub use webhook::{Notice, PaymentWebhooks};
