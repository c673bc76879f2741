//! From a request to an answer, or to the end of the connection.

use super::desk::Reaction;
use super::script::Script;
use super::server::House;
use crate::protocol::{IDEMPOTENCY_KEY, Told};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const MOST_BODY_BYTES: usize = 16 << 10;
const BODY: Duration = Duration::from_secs(10);

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(super) struct Cut;

type Answer = Response<Full<Bytes>>;

/// A request that is not one of the protocol's.
struct Wrong(StatusCode, String);

/// Answers, or cuts the connection.
pub(super) async fn answer(house: Arc<House>, connection: u64, request: Request<Incoming>) -> Result<Answer, Cut> {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if segments.first() == Some(&"v1")
        && let Some(left) = house.hanging()
    {
        tokio::time::sleep(left).await;
        return Err(Cut);
    }
    let answered = match (request.method(), segments.as_slice()) {
        (&Method::POST, ["v1", "charges"]) => charge(&house, request).await,
        (&Method::GET, ["v1", "charges", key]) => truth(&house, key).await,
        (&Method::POST, ["v1", "charges", charge, "refunds"]) => refund(&house, charge, request).await,
        (&Method::GET, ["ledger"]) => {
            let entries = house.desk.book().entries();
            return Ok(json(StatusCode::OK, &serde_json::json!({ "entries": entries })));
        }
        (&Method::GET, ["script"]) => return Ok(json(StatusCode::OK, &*house.script())),
        (&Method::PUT, ["script"]) => match play(&house, connection, request).await {
            Ok(answer) => return Ok(answer),
            Err(wrong) => Err(wrong),
        },
        (&Method::PUT, ["webhook-url"]) => match send_to(&house, request).await {
            Ok(answer) => return Ok(answer),
            Err(wrong) => Err(wrong),
        },
        _ => Err(Wrong(StatusCode::NOT_FOUND, "there is nothing here".to_owned())),
    };
    match answered {
        Ok(Reaction::Answer(status, told)) => Ok(json(status, &told)),
        Ok(Reaction::Cut) => Err(Cut),
        Err(Wrong(status, why)) => Ok(json(status, &Told::Refused { why })),
    }
}

async fn charge(house: &House, request: Request<Incoming>) -> Result<Reaction, Wrong> {
    let key = key(&request)?;
    let charge: crate::protocol::Charge = body(request).await?;
    if charge.amount.amount_minor <= 0 {
        return Err(Wrong(StatusCode::BAD_REQUEST, "an amount is more than nothing".to_owned()));
    }
    Ok(house.desk.clone().charge(house.script(), key, charge).await)
}

async fn truth(house: &House, key: &str) -> Result<Reaction, Wrong> {
    let key = uuid(key)?;
    tokio::time::sleep(house.script().latency(key, house.next_question())).await;
    let told = house.desk.book().truth(key);
    let status = if told == Told::NeverSeen { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Ok(Reaction::Answer(status, told))
}

async fn refund(house: &House, charge: &str, request: Request<Incoming>) -> Result<Reaction, Wrong> {
    let (charge, key) = (uuid(charge)?, key(&request)?);
    let refund = body(request).await?;
    Ok(house.desk.clone().refund(house.script(), charge, key, refund).await)
}

async fn play(house: &House, connection: u64, request: Request<Incoming>) -> Result<Answer, Wrong> {
    let text = bytes(request).await?;
    let script = Script::from_json(&text).map_err(|error| Wrong(StatusCode::BAD_REQUEST, error.to_string()))?;
    let mut answer = json(StatusCode::OK, &script);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    house.play(script, connection);
    Ok(answer)
}

/// What `PUT /webhook-url` says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookUrl {
    url: String,
}

async fn send_to(house: &House, request: Request<Incoming>) -> Result<Answer, Wrong> {
    let wrong = |why: &str| Wrong(StatusCode::BAD_REQUEST, why.to_owned());
    let to: WebhookUrl = body(request).await?;
    let sender = house.desk.sender().ok_or_else(|| wrong("there is no secret to sign webhooks with"))?;
    sender.send_to(to.url.parse().map_err(|_| wrong("not an address"))?);
    Ok(json(StatusCode::OK, &to))
}

fn key(request: &Request<Incoming>) -> Result<Uuid, Wrong> {
    let value = request.headers().get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok());
    value.map_or_else(|| Err(Wrong(StatusCode::BAD_REQUEST, "send an Idempotency-Key".to_owned())), uuid)
}

fn uuid(text: &str) -> Result<Uuid, Wrong> {
    text.parse().map_err(|_| Wrong(StatusCode::BAD_REQUEST, "a key is a UUID".to_owned()))
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Wrong> {
    let text = bytes(request).await?;
    serde_json::from_slice(&text).map_err(|error| Wrong(StatusCode::BAD_REQUEST, error.to_string()))
}

async fn bytes(request: Request<Incoming>) -> Result<Bytes, Wrong> {
    let reading = Limited::new(request.into_body(), MOST_BODY_BYTES).collect();
    match tokio::time::timeout(BODY, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Wrong(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or ended early".to_owned())),
        Err(_) => Err(Wrong(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".to_owned())),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // What is answered here is made of strings and numbers: it can always be written.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
