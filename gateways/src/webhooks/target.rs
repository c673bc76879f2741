//! Where a webhook may go, as far as its text alone can tell.

use super::inner::is_inner;
use hyper::Uri;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

const MOST_BYTES: usize = 2_048;

/// Addresses that are not the outside world's and may be told all the same, in plain HTTP too: for tests on one machine, and for a
/// program of one's own beside the server. None, unless somebody names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Arc<BTreeSet<SocketAddr>>);

impl FromIterator<SocketAddr> for Allowed {
    fn from_iter<T: IntoIterator<Item = SocketAddr>>(addresses: T) -> Self {
        Self(Arc::new(addresses.into_iter().collect()))
    }
}

impl Allowed {
    pub(super) fn contains(&self, address: SocketAddr) -> bool {
        self.0.contains(&address)
    }
}

/// Why nothing is sent to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATarget {
    /// Not a URL, or too long.
    #[error("a URL like https://example.org/told, of at most 2048 bytes")]
    Unreadable,
    /// Not `https`: anybody on the way could read it.
    #[error("only https")]
    Scheme,
    /// With a user or a password, which everybody who reads the URL would know.
    #[error("without a user or password")]
    Credentials,
    /// To a port on which there may be anything but a web server.
    #[error("only the ports 443, and 1024 and above")]
    Port,
    /// To an address that is not the outside world's.
    #[error("not an address of an inner network")]
    Inner,
}

/// A URL that webhooks may be sent to, unless its name leads inside.
#[derive(Debug, Clone)]
pub(super) struct Target(pub(super) Uri);

impl Target {
    /// Reads a URL as browsers do, so that no notation hides an address: `0x7f.1` is `127.0.0.1` before it is looked at.
    pub(super) fn read(text: &str, allowed: &Allowed) -> Result<Self, NotATarget> {
        if text.len() > MOST_BYTES {
            return Err(NotATarget::Unreadable);
        }
        let mut url = Url::parse(text).map_err(|_| NotATarget::Unreadable)?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(NotATarget::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotATarget::Credentials);
        }
        let port = url.port_or_known_default().ok_or(NotATarget::Unreadable)?;
        let address = match url.host().ok_or(NotATarget::Unreadable)? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        if !address.is_some_and(|address| allowed.contains(SocketAddr::new(address, port))) {
            if url.scheme() != "https" {
                return Err(NotATarget::Scheme);
            }
            if port != 443 && port < 1_024 {
                return Err(NotATarget::Port);
            }
            if address.is_some_and(is_inner) {
                return Err(NotATarget::Inner);
            }
        }
        url.set_fragment(None);
        url.as_str().parse().map(Self).map_err(|_| NotATarget::Unreadable)
    }
}
