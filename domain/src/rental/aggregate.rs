//! How far a rental has come, and where it may go from there.

use super::extension::{Extensions, Pending};
use super::late_fee::LateFee;
use super::review::Reviewing;
use super::{CancelledBy, RentalCommand, RentalError, RentalEvent, RentalStatus, Terms};
use crate::{Instant, Money, Period, Personal, days_started};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// The customer's side of a reservation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Rental {
    /// Nobody has asked for it.
    #[default]
    NotRequested,
    /// Somebody has.
    Requested(Box<Opened>),
}

/// A rental that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub(super) terms: Box<Terms>,
    /// As it is agreed now: asked for, offered or extended.
    pub(super) period: Option<Period>,
    turn: Turn,
    /// What the customer pays in all, fees apart; known from the confirmation on.
    pub(super) total: Option<Money>,
    pub(super) reached: Reached,
    pub(super) undoing: Undoing,
    pub(super) extensions: Extensions,
    /// What being late costs, once it is known.
    pub(super) late_fee: Option<LateFee>,
    reviewing: Reviewing,
}

/// What has become of waiting in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Turn {
    NotYet,
    Offered { until: Instant },
    Accepted,
}

/// How far it has come. It is kept when the rental is undone: a repeated order must still find its effect here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Reached {
    Requested,
    Confirmed,
    Prepared,
    HandedOver,
    Overdue,
    Returned,
    Completed,
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Undoing {
    No,
    Cancelling,
    Cancelled,
    Rejected,
    Expired,
}

impl Rental {
    /// Where it stands; `None` when there is no such rental, `cancelling` while a cancellation is in flight.
    #[must_use]
    pub fn status(&self) -> Option<RentalStatus> {
        self.opened().map(Opened::status)
    }

    /// What was asked for; `None` when there is no such rental.
    #[must_use]
    pub fn terms(&self) -> Option<&Terms> {
        self.opened().map(|it| &*it.terms)
    }

    /// From when to when, extensions included; `None` for what does not come back.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        self.opened().and_then(|it| it.period)
    }

    /// The extension that is being decided.
    #[must_use]
    pub fn pending_extension(&self) -> Option<Pending> {
        self.opened().and_then(|it| it.extensions.pending)
    }

    /// What being late costs; `None` when nothing, or when it is not known yet.
    #[must_use]
    pub fn late_fee(&self) -> Option<&LateFee> {
        self.opened().and_then(|it| it.late_fee.as_ref())
    }

    /// What the customer pays in all; `None` until it is confirmed.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        self.opened().and_then(|it| it.total)
    }

    /// What its customer says of it: stars, and words; `None` while there is no review.
    #[must_use]
    pub fn review(&self) -> Option<(u8, Option<&Personal>)> {
        self.opened().and_then(|it| it.reviewing.standing())
    }

    /// Whether a kiosk may lend it.
    ///
    /// # Errors
    /// When there is no such rental, and when its business has no kiosk.
    pub fn check_kiosk(&self) -> Result<(), RentalError> {
        match self.opened() {
            None => Err(RentalError::NotRequested),
            Some(it) if it.terms.rules.kiosk => Ok(()),
            Some(_) => Err(RentalError::NoKiosk),
        }
    }

    fn opened(&self) -> Option<&Opened> {
        match self {
            Self::NotRequested => None,
            Self::Requested(opened) => Some(opened),
        }
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When what is asked for does not fit the business, and when the order makes no sense where the rental stands.
    pub fn decide(&self, command: RentalCommand) -> Result<Vec<RentalEvent>, RentalError> {
        use RentalCommand as Cmd;
        match (self, command) {
            (Self::NotRequested, Cmd::Request { terms, now }) => {
                terms.check(now)?;
                Ok(vec![RentalEvent::Requested { terms, at: now }])
            }
            (
                Self::NotRequested,
                Cmd::Confirm { .. }
                | Cmd::Offer { .. }
                | Cmd::Accept { .. }
                | Cmd::Decline { .. }
                | Cmd::Reject { .. }
                | Cmd::Expire { .. }
                | Cmd::MarkPrepared { .. }
                | Cmd::MarkHandedOver { .. }
                | Cmd::MarkOverdue { .. }
                | Cmd::Return { .. }
                | Cmd::Complete { .. }
                | Cmd::RequestExtension { .. }
                | Cmd::Extend { .. }
                | Cmd::RefuseExtension { .. }
                | Cmd::OweLateFee { .. }
                | Cmd::PayLateFee { .. }
                | Cmd::WaiveLateFee { .. }
                | Cmd::RequestCancellation { .. }
                | Cmd::RefuseCancellation { .. }
                | Cmd::Cancel { .. }
                | Cmd::WriteReview { .. }
                | Cmd::EditReview { .. }
                | Cmd::DeleteReview { .. },
            ) => Err(RentalError::NotRequested),
            (Self::Requested(it), command) => it.decide(command),
        }
    }

    fn fold(&mut self, event: RentalEvent) {
        match (event, &mut *self) {
            (RentalEvent::Requested { terms, .. }, _) => {
                *self = Self::Requested(Box::new(Opened {
                    period: terms.period,
                    terms,
                    turn: Turn::NotYet,
                    total: None,
                    reached: Reached::Requested,
                    undoing: Undoing::No,
                    extensions: Extensions::default(),
                    late_fee: None,
                    reviewing: Reviewing::default(),
                }));
            }
            (event, Self::Requested(it)) => it.fold(event),
            // Never written: every other order to a rental that was not requested is refused.
            (_, Self::NotRequested) => {}
        }
    }
}

