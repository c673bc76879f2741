//! What payment providers say by themselves. Authentic by its signature, not by a token; and what it says may be said again.

use crate::answer::Answer;
use crate::call;
use crate::contradictions;
use crate::error::{NOT_AUTHENTIC, unavailable};
use crate::problem::Problem;
use crate::{Api, schema};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use domain::payment::{PaymentCommand, PaymentError};
use domain::{Instant, PaymentId};
use journal::{Context, ExecuteError};
use serde::Serialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Reads what payment providers send, once it is proven that they have sent it, and not long ago.
pub trait PaymentWebhooks: Send + Sync + 'static {
    /// What a provider says; `None` for whatever cannot be believed, also from one that is not known.
    fn open(&self, provider: &str, headers: &HeaderMap, body: &[u8], now: Instant) -> Option<PaymentNotice>;
}

/// What a provider says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentNotice {
    /// Money was taken.
    Approved {
        /// For which payment.
        payment: PaymentId,
        /// The provider's name for the charge.
        reference: String,
    },
    /// None was, and none will be.
    Declined {
        /// For which payment.
        payment: PaymentId,
        /// The provider's reason.
        code: String,
    },
    /// Something that changes nothing here.
    Irrelevant,
}

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(take))
}

/// What is answered to everything that was taken.
#[derive(Serialize)]
struct Taken {
    status: &'static str,
}

/// Tell what became of a payment. For payment providers.
#[utoipa::path(
    post, path = "/v1/webhooks/payments/{provider}", tag = "webhooks",
    params(("provider" = String, Path, description = "Whose webhook it is", example = "stripe")),
    request_body(description = "As the provider sends it, with its signature in a header", content_type = "application/json"),
    responses(
        (status = 200, description = "Taken; also when it came before, or is of no interest here", body = schema::Taken),
        (status = 400, description = "Not authentic", body = schema::Problem, content_type = "application/problem+json"),
        (status = 408, description = "Too slow", body = schema::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = schema::Problem, content_type = "application/problem+json"),
        (status = 503, description = "Send it again", body = schema::Problem, content_type = "application/problem+json"),
    )
)]
async fn take(State(api): State<Arc<Api>>, Path(provider): Path<String>, request: Request) -> Result<Answer, Problem> {
    let headers = request.headers().clone();
    // Nobody has proven anything yet: no place among the commands is taken before.
    let body = call::read_body(request, &api).await?;
    let now = chrono::Utc::now();
    let notice = api.payment_webhooks.open(&provider, &headers, &body, now);
    let notice = notice.ok_or_else(|| Problem::new(NOT_AUTHENTIC, "sign it, and send it soon"))?;
    let (payment, command) = match notice {
        PaymentNotice::Approved { payment, reference } => (payment, PaymentCommand::Approve { reference, now }),
        PaymentNotice::Declined { payment, code } => (payment, PaymentCommand::Decline { code, now }),
        PaymentNotice::Irrelevant => return Ok(taken()),
    };
    let _place = api.admission.enter().await?;
    let Some(context) = context(&api, &provider, payment).await? else {
        tracing::warn!(payment.id = %payment, provider, "a webhook tells of a payment that is not known");
        return Ok(taken());
    };
    match api.payments.execute(&payment.to_string(), command.clone(), &context).await {
        Ok(done) => Ok(taken().at(done.position)),
        Err(ExecuteError::Refused(PaymentError::WrongStatus { status, .. })) => {
            contradictions::record(&api, &provider, payment, status, &command, &context).await?;
            Ok(taken())
        }
        Err(ExecuteError::Refused(refusal)) => {
            tracing::error!(payment.id = %payment, provider, %refusal, "a webhook does not fit its payment");
            Ok(taken())
        }
        Err(error) => Err(unavailable(&error)),
    }
}

fn taken() -> Answer {
    Answer::json(StatusCode::OK, &Taken { status: "taken" })
}

/// It belongs to the conversation that the payment was requested in; `None` where it was not.
async fn context(api: &Api, provider: &str, payment: PaymentId) -> Result<Option<Context>, Problem> {
    let events = api.journal.read_stream(&format!("payment-{payment}"), 0).await?;
    Ok(events.first().map(|requested| Context {
        command_id: Uuid::now_v7(),
        correlation_id: requested.correlation_id.clone(),
        causation_id: Some(requested.event_id),
        actor: format!("provider:{provider}").into(),
        seen_revision: None,
        fence: None,
    }))
}
