//! Stripe: payment intents, refunds and signed webhooks over its HTTP API.
//!
//! A charge is one request that makes an intent and confirms it, under the payment's id as idempotency key. For at least a day
//! Stripe answers the same to the same key, so that a lost answer is had by asking again; and by then the payment's id in the
//! intent's metadata can be searched for. **An intent that waits for a person is cancelled: nobody is there to do it.**

mod amount;
mod known;
mod refund;
mod shapes;

pub(crate) use shapes::notice;

use crate::Secret;
use crate::http::{Http, NoReply, Reply, causes};
use crate::remote::{NotAnAddress, is_private, origin};
use amount::amount;
use bytes::Bytes;
use domain::PaymentId;
use form_urlencoded::Serializer;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use known::{Known, known};
use sagas::payments::{
    Answered, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Truth, Unavailable,
};
use shapes::{Intent, List, PAYMENT, Standing, failure, read};
use std::sync::Arc;

pub(crate) const SIGNATURE: &str = "stripe-signature";
/// The shapes that are read here are this version's.
const VERSION: &str = "2024-06-20";

/// Where Stripe is.
pub const STRIPE_URL: &str = "https://api.stripe.com";

/// Stripe, with the key of one account.
pub struct StripeProvider {
    url: String,
    authorization: HeaderValue,
    http: Http,
    /// Others are searched for.
    intents: Known,
}

/// Why Stripe cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// It is not where it should be.
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    /// The key would be sent in the clear.
    #[error("without https a secret key is sent to this machine only")]
    InTheClear,
    /// The key is none.
    #[error("the secret key has characters that no key has")]
    Key,
}

type Form<'a> = &'a [(&'a str, &'a str)];

impl StripeProvider {
    /// Stripe at an address, usually [`STRIPE_URL`].
    ///
    /// # Errors
    /// When the address or the key is none.
    pub fn new(url: &str, key: &Secret) -> Result<Self, StripeError> {
        let authorization = HeaderValue::try_from(format!("Bearer {}", key.reveal()));
        let mut authorization = authorization.map_err(|_| StripeError::Key)?;
        authorization.set_sensitive(true);
        let url = origin(url)?;
        if !is_private(&url) {
            return Err(StripeError::InTheClear);
        }
        Ok(Self { url, authorization, http: Http::new(), intents: known() })
    }

    async fn get(&self, path: &str, query: Form<'_>) -> Result<Reply, NoReply> {
        let query = Serializer::new(String::new()).extend_pairs(query).finish();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.send(Method::GET, &path, None, String::new()).await
    }