impl Opened {
    const fn status(&self) -> RentalStatus {
        match (self.undoing, self.reached) {
            (Undoing::Cancelling, _) => RentalStatus::Cancelling,
            (Undoing::Cancelled, _) => RentalStatus::Cancelled,
            (Undoing::Rejected, _) => RentalStatus::Rejected,
            (Undoing::Expired, _) => RentalStatus::Expired,
            (Undoing::No, Reached::Requested) => RentalStatus::Requested,
            (Undoing::No, Reached::Confirmed) => RentalStatus::Confirmed,
            (Undoing::No, Reached::Prepared) => RentalStatus::Prepared,
            (Undoing::No, Reached::HandedOver) => RentalStatus::HandedOver,
            (Undoing::No, Reached::Overdue) => RentalStatus::Overdue,
            (Undoing::No, Reached::Returned) => RentalStatus::Returned,
            (Undoing::No, Reached::Completed) => RentalStatus::Completed,
        }
    }

    fn decide(&self, command: RentalCommand) -> Result<Vec<RentalEvent>, RentalError> {
        use {Reached as At, RentalCommand as Cmd, RentalEvent as Evt};
        match (self.reached, self.undoing, command) {
            (_, _, Cmd::Request { terms, .. }) if terms == self.terms => Ok(vec![]),
            (_, _, Cmd::Request { .. }) => self.refuse("request"),

            (At::Requested, Undoing::No, Cmd::Offer { period, until, now }) if self.turn == Turn::NotYet => {
                Ok(vec![Evt::Offered { period, until, at: now }])
            }
            (_, _, Cmd::Offer { .. }) if self.turn != Turn::NotYet => Ok(vec![]),
            (_, _, Cmd::Offer { .. }) => self.refuse("offer"),

            (_, _, Cmd::Accept { .. }) if self.turn == Turn::Accepted => Ok(vec![]),
            (At::Requested, Undoing::No, Cmd::Accept { now }) => self.accept(now),
            (_, _, Cmd::Accept { .. }) => self.refuse("accept"),

            (_, Undoing::Cancelling | Undoing::Cancelled, Cmd::Decline { .. }) => Ok(vec![]),
            (At::Requested, Undoing::No, Cmd::Decline { now }) => match self.turn {
                Turn::NotYet => Err(RentalError::NothingOffered),
                Turn::Offered { .. } => Ok(vec![self.cancellation_requested(CancelledBy::Customer, None, now)]),
                Turn::Accepted => self.refuse("decline"),
            },
            (_, _, Cmd::Decline { .. }) => self.refuse("decline"),

            (At::Requested, Undoing::No, Cmd::Confirm { total, now }) => Ok(vec![Evt::Confirmed { total, at: now }]),
            (At::Requested, _, Cmd::Confirm { .. }) => self.refuse("confirm"),
            (_, _, Cmd::Confirm { .. }) => Ok(vec![]),

            (At::Requested, Undoing::No, Cmd::Reject { reason, now }) => Ok(vec![Evt::Rejected { reason, at: now }]),
            (_, Undoing::Rejected, Cmd::Reject { .. }) => Ok(vec![]),
            (_, _, Cmd::Reject { .. }) => self.refuse("reject"),

            (At::Requested, Undoing::No, Cmd::Expire { now }) => Ok(vec![Evt::Expired { at: now }]),
            (_, Undoing::Expired, Cmd::Expire { .. }) => Ok(vec![]),
            (_, _, Cmd::Expire { .. }) => self.refuse("expire"),

            (At::Confirmed, Undoing::No, Cmd::MarkPrepared { now }) => Ok(vec![Evt::Prepared { at: now }]),
            // It is being undone: that it was made ready in the meantime changes nothing any more.
            (At::Confirmed, Undoing::Cancelling, Cmd::MarkPrepared { .. }) => Ok(vec![]),
            (At::Requested | At::Confirmed, _, Cmd::MarkPrepared { .. }) => self.refuse("prepare"),
            (_, _, Cmd::MarkPrepared { .. }) => Ok(vec![]),

            (At::Confirmed | At::Prepared, Undoing::No | Undoing::Cancelling, Cmd::MarkHandedOver { now }) => {
                Ok(self.hand_over(now))
            }
            (At::Requested | At::Confirmed | At::Prepared, _, Cmd::MarkHandedOver { .. }) => self.refuse("hand over"),
            (_, _, Cmd::MarkHandedOver { .. }) => Ok(vec![]),

            (At::HandedOver, _, Cmd::MarkOverdue { now }) => self.mark_overdue(now),
            (At::Requested | At::Confirmed | At::Prepared, _, Cmd::MarkOverdue { .. }) => {
                self.refuse("mark as overdue")
            }
            (_, _, Cmd::MarkOverdue { .. }) => Ok(vec![]),

            (_, _, Cmd::Return { .. }) if !self.terms.rules.comes_back => Err(RentalError::DoesNotComeBack),
            (At::HandedOver | At::Overdue, _, Cmd::Return { now }) => {
                Ok(self.overtaken(now).into_iter().chain([self.returned(now)]).collect())
            }
            (At::Requested | At::Confirmed | At::Prepared, _, Cmd::Return { .. }) => self.refuse("return"),
            (_, _, Cmd::Return { .. }) => Ok(vec![]),

            (At::Returned, _, Cmd::Complete { now }) => Ok(vec![Evt::Completed { at: now }]),
            (At::Completed, _, Cmd::Complete { .. }) => Ok(vec![]),
            (_, _, Cmd::Complete { .. }) => self.refuse("complete"),

            (_, _, Cmd::RequestExtension { to, now }) => self.request_extension(to, now),
            (_, _, Cmd::Extend { number, extra, now }) => self.extend(number, extra, now),
            (_, _, Cmd::RefuseExtension { number, reason, now }) => self.refuse_extension(number, reason, now),

            (_, _, Cmd::OweLateFee { attempt, code, now }) => self.owe_late_fee(attempt, code, now),
            (_, _, Cmd::PayLateFee { method, now }) => self.pay_late_fee(method, now),
            (_, _, Cmd::WaiveLateFee { now }) => self.waive_late_fee(now),

            (_, Undoing::Cancelling | Undoing::Cancelled, Cmd::RequestCancellation { .. }) => Ok(vec![]),
            (
                At::Requested | At::Confirmed | At::Prepared,
                Undoing::No,
                Cmd::RequestCancellation { by, reason, now },
            ) => {
                let requested = self.cancellation_requested(by, reason, now);
                Ok(self.overtaken(now).into_iter().chain([requested]).collect())
            }
            (_, _, Cmd::RequestCancellation { .. }) => self.refuse("cancel"),

            (_, Undoing::Cancelling, Cmd::RefuseCancellation { now }) => Ok(vec![Evt::CancellationRefused { at: now }]),
            (_, _, Cmd::RefuseCancellation { .. }) => Ok(vec![]),

            (_, Undoing::Cancelling, Cmd::Cancel { refunded, now }) => Ok(vec![Evt::Cancelled { refunded, at: now }]),
            (_, Undoing::Cancelled, Cmd::Cancel { .. }) => Ok(vec![]),
            (_, _, Cmd::Cancel { .. }) => self.refuse("cancel"),

            (_, _, Cmd::WriteReview { .. } | Cmd::EditReview { .. } | Cmd::DeleteReview { .. })
                if !self.terms.rules.reviews =>
            {
                Err(RentalError::NoReviews)
            }
            (reached, _, Cmd::WriteReview { .. }) if reached < At::HandedOver => {
                Err(RentalError::NotReviewableYet { status: self.status() })
            }
            (_, _, Cmd::WriteReview { stars, text, now }) => self.reviewing.write(&self.terms, stars, text, now),
            (_, _, Cmd::EditReview { stars, text, now }) => self.reviewing.edit(&self.terms, stars, text, now),
            (_, _, Cmd::DeleteReview { now }) => Ok(self.reviewing.delete(&self.terms, now)),
        }
    }

