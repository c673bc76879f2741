//! A command as it arrives: who gives it, its headers, and its body, which is read last.

use crate::Api;
use crate::admission::{Place, Turn};
use crate::answer::{Answer, PREFERENCE_APPLIED};
use crate::error::{
    BODY_TOO_LARGE, BODY_TOO_SLOW, FORBIDDEN, MALFORMED, MALFORMED_JSON, NOT_JSON, OVERLOADED, UNAUTHENTICATED,
    invalid_body, malformed,
};
use crate::idempotency::Ids;
use crate::keys::Verified;
use crate::language;
use crate::principal::Principal;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use domain::{CustomerId, Language, StoreSlug};
use journal::Context;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::sync::Arc;
use std::time::Duration;

/// The largest body that is read.
pub(crate) const MOST_BODY_BYTES: usize = 64 << 10;
/// How long a caller may take to send it.
const BODY_PATIENCE: Duration = Duration::from_secs(10);
const MOST_WAIT_S: u64 = 30;

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// A command. As long as it exists, it takes one of the places of commands in flight.
pub(crate) struct Call {
    pub(crate) caller: Arc<Verified>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) key: Option<String>,
    pub(crate) preference: Preference,
    /// In which the caller wants to be written to.
    pub(crate) language: Language,
    pub(crate) seen_revision: Option<u64>,
    correlation_id: Option<Arc<str>>,
    says_json: bool,
    place: Place,
}

/// For how long the caller wants to wait for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    /// Nothing was said.
    None,
    /// `wait=N`, in seconds, capped.
    Wait(u64),
    /// `respond-async`
    Async,
}

impl Preference {
    /// For how long; `otherwise` where nothing was said.
    pub(crate) const fn wait(self, otherwise: Duration) -> Duration {
        match self {
            Self::None => otherwise,
            Self::Wait(seconds) => Duration::from_secs(seconds),
            Self::Async => Duration::ZERO,
        }
    }

    /// As `Preference-Applied` has it.
    fn applied(self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Wait(seconds) => HeaderValue::try_from(format!("wait={seconds}")).ok(),
            Self::Async => Some(HeaderValue::from_static("respond-async")),
        }
    }

    fn read(headers: &HeaderMap) -> Self {
        let mut found = Self::None;
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            let preference = preference.trim().to_ascii_lowercase();
            if let Some(seconds) = preference.strip_prefix("wait=").and_then(|seconds| seconds.trim().parse().ok()) {
                return Self::Wait(MOST_WAIT_S.min(seconds));
            }
            if preference == "respond-async" {
                found = Self::Async;
            }
        }
        found
    }
}

impl FromRequest<Arc<Api>> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        let headers = request.headers();
        let caller = authenticated(api, headers)?;
        if !api.admission.has_room() {
            return Err(no_place());
        }
        let seen_revision = seen_revision(headers)?;
        let correlation_id = visible(headers, CORRELATION_ID, 128)?.map(Arc::from);
        let key = visible(headers, IDEMPOTENCY_KEY, 255)?.map(str::to_owned);
        let preference = Preference::read(headers);
        let language = language::asked_for(headers);
        let says_json = says_json(headers);
        let (method, path) = (request.method().clone(), request.uri().to_string());
        // No place is taken before the body is there: whoever sends it slowly would keep it from others.
        let body = read_body(request, api).await?;
        let place = api.admission.enter().await?;
        Ok(Self {
            caller,
            method,
            path,
            body,
            key,
            preference,
            language,
            seen_revision,
            correlation_id,
            says_json,
            place,
        })
    }
}

/// Told to whoever comes when every place is taken.
pub(crate) fn no_place() -> Problem {
    Problem::new(OVERLOADED, "as many commands as may be are in flight").retry_after_s(1)
}

/// Reads a body within its bounds of size and time.
pub(crate) async fn read_body(request: Request, api: &Arc<Api>) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_PATIENCE, Bytes::from_request(request, api)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("at most {MOST_BODY_BYTES} bytes are read");
            Err(Problem::new(BODY_TOO_LARGE, detail).with("limit", MOST_BODY_BYTES))
        }
        Ok(Err(_)) => Err(Problem::new(MALFORMED, "the body ended early")),
        Err(_) => Err(Problem::new(BODY_TOO_SLOW, "the body did not arrive in time")),
    }
}

