//! What a reservation listens to.

use super::{Deal, Paid, Stage};
use crate::runner::id_of;
use chrono::TimeDelta;
use domain::dispatch::DispatchEvent;
use domain::inventory::ItemEvent;
use domain::payment::{PaymentEvent, Purpose};
use domain::policy::PaymentTiming;
use domain::quota::QuotaEvent;
use domain::rental::RentalEvent;
use domain::{Instant, Money, PaymentId, Period, RentalId};
use journal::Recorded;

/// A fact that a reservation may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    RentalRequested { deal: Deal },
    QuotaTaken,
    StockAwaited,
    StockHeld { total: Money, until: Instant, period: Option<Period> },
    RentalAccepted { pay_by: Instant },
    PaymentApproved,
    PaymentDeclined { code: String },
    StockCommitted,
    RentalConfirmed { at: Instant },
    RentalExtended { to: Instant, total: Money, extra: Option<Paid> },
    RentalHandedOver,
    RentalOverdue,
    RentalReturned { late_fee: Option<Money> },
    StockReturned,
    LateFeeApproved,
    LateFeeDeclined { code: String },
    LateFeeDemanded { attempt: u32 },
    LateFeeWaived,
    RentalCompleted,
    CancellationRequested { fee: Option<Money> },
    CancellationRefused,
    DispatchCancelled,
    PaymentRefunded { amount: Money },
    ExtensionRefunded { amount: Money },
    StockReleased,
    RentalRejected,
    RentalExpired,
    RentalCancelled,
}

/// Whose reservation an event belongs to; `None` when no reservation listens to it.
#[must_use]
pub(crate) fn correlate(recorded: &Recorded, event: &domain::Event) -> Option<RentalId> {
    match event {
        domain::Event::Rental(
            RentalEvent::Prepared { .. }
            | RentalEvent::Offered { .. }
            | RentalEvent::ReviewWritten { .. }
            | RentalEvent::ReviewEdited { .. }
            | RentalEvent::ReviewDeleted { .. }
            | RentalEvent::ExtensionRequested { .. }
            | RentalEvent::ExtensionRefused { .. }
            | RentalEvent::LateFeeDeclined { .. },
        ) => None,
        domain::Event::Rental(_) | domain::Event::Dispatch(DispatchEvent::Cancelled { .. }) => {
            id_of(recorded).map(RentalId)
        }
        domain::Event::Item(
            ItemEvent::HandedOut { .. }
            | ItemEvent::Overdue { .. }
            | ItemEvent::Extended { .. }
            | ItemEvent::ExtensionReleased { .. },
        ) => None,
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
        | domain::Event::Contact(_)
        | domain::Event::Webhook(_)
        | domain::Event::Foreign => None,
    }
}

