//! Where a provider says one thing and the journal another, a person has to look: it is listed, and nothing is changed.

use crate::answer::Answer;
use crate::error::{internal, unavailable};
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::{Api, schema, when};
use axum::extract::State;
use domain::PaymentId;
use domain::payment::{PaymentCommand, PaymentStatus};
use journal::{Append, AppendError, Context, Expected, NewEvent, Recorded};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// One stream for all of them: each is one too many.
const STREAM: &str = "contradiction-payments";
const EVENT: &str = "PaymentContradicted";
/// Others that append at the same moment.
const TRIES: u32 = 16;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What was said against what is recorded.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Contradicted {
    payment: PaymentId,
    provider: String,
    /// `approved` or `declined`.
    said: String,
    /// The provider's name for the charge, or its reason.
    evidence: String,
    /// Where the payment stood.
    recorded: PaymentStatus,
}

#[derive(Serialize)]
struct Shown {
    at: String,
    #[serde(flatten)]
    contradicted: Contradicted,
}

/// Payments of which a provider says something else than the journal, oldest first. Nothing was changed: look at both.
#[utoipa::path(
    get, path = "/v1/admin/payments/contradictions", tag = "admin", params(schema::QueryParams),
    responses(
        (status = 200, description = "The contradictions", body = schema::List<schema::Contradiction>),
        schema::QueryProblems,
    ),
    security(("token" = []))
)]
async fn list(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    query.admin()?;
    let params = query.reading.present(&[])?;
    let position = params.reached(&api).await?;
    let shown = |event: &Recorded| Ok(Shown { at: when::text(event.recorded_at), contradicted: read(event)? });
    let items = api.journal.read_stream(STREAM, 0).await?.iter().map(shown).collect::<Result<Vec<_>, Problem>>()?;
    Ok(Listed { items, next: None }.answer(position))
}

/// Puts it on the list, once, however often it is said.
pub(crate) async fn record(
    api: &Api,
    provider: &str,
    payment: PaymentId,
    recorded: PaymentStatus,
    command: &PaymentCommand,
    context: &Context,
) -> Result<(), Problem> {
    let (said, evidence) = match command {
        PaymentCommand::Approve { reference, .. } => ("approved", reference),
        PaymentCommand::Decline { code, .. } => ("declined", code),
        PaymentCommand::Request { .. }
        | PaymentCommand::MarkUnknown { .. }
        | PaymentCommand::RequestRefund { .. }
        | PaymentCommand::MarkRefunded { .. }
        | PaymentCommand::MarkRefundFailed { .. } => return Ok(()),
    };
    tracing::error!(payment.id = %payment, provider, said, ?recorded, "a provider contradicts what is recorded");
    let (provider, said, evidence) = (provider.to_owned(), said.to_owned(), evidence.clone());
    let contradicted = Contradicted { payment, provider, said, evidence, recorded };
    let payload = serde_json::to_string(&contradicted).map_err(|error| unavailable(&error))?;
    for _ in 0..TRIES {
        let known = api.journal.read_stream(STREAM, 0).await?;
        for event in &known {
            if read(event)? == contradicted {
                return Ok(());
            }
        }
        let (id, event_type, version) = (Uuid::now_v7(), EVENT.to_owned(), 1);
        let event = NewEvent { id, event_type, version, payload: payload.clone(), decoded: None };
        let expected = Expected::Revision(known.last().map_or(0, |event| event.revision));
        let context = Context { seen_revision: None, ..context.clone() };
        match api
            .journal
            .append(Append { stream: STREAM.into(), expected, events: vec![event], context, basis: None })
            .await
        {
            Ok(_) => return Ok(()),
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(internal())
}

fn read(event: &Recorded) -> Result<Contradicted, Problem> {
    serde_json::from_str(&event.payload).map_err(|error| unavailable(&error))
}
