//! What a customer says of what they have had.

use super::{Belongs, own, shown};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::invalid;
use crate::idempotency::{Ids, once};
use crate::outcomes::Folded;
use crate::problem::Problem;
use crate::schema::{self, Nothing};
use crate::{Api, story};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::rental::{Rental, RentalCommand, RentalError};
use domain::{CustomerId, Personal};
use journal::{Done, ExecuteError};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

const MOST_CHARACTERS: usize = 2000;

/// What is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    #[schema(minimum = 1, maximum = 5)]
    stars: u8,
    /// For everybody to read, without a name; stored sealed, and erased with the customer.
    #[schema(min_length = 1, max_length = 2000)]
    text: Option<String>,
}

/// Say how it was, once it was handed over.
#[utoipa::path(
    post, path = "/v1/rentals/{rental}/review", tag = "rentals", request_body = Said,
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 201, description = "It is reviewed", body = schema::Rental), schema::CommandProblems),
    security(("token" = []))
)]
pub(crate) async fn write(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let said = said(&call)?;
    let work = async |ids: Ids| {
        if !happened(&api, &call, &belongs, &ids).await? {
            let text = seal(&api, &belongs.customer, said.text).await?;
            let command = RentalCommand::WriteReview { stars: said.stars, text, now: chrono::Utc::now() };
            // The same stars without words do not look like another review; they are one all the same.
            if execute(&api, &call, &belongs, command, &ids).await?.events == 0 {
                return Err(RentalError::AlreadyReviewed.into());
            }
        }
        answer(&api, &belongs, StatusCode::CREATED).await
    };
    Ok(once(&api, &call, work).await)
}

/// Say something else about it; what was said before is replaced.
#[utoipa::path(
    put, path = "/v1/rentals/{rental}/review", tag = "rentals", request_body = Said,
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "It says so now", body = schema::Rental), schema::CommandProblems),
    security(("token" = []))
)]
pub(crate) async fn edit(State(api): State<Arc<Api>>, Path(name): Path<String>, call: Call) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let said = said(&call)?;
    let work = async |ids: Ids| {
        if !happened(&api, &call, &belongs, &ids).await? {
            let text = match standing(&api, &belongs, said.text.as_deref()).await? {
                Some(standing) => Some(standing),
                None => seal(&api, &belongs.customer, said.text).await?,
            };
            let command = RentalCommand::EditReview { stars: said.stars, text, now: chrono::Utc::now() };
            execute(&api, &call, &belongs, command, &ids).await?;
        }
        answer(&api, &belongs, StatusCode::OK).await
    };
    Ok(once(&api, &call, work).await)
}

/// Take back what was said. Another review may be written then.
#[utoipa::path(
    delete, path = "/v1/rentals/{rental}/review", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::CommandHeaders),
    responses((status = 200, description = "It is not reviewed", body = schema::Rental), schema::CommandProblems),
    security(("token" = []))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    let belongs = own(&api, &call, name).await?;
    let Nothing {} = call.optional_body()?;
    let work = async |ids: Ids| {
        if !happened(&api, &call, &belongs, &ids).await? {
            let command = RentalCommand::DeleteReview { now: chrono::Utc::now() };
            execute(&api, &call, &belongs, command, &ids).await?;
        }
        answer(&api, &belongs, StatusCode::OK).await
    };
    Ok(once(&api, &call, work).await)
}

fn said(call: &Call) -> Result<Said, Problem> {
    let said: Said = call.body()?;
    let fits = |text: &String| !text.trim().is_empty() && text.chars().count() <= MOST_CHARACTERS;
    if said.text.as_ref().is_none_or(fits) { Ok(said) } else { Err(invalid("text", "1 to 2000 characters")) }
}

/// Whether this very request was worked on before and had its effect. Its words would not look the same again.
async fn happened(api: &Api, call: &Call, belongs: &Belongs, ids: &Ids) -> Result<bool, Problem> {
    let before = api.done_before::<Rental>(&belongs.rental.to_string(), &call.context(ids, None), ids).await?;
    Ok(before.is_some())
}

async fn seal(api: &Api, customer: &CustomerId, text: Option<String>) -> Result<Option<Personal>, Problem> {
    match text {
        Some(text) => api.seal(customer.clone(), text).await.map(Some),
        None => Ok(None),
    }
}

/// The words that stand, where they are these: sealed again, they would look like others.
async fn standing(api: &Api, belongs: &Belongs, text: Option<&str>) -> Result<Option<Personal>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let words = |rental: &Rental, _| rental.review().and_then(|(_, text)| text.cloned());
    let sealed = api.rentals.inspect(&belongs.rental.to_string(), words).await?;
    let said = api.unsealed(&belongs.customer, sealed.clone()).await?;
    Ok(sealed.filter(|_| said.as_deref() == Some(text)))
}

async fn execute(
    api: &Api,
    call: &Call,
    belongs: &Belongs,
    command: RentalCommand,
    ids: &Ids,
) -> Result<Done, ExecuteError<RentalError>> {
    let id = belongs.rental.to_string();
    let context = call.context(ids, Some(id.clone()));
    api.execute(&api.rentals, &id, command, &context, ids).await
}

async fn answer(api: &Api, belongs: &Belongs, status: StatusCode) -> Result<Answer, Problem> {
    let folded = Folded::story(&story::read(api, belongs.rental, u64::MAX).await?);
    let profile = api.profile(&belongs.store).await?;
    Ok(shown::answer(status, Box::new(folded), profile.as_ref()))
}
