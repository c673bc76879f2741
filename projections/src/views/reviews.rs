//! What customers say of an item.

use super::unexpected;
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::rental::RentalEvent;
use domain::{CustomerId, Event, Instant, Personal, RentalId};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// What customers say of an item. What was deleted is listed under a tag of its own, without its words.
pub struct Reviews;

impl Reviews {
    /// The tag of reviews that stand.
    pub const STANDING: &'static str = "standing";
    const DELETED: &'static str = "deleted";
}

/// One review. Who wrote it, and about which rental, is for nobody else to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewEntry {
    /// About which rental.
    pub rental: RentalId,
    /// Whose; under their key the text is sealed.
    pub customer: CustomerId,
    /// 1 to 5.
    pub stars: u8,
    /// In their words, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Personal>,
    /// When it was written.
    pub written_at: Instant,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Instant>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Instant>,
}

/// A stored review.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReviewListed {
    /// Under which it is listed.
    item: String,
    entry: ReviewEntry,
}

impl Projection for Reviews {
    const NAME: &'static str = "reviews.v1";
    const SUBSCRIPTION: &'static str = "view-reviews";
    type State = ReviewListed;
    type Document = ReviewEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            // Another review of the same rental is another one, with a place of its own in the list.
            Event::Rental(rental) => {
                Ok(rental.review_number().map(|number| Key::Name(format!("{}/{number}", event.aggregate_id()).into())))
            }
            Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<ReviewListed> {
        let Event::Rental(RentalEvent::ReviewWritten { item, customer, stars, text, at, .. }) = decoded else {
            return None;
        };
        let entry = ReviewEntry {
            rental: event.aggregate_id().parse().ok()?,
            customer: customer.clone(),
            stars: *stars,
            text: text.clone(),
            written_at: *at,
            edited_at: None,
            deleted_at: None,
        };
        Some(ReviewListed { item: item.to_string(), entry })
    }

    fn apply(listed: &mut ReviewListed, _event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        let entry = &mut listed.entry;
        match decoded {
            Event::Rental(RentalEvent::ReviewWritten { .. }) => Ok(()),
            Event::Rental(RentalEvent::ReviewEdited { stars, text, at, .. }) => {
                entry.stars = *stars;
                entry.text.clone_from(text);
                entry.edited_at = Some(*at);
                Ok(())
            }
            Event::Rental(RentalEvent::ReviewDeleted { at, .. }) => {
                entry.text = None;
                entry.deleted_at = Some(*at);
                Ok(())
            }
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Message(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Err(unexpected(decoded)),
        }
    }

    fn row(listed: &ReviewListed) -> Row<'_> {
        let standing = listed.entry.deleted_at.is_none();
        Row { owner: &listed.item, tag: if standing { Self::STANDING } else { Self::DELETED } }
    }

    fn document(listed: ReviewListed) -> ReviewEntry {
        listed.entry
    }
}
