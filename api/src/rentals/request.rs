//! Asking for a rental, and waiting for what becomes of it.

use super::shown;
use crate::Api;
use crate::admission::Turn;
use crate::answer::Answer;
use crate::call::{Call, Preference};
use crate::error::{self, EXPIRED, invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::outcomes::{Outcome, Until, Watching};
use crate::problem::Problem;
use crate::undecided::OneUndecided;
use crate::{schema, story, when};
use axum::extract::State;
use axum::http::StatusCode;
use domain::rental::{RentalCommand, RentalError, RentalStatus, Terms};
use domain::store::Profile;
use domain::{CustomerId, ItemId, Language, RentalId, StoreSlug};
use journal::{AppendError, Basis, Done, ExecuteError};
use projections::MyPageEntry;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How long a caller who does not want to wait waits for the journal to be followed up to its own request.
const ECHO: Duration = Duration::from_secs(2);
/// For how long a rental counts as undecided at most.
const MOST_UNDECIDED: Duration = Duration::from_secs(60);

/// What a customer asks for.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestRental {
    /// Which item.
    #[schema(value_type = uuid::Uuid)]
    item: ItemId,
    /// How many; as many as there are seats, else 1.
    quantity: Option<u32>,
    /// From when, for what comes back: an instant, or a date at the store.
    #[schema(example = "2026-07-01")]
    from: Option<String>,
    /// Until when; not included.
    #[schema(example = "2026-07-04")]
    to: Option<String>,
    /// The seats; leave them out to have them assigned.
    #[serde(default)]
    seats: Vec<String>,
    /// Whether to wait in line when there is nothing now, where the store has a waiting list.
    #[serde(default)]
    wait: bool,
    /// The payment provider's token for how to pay.
    #[schema(default = "pm_ok")]
    payment_method: Option<String>,
}

/// Ask for a rental. Waits for its outcome: 2 seconds, or as `Prefer: wait=N` or `respond-async` says.
#[utoipa::path(
    post, path = "/v1/rentals", tag = "rentals", request_body = RequestRental,
    params(schema::CommandHeaders, schema::WaitHeaders, schema::LanguageHeader),
    responses(
        (status = 201, description = "It is confirmed", body = schema::Rental),
        (status = 202, description = "It is not decided yet, or waits in line; look at `Location`", body = schema::Rental),
        (status = 402, description = "The payment was declined", body = schema::Problem, content_type = "application/problem+json"),
        schema::CommandProblems,
    ),
    security(("token" = []))
)]
pub(crate) async fn request_rental(State(api): State<Arc<Api>>, call: Call) -> Result<Answer, Problem> {
    let customer = call.customer()?;
    let asked: RequestRental = call.body()?;
    Ok(once(&api, &call, |ids| request(&api, &call, customer, asked, ids)).await)
}

async fn request(
    api: &Arc<Api>,
    call: &Call,
    customer: &CustomerId,
    asked: RequestRental,
    ids: Ids,
) -> Result<Answer, Problem> {
    let store = api.store_of(asked.item).await?.ok_or_else(|| not_found("item", asked.item))?;
    let Begun { rental, quantity, profile, done, watching } = begin(api, call, customer, asked, ids, &store).await?;
    let (until, wait) = patience(call.preference, api.settings.wait);
    let turn = Some(call.turn());
    let outcome = match done {
        Done { events: 1.., .. } => watching.outcome(wait, turn).await,
        Done { events: 0, .. } => present(api, rental, (until, wait), turn).await?,
    };
    if !outcome.folded.entry.as_ref().is_some_and(is_decided_or_waits) {
        tokio::spawn(until_decided(api.clone(), rental, api.undecided.one_more()));
    }
    let answer = settled(outcome, rental, quantity, &profile, StatusCode::CREATED)?;
    Ok(call.as_preferred(answer))
}

/// A rental that is in the journal.
struct Begun {
    rental: RentalId,
    quantity: u32,
    /// The store's, under which it was requested.
    profile: Profile,
    done: Done,
    watching: Watching,
}

/// Has a rental requested under the store's policy, as it is known here at first: that it is still so is found out with the append
/// itself. Whatever else comes of that is found out again with certainty.
async fn begin(
    api: &Arc<Api>,
    call: &Call,
    customer: &CustomerId,
    asked: RequestRental,
    ids: Ids,
    store: &StoreSlug,
) -> Result<Begun, Problem> {
    if !ids.may_have_happened()
        && let (Some(profile), basis) = api.profile_at_basis(store).await?
    {
        match begin_under(api, call, customer, asked.clone(), ids, (profile, Some(basis))).await {
            Ok(begun) if begun.done.events > 0 => return Ok(begun),
            // It may be in the journal all the same: nothing else is to be begun for this request.
            Err(Unbegun::For(problem)) if problem.kind.status.is_server_error() => return Err(problem),
            Ok(_) | Err(Unbegun::Overtaken | Unbegun::For(_)) => {}
        }
    }
    let profile = api.profile(store).await?.ok_or_else(|| not_found("store", store))?;
    match begin_under(api, call, customer, asked, ids, (profile, None)).await {
        Ok(begun) => Ok(begun),
        Err(Unbegun::For(problem)) => Err(problem),
        // Only what was decided on a basis can be overtaken.
        Err(Unbegun::Overtaken) => Err(error::internal()),
    }
}

/// Why a rental was not requested.
enum Unbegun {
    /// The store is not what it was taken for.
    Overtaken,
    For(Problem),
}

impl<T: Into<Problem>> From<T> for Unbegun {
    fn from(problem: T) -> Self {
        Self::For(problem.into())
    }
}

