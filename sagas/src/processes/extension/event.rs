//! What an extension listens to.

use super::Stage;
use crate::runner::id_of;
use domain::inventory::ItemEvent;
use domain::payment::PaymentEvent;
use domain::rental::{ExtensionRefusal, RentalEvent};
use domain::{Instant, Money, PaymentId, RentalId};
use journal::Recorded;

/// A fact that an extension may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    ExtensionRequested { number: u32, pay_by: Option<Instant> },
    StockExtended { number: u32, extra: Money },
    PaymentApproved,
    PaymentDeclined { code: String },
    RentalExtended { number: u32 },
    ExtensionRefused { number: u32, reason: ExtensionRefusal },
}

/// For which rental's extension an event is; `None` when no extension listens to it.
#[must_use]
pub(crate) fn correlate(recorded: &Recorded, event: &domain::Event) -> Option<RentalId> {
    match event {
        domain::Event::Rental(
            RentalEvent::ExtensionRequested { .. }
            | RentalEvent::Extended { .. }
            | RentalEvent::ExtensionRefused { .. },
        ) => id_of(recorded).map(RentalId),
        domain::Event::Item(ItemEvent::Extended { rental, .. }) => Some(*rental),
        // Nearly every payment is for the rental itself.
        domain::Event::Payment(PaymentEvent::Approved { rental, .. } | PaymentEvent::Declined { rental, .. }) => {
            let payment = id_of(recorded).map(PaymentId);
            (payment != Some(PaymentId::charge_of(*rental))).then_some(*rental)
        }
        domain::Event::Rental(_)
        | domain::Event::Item(_)
        | domain::Event::Payment(_)
        | domain::Event::Dispatch(_)
        | domain::Event::Quota(_)
        | domain::Event::Store(_)
        | domain::Event::Message(_)
        | domain::Event::Contact(_)
        | domain::Event::Webhook(_)
        | domain::Event::Foreign => None,
    }
}

impl Event {
    /// The domain's event as the extension that is being decided sees it.
    pub(super) fn of(stage: &Stage, rental: RentalId, recorded: &Recorded, event: &domain::Event) -> Option<Self> {
        match event {
            domain::Event::Rental(event) => Self::of_rental(event),
            domain::Event::Item(ItemEvent::Extended { number, extra, .. }) => {
                Some(Self::StockExtended { number: *number, extra: *extra })
            }
            domain::Event::Payment(event) => {
                let payment = PaymentId::extension_of(rental, stage.number()?);
                (id_of(recorded).map(PaymentId) == Some(payment)).then(|| Self::of_payment(event)).flatten()
            }
            domain::Event::Item(_)
            | domain::Event::Dispatch(_)
            | domain::Event::Quota(_)
            | domain::Event::Store(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
            | domain::Event::Foreign => None,
        }
    }

    fn of_rental(event: &RentalEvent) -> Option<Self> {
        match event {
            RentalEvent::ExtensionRequested { number, pay_by, .. } => {
                Some(Self::ExtensionRequested { number: *number, pay_by: *pay_by })
            }
            RentalEvent::Extended { number, .. } => Some(Self::RentalExtended { number: *number }),
            RentalEvent::ExtensionRefused { number, reason, .. } => {
                Some(Self::ExtensionRefused { number: *number, reason: reason.clone() })
            }
            _ => None,
        }
    }

    fn of_payment(event: &PaymentEvent) -> Option<Self> {
        match event {
            PaymentEvent::Approved { .. } => Some(Self::PaymentApproved),
            PaymentEvent::Declined { code, .. } => Some(Self::PaymentDeclined { code: code.clone() }),
            // An unknown outcome changes nothing: the truth is being asked for.
            PaymentEvent::Requested { .. }
            | PaymentEvent::Unknown { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::Refunded { .. }
            | PaymentEvent::RefundFailed { .. } => None,
        }
    }
}
