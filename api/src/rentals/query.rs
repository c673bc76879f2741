//! One rental, as it is or as it was.

use super::shown::Shown;
use crate::answer::Answer;
use crate::error::{forbidden, invalid, not_found};
use crate::outcomes::Folded;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::reading::{Params, PrivateReading};
use crate::{Api, schema, story};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::{CustomerId, RentalId, StoreSlug};
use projections::{MyPage, MyPageEntry, Processes};
use std::sync::Arc;

/// A rental. With `as_of`, as it was at a position or an instant.
#[utoipa::path(
    get, path = "/v1/rentals/{rental}", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::QueryParams, schema::AsOf),
    responses((status = 200, description = "The rental", body = schema::Rental), schema::QueryProblems),
    security(("token" = []))
)]
pub(crate) async fn rental(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    query: PrivateReading,
) -> Result<Answer, Problem> {
    readers(&query.caller.principal)?;
    let rental: RentalId = name.parse().map_err(|_| not_found("rental", &name))?;
    let params = query.reading.params(&[])?;
    let (entry, position) = match params.as_of {
        Some(as_of) => as_it_was(&api, &params, rental, as_of).await?,
        None => as_it_is(&api, &params, rental).await?,
    };
    let entry = entry.filter(|entry| may_read(&query.caller.principal, &entry.customer, &entry.store));
    let Some(entry) = entry else { return Err(not_found("rental", name)) };
    let profile = api.profile(&entry.store).await?;
    let revision = entry.revision;
    let shown = Shown::with_words(&api, entry, profile.as_ref()).await?;
    Ok(Answer::json(StatusCode::OK, &shown).revision(revision).at(position))
}

/// Who may read rentals at all.
pub(super) fn readers(principal: &Principal) -> Result<(), Problem> {
    match principal {
        Principal::Customer(_) | Principal::Staff(_) | Principal::Admin => Ok(()),
        Principal::Kiosk { .. } => Err(forbidden("its customer, the staff of its store and administrators")),
    }
}

/// Who may read this one.
pub(super) fn may_read(principal: &Principal, customer: &CustomerId, store: &StoreSlug) -> bool {
    match principal {
        Principal::Customer(own) => own == customer,
        Principal::Staff(own) => own == store,
        Principal::Admin => true,
        Principal::Kiosk { .. } => false,
    }
}

async fn as_it_is(api: &Api, params: &Params<'_>, rental: RentalId) -> Result<(Option<MyPageEntry>, u64), Problem> {
    let position = params.fresh::<MyPage>(api).await?;
    if let Some(entry) = api.views.document::<MyPage>(rental).await? {
        return Ok((Some(entry), position));
    }
    // The view is stopped or far behind: an address that we gave out answers all the same.
    let folded = Folded::story(&story::read(api, rental, params.head()).await?);
    Ok((folded.entry, folded.position.max(position)))
}

async fn as_it_was(
    api: &Api,
    params: &Params<'_>,
    rental: RentalId,
    as_of: &str,
) -> Result<(Option<MyPageEntry>, u64), Problem> {
    params.fresh::<Processes>(api).await?;
    let mut events = story::read(api, rental, params.head()).await?;
    match (as_of.parse::<u64>(), DateTime::parse_from_rfc3339(as_of)) {
        (Ok(position), _) => events.retain(|event| event.position <= position),
        (Err(_), Ok(at)) => {
            let at = at.with_timezone(&Utc);
            events.retain(|event| event.recorded_at <= at);
        }
        (Err(_), Err(_)) => return Err(invalid("as_of", "a position, or an instant like 2026-07-01T09:00:00Z")),
    }
    let folded = Folded::story(&events);
    Ok((folded.entry, folded.position))
}
