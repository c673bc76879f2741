//! From a customer's wish to a rental that has ended: hold stock, take money, confirm; and undo what was done when a
//! step fails or somebody wants out.
//!
//! **A stage changes only on events of the journal.** A refusal, or a deadline that is due, only chooses commands, and
//! only such as do no harm when they are repeated long after: so the fold over the events alone gives the same stage
//! after a crash. A quota is given back on the event that ends the rental, whichever that is.

mod command;
mod event;
#[cfg(test)]
mod golden;
mod late_fee;
mod orders;
mod refund;

pub(crate) use command::{Command, Refusal};
pub(crate) use event::{Event, correlate};
pub(crate) use late_fee::Late;
pub(crate) use orders::{Desk, Reservation};
pub(crate) use refund::{Paid, Refund};

use chrono::TimeDelta;
use domain::inventory::ReleaseReason;
use domain::rental::RejectReason;
use domain::{Instant, ItemId, Money, Period};
use serde::{Deserialize, Serialize};

/// What the process needs to know of a rental for all its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deal {
    /// What is rented.
    pub(crate) item: ItemId,
    /// Whether it counts against the customer's quota.
    pub(crate) quota: bool,
    /// Whether it is paid before it is confirmed.
    pub(crate) upfront: bool,
    /// From when to when, if it comes back.
    pub(crate) period: Option<Period>,
    /// How long after the start it is kept for a customer who does not come, in seconds.
    pub(crate) no_show_s: Option<u32>,
    /// Until when it is kept, once it is confirmed.
    pub(crate) fetch_by: Option<Instant>,
    /// What the customer was asked to pay, once they were.
    pub(crate) asked: Option<Money>,
    /// What being late costs, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) late: Option<Late>,
}

impl Deal {
    fn until(self, to: Instant) -> Self {
        Self { period: self.period.map(|period| Period { to, ..period }), ..self }
    }

    /// A customer who books on the day itself has as long to come as any other.
    fn confirmed(self, at: Instant) -> Self {
        let patience = self.no_show_s.map(|no_show_s| TimeDelta::seconds(no_show_s.into()));
        let start = self.period.map(|period| period.from.max(at));
        let fetch_by = start.zip(patience).and_then(|(start, patience)| start.checked_add_signed(patience));
        Self { fetch_by, ..self }
    }
}

/// How far a reservation has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nothing has happened.
    #[default]
    New,
    /// Whether the customer may have one more is being decided.
    AwaitingQuota(Deal),
    /// Whether there is enough of the item is being decided.
    AwaitingStock(Deal),
    /// There is none now, and the rental waits in line.
    Waiting(Deal),
    /// The turn has come, and the stock is held until the customer accepts or the deadline passes.
    Offered { deal: Deal, total: Money, until: Instant },
    /// The stock is held until the deadline; the money is on its way, perhaps.
    AwaitingPayment { deal: Deal, until: Instant },
    /// Paid, or free.
    CommittingStock { deal: Deal, total: Money },
    /// Stock and money are certain.
    Confirming { deal: Deal, total: Money },
    /// The customer knows.
    Confirmed { deal: Deal, total: Money, extensions: Vec<Paid> },
    /// The customer has it.
    HandedOver(Deal),
    /// The customer has it, and is late.
    Overdue(Deal),
    /// It is back and being counted in.
    TakingBack { deal: Deal, late_fee: Option<Money> },
    /// It is back and being late is to be paid for; after a declined payment the fee stays owed until it is paid in
    /// another way, or waived.
    AwaitingLateFee(Deal),
    /// It is back and nothing is owed.
    Completing(Deal),
    /// The payment was declined; the stock is being freed.
    ReleasingUnpaid { deal: Deal, code: String },
    /// Cancelled while the payment was under way: first it must be known how that ends.
    CancellingPayment { deal: Deal, fee: Option<Money> },
    /// Cancelled after the confirmation: first the shop must not have handed it over.
    CancellingDispatch { deal: Deal, total: Money, fee: Option<Money>, extensions: Vec<Paid> },
    /// Cancelled, and money is on its way back: one payment after the other, the first of those left being on its way.
    Refunding { deal: Deal, left: Vec<Refund>, refunded: Option<Money> },
    /// Cancelled, and the stock is being freed.
    ReleasingCancelled { deal: Deal, refunded: Option<Money> },
    /// Nothing is held; the rental is being told how it ended.
    Closing(Deal),
    /// The same, and money that came too late is on its way back: a cancellation in flight waits for it.
    RefundingLate(Deal),
    /// Rejected, expired or cancelled: whatever succeeds from here on is undone.
    Undone(Deal),
    /// The good end.
    Completed(Deal),
}

