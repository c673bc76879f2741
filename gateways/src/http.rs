//! One HTTP client for every gateway: HTTP/1.1, TLS with *ring*, bounded answers, and errors that say whether a request can
//! have arrived.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
/// Shorter than servers keep idle connections, so that few requests meet one that is just being closed.
const IDLE: Duration = Duration::from_secs(15);
const IDLE_CONNECTIONS: usize = 64;
const MOST_ANSWER_BYTES: usize = 1 << 20;

/// Sends requests. Cheap to clone; connections are shared.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoReply {
    /// No connection came about, so nothing was sent. This alone proves that a request has not arrived.
    #[error("no connection")]
    NotSent(#[source] hyper_util::client::legacy::Error),
    /// It may have arrived, in part or whole.
    #[error("no answer")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Http {
    pub(crate) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.enforce_http(false);
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Self { client }
    }

    /// Sends a request and reads the answer. Dropping the call closes the connection.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, NoReply> {
        let response =
            self.client.request(request).await.map_err(|error| {
                if error.is_connect() { NoReply::NotSent(error) } else { NoReply::Lost(error.into()) }
            })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MOST_ANSWER_BYTES).collect().await.map_err(NoReply::Lost)?.to_bytes();
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }
}

/// What went wrong and all its causes, in one line for the log. Errors here hold addresses, never headers or bodies.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