    async fn post(&self, path: &str, key: &str, form: Form<'_>) -> Result<Reply, NoReply> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Method::POST, path, Some(key), body).await
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: String) -> Result<Reply, NoReply> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(AUTHORIZATION, self.authorization.clone())
            .header("stripe-version", VERSION);
        if let Some(key) = key {
            request = request.header("idempotency-key", key).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| NoReply::Lost(error.into()))?;
        self.http.send(request).await
    }

    fn remember(&self, payment: PaymentId, intent: &Intent) {
        self.intents.insert(payment, intent.id.as_str().into());
    }

    /// Makes an intent and confirms it.
    async fn create(&self, request: &ChargeRequest) -> Result<Truth, ChargeError> {
        let payment = request.payment;
        let Some(amount) = amount(request.amount) else {
            // It was not even asked for.
            return Err(Declined { code: "amount_not_chargeable".to_owned() }.into());
        };
        let (key, amount) = (payment.to_string(), amount.to_string());
        let currency = request.amount.currency.to_string().to_lowercase();
        let metadata = format!("metadata[{PAYMENT}]");
        let form = [
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("payment_method", &request.method),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
            (&metadata, &key),
        ];
        let reply = self.post("/v1/payment_intents", &key, &form).await.map_err(|error| {
            lost(payment, &error);
            match error {
                NoReply::NotSent(_) => ChargeError::Unavailable(Unavailable),
                NoReply::Lost(_) => ChargeError::Unknown,
            }
        })?;
        if let Some(intent) = read::<Intent>(&reply) {
            self.remember(payment, &intent);
            return self.settled(payment, intent).await.map_err(|Unavailable| ChargeError::Unknown);
        }
        let failure = failure(&reply);
        if let Some(intent) = &failure.payment_intent {
            self.remember(payment, intent);
        }
        if reply.status != StatusCode::PAYMENT_REQUIRED {
            strange(payment, &reply);
        }
        let reason = failure.reason().unwrap_or("invalid_request").to_owned();
        match (reply.status, failure.kind.as_deref()) {
            // The key was used with another amount or method, so there is another charge to be looked for.
            (StatusCode::BAD_REQUEST, Some("idempotency_error")) => Err(ChargeError::Unknown),
            // A card error; or nothing that could be charged was named.
            (StatusCode::PAYMENT_REQUIRED | StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND, Some(_)) => {
                Err(Declined { code: reason }.into())
            }
            // These are answered before anything is done, and not remembered for the key.
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS, _) => {
                Err(Unavailable.into())
            }
            // 409: the first request is still being worked on. 5xx: perhaps after the money was taken.
            _ => Err(ChargeError::Unknown),
        }
    }

    /// Where an intent ends; one that waits for a person is cancelled.
    async fn settled(&self, payment: PaymentId, intent: Intent) -> Result<Truth, Unavailable> {
        match intent.standing() {
            Standing::Settled(truth) => Ok(truth),
            Standing::Waiting => {
                let path = format!("/v1/payment_intents/{}/cancel", intent.id);
                let reply = self.post(&path, &format!("{}-cancel", intent.id), &[]).await;
                let reply = reply.map_err(|error| unavailable(payment, &error))?;
                // Where it cannot be cancelled it has moved on meanwhile.
                match read::<Intent>(&reply).map(|intent| intent.standing()) {
                    Some(Standing::Settled(truth)) => Ok(truth),
                    Some(Standing::Waiting | Standing::Strange) | None => {
                        match self.fetch(payment, &intent.id).await?.standing() {
                            Standing::Settled(truth) => Ok(truth),
                            Standing::Waiting | Standing::Strange => Err(Unavailable),
                        }
                    }
                }
            }
            Standing::Strange => Err(Unavailable),
        }
    }

    async fn fetch(&self, payment: PaymentId, intent: &str) -> Result<Intent, Unavailable> {
        let reply = self.get(&format!("/v1/payment_intents/{intent}"), &[]).await;
        let reply = reply.map_err(|error| unavailable(payment, &error))?;
        read(&reply).ok_or_else(|| {
            strange(payment, &reply);
            Unavailable
        })
    }

    /// The intents that were made for a payment, one that was charged first: the one that is remembered, or those that a search finds. What was made
    /// within the last minute may be missing from a search.
    async fn intents_of(&self, payment: PaymentId) -> Result<Vec<Arc<str>>, Unavailable> {
        if let Some(intent) = self.intents.get(&payment) {
            return Ok(vec![intent]);
        }
        let query = format!("metadata['{PAYMENT}']:'{payment}'");
        let reply = self.get("/v1/payment_intents/search", &[("query", query.as_str())]).await;
        let reply = reply.map_err(|error| unavailable(payment, &error))?;
        let Some(mut found) = read::<List<Intent>>(&reply) else {
            strange(payment, &reply);
            return Err(Unavailable);
        };
        found.data.sort_by_key(|intent| !intent.is_charged());
        Ok(found.data.iter().filter(|intent| intent.is_for(payment)).map(|intent| intent.id.as_str().into()).collect())
    }

    async fn ask_for_truth(&self, payment: PaymentId) -> Result<Truth, Unavailable> {
        let (mut best, mut charges) = (Truth::NeverSeen, 0);
        for intent in self.intents_of(payment).await? {
            // A search may show an intent as it was.
            let intent = self.fetch(payment, &intent).await?;
            self.remember(payment, &intent);
            let truth = self.settled(payment, intent).await?;
            charges += usize::from(matches!(truth, Truth::Charged(_)));
            if weight(&truth) > weight(&best) {
                best = truth;
            }
        }
        if charges > 1 {
            tracing::error!(payment.id = %payment, charges, "a payment was charged more than once");
        }
        Ok(best)
    }
}

/// What counts more where several things are true.
const fn weight(truth: &Truth) -> u8 {
    match truth {
        Truth::NeverSeen => 0,
        Truth::Declined(_) => 1,
        Truth::InProgress => 2,
        Truth::Charged(_) => 3,
    }
}

fn lost(payment: PaymentId, error: &NoReply) {
    tracing::info!(payment.id = %payment, error = causes(error), "Stripe did not answer");
}

fn unavailable(payment: PaymentId, error: &NoReply) -> Unavailable {
    lost(payment, error);
    Unavailable
}

/// Tells the log what was answered: numbers and codes, never a body.
fn strange(payment: PaymentId, reply: &Reply) {
    let (status, failure) = (reply.status.as_u16(), failure(reply));
    let request = reply.headers.get("request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (kind, code) = (failure.kind.as_deref().unwrap_or_default(), failure.reason().unwrap_or_default());
    tracing::warn!(payment.id = %payment, status, kind, code, request.id = request, "Stripe did not do it");
}

impl PaymentProvider for StripeProvider {
    fn charge(&self, request: ChargeRequest) -> Answered<'_, Charged, ChargeError> {
        Box::pin(async move {
            match self.create(&request).await? {
                Truth::Charged(charged) => Ok(charged),
                Truth::Declined(declined) => Err(declined.into()),
                Truth::InProgress | Truth::NeverSeen => Err(ChargeError::Unknown),
            }
        })
    }

    fn truth(&self, payment: PaymentId) -> Answered<'_, Truth, Unavailable> {
        Box::pin(self.ask_for_truth(payment))
    }

    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError> {
        Box::pin(self.give_back(request))
    }
}
