//! What customers are told.

use super::{message_of, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::message::{MessageEvent, MessageStatus};
use domain::policy::Occasion;
use domain::{CustomerId, Event, Instant, Language, MessageId, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// What a customer was told, and whether it has gone out.
pub struct Messages;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEntry {
    /// Which message.
    pub id: MessageId,
    /// Of which rental it tells.
    pub rental: RentalId,
    /// On whose behalf.
    pub store: StoreSlug,
    /// To whom.
    pub customer: CustomerId,
    /// Why.
    pub occasion: Occasion,
    /// In which language.
    pub language: Language,
    /// What is said.
    pub text: String,
    /// Where it stands.
    pub status: MessageStatus,
    /// When it was written down.
    pub recorded_at: Instant,
    /// When it went out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Instant>,
    /// How often it did not go out.
    pub failures: u32,
    /// Why not, the last time; until it has gone out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether that would happen again, so that it is not tried again by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
}

impl Projection for Messages {
    const NAME: &'static str = "messages.v2";
    const SUBSCRIPTION: &'static str = "view-messages";
    const TAGGED_ARE_FEW: bool = true;
    type State = MessageEntry;
    type Document = MessageEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Message(_) => Ok(Some(message_of(event)?.into())),
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<MessageEntry> {
        let Event::Message(MessageEvent::Recorded { rental, letter, at }) = decoded else { return None };
        Some(MessageEntry {
            id: message_of(event).ok()?,
            rental: *rental,
            store: letter.store.clone(),
            customer: letter.customer.clone(),
            occasion: letter.occasion,
            language: letter.language,
            text: letter.text.clone(),
            status: MessageStatus::Recorded,
            recorded_at: *at,
            sent_at: None,
            failures: 0,
            reason: None,
            permanent: false,
        })
    }

    fn apply(entry: &mut MessageEntry, _event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        let message = match decoded {
            Event::Message(message) => message,
            Event::Rental(_)
            | Event::Payment(_)
            | Event::Item(_)
            | Event::Store(_)
            | Event::Dispatch(_)
            | Event::Quota(_)
            | Event::Contact(_)
            | Event::Webhook(_)
            | Event::Foreign => return Err(unexpected(decoded)),
        };
        match message {
            MessageEvent::Recorded { .. } => {}
            MessageEvent::Sent { at, .. } => {
                entry.status = MessageStatus::Sent;
                entry.sent_at = Some(*at);
                (entry.reason, entry.permanent) = (None, false);
            }
            MessageEvent::Failed { failures, reason, permanent, .. } => {
                entry.status = MessageStatus::Failed;
                entry.failures = *failures;
                (entry.reason, entry.permanent) = (Some(reason.clone()), *permanent);
            }
            MessageEvent::Retried { .. } => {
                entry.status = MessageStatus::Recorded;
                entry.permanent = false;
            }
        }
        Ok(())
    }

    fn row(entry: &MessageEntry) -> Row<'_> {
        // What somebody may have to look after.
        let tag = match entry.status {
            MessageStatus::Failed => entry.status.name(),
            MessageStatus::Recorded | MessageStatus::Sent => "",
        };
        Row { owner: entry.customer.as_str(), tag }
    }

    fn document(entry: MessageEntry) -> MessageEntry {
        entry
    }
}
