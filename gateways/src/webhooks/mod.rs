//! Outgoing webhooks: what stores' own programs are told, signed, and **sent to the outside world only**.
//!
//! A store names any URL it likes, so nothing is taken on trust: no notation, no name and no change of a name's address leads to an
//! inner network, no answer leads elsewhere, and no more of an answer is read than need be.

mod connect;
mod inner;
mod target;
#[cfg(test)]
mod tests;

pub use connect::{Resolver, Resolving, SystemResolver};
pub use target::{Allowed, NotATarget};

use crate::{Secret, signed};
use bytes::Bytes;
use connect::{Connector, LeadsInside};
use domain::WebhookId;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::builderstates::WantsSchemes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sagas::webhooks::{Carried, Carrying, Courier, Parcel};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use target::Target;

/// Shorter than servers keep idle connections.
const IDLE: Duration = Duration::from_secs(15);
const IDLE_CONNECTIONS: usize = 8;
/// Of an answer nothing but its status matters; a short one is read to its end, so that the connection can be used again.
const MOST_ANSWER_BYTES: usize = 16 << 10;
const MOST_HEADER_BYTES: usize = 16 << 10;

/// Knows what each webhook's events are signed with; `None` where that cannot be known now.
pub type SecretOf = Arc<dyn Fn(WebhookId) -> Option<Secret> + Send + Sync>;

/// Sends events to stores' programs.
#[derive(Clone)]
pub struct WebhookCourier {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    secret_of: SecretOf,
    allowed: Allowed,
}

impl WebhookCourier {
    /// Signs with what `secret_of` knows, and finds names with `resolver`.
    #[must_use]
    pub fn new(secret_of: SecretOf, allowed: Allowed, resolver: Arc<dyn Resolver>) -> Self {
        Self::over(HttpsConnectorBuilder::new().with_webpki_roots(), secret_of, allowed, resolver)
    }

    fn over(
        tls: HttpsConnectorBuilder<WantsSchemes>,
        secret_of: SecretOf,
        allowed: Allowed,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let connector = Connector { resolver, allowed: allowed.clone() };
        let connector = tls.https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(MOST_HEADER_BYTES)
            .build(connector);
        Self { client, secret_of, allowed }
    }

    /// Whether events may be sent to a URL, as far as its text alone can tell.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn check(url: &str, allowed: &Allowed) -> Result<(), NotATarget> {
        Target::read(url, allowed).map(drop)
    }

    async fn send(&self, parcel: Parcel) -> Result<StatusCode, String> {
        let Target(uri) = Target::read(&parcel.url, &self.allowed).map_err(|why| why.to_string())?;
        let secret = (self.secret_of)(parcel.webhook).ok_or("it cannot be signed now")?;
        let signature = signed(&secret, parcel.body.as_bytes(), chrono::Utc::now());
        let request = Request::post(uri)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "reservoir-webhooks")
            .header("Reservoir-Event-Id", parcel.event.to_string())
            .header("Reservoir-Position", parcel.position)
            .header("Reservoir-Signature", signature)
            .body(Full::new(Bytes::from(parcel.body)))
            .map_err(|_| NotATarget::Unreadable.to_string())?;
        let response = self.client.request(request).await.map_err(|error| reason(&error).to_owned())?;
        let status = response.status();
        // What is too long, or breaks off, has said all that matters.
        let _ = Limited::new(response.into_body(), MOST_ANSWER_BYTES).collect().await;
        Ok(status)
    }
}

impl Courier for WebhookCourier {
    fn carry(&self, parcel: Parcel) -> Carrying<'_> {
        Box::pin(async move {
            match self.send(parcel).await {
                Ok(status) if status.is_success() => Carried::Taken,
                Ok(StatusCode::GONE) => Carried::Gone,
                Ok(status) => Carried::Refused { reason: format!("it answered {}", status.as_u16()) },
                Err(reason) => Carried::Refused { reason },
            }
        })
    }
}

/// What a store is told. No more than it could find out by itself: who asks for inner addresses learns nothing of them.
fn reason(error: &hyper_util::client::legacy::Error) -> &'static str {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if io.is_some_and(|inner| inner.is::<LeadsInside>()) || error.is::<LeadsInside>() {
            return "it leads to an inner network";
        }
        cause = error.source();
    }
    if error.is_connect() { "no connection" } else { "no answer" }
}