impl Stage {
    /// Answers an event.
    #[must_use]
    pub(crate) fn react(self, event: Event) -> (Self, Vec<Command>) {
        match event {
            Event::RentalRequested { .. }
            | Event::QuotaTaken
            | Event::StockAwaited
            | Event::StockHeld { .. }
            | Event::RentalAccepted { .. }
            | Event::PaymentApproved
            | Event::PaymentDeclined { .. }
            | Event::StockCommitted
            | Event::RentalConfirmed { .. } => self.book(event),
            Event::RentalExtended { .. }
            | Event::RentalHandedOver
            | Event::RentalOverdue
            | Event::RentalReturned { .. }
            | Event::StockReturned => self.lend(&event),
            Event::LateFeeApproved
            | Event::LateFeeDeclined { .. }
            | Event::LateFeeDemanded { .. }
            | Event::LateFeeWaived => self.settle(event),
            Event::CancellationRequested { .. }
            | Event::CancellationRefused
            | Event::DispatchCancelled
            | Event::PaymentRefunded { .. }
            | Event::ExtensionRefunded { .. }
            | Event::StockReleased => self.undo(&event),
            Event::RentalCompleted | Event::RentalRejected | Event::RentalExpired | Event::RentalCancelled => {
                self.end(&event)
            }
        }
    }

    /// The way to the confirmation.
    fn book(self, event: Event) -> (Self, Vec<Command>) {
        use {Command as Cmd, Event as Evt};
        match (self, event) {
            (Self::New, Evt::RentalRequested { deal }) if deal.quota => {
                (Self::AwaitingQuota(deal), vec![Cmd::TakeQuota])
            }
            (Self::New, Evt::RentalRequested { deal }) => (Self::AwaitingStock(deal), vec![Cmd::HoldStock]),
            (Self::AwaitingQuota(deal), Evt::QuotaTaken) => (Self::AwaitingStock(deal), vec![Cmd::HoldStock]),
            (Self::AwaitingStock(deal), Evt::StockHeld { total, .. }) if total.is_zero() || !deal.upfront => {
                (Self::CommittingStock { deal, total }, vec![Cmd::CommitStock(deal.item)])
            }
            (Self::AwaitingStock(deal), Evt::StockHeld { total, until, .. }) => Self::ask_for_money(deal, total, until),
            (Self::AwaitingStock(deal), Evt::StockAwaited) => (Self::Waiting(deal), vec![]),
            (Self::Waiting(deal), Evt::StockHeld { total, until, period }) => {
                let deal = Deal { period, ..deal };
                (Self::Offered { deal, total, until }, vec![Cmd::Offer { period, until }])
            }
            (Self::Offered { deal, total, .. }, Evt::RentalAccepted { .. }) if total.is_zero() || !deal.upfront => {
                (Self::CommittingStock { deal, total }, vec![Cmd::CommitStock(deal.item)])
            }
            (Self::Offered { deal, total, .. }, Evt::RentalAccepted { pay_by }) => {
                Self::ask_for_money(deal, total, pay_by)
            }
            (Self::AwaitingPayment { deal: deal @ Deal { asked: Some(total), .. }, .. }, Evt::PaymentApproved) => {
                (Self::CommittingStock { deal, total }, vec![Cmd::CommitStock(deal.item)])
            }
            (Self::AwaitingPayment { deal, .. }, Evt::PaymentDeclined { code }) => {
                let release = Cmd::ReleaseStock(deal.item, ReleaseReason::PaymentDeclined);
                (Self::ReleasingUnpaid { deal, code }, vec![release])
            }
            (Self::CommittingStock { deal, total }, Evt::StockCommitted) => {
                (Self::Confirming { deal, total }, vec![Cmd::Confirm(total)])
            }
            (Self::Confirming { deal, total }, Evt::RentalConfirmed { at }) => {
                (Self::Confirmed { deal: deal.confirmed(at), total, extensions: vec![] }, vec![])
            }

            // Cancelled while the payment was under way: now it is known how that ended.
            (Self::CancellingPayment { deal, fee }, Evt::PaymentApproved) => Self::give_back(deal, &[], fee),
            (Self::CancellingPayment { deal, .. }, Evt::PaymentDeclined { .. }) => Self::free(deal, None),

            // Too late: the customer must not pay for a rental that is being undone, or was.
            (
                stage @ (Self::ReleasingUnpaid { deal, .. }
                | Self::ReleasingCancelled { deal, .. }
                | Self::Undone(deal)),
                Evt::PaymentApproved,
            ) => (stage, deal.asked.map(Cmd::RefundPayment).into_iter().collect()),
            (Self::Closing(deal), Evt::PaymentApproved) => {
                (Self::RefundingLate(deal), deal.asked.map(Cmd::RefundPayment).into_iter().collect())
            }
            // Too late: stock for a rental that is being undone or has ended, a good end included (a repeat after a crash).
            (
                stage @ (Self::ReleasingCancelled { deal, .. }
                | Self::Closing(deal)
                | Self::RefundingLate(deal)
                | Self::Undone(deal)
                | Self::Completed(deal)),
                Evt::StockHeld { .. },
            ) => (stage, vec![Cmd::ReleaseStock(deal.item, ReleaseReason::TooLate)]),
            (stage @ (Self::Undone(_) | Self::Completed(_)), Evt::QuotaTaken) => (stage, vec![Cmd::GiveBackQuota]),
            (stage, _) => (stage, vec![]),
        }
    }

