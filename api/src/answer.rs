//! What a handler answers: small enough to be recorded and given again, byte for byte.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;

/// The journal's position up to which an answer can be seen.
pub(crate) const JOURNAL_POSITION: HeaderName = HeaderName::from_static("journal-position");
/// Says that an answer was given before.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Which of the caller's preferences were honoured.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: String,
}

impl Answer {
    /// A body of some media type.
    pub(crate) fn text(status: StatusCode, media_type: &'static str, body: String) -> Self {
        Self { status, headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body }
    }

    /// JSON. What the API answers with is made of strings and numbers: it can always be written.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self::text(status, "application/json", body),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                crate::error::internal().into_answer()
            }
        }
    }

    /// Whether the same request may be answered in another way soon.
    pub(crate) fn is_for_now_only(&self) -> bool {
        self.status.is_server_error() || self.headers.iter().any(|(name, _)| name == header::RETRY_AFTER)
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With the position at which a reader sees what this answer says.
    pub(crate) fn at(self, position: u64) -> Self {
        self.header(JOURNAL_POSITION, HeaderValue::from(position))
    }

    /// With the revision of the one aggregate that it is about.
    pub(crate) fn revision(self, revision: u64) -> Self {
        match HeaderValue::try_from(format!("\"{revision}\"")) {
            Ok(value) => self.header(header::ETAG, value),
            Err(_) => self,
        }
    }

    /// With the address of what it is about.
    pub(crate) fn location(self, path: String) -> Self {
        match HeaderValue::try_from(path) {
            Ok(value) => self.header(header::LOCATION, value),
            Err(_) => self,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}
