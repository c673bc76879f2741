//! Connections to the outside world only: **a name is resolved once, each of its addresses is looked at, and exactly those are
//! connected to.** A name that leads somewhere else the next time leads nowhere the next time.

use super::inner::is_inner;
use super::target::Allowed;
use hyper::Uri;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower::Service;

const CONNECT: Duration = Duration::from_secs(5);
/// More than this of one name are not tried.
const MOST_ADDRESSES: usize = 4;

/// Who knows the addresses of a name.
pub trait Resolver: Send + Sync + 'static {
    /// Every address of a name.
    fn resolve(&self, name: String) -> Resolving;
}

/// What a resolver answers, some time.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// The machine's own.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name, or an address, that is not the outside world's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it leads to an inner network")]
pub(super) struct LeadsInside;

/// Makes connections, and none that leads inside.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) allowed: Allowed,
}

impl Connector {
    async fn connect(self, uri: Uri) -> io::Result<TokioIo<TcpStream>> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_plain = uri.scheme_str() != Some("https");
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.resolver.resolve(host).await?,
        };
        let is_forbidden = |address: &IpAddr| {
            (is_plain || is_inner(*address)) && !self.allowed.contains(SocketAddr::new(*address, port))
        };
        // One of them inside is one too many: whoever names it has no business there.
        if addresses.iter().any(is_forbidden) {
            return Err(io::Error::other(LeadsInside));
        }
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            match tokio::time::timeout(CONNECT, TcpStream::connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(TokioIo::new(stream));
                }
                Ok(Err(error)) => failed = error,
                Err(_) => failed = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(failed)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
