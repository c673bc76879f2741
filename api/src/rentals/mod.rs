//! Rentals: asking for one, taking it through the store, getting out of it, and looking at it.

mod cancel;
mod extend;
mod history;
mod late_fee;
mod query;
mod request;
mod review;
pub(crate) mod shown;
pub(crate) mod steps;
mod waiting;

use crate::call::Call;
use crate::error::not_found;
use crate::outcomes::{Outcome, Watching};
use crate::problem::Problem;
use crate::{Api, story};
use domain::{CustomerId, RentalId, StoreSlug};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(request::request_rental))
        .routes(routes!(query::rental))
        .routes(routes!(history::history))
        .routes(routes!(cancel::cancel))
        .routes(routes!(extend::extend))
        .routes(routes!(waiting::accept))
        .routes(routes!(waiting::decline))
        .routes(routes!(waiting::line))
        .routes(routes!(steps::prepare))
        .routes(routes!(steps::hand_over))
        .routes(routes!(steps::return_rental))
        .routes(routes!(late_fee::pay_late_fee))
        .routes(routes!(late_fee::waive_late_fee))
        .routes(routes!(review::write, review::edit, review::delete))
}

/// Whose a rental is.
pub(crate) struct Belongs {
    pub(crate) rental: RentalId,
    customer: CustomerId,
    pub(crate) store: StoreSlug,
    revision: u64,
}

/// The rental of that name, for whoever it is.
pub(crate) async fn find(api: &Api, name: &str) -> Result<Belongs, Problem> {
    let rental: RentalId = name.parse().map_err(|_| not_found("rental", name))?;
    let found = api
        .rentals
        .inspect(&rental.to_string(), |state, revision| {
            let terms = state.terms()?;
            Some((terms.customer.clone(), terms.store.clone(), revision))
        })
        .await?;
    let (customer, store, revision) = found.ok_or_else(|| not_found("rental", name))?;
    Ok(Belongs { rental, customer, store, revision })
}

/// The caller's own rental. That somebody else's exists is not for them to know.
async fn own(api: &Api, call: &Call, name: String) -> Result<Belongs, Problem> {
    let customer = call.customer()?;
    let belongs = find(api, &name).await?;
    if belongs.customer == *customer { Ok(belongs) } else { Err(not_found("rental", name)) }
}

/// Waits for what becomes of a rental, by what has happened so far and by what is followed from here on.
async fn outcome(api: &Api, call: &Call, rental: RentalId, watching: Watching) -> Result<Outcome, Problem> {
    let head = api.journal.head();
    watching.begin(&story::read(api, rental, head).await?, head);
    Ok(watching.outcome(call.preference.wait(api.settings.wait), Some(call.turn())).await)
}
