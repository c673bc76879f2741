//! A rental as it is answered, everywhere in the same shape.

use crate::Api;
use crate::answer::Answer;
use crate::outcomes::Folded;
use crate::problem::Problem;
use axum::http::StatusCode;
use domain::rental::RentalStatus;
use domain::store::Profile;
use domain::{Instant, StoreSlug};
use projections::MyPageEntry;
use serde::Serialize;

/// A customer's entry with the business's word for where it stands, and with what the customer said in clear.
#[derive(Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    entry: MyPageEntry,
    status_label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<ReviewShown>,
}

/// What a customer says of it, in clear.
#[derive(Serialize)]
struct ReviewShown {
    stars: u8,
    /// Left out where personal words are; null where there are none, or not any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Option<String>>,
    at: Instant,
}

impl Shown {
    /// For an answer that may be recorded: personal words are left out.
    pub(crate) fn without_words(mut entry: MyPageEntry, profile: Option<&Profile>) -> Self {
        if let Some(cancellation) = &mut entry.cancellation {
            cancellation.reason = None;
        }
        let said = entry.review.take();
        let review = said.map(|said| ReviewShown { stars: said.stars, text: None, at: said.at });
        let status_label = label(profile, entry.status);
        Self { entry, status_label, cancellation_reason: None, review }
    }

    /// For somebody who may read the customer's words.
    pub(crate) async fn with_words(
        api: &Api,
        mut entry: MyPageEntry,
        profile: Option<&Profile>,
    ) -> Result<Self, Problem> {
        let sealed = entry.cancellation.as_mut().and_then(|cancellation| cancellation.reason.take());
        let cancellation_reason = api.unsealed(&entry.customer, sealed).await?;
        let review = match entry.review.take() {
            Some(said) => {
                let text = api.unsealed(&entry.customer, said.text).await?;
                Some(ReviewShown { stars: said.stars, text: Some(text), at: said.at })
            }
            None => None,
        };
        let status_label = label(profile, entry.status);
        Ok(Self { entry, status_label, cancellation_reason, review })
    }
}

/// The business's word for a status.
pub(crate) fn label(profile: Option<&Profile>, status: RentalStatus) -> String {
    profile.map_or(status.name(), |profile| profile.policy.words.label(status)).to_owned()
}

/// The answer to a command: the rental as far as it has come.
pub(crate) fn answer(status: StatusCode, folded: Box<Folded>, profile: Option<&Profile>) -> Answer {
    let Some(entry) = folded.entry else { return crate::error::internal().into_answer() };
    let (id, revision) = (entry.id, entry.revision);
    Answer::json(status, &Shown::without_words(entry, profile))
        .location(format!("/v1/rentals/{id}"))
        .revision(revision)
        .at(folded.position)
}

/// Profiles of the stores on one page, each looked up once.
pub(crate) struct Profiles<'a> {
    api: &'a Api,
    known: Vec<Profile>,
}

impl<'a> Profiles<'a> {
    pub(crate) const fn new(api: &'a Api) -> Self {
        Self { api, known: Vec::new() }
    }

    pub(crate) async fn get(&mut self, store: &StoreSlug) -> Result<Option<&Profile>, Problem> {
        if !self.known.iter().any(|profile| profile.slug == *store) {
            self.known.extend(self.api.profile(store).await?);
        }
        Ok(self.known.iter().find(|profile| profile.slug == *store))
    }
}
