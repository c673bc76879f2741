//! Keeping it longer: one extension at a time, asked for by the customer, decided by stock and money.

use super::aggregate::{Opened, Reached, Undoing};
use super::terms::MOST_DAYS;
use super::{ExtensionRefusal, RentalError, RentalEvent};
use crate::policy::PaymentTiming;
use crate::{Instant, Money, Period, days_started};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// An extension that is being decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Which extension of the rental; they are numbered from 1.
    pub number: u32,
    /// Until when the customer wants to keep it.
    pub to: Instant,
}

/// What became of the extensions of a rental.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extensions {
    /// How many were asked for.
    asked: u32,
    /// The numbers of those that stand.
    granted: Vec<u32>,
    pub(super) pending: Option<Pending>,
}

impl Extensions {
    pub(super) const fn asked(&mut self, number: u32, to: Instant) {
        self.asked = number;
        self.pending = Some(Pending { number, to });
    }

    pub(super) fn granted(&mut self, number: u32) {
        self.granted.push(number);
        self.pending = None;
    }

    pub(super) const fn refused(&mut self) {
        self.pending = None;
    }
}

impl Opened {
    pub(super) fn request_extension(&self, to: Instant, now: Instant) -> Result<Vec<RentalEvent>, RentalError> {
        let extensions = &self.extensions;
        let is_pending = extensions.pending.is_some_and(|pending| pending.to == to);
        let stands = !extensions.granted.is_empty() && self.period.is_some_and(|period| period.to == to);
        if is_pending || stands {
            return Ok(vec![]);
        }
        let rule = self.terms.rules.extension.ok_or(refusal("nothing is extended in this business"))?;
        let period = self.period.ok_or(RentalError::DoesNotComeBack)?;
        if self.undoing != Undoing::No
            || !matches!(self.reached, Reached::Confirmed | Reached::Prepared | Reached::HandedOver)
        {
            return self.refuse("extend");
        }
        if extensions.pending.is_some() {
            return Err(refusal("another extension is being decided"));
        }
        if u32::try_from(extensions.granted.len()).unwrap_or(u32::MAX) >= rule.most {
            return Err(refusal("it was extended as often as may be"));
        }
        if period.to <= now {
            return Err(refusal("it should be back already"));
        }
        if to <= period.to {
            return Err(RentalError::DoesNotFit { field: "to", why: "after the end of the period" });
        }
        if days_started(Period { to, ..period }, self.terms.time_zone) > MOST_DAYS {
            return Err(RentalError::DoesNotFit { field: "to", why: "at most 366 days after the start" });
        }
        let upfront = self.terms.rules.payment == PaymentTiming::Upfront;
        let pay_by = upfront.then_some(now + TimeDelta::seconds(self.terms.rules.hold_s.into()));
        Ok(vec![RentalEvent::ExtensionRequested { number: extensions.asked + 1, to, pay_by, at: now }])
    }

    pub(super) fn extend(
        &self,
        number: u32,
        extra: Option<Money>,
        now: Instant,
    ) -> Result<Vec<RentalEvent>, RentalError> {
        if self.extensions.granted.contains(&number) {
            return Ok(vec![]);
        }
        let Pending { to, .. } = self.pending(number).ok_or(RentalError::NoExtension { number })?;
        let total = match (self.total, extra) {
            (Some(total), Some(extra)) => total.plus(extra).ok(),
            (total, _) => total,
        };
        let total =
            total.ok_or(RentalError::DoesNotFit { field: "extra", why: "the price of it all is out of range" })?;
        Ok(vec![RentalEvent::Extended { number, to, extra, total, at: now }])
    }

    pub(super) fn refuse_extension(
        &self,
        number: u32,
        reason: ExtensionRefusal,
        now: Instant,
    ) -> Result<Vec<RentalEvent>, RentalError> {
        if self.pending(number).is_some() {
            return Ok(vec![RentalEvent::ExtensionRefused { number, reason, at: now }]);
        }
        let was_refused = number <= self.extensions.asked && !self.extensions.granted.contains(&number);
        if was_refused { Ok(vec![]) } else { Err(RentalError::NoExtension { number }) }
    }

    /// What becomes of an extension that is being decided while the rental ends.
    pub(super) fn overtaken(&self, at: Instant) -> Option<RentalEvent> {
        let Pending { number, .. } = self.extensions.pending?;
        Some(RentalEvent::ExtensionRefused { number, reason: ExtensionRefusal::Overtaken, at })
    }

    fn pending(&self, number: u32) -> Option<Pending> {
        self.extensions.pending.filter(|pending| pending.number == number)
    }
}

const fn refusal(why: &'static str) -> RentalError {
    RentalError::NotExtendable { why }
}
