//! What commands and queries may say beside their bodies, and how they fail.

use super::Problem;
use utoipa::{IntoParams, IntoResponses};

/// What every command may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct CommandHeaders {
    /// The ETag that the caller has seen; 412 when it is not the last one any more.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
    /// The caller's name for this intention: using it again gives the first answer again.
    #[param(rename = "Idempotency-Key", max_length = 255)]
    idempotency_key: Option<String>,
    /// Names the conversation in the metadata of every event that follows.
    #[param(rename = "X-Correlation-Id", max_length = 128)]
    x_correlation_id: Option<String>,
}

/// How long a command may wait.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct WaitHeaders {
    /// `wait=N` seconds for the outcome (2 unless said otherwise, 30 at the most), or `respond-async`.
    #[param(rename = "Prefer", example = "wait=5")]
    prefer: Option<String>,
}

/// In which language the customer is written to.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct LanguageHeader {
    /// The languages that the customer likes, as in RFC 9110. Messages are written in the one of `en` and `ko` that is liked best;
    /// in English where neither is.
    #[param(rename = "Accept-Language", example = "ko-KR, en;q=0.8")]
    accept_language: Option<String>,
}

/// What every query may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueryParams {
    /// A journal position that the answer has to show; waits up to 2 seconds for it, then 503.
    at_least: Option<u64>,
}

/// For what can be read as it was.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOf {
    /// A journal position or an instant.
    as_of: Option<String>,
}

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which part of the journal.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AfterParams {
    /// The position to begin behind.
    after: Option<u64>,
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// Which dispatches.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatusParam {
    /// Only these: `requested`, `prepared`, `handed_over` or `cancelled`.
    status: Option<String>,
}

/// Which messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageStatusParam {
    /// `failed`, the only ones that are listed.
    status: Option<String>,
}

/// Which open rentals.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OpenStatusParam {
    /// Only these: `confirmed`, `prepared`, `handed_over` or `overdue`; all four unless said otherwise.
    status: Option<String>,
}

/// From when to when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeParams {
    /// An instant, or a date at the store.
    #[param(example = "2026-07-01")]
    from: Option<String>,
    /// Not included.
    #[param(example = "2026-07-04")]
    to: Option<String>,
}

/// How a command fails. `type` says which failure it is.
#[derive(IntoResponses)]
pub(crate) enum CommandProblems {
    /// It cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// No valid token
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// Not for this caller
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// There is no such thing, or it is somebody else's
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
    /// A rule refuses it
    #[response(status = 409, content_type = "application/problem+json")]
    Refused(#[to_schema] Problem),
    /// It has changed since
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] Problem),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not JSON
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] Problem),
    /// A value is not acceptable, or the key was used for something else
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// Not now; `Retry-After` says when
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// How a query fails.
#[derive(IntoResponses)]
pub(crate) enum QueryProblems {
    /// It cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// No valid token, where one is needed
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// Not for this caller
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// There is no such thing, or it is somebody else's
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
    /// A parameter is not acceptable
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// The view has not got that far; `Retry-After` says when
    #[response(status = 503, content_type = "application/problem+json")]
    Behind(#[to_schema] Problem),
}
