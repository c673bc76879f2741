//! The views, one a file.

mod catalogue;
mod dispatches;
mod messages;
mod mypage;
mod payments;
mod processes;
mod reservations;
mod reviews;
mod stores;
mod tally;
#[cfg(test)]
mod tests;
mod webhooks;

pub use catalogue::{Catalogue, CatalogueEntry, ItemAction, ItemStock, LastAction};
pub use dispatches::{DispatchEntry, Dispatches};
pub use messages::{MessageEntry, Messages};
pub use mypage::{
    CancellationState, Deadlines, DispatchProgress, DispatchState, ExtensionProgress, ExtensionState, MyPage,
    MyPageEntry, PaymentState, ReviewState, WaitingState,
};
pub use payments::{PaymentEntry, Payments};
pub use processes::{ProcessEntry, Processes};
pub use reservations::{ReservationEntry, Reservations};
pub use reviews::{ReviewEntry, Reviews};
pub use stores::{StoreEntry, Stores};
pub use tally::{ItemPayments, ItemReviews};
pub use webhooks::{WebhookEntry, Webhooks};

use crate::projection::{Indigestible, Key};
use domain::rental::{RentalEvent, RentalStatus};
use domain::{Event, ItemId, MessageId, PaymentId, RentalId, StoreSlug, WebhookId};
use journal::Recorded;

/// The rental that an event is about, if it is about one.
fn rental_of(event: &Recorded, decoded: &Event) -> Result<Option<RentalId>, Indigestible> {
    Ok(match decoded {
        // A dispatch has the UUID of its rental.
        Event::Rental(_) | Event::Dispatch(_) => Some(event.aggregate_id().parse()?),
        Event::Payment(payment) => Some(payment.rental()),
        Event::Item(item) => item.rental(),
        Event::Quota(quota) => Some(quota.rental()),
        Event::Message(message) => Some(message.rental()),
        Event::Store(_) | Event::Contact(_) | Event::Webhook(_) | Event::Foreign => None,
    })
}

fn item_of(event: &Recorded) -> Result<ItemId, Indigestible> {
    Ok(event.aggregate_id().parse()?)
}

fn payment_of(event: &Recorded) -> Result<PaymentId, Indigestible> {
    Ok(event.aggregate_id().parse()?)
}

fn message_of(event: &Recorded) -> Result<MessageId, Indigestible> {
    Ok(event.aggregate_id().parse()?)
}

fn webhook_of(event: &Recorded) -> Result<WebhookId, Indigestible> {
    Ok(event.aggregate_id().parse()?)
}

fn store_of(event: &Recorded) -> Result<StoreSlug, Indigestible> {
    Ok(event.aggregate_id().parse()?)
}

/// Where a rental stands after an event.
fn status_after(status: RentalStatus, event: &RentalEvent) -> RentalStatus {
    // While a rental is being undone, what the shop still does to it does not show.
    let unless_cancelling = |next| if status == RentalStatus::Cancelling { status } else { next };
    match event {
        RentalEvent::Requested { .. } => RentalStatus::Requested,
        RentalEvent::Offered { .. } | RentalEvent::Accepted { .. } => status,
        RentalEvent::Confirmed { .. } => unless_cancelling(RentalStatus::Confirmed),
        RentalEvent::Rejected { .. } => RentalStatus::Rejected,
        RentalEvent::Expired { .. } => RentalStatus::Expired,
        RentalEvent::Prepared { .. } => unless_cancelling(RentalStatus::Prepared),
        // A cancellation is refused because the customer has it.
        RentalEvent::HandedOver { .. } | RentalEvent::CancellationRefused { .. } => RentalStatus::HandedOver,
        RentalEvent::Overdue { .. } => RentalStatus::Overdue,
        RentalEvent::Returned { .. } => RentalStatus::Returned,
        RentalEvent::Completed { .. } => RentalStatus::Completed,
        RentalEvent::ExtensionRequested { .. }
        | RentalEvent::Extended { .. }
        | RentalEvent::ExtensionRefused { .. }
        | RentalEvent::LateFeeDeclined { .. }
        | RentalEvent::LateFeeDemanded { .. }
        | RentalEvent::LateFeeWaived { .. } => status,
        RentalEvent::CancellationRequested { .. } => RentalStatus::Cancelling,
        RentalEvent::Cancelled { .. } => RentalStatus::Cancelled,
        RentalEvent::ReviewWritten { .. } | RentalEvent::ReviewEdited { .. } | RentalEvent::ReviewDeleted { .. } => {
            status
        }
    }
}

fn key(id: Option<RentalId>) -> Option<Key> {
    id.map(Key::from)
}

fn unexpected(decoded: &Event) -> Indigestible {
    Indigestible::new(format!("not an event of this view: {decoded:?}"))
}