impl Call {
    /// The body; it has to be there.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !self.says_json {
            return Err(Problem::new(NOT_JSON, "send JSON with `Content-Type: application/json`"));
        }
        serde_json::from_slice(&self.body).map_err(|error| match error.classify() {
            Category::Data => invalid_body(&error),
            Category::Io | Category::Syntax | Category::Eof => Problem::new(MALFORMED_JSON, error.to_string()),
        })
    }

    /// The body, which may also be absent.
    pub(crate) fn optional_body<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.body() }
    }

    /// Who gives the command, where only customers may.
    pub(crate) fn customer(&self) -> Result<&CustomerId, Problem> {
        match &self.caller.principal {
            Principal::Customer(customer) => Ok(customer),
            Principal::Staff(_) | Principal::Kiosk { .. } | Principal::Admin => {
                Err(crate::error::forbidden("customers"))
            }
        }
    }

    /// Where only the staff of that store may.
    pub(crate) fn staff_of(&self, store: &StoreSlug) -> Result<(), Problem> {
        if self.caller.principal.is_staff_of(store) { Ok(()) } else { Err(crate::error::staff_of(store)) }
    }

    /// Where staff may at all; whose, is seen later.
    pub(crate) fn staff(&self) -> Result<&StoreSlug, Problem> {
        match &self.caller.principal {
            Principal::Staff(store) => Ok(store),
            Principal::Customer(_) | Principal::Kiosk { .. } | Principal::Admin => {
                Err(crate::error::forbidden("the staff of its store"))
            }
        }
    }

    /// Where only administrators may.
    pub(crate) fn admin(&self) -> Result<(), Problem> {
        if self.caller.principal == Principal::Admin { Ok(()) } else { Err(crate::error::forbidden("administrators")) }
    }

    /// Where administrators may, and the staff of that store.
    pub(crate) fn admin_or_staff_of(&self, store: &StoreSlug) -> Result<(), Problem> {
        if self.caller.principal == Principal::Admin || self.caller.principal.is_staff_of(store) {
            return Ok(());
        }
        let detail = format!("only administrators and the staff of `{store}` may do this");
        Err(Problem::new(FORBIDDEN, detail).with("store", store.as_str()))
    }

    /// What the command is to give away while it waits for something else than a processor.
    pub(crate) fn turn(&self) -> &Turn {
        &self.place.turn
    }

    /// The answer, saying which preference was honoured.
    pub(crate) fn as_preferred(&self, answer: Answer) -> Answer {
        match self.preference.applied() {
            Some(applied) => answer.header(PREFERENCE_APPLIED, applied),
            None => answer,
        }
    }

    /// The metadata of what the command will cause. Without a correlation id of the caller's it is `conversation`.
    pub(crate) fn context(&self, ids: &Ids, conversation: Option<String>) -> Context {
        let command_id = ids.command_id();
        let correlation_id = match (&self.correlation_id, conversation) {
            (Some(given), _) => given.clone(),
            (None, Some(conversation)) => conversation.into(),
            (None, None) => command_id.to_string().into(),
        };
        Context {
            command_id,
            correlation_id,
            causation_id: None,
            actor: self.caller.actor.clone(),
            seen_revision: self.seen_revision,
            fence: None,
        }
    }
}

/// Whose token came along.
pub(crate) fn authenticated(api: &Api, headers: &HeaderMap) -> Result<Arc<Verified>, Problem> {
    let refuse = |detail, challenge| {
        let challenge = HeaderValue::from_static(challenge);
        Problem::new(UNAUTHENTICATED, detail).header(header::WWW_AUTHENTICATE, challenge)
    };
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(refuse("send `Authorization: Bearer <token>`", r#"Bearer realm="reservoir""#));
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .and_then(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()));
    token.and_then(|token| api.keys.verify(token)).ok_or_else(|| {
        let challenge = r#"Bearer realm="reservoir", error="invalid_token""#;
        refuse("the token is forged, expired, or not for this service", challenge)
    })
}

fn seen_revision(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let revision = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    match revision.and_then(|number| number.parse().ok()) {
        Some(revision) => Ok(Some(revision)),
        None => Err(malformed("If-Match", "one ETag that this service gave, like \"3\", or *")),
    }
}

fn visible(headers: &HeaderMap, name: HeaderName, most: usize) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(&name) else { return Ok(None) };
    let fits = (1..=most).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(text) if fits => Ok(Some(text)),
        Ok(_) | Err(_) => Err(malformed(name.as_str(), format!("1 to {most} visible ASCII characters"))),
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
