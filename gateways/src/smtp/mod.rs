//! Messages as mails.
//!
//! The same message is the same mail, to the byte: its `Message-ID` follows from its id, and its date is when it was recorded. SMTP
//! itself knows no idempotency key: where an answer is lost, a mail can arrive twice, and whoever stores it sees by its
//! `Message-ID` that it did. **An address is never logged and stands in no answer, no reason and no reference.**

mod address;
mod line;
mod mail;

pub use address::NotAMailServer;

use crate::Secret;
use address::Server;
use domain::CustomerId;
use lettre::Address;
use lettre::message::Mailbox;
use line::Lines;
use sagas::messages::{Delivered, Delivering, Messenger, Outgoing, Undelivered};
use std::pin::Pin;
use std::sync::Arc;

/// The reference of a message whose customer wants no mail: it stands on their page, and that is all.
pub const PAGE_ONLY: &str = "page-only";

/// Who knows where customers want to be written to.
pub trait AddressBook: Send + Sync + 'static {
    /// A customer's mail address; `None` where there is none, also where it was erased.
    fn address_of<'a>(&'a self, customer: &'a CustomerId) -> Lookup<'a>;
}

/// What an address book answers, some time.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = Result<Option<String>, Unreadable>> + Send + 'a>>;

/// The address book cannot be read now. Why, is logged where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address cannot be read")]
pub struct Unreadable;

/// Who we are to the mail server.
#[derive(Debug, Clone)]
pub struct MailAccount {
    /// The user's name.
    pub user: Secret,
    /// The user's password.
    pub password: Secret,
}

/// Sends every message as a mail to the address that its customer has given.
pub struct SmtpMessenger {
    from: Mailbox,
    book: Arc<dyn AddressBook>,
    lines: Lines,
}

impl SmtpMessenger {
    /// Mails go to the server at `smtp://host:port` or `smtps://host:port` and are from `from`: an address, with or without a name
    /// before it.
    ///
    /// On `smtps` all is encrypted from the start. On `smtp` it is as soon as the server offers it, and has to be where there is an
    /// account; a server on this machine is spoken to in clear.
    ///
    /// # Errors
    /// When one of them is not what it should be.
    pub fn new(
        server: &str,
        from: &str,
        account: Option<MailAccount>,
        book: Arc<dyn AddressBook>,
    ) -> Result<Self, NotAMailServer> {
        let from: Mailbox = from.parse().map_err(|_| NotAMailServer::From)?;
        let lines = Lines::new(Server::read(server)?, from.email.domain(), account)?;
        Ok(Self { from, book, lines })
    }
}

impl Messenger for SmtpMessenger {
    fn deliver(&self, outgoing: Outgoing) -> Delivering<'_> {
        Box::pin(async move {
            let address = match self.book.address_of(&outgoing.letter.customer).await {
                Ok(Some(address)) => address,
                Ok(None) => return Ok(Delivered { reference: PAGE_ONLY.to_owned() }),
                Err(error @ Unreadable) => return Err(Undelivered::for_now(error.to_string())),
            };
            let to: Address = address.parse().map_err(|_| Undelivered::for_good("the address is none"))?;
            let mail = mail::written(&outgoing, &self.from, &to);
            let mail = mail.map_err(|_| Undelivered::for_good("it cannot be written as a mail"))?;
            self.lines.send(&self.from.email, &to, &mail.formatted()).await?;
            Ok(Delivered { reference: mail::message_id(&outgoing, &self.from) })
        })
    }
}