    fn ask_for_money(deal: Deal, total: Money, until: Instant) -> (Self, Vec<Command>) {
        let deal = Deal { asked: Some(total), ..deal };
        (Self::AwaitingPayment { deal, until }, vec![Command::RequestPayment(total)])
    }

    /// From the hand-over on.
    fn lend(self, event: &Event) -> (Self, Vec<Command>) {
        use {Command as Cmd, Event as Evt};
        match (self, event) {
            (Self::Confirmed { deal, mut extensions, .. }, Evt::RentalExtended { to, total, extra }) => {
                extensions.extend(extra.filter(|_| deal.upfront));
                let deal = deal.until(*to);
                (Self::Confirmed { deal, total: *total, extensions }, vec![])
            }
            (Self::HandedOver(deal), Evt::RentalExtended { to, .. }) => (Self::HandedOver(deal.until(*to)), vec![]),
            // Which came first, hand-over or cancellation, the shop has decided.
            (Self::Confirmed { deal, .. } | Self::CancellingDispatch { deal, .. }, Evt::RentalHandedOver) => {
                // What does not come back is not missed.
                (Self::HandedOver(deal), deal.period.map(|_| Cmd::HandOutStock(deal.item)).into_iter().collect())
            }
            (Self::HandedOver(deal), Evt::RentalOverdue) => {
                (Self::Overdue(deal), vec![Cmd::MarkStockOverdue(deal.item)])
            }
            (Self::HandedOver(deal) | Self::Overdue(deal), Evt::RentalReturned { late_fee }) => {
                let deal = Deal { late: late_fee.map(|fee| Late { fee, attempt: 1 }), ..deal };
                (Self::TakingBack { deal, late_fee: *late_fee }, vec![Cmd::ReturnStock(deal.item)])
            }
            (Self::TakingBack { deal, late_fee: Some(fee) }, Evt::StockReturned) => {
                (Self::AwaitingLateFee(deal), vec![Cmd::RequestLateFee(1, fee)])
            }
            (Self::TakingBack { deal, late_fee: None }, Evt::StockReturned) => {
                (Self::Completing(deal), vec![Cmd::Complete])
            }
            (stage, _) => (stage, vec![]),
        }
    }

