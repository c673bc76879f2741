//! One attempt to tell a receiver of one event, which is read from the journal each time.

use super::body::body;
use super::outbox::{Due, Receiver};
use super::{Carried, Courier, Parcel};
use domain::{Event, WebhookId};
use journal::Journal;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub(super) type UnderWay = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// An attempt that has ended.
pub(super) struct Ended {
    pub(super) webhook: WebhookId,
    pub(super) due: Due,
    pub(super) carried: Carried,
}

pub(super) fn attempt(
    journal: Journal,
    courier: Arc<dyn Courier>,
    timeout: Duration,
    webhook: WebhookId,
    receiver: Receiver,
    due: Due,
) -> UnderWay {
    Box::pin(async move {
        let carried = match parcel(&journal, webhook, receiver, due).await {
            Ok(parcel) => {
                let late = |_| Carried::Refused { reason: "no answer in time".to_owned() };
                tokio::time::timeout(timeout, courier.carry(parcel)).await.unwrap_or_else(late)
            }
            Err(reason) => {
                tracing::error!(webhook.id = %webhook, position = due.position, reason, "an event cannot be sent");
                Carried::Refused { reason: "it cannot be read here".to_owned() }
            }
        };
        Ended { webhook, due, carried }
    })
}

async fn parcel(journal: &Journal, webhook: WebhookId, receiver: Receiver, due: Due) -> Result<Parcel, String> {
    let events = journal.read_all(due.position - 1, 1).await.map_err(|error| error.to_string())?;
    let event = events.first().ok_or_else(|| "there is no such event".to_owned())?;
    let rental = match event.decoded(Event::decode) {
        Ok(Event::Rental(rental)) => rental,
        Ok(_) => return Err("it is not of a rental".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let body = body(event, &receiver.store, due.rental, rental).map_err(|error| error.to_string())?;
    Ok(Parcel { webhook, url: receiver.url, event: event.event_id, position: event.position, body })
}
