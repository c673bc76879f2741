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

use crate::Api;
use crate::error::not_found;
use crate::problem::Problem;
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