    /// The way back.
    fn undo(self, event: &Event) -> (Self, Vec<Command>) {
        use {Command as Cmd, Event as Evt};
        let is_of_extension = self.refunding().is_some();
        match (self, event) {
            // Nothing is held yet, and a quota that was taken goes back when the rental has ended.
            (Self::AwaitingQuota(deal) | Self::Closing(deal), Evt::CancellationRequested { .. }) => {
                (Self::Closing(deal), vec![Cmd::Cancel { refunded: None }])
            }
            (
                Self::AwaitingStock(deal)
                | Self::Waiting(deal)
                | Self::Offered { deal, .. }
                | Self::ReleasingUnpaid { deal, .. },
                Evt::CancellationRequested { .. },
            ) => Self::free(deal, None),
            // Nobody waits for what is not offered any more.
            (Self::Waiting(deal), Evt::StockReleased) => {
                (Self::Closing(deal), vec![Cmd::Reject(RejectReason::ItemRetired)])
            }
            (Self::AwaitingPayment { deal, .. }, Evt::CancellationRequested { fee }) => {
                (Self::CancellingPayment { deal, fee: *fee }, vec![])
            }
            // Not confirmed, or else the confirmation had come first: the shop knows nothing of it.
            (
                Self::CommittingStock { deal, .. } | Self::Confirming { deal, .. },
                Evt::CancellationRequested { fee },
            ) => Self::give_back(deal, &[], *fee),
            (Self::Confirmed { deal, total, extensions }, Evt::CancellationRequested { fee }) => {
                (Self::CancellingDispatch { deal, total, fee: *fee, extensions }, vec![Cmd::CancelDispatch])
            }
            (Self::CancellingDispatch { deal, fee, extensions, .. }, Evt::DispatchCancelled) => {
                Self::give_back(deal, &extensions, fee)
            }
            (Self::CancellingDispatch { deal, total, extensions, .. }, Evt::CancellationRefused) => {
                (Self::Confirmed { deal, total, extensions }, vec![])
            }
            (
                Self::Refunding { deal, left, refunded },
                Evt::PaymentRefunded { amount } | Evt::ExtensionRefunded { amount },
            ) if is_of_extension == matches!(event, Evt::ExtensionRefunded { .. }) => {
                Self::go_on_giving_back(deal, left.get(1..).unwrap_or_default(), Some(refund::sum(refunded, *amount)))
            }
            (Self::ReleasingCancelled { deal, refunded }, Evt::StockReleased) => {
                (Self::Closing(deal), vec![Cmd::Cancel { refunded }])
            }
            (Self::ReleasingUnpaid { deal, code }, Evt::StockReleased) => {
                (Self::Closing(deal), vec![Cmd::Reject(RejectReason::PaymentDeclined { code })])
            }
            // The deadline has passed.
            (Self::AwaitingPayment { deal, .. } | Self::Offered { deal, .. }, Evt::StockReleased) => {
                (Self::Closing(deal), vec![Cmd::Expire])
            }
            // The deadline passed while the money arrived. A cancellation that hinders the expiry is known before the refund.
            (Self::CommittingStock { deal, .. }, Evt::StockReleased) => {
                let refund = deal.asked.map(Cmd::RefundPayment);
                (Self::RefundingLate(deal), [Cmd::Expire].into_iter().chain(refund).collect())
            }
            // It is on its way already.
            (Self::RefundingLate(deal), Evt::CancellationRequested { .. }) => match deal.asked {
                Some(amount) => {
                    let left = vec![Refund { extension: None, amount }];
                    (Self::Refunding { deal, left, refunded: None }, vec![])
                }
                None => Self::free(deal, None),
            },
            (stage, _) => (stage, vec![]),
        }
    }

