//! What a reservation listens to.

use super::Deal;
use crate::runner::id_of;
use domain::dispatch::DispatchEvent;
use domain::inventory::ItemEvent;
use domain::payment::PaymentEvent;
use domain::policy::PaymentTiming;
use domain::quota::QuotaEvent;
use domain::rental::RentalEvent;
use domain::{Instant, Money, PaymentId, RentalId};
use journal::Recorded;

/// A fact that a reservation may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    RentalRequested { deal: Deal },
    QuotaTaken,
    StockHeld { total: Money, until: Instant },
    PaymentApproved,
    PaymentDeclined { code: String },
    StockCommitted,
    RentalConfirmed,
    RentalHandedOver,
    RentalOverdue,
    RentalReturned { late_fee: Option<Money> },
    StockReturned,
    LateFeeApproved,
    RentalCompleted,
    CancellationRequested { fee: Option<Money> },
    CancellationRefused,
    DispatchCancelled,
    PaymentRefunded { amount: Money },
    StockReleased,
    RentalRejected,
    RentalExpired,
    RentalCancelled,
}

/// Whose reservation an event belongs to; `None` when no reservation listens to it.
#[must_use]
pub(crate) fn correlate(recorded: &Recorded, event: &domain::Event) -> Option<RentalId> {
    match event {
        domain::Event::Rental(RentalEvent::Prepared { .. }) => None,
        domain::Event::Rental(_) | domain::Event::Dispatch(DispatchEvent::Cancelled { .. }) => {
            id_of(recorded).map(RentalId)
        }
        domain::Event::Item(ItemEvent::Overdue { .. }) => None,
        domain::Event::Item(event) => event.rental(),
        domain::Event::Payment(
            event @ (PaymentEvent::Approved { .. } | PaymentEvent::Declined { .. } | PaymentEvent::Refunded { .. }),
        ) => Some(event.rental()),
        // An unknown outcome changes nothing: the truth is being asked for.
        domain::Event::Payment(
            PaymentEvent::Requested { .. }
            | PaymentEvent::Unknown { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::RefundFailed { .. },
        ) => None,
        domain::Event::Quota(QuotaEvent::Taken { rental, .. }) => Some(*rental),
        domain::Event::Quota(QuotaEvent::GivenBack { .. })
        | domain::Event::Dispatch(
            DispatchEvent::Requested { .. } | DispatchEvent::Prepared { .. } | DispatchEvent::HandedOver { .. },
        )
        | domain::Event::Store(_)
        | domain::Event::Message(_)
        | domain::Event::Foreign => None,
    }
}

impl Event {
    /// The domain's event as a reservation sees it.
    pub(super) fn of(rental: RentalId, recorded: &Recorded, event: &domain::Event) -> Option<Self> {
        match event {
            domain::Event::Rental(event) => Self::of_rental(event),
            domain::Event::Item(event) => Self::of_item(event),
            domain::Event::Payment(event) => {
                let late_fee = id_of(recorded).map(PaymentId) == Some(PaymentId::late_fee_of(rental));
                Self::of_payment(event, late_fee)
            }
            domain::Event::Quota(QuotaEvent::Taken { .. }) => Some(Self::QuotaTaken),
            domain::Event::Dispatch(DispatchEvent::Cancelled { .. }) => Some(Self::DispatchCancelled),
            domain::Event::Quota(QuotaEvent::GivenBack { .. })
            | domain::Event::Dispatch(
                DispatchEvent::Requested { .. } | DispatchEvent::Prepared { .. } | DispatchEvent::HandedOver { .. },
            )
            | domain::Event::Store(_)
            | domain::Event::Message(_)
            | domain::Event::Foreign => None,
        }
    }

    fn of_rental(event: &RentalEvent) -> Option<Self> {
        Some(match event {
            RentalEvent::Requested { terms, .. } => Self::RentalRequested {
                deal: Deal {
                    item: terms.item,
                    quota: terms.rules.quota.is_some(),
                    upfront: terms.rules.payment == PaymentTiming::Upfront,
                    due_back: terms.period.filter(|_| terms.rules.comes_back).map(|period| period.to),
                    asked: None,
                },
            },
            RentalEvent::Confirmed { .. } => Self::RentalConfirmed,
            RentalEvent::Rejected { .. } => Self::RentalRejected,
            RentalEvent::Expired { .. } => Self::RentalExpired,
            RentalEvent::Prepared { .. } => return None,
            RentalEvent::HandedOver { .. } => Self::RentalHandedOver,
            RentalEvent::Overdue { .. } => Self::RentalOverdue,
            RentalEvent::Returned { late_fee, .. } => Self::RentalReturned { late_fee: *late_fee },
            RentalEvent::Completed { .. } => Self::RentalCompleted,
            RentalEvent::CancellationRequested { fee, .. } => Self::CancellationRequested { fee: *fee },
            RentalEvent::CancellationRefused { .. } => Self::CancellationRefused,
            RentalEvent::Cancelled { .. } => Self::RentalCancelled,
        })
    }

    fn of_item(event: &ItemEvent) -> Option<Self> {
        match event {
            ItemEvent::Held { total, until, .. } => Some(Self::StockHeld { total: *total, until: *until }),
            ItemEvent::Committed { .. } => Some(Self::StockCommitted),
            ItemEvent::Released { .. } => Some(Self::StockReleased),
            ItemEvent::Returned { .. } => Some(Self::StockReturned),
            ItemEvent::Registered { .. }
            | ItemEvent::Renamed { .. }
            | ItemEvent::Described { .. }
            | ItemEvent::Repriced { .. }
            | ItemEvent::Retired { .. }
            | ItemEvent::StockAdjusted { .. }
            | ItemEvent::Overdue { .. } => None,
        }
    }

    fn of_payment(event: &PaymentEvent, late_fee: bool) -> Option<Self> {
        match event {
            PaymentEvent::Approved { .. } if late_fee => Some(Self::LateFeeApproved),
            PaymentEvent::Approved { .. } => Some(Self::PaymentApproved),
            PaymentEvent::Declined { code, .. } if !late_fee => Some(Self::PaymentDeclined { code: code.clone() }),
            PaymentEvent::Refunded { amount, .. } if !late_fee => Some(Self::PaymentRefunded { amount: *amount }),
            PaymentEvent::Requested { .. }
            | PaymentEvent::Declined { .. }
            | PaymentEvent::Unknown { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::Refunded { .. }
            | PaymentEvent::RefundFailed { .. } => None,
        }
    }
}
