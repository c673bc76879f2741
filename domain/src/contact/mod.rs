//! Where a customer wants to be written to.
//!
//! `nothing ⇄ given`: a contact can be given, replaced and forgotten at any time. **The domain carries it sealed and can never
//! read it**; who has not given one is told of everything on their page alone.

mod aggregate;
mod command;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::Contact;
pub use command::ContactCommand;
pub use event::ContactEvent;