    fn end(self, event: &Event) -> (Self, Vec<Command>) {
        let Some(deal) = self.deal() else {
            return (self, vec![]);
        };
        // Rejected because the payment could not even be requested: the stock is still held.
        let release = matches!(self, Self::AwaitingPayment { .. })
            .then_some(Command::ReleaseStock(deal.item, ReleaseReason::PaymentDeclined));
        let ended = if *event == Event::RentalCompleted { Self::Completed(deal) } else { Self::Undone(deal) };
        let quota = deal.quota.then_some(Command::GiveBackQuota);
        (ended, release.into_iter().chain(quota).collect())
    }

    fn free(deal: Deal, refunded: Option<Money>) -> (Self, Vec<Command>) {
        let release = Command::ReleaseStock(deal.item, ReleaseReason::Cancelled);
        (Self::ReleasingCancelled { deal, refunded }, vec![release])
    }

    /// Answers a refusal.
    #[must_use]
    pub(crate) fn refused(&self, refusal: Refusal) -> Vec<Command> {
        match (self, refusal) {
            (Self::AwaitingQuota(_), Refusal::QuotaExceeded { limit }) => {
                vec![Command::Reject(RejectReason::QuotaExceeded { limit })]
            }
            (Self::AwaitingStock(_), Refusal::StockRefused(reason)) => {
                vec![Command::Reject(reason)]
            }
            (Self::AwaitingPayment { .. }, Refusal::PaymentRefused) => {
                vec![Command::Reject(RejectReason::PaymentDeclined { code: "invalid_charge".to_owned() })]
            }
            (Self::ReleasingUnpaid { code, .. }, Refusal::NothingHeld) => {
                vec![Command::Reject(RejectReason::PaymentDeclined { code: code.clone() })]
            }
            (Self::ReleasingCancelled { refunded, .. }, Refusal::NothingHeld) => {
                vec![Command::Cancel { refunded: *refunded }]
            }
            (Self::CancellingDispatch { .. }, Refusal::HandedOver) => {
                vec![Command::RefuseCancellation]
            }
            (Self::TakingBack { late_fee: Some(fee), .. }, Refusal::NothingHeld) => {
                vec![Command::RequestLateFee(1, *fee)]
            }
            (Self::TakingBack { late_fee: None, .. }, Refusal::NothingHeld) => {
                vec![Command::Complete]
            }
            // Whatever made the order moot is in the journal, or will be.
            (_, _) => vec![],
        }
    }

    /// When something is to be done if nothing happens until then.
    #[must_use]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::AwaitingPayment { until, .. } | Self::Offered { until, .. } => Some(*until),
            Self::Confirmed { deal, .. } => deal.fetch_by,
            Self::HandedOver(deal) => deal.period.map(|period| period.to),
            _ => None,
        }
    }

    /// Answers a deadline that has passed.
    #[must_use]
    pub(crate) fn due(&self) -> Vec<Command> {
        match self {
            Self::AwaitingPayment { deal, .. } | Self::Offered { deal, .. } => {
                vec![Command::ReleaseStock(deal.item, ReleaseReason::Expired)]
            }
            Self::Confirmed { .. } => vec![Command::CancelUnfetched],
            Self::HandedOver(_) => vec![Command::MarkOverdue],
            _ => vec![],
        }
    }

    pub(super) const fn deal(&self) -> Option<Deal> {
        match self {
            Self::New => None,
            Self::AwaitingQuota(deal)
            | Self::AwaitingStock(deal)
            | Self::Waiting(deal)
            | Self::Offered { deal, .. }
            | Self::AwaitingPayment { deal, .. }
            | Self::CommittingStock { deal, .. }
            | Self::Confirming { deal, .. }
            | Self::Confirmed { deal, .. }
            | Self::HandedOver(deal)
            | Self::Overdue(deal)
            | Self::TakingBack { deal, .. }
            | Self::AwaitingLateFee(deal)
            | Self::Completing(deal)
            | Self::ReleasingUnpaid { deal, .. }
            | Self::CancellingPayment { deal, .. }
            | Self::CancellingDispatch { deal, .. }
            | Self::Refunding { deal, .. }
            | Self::ReleasingCancelled { deal, .. }
            | Self::Closing(deal)
            | Self::RefundingLate(deal)
            | Self::Undone(deal)
            | Self::Completed(deal) => Some(*deal),
        }
    }
}
