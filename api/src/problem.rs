//! The one shape of every failure: `application/problem+json` (RFC 9457).

use crate::answer::Answer;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// One kind of failure. The slug is part of the contract for ever: programs switch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) slug: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
}

/// A failure, as the caller is told of it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: Cow<'static, str>,
    /// Ids and numbers that a program needs.
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A failure with what there is to say about this occurrence.
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), members: Map::new(), headers: Vec::new() }
    }

    /// With one more member for programs.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Worth trying again after so many seconds.
    pub(crate) fn retry_after_s(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// As an answer that can also be recorded.
    pub(crate) fn into_answer(self) -> Answer {
        let mut body = Map::new();
        body.insert("type".to_owned(), format!("/problems/{}", self.kind.slug).into());
        body.insert("title".to_owned(), self.kind.title.into());
        body.insert("status".to_owned(), self.kind.status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.into());
        body.extend(self.members);
        let mut answer = Answer::text(self.kind.status, "application/problem+json", Value::Object(body).to_string());
        for (name, value) in self.headers {
            answer = answer.header(name, value);
        }
        answer
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_answer().into_response()
    }
}