    pub(super) fn refuse(&self, attempted: &'static str) -> Result<Vec<RentalEvent>, RentalError> {
        Err(RentalError::WrongStatus { attempted, status: self.status() })
    }

    /// Which came first was decided by the shop: a hand-over that arrives here ends a cancellation in flight.
    fn hand_over(&self, at: Instant) -> Vec<RentalEvent> {
        let refused = (self.undoing == Undoing::Cancelling).then_some(RentalEvent::CancellationRefused { at });
        let completed = (!self.terms.rules.comes_back).then_some(RentalEvent::Completed { at });
        refused.into_iter().chain([RentalEvent::HandedOver { at }]).chain(completed).collect()
    }

    /// From here on there is as much time to pay as anybody has.
    fn accept(&self, now: Instant) -> Result<Vec<RentalEvent>, RentalError> {
        match self.turn {
            Turn::NotYet => Err(RentalError::NothingOffered),
            Turn::Offered { until } if until <= now => Err(RentalError::OfferOver { until }),
            Turn::Offered { .. } | Turn::Accepted => {
                let pay_by = now + TimeDelta::seconds(self.terms.rules.hold_s.into());
                Ok(vec![RentalEvent::Accepted { pay_by, at: now }])
            }
        }
    }

    fn mark_overdue(&self, now: Instant) -> Result<Vec<RentalEvent>, RentalError> {
        match self.period {
            Some(period) if self.terms.rules.comes_back => {
                if now < period.to {
                    return Err(RentalError::DoesNotFit { field: "now", why: "it is not due yet" });
                }
                if self.extensions.pending.is_some() {
                    return Err(RentalError::DoesNotFit { field: "now", why: "an extension is being decided" });
                }
                Ok(vec![RentalEvent::Overdue { at: now }])
            }
            _ => Err(RentalError::DoesNotComeBack),
        }
    }