async fn begin_under(
    api: &Arc<Api>,
    call: &Call,
    customer: &CustomerId,
    asked: RequestRental,
    ids: Ids,
    (profile, basis): (Profile, Option<Basis>),
) -> Result<Begun, Unbegun> {
    let terms = terms(asked, customer, &profile, call.language)?;
    let quantity = terms.quantity;
    let rental = RentalId(ids.id("rental"));
    let id = rental.to_string();
    // One who was let in before is not turned away at the second try.
    if !(ids.may_have_happened() && api.rentals.inspect(&id, |rental, _| rental.status().is_some()).await?) {
        api.check_door(&profile.policy)?;
        api.undecided.check()?;
    }
    let context = call.context(&ids, Some(id.clone()));
    // Before the request is in the journal: no event of it may be missed.
    let watching = api.outcomes.watch_new(rental, patience(call.preference, api.settings.wait).0);
    let command = RentalCommand::Request { terms: Box::new(terms), now: chrono::Utc::now() };
    let executed = match basis {
        Some(basis) => api.rentals.execute_new_on(&id, command, &context, basis).await,
        None => api.rentals.execute_new(&id, command, &context).await,
    };
    let done = match executed {
        Ok(done) => done,
        // Asked for before with this very key, under a policy that has changed since.
        Err(ExecuteError::Refused(RentalError::WrongStatus { .. })) if ids.may_have_happened() => {
            Done { position: 0, revision: 0, events: 0 }
        }
        Err(ExecuteError::Journal(AppendError::Overtaken(_))) => return Err(Unbegun::Overtaken),
        Err(error) => return Err(error.into()),
    };
    Ok(Begun { rental, quantity, profile, done, watching })
}

fn terms(asked: RequestRental, customer: &CustomerId, profile: &Profile, language: Language) -> Result<Terms, Problem> {
    let period = when::period(asked.from.as_deref(), asked.to.as_deref(), profile.time_zone)?;
    let seats = u32::try_from(asked.seats.len()).map_err(|_| invalid("seats", "too many"))?;
    Ok(Terms {
        customer: customer.clone(),
        store: profile.slug.clone(),
        item: asked.item,
        quantity: asked.quantity.unwrap_or(seats.max(1)),
        period,
        seats: asked.seats,
        wait: asked.wait,
        payment_method: asked.payment_method.unwrap_or_else(|| "pm_ok".to_owned()),
        policy: profile.policy.name.clone(),
        rules: profile.policy.rules.clone(),
        time_zone: profile.time_zone,
        language,
    })
}

/// Who does not want to wait gets the rental as soon as anything of it is there.
const fn patience(preference: Preference, otherwise: Duration) -> (Until, Duration) {
    match preference {
        Preference::Async | Preference::Wait(0) => (|_| true, ECHO),
        Preference::None | Preference::Wait(_) => (is_decided_or_waits, preference.wait(otherwise)),
    }
}

fn is_decided_or_waits(entry: &MyPageEntry) -> bool {
    is_decided(entry) || entry.waiting.is_some()
}

pub(super) const fn is_decided(entry: &MyPageEntry) -> bool {
    !matches!(entry.status, RentalStatus::Requested | RentalStatus::Cancelling)
}

/// The outcome of a rental that was there before.
async fn present(
    api: &Api,
    rental: RentalId,
    (until, wait): (Until, Duration),
    turn: Option<&Turn>,
) -> Result<Outcome, Problem> {
    let watching = api.outcomes.watch(rental, until);
    let head = api.journal.head();
    watching.begin(&story::read(api, rental, head).await?, head);
    Ok(watching.outcome(wait, turn).await)
}

/// Counts a rental as undecided until it is decided. One that takes longer than that waits for something else than its turn.
async fn until_decided(api: Arc<Api>, rental: RentalId, one: OneUndecided) {
    if let Err(problem) = present(&api, rental, (is_decided_or_waits, MOST_UNDECIDED), None).await {
        tracing::debug!(rental.id = %rental, ?problem, "a rental that cannot be read is not counted");
    }
    drop(one);
}

/// What became of a rental, with `success` where it stands.
pub(super) fn settled(
    outcome: Outcome,
    rental: RentalId,
    wanted: u32,
    profile: &Profile,
    success: StatusCode,
) -> Result<Answer, Problem> {
    let mut folded = outcome.folded;
    let Some(entry) = &mut folded.entry else {
        // Durable, and the journal is not followed up to it: the caller can ask for it.
        return Ok(Answer::json(StatusCode::ACCEPTED, &serde_json::json!({ "id": rental, "status": "requested" }))
            .location(format!("/v1/rentals/{rental}")));
    };
    let (revision, position) = (entry.revision, folded.position);
    let refused = |problem: Problem| {
        Ok(problem.into_answer().location(format!("/v1/rentals/{rental}")).revision(revision).at(position))
    };
    match entry.status {
        RentalStatus::Requested | RentalStatus::Cancelling => {
            Ok(shown::answer(StatusCode::ACCEPTED, folded, Some(profile)))
        }
        RentalStatus::Rejected => match entry.reason.take() {
            Some(reason) => refused(error::rejected(rental, wanted, reason)),
            None => Err(error::internal()),
        },
        RentalStatus::Expired => {
            let detail = "it was not paid before the hold's deadline";
            refused(Problem::new(EXPIRED, detail).with("rental", rental.to_string()))
        }
        RentalStatus::Confirmed
        | RentalStatus::Prepared
        | RentalStatus::HandedOver
        | RentalStatus::Overdue
        | RentalStatus::Returned
        | RentalStatus::Completed
        | RentalStatus::Cancelled => Ok(shown::answer(success, folded, Some(profile))),
    }
}
