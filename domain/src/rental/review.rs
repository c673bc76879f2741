//! What a customer says of what they have had: one review of each rental at a time.

use super::{RentalError, RentalEvent, Terms};
use crate::{Instant, Personal};
use serde::{Deserialize, Serialize};

/// The review of a rental, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reviewing {
    /// How many were written, deleted ones included.
    written: u32,
    standing: Option<Box<Review>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Review {
    stars: u8,
    text: Option<Personal>,
}

type Decided = Result<Vec<RentalEvent>, RentalError>;

impl Reviewing {
    pub(super) fn standing(&self) -> Option<(u8, Option<&Personal>)> {
        self.standing.as_deref().map(|review| (review.stars, review.text.as_ref()))
    }

    /// Sealing the same words twice gives two texts: only what was sealed once is known to be the same.
    fn says(&self, stars: u8, text: Option<&Personal>) -> bool {
        self.standing() == Some((stars, text))
    }

    pub(super) fn write(&self, terms: &Terms, stars: u8, text: Option<Personal>, at: Instant) -> Decided {
        if self.says(stars, text.as_ref()) {
            return Ok(vec![]);
        }
        if self.standing.is_some() {
            return Err(RentalError::AlreadyReviewed);
        }
        check(stars)?;
        let (item, customer, number) = (terms.item, terms.customer.clone(), self.written.saturating_add(1));
        Ok(vec![RentalEvent::ReviewWritten { item, customer, number, stars, text, at }])
    }

    pub(super) fn edit(&self, terms: &Terms, stars: u8, text: Option<Personal>, at: Instant) -> Decided {
        let Some((before, _)) = self.standing() else { return Err(RentalError::NotReviewed) };
        if self.says(stars, text.as_ref()) {
            return Ok(vec![]);
        }
        check(stars)?;
        let (item, number) = (terms.item, self.written);
        Ok(vec![RentalEvent::ReviewEdited { item, number, stars, before, text, at }])
    }

    pub(super) fn delete(&self, terms: &Terms, at: Instant) -> Vec<RentalEvent> {
        let (item, number) = (terms.item, self.written);
        let deleted = self.standing().map(|(stars, _)| RentalEvent::ReviewDeleted { item, number, stars, at });
        deleted.into_iter().collect()
    }

    pub(super) fn fold_written(&mut self, number: u32, stars: u8, text: Option<&Personal>) {
        self.written = number;
        self.standing = Some(Box::new(Review { stars, text: text.cloned() }));
    }

    pub(super) fn fold_deleted(&mut self) {
        self.standing = None;
    }
}

const fn check(stars: u8) -> Result<(), RentalError> {
    if 1 <= stars && stars <= 5 { Ok(()) } else { Err(RentalError::DoesNotFit { field: "stars", why: "1 to 5" }) }
}
