//! Where a mail server is, and how it is spoken to.

use hyper::Uri;
use hyper::http::uri::PathAndQuery;
use lettre::transport::smtp::client::TlsParameters;
use std::net::IpAddr;

/// Why mails cannot be sent that way.
#[derive(Debug, thiserror::Error)]
pub enum NotAMailServer {
    /// Where the server is cannot be understood. The text is not repeated: it may hold a password.
    #[error("a mail server is named like smtp://127.0.0.1:25 or smtps://mail.example.org:465, without a user")]
    Server,
    /// From whom mails are is no address.
    #[error("mails have to be from an address, like `Seoul Films <films@example.org>`")]
    From,
    /// There is no TLS to a server of that name.
    #[error("no encryption to a server of that name")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// How a server is spoken to.
#[derive(Clone)]
pub(super) enum Security {
    /// Encrypted from the start.
    Tls(TlsParameters),
    /// Encrypted as soon as the server offers it.
    StartTls(TlsParameters),
    /// In clear: it is on this machine.
    None,
}

/// A mail server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

impl Server {
    pub(super) fn read(text: &str) -> Result<Self, NotAMailServer> {
        let uri: Uri = text.parse().map_err(|_| NotAMailServer::Server)?;
        let is_root = uri.path_and_query().map_or("/", PathAndQuery::as_str) == "/";
        let authority = uri.authority().filter(|authority| is_root && !authority.as_str().contains('@'));
        let host = authority.ok_or(NotAMailServer::Server)?.host().trim_matches(['[', ']']).to_owned();
        let tls = || TlsParameters::new(host.clone()).map_err(NotAMailServer::Tls);
        let (security, usual_port) = match uri.scheme_str() {
            Some("smtps") => (Security::Tls(tls()?), 465),
            Some("smtp") if is_here(&host) => (Security::None, 25),
            Some("smtp") => (Security::StartTls(tls()?), 587),
            Some(_) | None => return Err(NotAMailServer::Server),
        };
        Ok(Self { port: uri.port_u16().unwrap_or(usual_port), host, security })
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, u16, &'static str)> {
        let Server { host, port, security } = Server::read(text).ok()?;
        let security = match security {
            Security::Tls(_) => "tls",
            Security::StartTls(_) => "starttls",
            Security::None => "clear",
        };
        Some((host, port, security))
    }

    #[test]
    fn a_server_is_spoken_to_in_clear_on_this_machine_only() {
        let is = |host: &str, port, security| Some((host.to_owned(), port, security));
        assert_eq!(read("smtp://127.0.0.1:2525"), is("127.0.0.1", 2525, "clear"));
        assert_eq!(read("smtp://[::1]:2525"), is("::1", 2525, "clear"));
        assert_eq!(read("smtp://localhost"), is("localhost", 25, "clear"));
        assert_eq!(read("smtp://mail.example.org"), is("mail.example.org", 587, "starttls"));
        assert_eq!(read("smtps://mail.example.org/"), is("mail.example.org", 465, "tls"));
        assert_eq!(read("smtps://127.0.0.1:465"), is("127.0.0.1", 465, "tls"));
    }

    #[test]
    fn anything_else_is_no_mail_server_and_is_not_repeated() {
        for text in
            ["", "mail.example.org:25", "http://mail.example.org", "smtp://a:secret@b", "smtp://b/inbox", "smtp://"]
        {
            let error = Server::read(text).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
