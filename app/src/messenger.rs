//! Which messenger there is, and where it learns whom to write to.

use crate::failure::Failure;
use crate::provider::secret;
use api::Vault;
use domain::CustomerId;
use domain::contact::Contact;
use gateways::{AddressBook, Lookup, MailAccount, SmtpMessenger, Unreadable};
use journal::Executor;
use sagas::{LogMessenger, Messenger};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Who we are to the mail server.
const USER: &str = "RESERVOIR_SMTP_USER";
const PASSWORD: &str = "RESERVOIR_SMTP_PASSWORD";
const USUAL_RATE: u32 = 20;
/// A mail server may think for a while, and takes few mails at once.
const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
const MAILS_AT_ONCE: usize = 8;

/// What was chosen with `--messenger`.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    /// Into `messages.log`.
    Log,
    /// As mails.
    Smtp {
        server: String,
        from: String,
        /// Mails in a second.
        rate: NonZeroU32,
        account: Option<MailAccount>,
    },
}

impl Choice {
    pub(crate) fn of(messenger: &str, from: Option<String>, rate: Option<u32>) -> Result<Self, Failure> {
        match messenger {
            "log" => Ok(Self::Log),
            server if server.starts_with("smtp://") || server.starts_with("smtps://") => {
                let from = from.ok_or_else(|| Failure::new("mail-from: who mails are from has to be said"))?;
                let rate = NonZeroU32::new(rate.unwrap_or(USUAL_RATE));
                let rate = rate.ok_or_else(|| Failure::new("mail-rate must be at least 1"))?;
                Ok(Self::Smtp { server: server.to_owned(), from, rate, account: account()? })
            }
            // It may hold a password, and is not repeated.
            _ => Err(Failure::new("messenger: `log`, or a mail server like smtp://127.0.0.1:25")),
        }
    }

    /// What the process managers are told of it.
    pub(crate) fn settings(&self, settings: sagas::Settings) -> sagas::Settings {
        match self {
            Self::Log => settings,
            Self::Smtp { rate, .. } => sagas::Settings {
                messenger_timeout: MAIL_TIMEOUT,
                messenger_calls: MAILS_AT_ONCE,
                messages_per_second: Some(*rate),
                ..settings
            },
        }
    }

    /// The messenger itself.
    pub(crate) fn messenger(
        &self,
        data: &Path,
        contacts: &Executor<Contact>,
        vault: &Vault,
    ) -> Result<Arc<dyn Messenger>, Failure> {
        Ok(match self {
            Self::Log => Arc::new(
                LogMessenger::open(data).map_err(|error| Failure::because("cannot open the log of messages", error))?,
            ),
            Self::Smtp { server, from, account, .. } => {
                let book = Arc::new(Book { contacts: contacts.clone(), vault: vault.clone() });
                let messenger = SmtpMessenger::new(server, from, account.clone(), book);
                Arc::new(messenger.map_err(|error| Failure::because("messenger", error))?)
            }
        })
    }
}

fn account() -> Result<Option<MailAccount>, Failure> {
    match (secret(USER)?, secret(PASSWORD)?) {
        (Some(user), Some(password)) => Ok(Some(MailAccount { user, password })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Failure::new(format!("{USER} is set, and {PASSWORD} is not"))),
        (None, Some(_)) => Err(Failure::new(format!("{PASSWORD} is set, and {USER} is not"))),
    }
}

/// What customers have said, opened for each mail anew.
struct Book {
    contacts: Executor<Contact>,
    vault: Vault,
}

impl AddressBook for Book {
    fn address_of<'a>(&'a self, customer: &'a CustomerId) -> Lookup<'a> {
        Box::pin(async move {
            let sealed = |contact: &Contact, _| contact.email().map(|(email, _)| email.clone());
            let sealed = self.contacts.inspect(customer.as_str(), sealed).await.map_err(|error| unreadable(&error))?;
            let Some(sealed) = sealed else { return Ok(None) };
            self.vault.unseal(customer, &sealed).await.map_err(|error| unreadable(&error))
        })
    }
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Unreadable {
    tracing::error!(error, "the address of a customer cannot be read");
    Unreadable
}
