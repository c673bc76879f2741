//! The client of a provider that speaks the simulated provider's protocol.

use crate::http::{Http, NoReply, Reply, causes};
use crate::protocol::{Charge, IDEMPOTENCY_KEY, Refund, Told};
use bytes::Bytes;
use domain::PaymentId;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::http::uri::{InvalidUri, PathAndQuery};
use hyper::{Method, Request, StatusCode, Uri};
use sagas::payments::{
    Answered, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Truth, Unavailable,
};
use std::net::IpAddr;

/// A payment provider at an address.
#[derive(Debug, Clone)]
pub struct RemoteProvider {
    address: String,
    http: Http,
}

/// Why a text is not where a provider is.
#[derive(Debug, thiserror::Error)]
pub enum NotAnAddress {
    /// Not even an address.
    #[error("not an address")]
    Unreadable(#[from] InvalidUri),
    /// One that leads elsewhere.
    #[error("an address looks like http://127.0.0.1:8081")]
    AnotherKind,
}

/// `http://host:port` without what may follow; https too where that is meant.
pub(crate) fn origin(address: &str) -> Result<String, NotAnAddress> {
    let uri: Uri = address.parse()?;
    let is_root = uri.path_and_query().map_or("/", PathAndQuery::as_str) == "/";
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) if is_root && !authority.as_str().contains('@') => {
            Ok(format!("{scheme}://{authority}"))
        }
        _ => Err(NotAnAddress::AnotherKind),
    }
}

/// Whether nobody but this machine can listen in.
pub(crate) fn is_private(origin: &str) -> bool {
    let host = origin.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    origin.starts_with("https://") || host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

impl RemoteProvider {
    /// A provider at `http://host:port`.
    ///
    /// # Errors
    /// When that is no such address.
    pub fn new(address: &str) -> Result<Self, NotAnAddress> {
        Ok(Self { address: origin(address)?, http: Http::new() })
    }

    async fn ask(&self, method: Method, path: String, key: Option<String>, body: String) -> Result<Reply, NoReply> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key).header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| NoReply::Lost(error.into()))?;
        self.http.send(request).await
    }
}

/// What an answer says; `None` where it is not one of this protocol.
fn told(reply: &Reply) -> Option<Told> {
    serde_json::from_slice(&reply.body).ok()
}

/// Anything but the answers that are agreed on says nothing of the money.
fn strange(payment: PaymentId, reply: &Reply) {
    tracing::warn!(payment.id = %payment, status = reply.status.as_u16(), "the provider's answer settles nothing");
}

fn lost(payment: PaymentId, error: &NoReply) {
    tracing::info!(payment.id = %payment, error = causes(error), "the provider did not answer");
}

impl PaymentProvider for RemoteProvider {
    fn charge(&self, request: ChargeRequest) -> Answered<'_, Charged, ChargeError> {
        Box::pin(async move {
            let ChargeRequest { payment, amount, method } = request;
            // Money and text can always be written.
            let body = serde_json::to_string(&Charge { amount, method }).map_err(|_| Unavailable)?;
            let asked = self.ask(Method::POST, "/v1/charges".to_owned(), Some(payment.to_string()), body).await;
            let reply = asked.map_err(|error| {
                lost(payment, &error);
                match error {
                    NoReply::NotSent(_) => ChargeError::Unavailable(Unavailable),
                    NoReply::Lost(_) => ChargeError::Unknown,
                }
            })?;
            match (reply.status, told(&reply)) {
                (StatusCode::OK | StatusCode::CREATED, Some(Told::Charged { reference })) => Ok(Charged { reference }),
                (StatusCode::PAYMENT_REQUIRED, Some(Told::Declined { code })) => Err(Declined { code }.into()),
                // 409: the first request is still being worked on. 5xx: perhaps after the money was taken.
                _ => {
                    strange(payment, &reply);
                    Err(ChargeError::Unknown)
                }
            }
        })
    }

    fn truth(&self, payment: PaymentId) -> Answered<'_, Truth, Unavailable> {
        Box::pin(async move {
            let asked = self.ask(Method::GET, format!("/v1/charges/{payment}"), None, String::new()).await;
            let reply = asked.map_err(|error| {
                lost(payment, &error);
                Unavailable
            })?;
            match (reply.status, told(&reply)) {
                (StatusCode::OK, Some(Told::Charged { reference })) => Ok(Truth::Charged(Charged { reference })),
                (StatusCode::OK, Some(Told::Declined { code })) => Ok(Truth::Declined(Declined { code })),
                (StatusCode::OK, Some(Told::InProgress)) => Ok(Truth::InProgress),
                // A 404 of whatever else is at the address says nothing.
                (StatusCode::NOT_FOUND, Some(Told::NeverSeen)) => Ok(Truth::NeverSeen),
                _ => {
                    strange(payment, &reply);
                    Err(Unavailable)
                }
            }
        })
    }

    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError> {
        Box::pin(async move {
            let RefundRequest { payment, key, amount, .. } = request;
            let body = serde_json::to_string(&Refund { amount }).map_err(|_| Unavailable)?;
            let path = format!("/v1/charges/{payment}/refunds");
            let reply = self.ask(Method::POST, path, Some(key.to_string()), body).await.map_err(|error| {
                lost(payment, &error);
                Unavailable
            })?;
            match (reply.status, told(&reply)) {
                (StatusCode::OK | StatusCode::CREATED, Some(Told::Refunded { reference })) => {
                    Ok(Refunded { reference })
                }
                (StatusCode::PAYMENT_REQUIRED, Some(Told::Failed { code })) => Err(Declined { code }.into()),
                _ => {
                    strange(payment, &reply);
                    Err(Unavailable.into())
                }
            }
        })
    }
}
