//! Connections to the mail server. **One is kept only after a mail was taken over it**: whatever was cut off, refused or not
//! answered may leave the next answer for the wrong mail, so that connection is closed.

use super::MailAccount;
use super::address::{NotAMailServer, Security, Server};
use crate::http::causes;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use sagas::messages::Undelivered;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const CONNECT: Duration = Duration::from_secs(5);
/// Shorter than servers keep idle connections.
const IDLE: Duration = Duration::from_secs(30);
const MOST_IDLE: usize = 16;
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Connections to one server.
pub(super) struct Lines {
    server: Server,
    hello: ClientId,
    credentials: Option<Credentials>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    line: AsyncSmtpConnection,
    since: Instant,
}

impl Lines {
    pub(super) fn new(server: Server, our_name: &str, account: Option<MailAccount>) -> Result<Self, NotAMailServer> {
        let credentials = account.map(|MailAccount { user, password }| {
            Credentials::new(user.reveal().to_owned(), password.reveal().to_owned())
        });
        Ok(Self { server, hello: ClientId::Domain(our_name.to_owned()), credentials, idle: Mutex::new(Vec::new()) })
    }

    /// Hands a mail over. What the server has against the mail or its reader is for good where it says so; what it has against us
    /// is for now, since it is ours to put right.
    pub(super) async fn send(&self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), Undelivered> {
        let mut line = self.begun(from).await?;
        line.command(Rcpt::new(to.clone(), vec![])).await.map_err(|error| refused(&error))?;
        line.command(Data).await.map_err(|error| refused(&error))?;
        line.message(mail).await.map_err(|error| refused(&error))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(Idle { line, since: Instant::now() });
        }
        Ok(())
    }

    /// A line on which the server expects to be told a reader. An idle one that it has closed meanwhile costs nothing.
    async fn begun(&self, from: &Address) -> Result<AsyncSmtpConnection, Undelivered> {
        if let Some(mut line) = self.take_idle()
            && line.command(Mail::new(Some(from.clone()), vec![])).await.is_ok()
        {
            return Ok(line);
        }
        let mut line = self.connect().await?;
        line.command(Mail::new(Some(from.clone()), vec![])).await.map_err(|error| not_now(&error))?;
        Ok(line)
    }

    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| one.since.elapsed() < IDLE);
        idle.pop().map(|one| one.line)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Undelivered> {
        let Server { host, port, security } = &self.server;
        let tls = match security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::None => None,
        };
        let connected =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(CONNECT), &self.hello, tls, None);
        let mut line = connected.await.map_err(|error| not_now(&error))?;
        if let Security::StartTls(tls) = security {
            if line.can_starttls() {
                line.starttls(tls.clone(), &self.hello).await.map_err(|error| not_now(&error))?;
            } else if self.credentials.is_some() {
                return Err(Undelivered::for_now("the mail server offers no encryption, and we have a password"));
            }
        }
        if let Some(credentials) = &self.credentials {
            line.auth(&MECHANISMS, credentials).await.map_err(|error| not_now(&error))?;
        }
        Ok(line)
    }
}

fn refused(error: &Error) -> Undelivered {
    if error.is_permanent() { Undelivered::for_good(reason(error)) } else { not_now(error) }
}

fn not_now(error: &Error) -> Undelivered {
    Undelivered::for_now(reason(error))
}

/// What the journal is told. **Not the server's words**: they often repeat the address.
fn reason(error: &Error) -> String {
    match error.status() {
        Some(code) => {
            let words = error.source().map(ToString::to_string).unwrap_or_default();
            let detail = words.split_whitespace().next().filter(|word| is_detail(word));
            format!("the mail server said {code}{}", detail.map_or(String::new(), |detail| format!(" {detail}")))
        }
        None => {
            // What the network and TLS have to say names no customer.
            tracing::info!(error = causes(error), "no answer of a mail server");
            if error.is_tls() { "no encryption with the mail server" } else { "no answer from the mail server" }
                .to_owned()
        }
    }
}

/// `5.1.1`, as in RFC 3463.
fn is_detail(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_detail;

    #[test]
    fn only_a_status_is_taken_from_what_a_server_says() {
        for word in ["5.1.1", "4.7.650", "2.0.0"] {
            assert!(is_detail(word), "{word}");
        }
        for word in ["", "5.1", "<alice@example.org>", "5.1.1.1", "5.1.x", "5..1", "127.0.0.1234"] {
            assert!(!is_detail(word), "{word}");
        }
    }
}