    fn returned(&self, now: Instant) -> RentalEvent {
        let days_late = match self.period {
            Some(Period { to, .. }) if to < now => days_started(Period { from: to, to: now }, self.terms.time_zone),
            Some(_) | None => 0,
        };
        RentalEvent::Returned { days_late, late_fee: self.fee_for(days_late), at: now }
    }

    /// So many per cent of the price of a day, for each day late.
    fn fee_for(&self, days_late: u32) -> Option<Money> {
        let days = days_started(self.period?, self.terms.time_zone);
        let percent = i64::from(days_late).checked_mul(self.terms.rules.late_fee_percent.into())?;
        // A fee beyond 63 bits is no fee: what is back is back.
        self.total?.share(percent, 100 * i64::from(days)).ok().filter(|fee| fee.amount_minor > 0)
    }

    fn cancellation_requested(&self, by: CancelledBy, reason: Option<Personal>, now: Instant) -> RentalEvent {
        let fee = match by {
            CancelledBy::Customer | CancelledBy::NoShow => self.cancellation_fee(now),
            CancelledBy::Store => None,
        };
        RentalEvent::CancellationRequested { by, reason, fee, at: now }
    }

    /// Nothing before the confirmation (there is no total yet), and nothing until so long before the start.
    fn cancellation_fee(&self, now: Instant) -> Option<Money> {
        let rule = self.terms.rules.cancellation;
        let free_until = self.period?.from.checked_sub_signed(TimeDelta::seconds(rule.free_until_s.into()))?;
        if now <= free_until {
            return None;
        }
        self.total?.share(rule.fee_percent.into(), 100).ok().filter(|fee| fee.amount_minor > 0)
    }