impl Event {
    /// The domain's event as a reservation sees it.
    pub(crate) fn of(stage: &Stage, rental: RentalId, recorded: &Recorded, event: &domain::Event) -> Option<Self> {
        match event {
            domain::Event::Rental(event) => Self::of_rental(event),
            domain::Event::Item(event) => Self::of_item(event),
            domain::Event::Payment(event) => {
                Self::of_payment(event, purpose(stage, rental, id_of(recorded).map(PaymentId)?)?)
            }
            domain::Event::Quota(QuotaEvent::Taken { .. }) => Some(Self::QuotaTaken),
            domain::Event::Dispatch(DispatchEvent::Cancelled { .. }) => Some(Self::DispatchCancelled),
            domain::Event::Quota(QuotaEvent::GivenBack { .. })
            | domain::Event::Dispatch(
                DispatchEvent::Requested { .. } | DispatchEvent::Prepared { .. } | DispatchEvent::HandedOver { .. },
            )
            | domain::Event::Store(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
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
                    period: terms.period.filter(|_| terms.rules.comes_back),
                    no_show_s: terms.rules.no_show_s,
                    fetch_by: None,
                    asked: None,
                    late: None,
                },
            },
            RentalEvent::Offered { .. } => return None,
            RentalEvent::Accepted { pay_by, .. } => Self::RentalAccepted { pay_by: *pay_by },
            RentalEvent::Confirmed { at, .. } => Self::RentalConfirmed { at: *at },
            RentalEvent::Rejected { .. } => Self::RentalRejected,
            RentalEvent::Expired { .. } => Self::RentalExpired,
            RentalEvent::Extended { number, to, extra, total, .. } => Self::RentalExtended {
                to: *to,
                total: *total,
                extra: extra.map(|amount| Paid { number: *number, amount }),
            },
            RentalEvent::LateFeeDemanded { attempt, .. } => Self::LateFeeDemanded { attempt: *attempt },
            RentalEvent::LateFeeWaived { .. } => Self::LateFeeWaived,
            RentalEvent::Prepared { .. }
            | RentalEvent::ReviewWritten { .. }
            | RentalEvent::ReviewEdited { .. }
            | RentalEvent::ReviewDeleted { .. }
            | RentalEvent::ExtensionRequested { .. }
            | RentalEvent::ExtensionRefused { .. }
            | RentalEvent::LateFeeDeclined { .. } => return None,
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
            ItemEvent::Awaited { .. } => Some(Self::StockAwaited),
            ItemEvent::Held { total, until, occupies, turnaround_s, .. } => {
                let period = occupies.map(|occupies| without_rest(occupies, *turnaround_s));
                Some(Self::StockHeld { total: *total, until: *until, period })
            }
            ItemEvent::Committed { .. } => Some(Self::StockCommitted),
            // Whoever waited in line had nothing, and is in the same place as one whose stock is free again.
            ItemEvent::Released { .. } | ItemEvent::WaitingEnded { .. } => Some(Self::StockReleased),
            ItemEvent::Returned { .. } => Some(Self::StockReturned),
            ItemEvent::Registered { .. }
            | ItemEvent::Renamed { .. }
            | ItemEvent::Described { .. }
            | ItemEvent::Repriced { .. }
            | ItemEvent::Retired { .. }
            | ItemEvent::StockAdjusted { .. }
            | ItemEvent::HandedOut { .. }
            | ItemEvent::Extended { .. }
            | ItemEvent::ExtensionReleased { .. }
            | ItemEvent::Overdue { .. } => None,
        }
    }

    fn of_payment(event: &PaymentEvent, purpose: Purpose) -> Option<Self> {
        match (event, purpose) {
            (PaymentEvent::Approved { .. }, Purpose::Rental) => Some(Self::PaymentApproved),
            (PaymentEvent::Approved { .. }, Purpose::LateFee) => Some(Self::LateFeeApproved),
            (PaymentEvent::Declined { code, .. }, Purpose::Rental) => {
                Some(Self::PaymentDeclined { code: code.clone() })
            }
            (PaymentEvent::Declined { code, .. }, Purpose::LateFee) => {
                Some(Self::LateFeeDeclined { code: code.clone() })
            }
            (PaymentEvent::Refunded { amount, .. }, Purpose::Rental) => Some(Self::PaymentRefunded { amount: *amount }),
            (PaymentEvent::Refunded { amount, .. }, Purpose::Extension { .. }) => {
                Some(Self::ExtensionRefunded { amount: *amount })
            }
            (PaymentEvent::Approved { .. } | PaymentEvent::Declined { .. }, Purpose::Extension { .. })
            | (PaymentEvent::Refunded { .. }, Purpose::LateFee)
            | (
                PaymentEvent::Requested { .. }
                | PaymentEvent::Unknown { .. }
                | PaymentEvent::RefundRequested { .. }
                | PaymentEvent::RefundFailed { .. },
                _,
            ) => None,
        }
    }
}

/// The time for which the customer has it: the unit rests after that.
fn without_rest(occupies: Period, turnaround_s: u32) -> Period {
    let to = occupies.to - TimeDelta::seconds(turnaround_s.into());
    Period { to, ..occupies }
}

/// What a payment is for, where a reservation cares: of extensions for the one that is being paid back, of the fee for being
/// late for the newest attempt.
fn purpose(stage: &Stage, rental: RentalId, payment: PaymentId) -> Option<Purpose> {
    if payment == PaymentId::charge_of(rental) {
        return Some(Purpose::Rental);
    }
    if let Some(number) = stage.refunding() {
        return (payment == PaymentId::extension_of(rental, number)).then_some(Purpose::Extension { number });
    }
    let attempt = stage.deal()?.late?.attempt;
    (payment == PaymentId::late_fee_of(rental, attempt)).then_some(Purpose::LateFee)
}
