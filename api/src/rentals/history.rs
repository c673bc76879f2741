//! Every event of a rental's story, whatever stream it is in.

use super::{find, query};
use crate::answer::Answer;
use crate::error::not_found;
use crate::problem::Problem;
use crate::reading::{Listed, PrivateReading};
use crate::{Api, schema, story, told};
use axum::extract::{Path, State};
use domain::rental::RentalEvent;
use domain::{CustomerId, Event};
use journal::Recorded;
use projections::Processes;
use serde_json::Value;
use std::sync::Arc;

/// Every event of a rental's story, in order.
#[utoipa::path(
    get, path = "/v1/rentals/{rental}/history", tag = "rentals",
    params(("rental" = uuid::Uuid, Path), schema::QueryParams),
    responses((status = 200, description = "The events", body = schema::Events), schema::QueryProblems),
    security(("token" = []))
)]
pub(crate) async fn history(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    query: PrivateReading,
) -> Result<Answer, Problem> {
    query::readers(&query.caller.principal)?;
    let params = query.reading.present(&[])?;
    let belongs = find(&api, &name).await?;
    if !query::may_read(&query.caller.principal, &belongs.customer, &belongs.store) {
        return Err(not_found("rental", name));
    }
    let position = params.fresh::<Processes>(&api).await?;
    let events = story::read(&api, belongs.rental, u64::MAX).await?;
    let mut items = Vec::with_capacity(events.len());
    for event in &events {
        let mut told = told::Told::from(event);
        unseal(&api, &belongs.customer, event, &mut told.data).await?;
        items.push(told);
    }
    Ok(Listed { items, next: None }.answer(position))
}

/// What was said in confidence, in clear for those who may read it; null once it was erased.
async fn unseal(api: &Api, customer: &CustomerId, event: &Recorded, data: &mut Value) -> Result<(), Problem> {
    let (field, sealed) = match event.decoded(Event::decode) {
        Ok(Event::Rental(RentalEvent::CancellationRequested { reason: Some(sealed), .. })) => ("reason", sealed),
        Ok(Event::Rental(
            RentalEvent::ReviewWritten { text: Some(sealed), .. }
            | RentalEvent::ReviewEdited { text: Some(sealed), .. },
        )) => ("text", sealed),
        Ok(_) | Err(_) => return Ok(()),
    };
    data[field] = api.unseal(customer.clone(), sealed.clone()).await?.into();
    Ok(())
}