    fn fold(&mut self, event: RentalEvent) {
        match event {
            RentalEvent::Requested { .. } => {}
            RentalEvent::Offered { period, until, .. } => {
                self.period = period;
                self.turn = Turn::Offered { until };
            }
            RentalEvent::Accepted { .. } => self.turn = Turn::Accepted,
            RentalEvent::Confirmed { total, .. } => {
                self.total = Some(total);
                self.reached = Reached::Confirmed;
            }
            RentalEvent::Rejected { .. } => self.undoing = Undoing::Rejected,
            RentalEvent::Expired { .. } => self.undoing = Undoing::Expired,
            RentalEvent::Prepared { .. } => self.reached = Reached::Prepared,
            RentalEvent::HandedOver { .. } => self.reached = Reached::HandedOver,
            RentalEvent::Overdue { .. } => self.reached = Reached::Overdue,
            RentalEvent::Returned { late_fee, .. } => {
                self.reached = Reached::Returned;
                self.late_fee = late_fee.map(|amount| LateFee::new(amount, self.terms.payment_method.clone()));
            }
            RentalEvent::ExtensionRequested { number, to, .. } => self.extensions.asked(number, to),
            RentalEvent::Extended { number, to, total, .. } => {
                self.extensions.granted(number);
                self.period = self.period.map(|period| Period { to, ..period });
                self.total = Some(total);
            }
            RentalEvent::ExtensionRefused { .. } => self.extensions.refused(),
            RentalEvent::LateFeeDeclined { .. } => self.late_fee.as_mut().into_iter().for_each(LateFee::declined),
            RentalEvent::LateFeeDemanded { attempt, method, .. } => {
                self.late_fee.as_mut().into_iter().for_each(|fee| fee.demanded(attempt, method.clone()));
            }
            RentalEvent::LateFeeWaived { .. } => self.late_fee.as_mut().into_iter().for_each(LateFee::waived),
            RentalEvent::Completed { .. } => self.reached = Reached::Completed,
            RentalEvent::CancellationRequested { .. } => self.undoing = Undoing::Cancelling,
            RentalEvent::CancellationRefused { .. } => self.undoing = Undoing::No,
            RentalEvent::Cancelled { .. } => self.undoing = Undoing::Cancelled,
            RentalEvent::ReviewWritten { number, stars, ref text, .. }
            | RentalEvent::ReviewEdited { number, stars, ref text, .. } => {
                self.reviewing.fold_written(number, stars, text.as_ref());
            }
            RentalEvent::ReviewDeleted { .. } => self.reviewing.fold_deleted(),
        }
    }
}

crate::aggregate::aggregate!(Rental, "rental", RentalCommand => RentalEvent | RentalError);
