//! A query as it arrives, and how fresh its answer is.

use crate::Api;
use crate::admission::Turn;
use crate::answer::Answer;
use crate::call::authenticated;
use crate::error::{INVALID, invalid, view_behind};
use crate::keys::Verified;
use crate::principal::Principal;
use crate::problem::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::{CustomerId, StoreSlug};
use projections::{Page, PageQuery, Projection};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long a query waits for the position that it asks for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a query that asks for none waits for what had been written before it came.
const COURTESY: Duration = Duration::from_millis(250);
const DEFAULT_LIMIT: usize = 20;
const MOST_LIMIT: usize = 100;

/// A query by anybody. What it says in its address is checked when it is used: unknown names are refused.
pub(crate) struct Reading {
    pairs: Vec<(String, String)>,
    /// The journal's head when the query came.
    head: u64,
    /// Kept until the query is answered.
    turn: Turn,
}

/// A query by somebody with a token.
pub(crate) struct PrivateReading {
    pub(crate) caller: Arc<Verified>,
    pub(crate) reading: Reading,
}

/// What every query may say.
pub(crate) struct Params<'a> {
    reading: &'a Reading,
    pub(crate) at_least: Option<u64>,
    pub(crate) as_of: Option<&'a str>,
}

impl FromRequestParts<Arc<Api>> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let head = api.journal.head();
        match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(Self { pairs, head, turn: api.admission.query().await }),
            Err(_) => Err(crate::error::malformed("query", "cannot be read")),
        }
    }
}

impl FromRequestParts<Arc<Api>> for PrivateReading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let caller = authenticated(api, &parts.headers)?;
        let reading = Reading::from_request_parts(parts, api).await?;
        Ok(Self { caller, reading })
    }
}

impl PrivateReading {
    pub(crate) fn customer(&self) -> Result<&CustomerId, Problem> {
        match &self.caller.principal {
            Principal::Customer(customer) => Ok(customer),
            Principal::Staff(_) | Principal::Kiosk { .. } | Principal::Admin => {
                Err(crate::error::forbidden("customers"))
            }
        }
    }

    /// Where staff may at all; whose, is seen next.
    pub(crate) fn staff(&self) -> Result<(), Problem> {
        match &self.caller.principal {
            Principal::Staff(_) => Ok(()),
            Principal::Customer(_) | Principal::Kiosk { .. } | Principal::Admin => {
                Err(crate::error::forbidden("the staff of the store"))
            }
        }
    }

    pub(crate) fn staff_of(&self, store: &StoreSlug) -> Result<(), Problem> {
        if self.caller.principal.is_staff_of(store) { Ok(()) } else { Err(crate::error::staff_of(store)) }
    }

    pub(crate) fn admin(&self) -> Result<(), Problem> {
        if self.caller.principal == Principal::Admin { Ok(()) } else { Err(crate::error::forbidden("administrators")) }
    }
}

impl Reading {
    /// What the address says, where beside `at_least` and `as_of` only these names may stand, each once.
    pub(crate) fn params(&self, names: &[&str]) -> Result<Params<'_>, Problem> {
        for (index, (name, _)) in self.pairs.iter().enumerate() {
            if !names.contains(&name.as_str()) && name != "at_least" && name != "as_of" {
                return Err(invalid(name, "is not known here"));
            }
            if self.pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(name, "is there twice"));
            }
        }
        let number = |text: &str| text.parse().map_err(|_| invalid("at_least", "a position, like 42"));
        let at_least = self.get("at_least").map(number).transpose()?;
        Ok(Params { reading: self, at_least, as_of: self.get("as_of") })
    }

    /// The same for what cannot be read as it was.
    pub(crate) fn present(&self, names: &[&str]) -> Result<Params<'_>, Problem> {
        let params = self.params(names)?;
        match params.as_of {
            None => Ok(params),
            Some(_) => {
                let detail = "as_of: only a single rental can be read as it was";
                Err(Problem::new(INVALID, detail).with("field", "as_of"))
            }
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Params<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.reading.get(name)
    }

    /// The journal's head when the query came.
    pub(crate) const fn head(&self) -> u64 {
        self.reading.head
    }

    /// How many are wanted at once.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MOST_LIMIT).contains(limit));
        limit.ok_or_else(|| invalid("limit", "1 to 100"))
    }

    /// Waits until a view shows what the query wants to see, and answers how far the view is at least.
    ///
    /// Who names a position gets it or 503. Who does not gets what had been written before the query came, unless the
    /// view is stopped or slow: then what there is.
    pub(crate) async fn fresh<P: Projection>(&self, api: &Api) -> Result<u64, Problem> {
        // Before the document is read: the answer is never older than it says.
        let position = api.views.position::<P>();
        let (wanted, patience) = match self.at_least {
            Some(wanted) => (wanted, PATIENCE),
            None => (self.head(), COURTESY),
        };
        if position >= wanted || (self.at_least.is_none() && api.views.is_paused::<P>()) {
            return Ok(position);
        }
        let reached = api.admission.aside(&self.reading.turn, api.views.reach::<P>(wanted, patience)).await;
        match (reached, self.at_least) {
            (Ok(position), _) => Ok(position),
            (Err(behind), None) => Ok(behind.position),
            (Err(behind), Some(wanted)) => Err(view_behind(wanted, behind.position)),
        }
    }

    /// Waits until the journal itself has reached what the query wants to see, for answers that come from no view.
    pub(crate) async fn reached(&self, api: &Api) -> Result<u64, Problem> {
        let there = api.journal.head();
        let Some(wanted) = self.at_least.filter(|wanted| *wanted > there) else { return Ok(there) };
        let mut head = api.journal.watch_head();
        let waiting = async {
            let reached = tokio::time::timeout(PATIENCE, head.wait_for(|head| *head >= wanted)).await;
            reached.is_ok_and(|head| head.is_ok())
        };
        let reached = api.admission.aside(&self.reading.turn, waiting).await;
        let there = api.journal.head();
        if reached { Ok(there) } else { Err(view_behind(wanted, there)) }
    }

    /// One page of a view that is fresh enough, and how far the view is at least. A wrong limit does not wait for the view.
    pub(crate) async fn page<P: Projection>(
        &self,
        api: &Api,
        owner: Option<&str>,
        tag: Option<&str>,
    ) -> Result<(Page<P::Document>, u64), Problem> {
        self.page_of_any::<P>(api, owner, tag.as_slice()).await
    }

    /// The same of what has any of some tags.
    pub(crate) async fn page_of_any<P: Projection>(
        &self,
        api: &Api,
        owner: Option<&str>,
        tags: &[&str],
    ) -> Result<(Page<P::Document>, u64), Problem> {
        let query = PageQuery {
            owner: owner.map(str::to_owned),
            tags: tags.iter().map(ToString::to_string).collect(),
            limit: self.limit()?,
            cursor: self.get("cursor").map(str::to_owned),
        };
        let position = self.fresh::<P>(api).await?;
        Ok((api.views.page::<P>(query).await?, position))
    }
}

/// A list as every list is answered.
#[derive(Serialize)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

impl<T: Serialize> Listed<T> {
    pub(crate) fn answer(&self, position: u64) -> Answer {
        Answer::json(StatusCode::OK, self).at(position)
    }
}
