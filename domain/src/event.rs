//! Every fact that the domain knows, as read from a journal.

#[cfg(test)]
mod tests;

use crate::contact::ContactEvent;
use crate::dispatch::DispatchEvent;
use crate::inventory::ItemEvent;
use crate::message::MessageEvent;
use crate::payment::PaymentEvent;
use crate::quota::QuotaEvent;
use crate::rental::RentalEvent;
use crate::store::StoreEvent;
use crate::webhook::WebhookEvent;

/// One stored event, decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Of a `rental` stream.
    Rental(RentalEvent),
    /// Of a `payment` stream.
    Payment(PaymentEvent),
    /// Of an `item` stream.
    Item(ItemEvent),
    /// Of a `store` stream.
    Store(StoreEvent),
    /// Of a `dispatch` stream.
    Dispatch(DispatchEvent),
    /// Of a `quota` stream.
    Quota(QuotaEvent),
    /// Of a `message` stream.
    Message(MessageEvent),
    /// Of a `contact` stream.
    Contact(ContactEvent),
    /// Of a `webhook` stream.
    Webhook(WebhookEvent),
    /// Of a stream that is not the domain's.
    Foreign,
}

/// Why stored bytes are not an event of the domain.
#[derive(Debug, thiserror::Error)]
#[error("the payload of a `{category}` event cannot be read")]
pub struct DecodeError {
    /// The category of its stream.
    pub category: String,
    #[source]
    source: serde_json::Error,
}

impl Event {
    /// Reads the stored JSON of an event of a stream category.
    ///
    /// # Errors
    /// When the payload is no event of that category.
    pub fn decode(category: &str, payload: &str) -> Result<Self, DecodeError> {
        let decoded = match category {
            "rental" => serde_json::from_str(payload).map(Self::Rental),
            "payment" => serde_json::from_str(payload).map(Self::Payment),
            "item" => serde_json::from_str(payload).map(Self::Item),
            "store" => serde_json::from_str(payload).map(Self::Store),
            "dispatch" => serde_json::from_str(payload).map(Self::Dispatch),
            "quota" => serde_json::from_str(payload).map(Self::Quota),
            "message" => serde_json::from_str(payload).map(Self::Message),
            "contact" => serde_json::from_str(payload).map(Self::Contact),
            "webhook" => serde_json::from_str(payload).map(Self::Webhook),
            _ => Ok(Self::Foreign),
        };
        decoded.map_err(|source| DecodeError { category: category.to_owned(), source })
    }
}

macro_rules! from_aggregate {
    ($($variant:ident($event:ty)),+) => {
        $(impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })+
    };
}

from_aggregate!(
    Rental(RentalEvent),
    Payment(PaymentEvent),
    Item(ItemEvent),
    Store(StoreEvent),
    Dispatch(DispatchEvent),
    Quota(QuotaEvent),
    Message(MessageEvent),
    Contact(ContactEvent),
    Webhook(WebhookEvent)
);
