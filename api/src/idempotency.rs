//! One effect and one answer for each idempotency key, over crashes too.
//!
//! A key has a stream of its own. That it was received stands there before the work begins, and what was answered before
//! the answer is sent. Whatever a repeat needs new (ids of commands and things) is derived from the caller and the key, so
//! that work which is done again after a crash finds its effect and does not repeat it.

use crate::Api;
use crate::answer::{Answer, IDEMPOTENT_REPLAYED};
use crate::call::Call;
use crate::error::{KEY_REUSED, STILL_WORKING, unavailable};
use crate::problem::Problem;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use journal::{Append, AppendError, Context, Expected, NewEvent, Recorded};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

const RECEIVED: &str = "RequestReceived";
const ANSWERED: &str = "RequestAnswered";
/// What the first request may take beyond its wait for an outcome.
const MARGIN: Duration = Duration::from_secs(1);

/// Ids for one request: random ones, or those that follow from the caller and the key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ids {
    /// Of a request without a key.
    Random,
    /// Of a request with a key.
    Derived {
        /// Names the request.
        request: Uuid,
        /// Whether it was received before and may have been worked on.
        again: bool,
    },
}

impl Ids {
    /// Names the command.
    pub(crate) fn command_id(&self) -> Uuid {
        self.id("command")
    }

    /// Names something new.
    pub(crate) fn id(&self, purpose: &str) -> Uuid {
        match self {
            Self::Random => Uuid::now_v7(),
            Self::Derived { request, .. } => named(&[request.as_bytes(), purpose.as_bytes()]),
        }
    }

    /// Whether this very request may have had its effect already.
    pub(crate) const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Derived { again: true, .. })
    }
}

fn named(parts: &[&[u8]]) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("reservoir 2026 names of requests and what they make");
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[derive(Serialize, Deserialize)]
struct Received {
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
struct Answered {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The requests with keys that this process works on now.
#[derive(Default)]
pub(crate) struct Requests {
    working: Mutex<HashMap<Uuid, (Fingerprint, watch::Receiver<()>)>>,
}

type Fingerprint = [u8; 32];

/// While it exists, the request is worked on here; others who wait for it wake when it is dropped.
struct Working<'a> {
    requests: &'a Requests,
    request: Uuid,
    _done: watch::Sender<()>,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.requests.working.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
    }
}

impl Requests {
    /// Takes the request on, or answers who has and with what.
    fn take_on(
        &self,
        request: Uuid,
        fingerprint: Fingerprint,
    ) -> Result<Working<'_>, (Fingerprint, watch::Receiver<()>)> {
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = working.get(&request) {
            return Err(other.clone());
        }
        let (done, waiting) = watch::channel(());
        working.insert(request, (fingerprint, waiting));
        Ok(Working { requests: self, request, _done: done })
    }
}

/// Does the work of a command once for each key, and gives the same answer each time. 5xx answers are not kept,
/// and neither are those that say to try again.
pub(crate) async fn once<W, F>(api: &Api, call: &Call, work: W) -> Answer
where
    W: FnOnce(Ids) -> F + Send,
    F: Future<Output = Result<Answer, Problem>> + Send,
{
    let answered = match &call.key {
        None => work(Ids::Random).await,
        Some(key) => once_for(api, call, key, work).await,
    };
    answered.unwrap_or_else(Problem::into_answer)
}

async fn once_for<W, F>(api: &Api, call: &Call, key: &str, work: W) -> Result<Answer, Problem>
where
    W: FnOnce(Ids) -> F + Send,
    F: Future<Output = Result<Answer, Problem>> + Send,
{
    let request = named(&[call.caller.actor.as_bytes(), key.as_bytes()]);
    let fingerprint = fingerprint(api, call);
    let patience = Instant::now() + call.preference.wait(api.settings.wait) + MARGIN;
    let working = loop {
        match api.requests.take_on(request, fingerprint) {
            Ok(working) => break working,
            Err((other, _)) if other != fingerprint => return Err(reused()),
            // The sender is never used: its end is what is waited for.
            Err((_, mut done)) => {
                call.turn().pass_on();
                tokio::time::timeout_at(patience, done.changed()).await.map_err(|_| still_working())?.ok();
            }
        }
    };
    let stream: Arc<str> = format!("request-{request}").into();
    let context = call.context(&Ids::Derived { request, again: false }, Some(request.to_string()));
    let text = blake3::Hash::from_bytes(fingerprint).to_hex().to_string();
    let received = event(RECEIVED, &Received { fingerprint: text.clone() })?;
    let again = match append(api, &stream, 0, received, &context).await {
        Ok(()) => false,
        Err(AppendError::Conflict { .. }) => match recall(&api.journal.read_stream(&stream, 0).await?, &text)? {
            Some(answer) => return Ok(answer.header(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"))),
            None => true,
        },
        Err(error) => return Err(error.into()),
    };
    let answer = work(Ids::Derived { request, again }).await.unwrap_or_else(Problem::into_answer);
    if !answer.is_for_now_only() {
        append(api, &stream, 1, event(ANSWERED, &to_be_kept(&answer))?, &context).await?;
    }
    drop(working);
    Ok(answer)
}

/// The answer that was given; `None` when it was received and never answered.
fn recall(events: &[Recorded], fingerprint: &str) -> Result<Option<Answer>, Problem> {
    let mut answer = None;
    for event in events {
        if &*event.event_type == RECEIVED {
            let received: Received = serde_json::from_str(&event.payload).map_err(|error| unavailable(&error))?;
            if received.fingerprint != fingerprint {
                return Err(reused());
            }
        } else {
            let kept: Answered = serde_json::from_str(&event.payload).map_err(|error| unavailable(&error))?;
            answer = Some(kept.into());
        }
    }
    Ok(answer)
}

impl From<Answered> for Answer {
    fn from(kept: Answered) -> Self {
        let header = |(name, value): (String, String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        };
        Self {
            status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: kept.headers.into_iter().filter_map(header).collect(),
            body: kept.body,
        }
    }
}

fn to_be_kept(answer: &Answer) -> Answered {
    let header = |(name, value): &(HeaderName, HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
    Answered {
        status: answer.status.as_u16(),
        headers: answer.headers.iter().filter_map(header).collect(),
        body: answer.body.clone(),
    }
}

fn event(event_type: &str, payload: &impl Serialize) -> Result<NewEvent, Problem> {
    Ok(NewEvent {
        id: Uuid::now_v7(),
        event_type: event_type.to_owned(),
        version: 1,
        payload: serde_json::to_string(payload).map_err(|error| unavailable(&error))?,
        decoded: None,
    })
}

async fn append(
    api: &Api,
    stream: &Arc<str>,
    revision: u64,
    event: NewEvent,
    context: &Context,
) -> Result<(), AppendError> {
    let expected = Expected::Revision(revision);
    let context = Context { seen_revision: None, ..context.clone() };
    api.journal
        .append(Append { stream: stream.clone(), expected, events: vec![event], context, basis: None })
        .await
        .map(drop)
}

/// Keyed: a body may hold personal words, and nobody is to find them by trying.
fn fingerprint(api: &Api, call: &Call) -> Fingerprint {
    let mut hasher = blake3::Hasher::new_keyed(&api.vault.fingerprint_key);
    for part in [call.method.as_str().as_bytes(), call.path.as_bytes(), &call.body] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

fn reused() -> Problem {
    Problem::new(KEY_REUSED, "the same idempotency key came with another method, path or body before")
}

fn still_working() -> Problem {
    Problem::new(STILL_WORKING, "try again shortly").retry_after_s(1)
}
