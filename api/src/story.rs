//! Everything that happened around one rental, across streams.

use crate::Api;
use crate::problem::Problem;
use cqrs_es::Aggregate;
use domain::dispatch::Dispatch;
use domain::payment::Payment;
use domain::rental::{Rental, RentalEvent};
use domain::{Event, PaymentId, RentalId};
use journal::{Journal, ReadError, Recorded};
use projections::{Processes, Views};
use std::collections::HashSet;

/// The events of a rental's story up to a position, in order. What its own streams say is complete; what happened on
/// its behalf in others (the stock, the quota) is what the view of processes knows.
pub(crate) async fn read(api: &Api, rental: RentalId, upto: u64) -> Result<Vec<Recorded>, Problem> {
    let mut events = own(&api.journal, rental).await?;
    let elsewhere = positions(&api.views, rental).await?;
    let known: HashSet<u64> = events.iter().map(|event| event.position).collect();
    let missing: Vec<u64> = elsewhere.into_iter().filter(|position| !known.contains(position)).collect();
    if !missing.is_empty() {
        events.extend(api.journal.read_at(missing).await?);
    }
    events.retain(|event| event.position <= upto);
    events.sort_unstable_by_key(|event| event.position);
    Ok(events)
}

async fn own(journal: &Journal, rental: RentalId) -> Result<Vec<Recorded>, ReadError> {
    let mut events = journal.read_stream(&format!("{}-{rental}", Rental::TYPE), 0).await?;
    if events.is_empty() {
        return Ok(events);
    }
    let payments = payments(rental, &events).into_iter().map(|payment| format!("{}-{payment}", Payment::TYPE));
    let streams: Vec<_> = payments.chain([format!("{}-{rental}", Dispatch::TYPE)]).collect();
    for stream in streams {
        events.extend(journal.read_stream(&stream, 0).await?);
    }
    Ok(events)
}

/// Every payment that there may be, from what the rental says itself.
fn payments(rental: RentalId, events: &[Recorded]) -> Vec<PaymentId> {
    let mut payments = vec![PaymentId::charge_of(rental)];
    for event in events {
        match event.decoded(Event::decode) {
            Ok(Event::Rental(RentalEvent::ExtensionRequested { number, .. })) => {
                payments.push(PaymentId::extension_of(rental, *number));
            }
            Ok(Event::Rental(RentalEvent::Returned { late_fee: Some(_), .. })) => {
                payments.push(PaymentId::late_fee_of(rental, 1));
            }
            Ok(Event::Rental(RentalEvent::LateFeeDemanded { attempt, .. })) => {
                payments.push(PaymentId::late_fee_of(rental, *attempt));
            }
            Ok(_) | Err(_) => {}
        }
    }
    payments
}

async fn positions(views: &Views, rental: RentalId) -> Result<Vec<u64>, Problem> {
    let entry = views.document::<Processes>(rental).await?;
    Ok(entry.map(|entry| entry.positions).unwrap_or_default())
}
