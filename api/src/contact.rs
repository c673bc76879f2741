//! Where a customer wants to be written to. **No answer that is kept shows an address**, and no event has it in clear.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{invalid, not_found};
use crate::idempotency::{Ids, once};
use crate::problem::Problem;
use crate::reading::PrivateReading;
use crate::schema::{self, Nothing};
use crate::{Api, when};
use axum::extract::State;
use axum::http::StatusCode;
use domain::contact::{Contact, ContactCommand};
use domain::{CustomerId, Personal};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MOST_CHARACTERS: usize = 254;
const MOST_LOCAL_CHARACTERS: usize = 64;

/// What this file adds to the table of contents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(look, give, forget))
}

/// Where to write to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveContact {
    /// A mail address; stored sealed, and erased with the customer.
    #[schema(example = "alice@example.org", max_length = 254)]
    email: String,
}

/// The address, for the customer alone.
#[derive(Serialize)]
struct Shown {
    email: String,
    given_at: String,
}

/// Whether there is one.
#[derive(Serialize)]
struct Given {
    given: bool,
}

/// The mail address that the caller's messages go to.
#[utoipa::path(
    get, path = "/v1/mypage/contact", tag = "mypage", params(schema::QueryParams),
    responses((status = 200, description = "The contact", body = schema::Contact), schema::QueryProblems),
    security(("token" = []))
)]
async fn look(State(api): State<Arc<Api>>, query: PrivateReading) -> Result<Answer, Problem> {
    let customer = query.customer()?;
    let params = query.reading.present(&[])?;
    let position = params.reached(&api).await?;
    let none = || not_found("contact", customer);
    let given = |contact: &Contact, revision| contact.email().map(|(email, since)| (email.clone(), since, revision));
    let found = api.contacts.inspect(customer.as_str(), given).await?;
    let (sealed, since, revision) = found.ok_or_else(none)?;
    let email = api.unseal(customer.clone(), sealed).await?.ok_or_else(none)?;
    let shown = Shown { email, given_at: when::text(since) };
    Ok(Answer::json(StatusCode::OK, &shown).revision(revision).at(position))
}

/// Have messages sent to a mail address from now on.
#[utoipa::path(
    put, path = "/v1/mypage/contact", tag = "mypage", request_body = GiveContact, params(schema::CommandHeaders),
    responses((status = 200, description = "Messages go there", body = schema::ContactGiven), schema::CommandProblems),
    security(("token" = []))
)]
async fn give(State(api): State<Arc<Api>>, call: Call) -> Result<Answer, Problem> {
    let customer = call.customer()?;
    let GiveContact { email } = call.body()?;
    if !is_address(&email) {
        // It is not repeated: it may be one that was only mistyped.
        return Err(invalid("email", "an address like alice@example.org, in ASCII"));
    }
    let work = async |ids: Ids| {
        let email = match standing(&api, customer, &email).await? {
            Some(standing) => standing,
            None => api.seal(customer.clone(), email).await?,
        };
        execute(&api, &call, customer, ContactCommand::Give { email, now: chrono::Utc::now() }, ids).await
    };
    Ok(once(&api, &call, work).await)
}

/// Have messages shown on the caller's page alone from now on.
#[utoipa::path(
    delete, path = "/v1/mypage/contact", tag = "mypage", params(schema::CommandHeaders),
    responses((status = 200, description = "Messages go nowhere", body = schema::ContactGiven), schema::CommandProblems),
    security(("token" = []))
)]
async fn forget(State(api): State<Arc<Api>>, call: Call) -> Result<Answer, Problem> {
    let customer = call.customer()?;
    let Nothing {} = call.optional_body()?;
    let command = ContactCommand::Forget { now: chrono::Utc::now() };
    Ok(once(&api, &call, |ids| execute(&api, &call, customer, command, ids)).await)
}

/// The address that stands, where it is this one: sealed again, it would look like another.
async fn standing(api: &Api, customer: &CustomerId, email: &str) -> Result<Option<Personal>, Problem> {
    let sealed = |contact: &Contact, _| contact.email().map(|(email, _)| email.clone());
    let sealed = api.contacts.inspect(customer.as_str(), sealed).await?;
    let known = api.unsealed(customer, sealed.clone()).await?;
    Ok(sealed.filter(|_| known.as_deref() == Some(email)))
}

async fn execute(
    api: &Api,
    call: &Call,
    customer: &CustomerId,
    command: ContactCommand,
    ids: Ids,
) -> Result<Answer, Problem> {
    let given = matches!(command, ContactCommand::Give { .. });
    let context = call.context(&ids, None);
    let done = api.execute(&api.contacts, customer.as_str(), command, &context, &ids).await?;
    Ok(Answer::json(StatusCode::OK, &Given { given }).revision(done.revision).at(done.position))
}

/// Whether a text can be a mail address: `local@domain` of plain characters. Whether anybody reads there, only a mail can tell.
fn is_address(text: &str) -> bool {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_local = |local: &str| {
        (1..=MOST_LOCAL_CHARACTERS).contains(&local.len())
            && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_domain = |domain: &str| domain.contains('.') && domain.split('.').all(is_label);
    let parts = text.rsplit_once('@');
    text.len() <= MOST_CHARACTERS && parts.is_some_and(|(local, domain)| is_local(local) && is_domain(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address_may_be_one() {
        for text in ["alice@example.org", "a.l+ice_1@mail.example.co.kr", "x@xn--9t4b11yi5a.com", "o'hara@a-b.de"] {
            assert!(is_address(text), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_another_way_is_none() {
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "alice@example",
            "alice@-a.org",
            "alice@a..org",
            ".a@example.org",
            "a..b@example.org",
            "a b@example.org",
            "a@b@example.org",
            "<alice@example.org>",
            "alice@example.org\r\nRCPT TO:<bob@example.org>",
            "alice@example.org,bob@example.org",
            "\"alice\"@example.org",
            "alice@[127.0.0.1]",
            "앨리스@example.org",
            &long,
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
