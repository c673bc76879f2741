//! Where the money is, and where it may go from there. Never backwards.

use super::{Charge, PaymentCommand, PaymentError, PaymentEvent, PaymentStatus};
use crate::{Money, RentalId};
use serde::{Deserialize, Serialize};

/// One charge and its refund.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payment {
    /// Nobody has asked for money.
    #[default]
    NotRequested,
    /// Somebody has.
    Requested(Box<Opened>),
}

/// A payment that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    rental: RentalId,
    charge: Charge,
    stage: Stage,
    /// How often a refund has failed.
    failures: u32,
    /// The provider's name for the charge, once it is approved.
    #[serde(default)]
    reference: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Requested,
    Unknown,
    Approved,
    Declined,
    Refunding(Money),
    RefundFailed(Money),
    Refunded(Money),
}

impl Stage {
    const fn status(self) -> PaymentStatus {
        match self {
            Self::Requested => PaymentStatus::Requested,
            Self::Unknown => PaymentStatus::Unknown,
            Self::Approved => PaymentStatus::Approved,
            Self::Declined => PaymentStatus::Declined,
            Self::Refunding(_) => PaymentStatus::Refunding,
            Self::RefundFailed(_) => PaymentStatus::RefundFailed,
            Self::Refunded(_) => PaymentStatus::Refunded,
        }
    }
}

impl Payment {
    /// Where it stands; `None` when there is no such payment.
    #[must_use]
    pub fn status(&self) -> Option<PaymentStatus> {
        self.opened().map(|it| it.stage.status())
    }

    /// What was to be charged; `None` when there is no such payment.
    #[must_use]
    pub fn charge(&self) -> Option<&Charge> {
        self.opened().map(|it| &it.charge)
    }

    /// For which rental; `None` when there is no such payment.
    #[must_use]
    pub fn rental(&self) -> Option<RentalId> {
        self.opened().map(|it| it.rental)
    }

    /// The provider's name for the charge; `None` until it is approved.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.opened().and_then(|it| it.reference.as_deref())
    }

    /// What went back or is on its way back; `None` when nothing is.
    #[must_use]
    pub fn refund(&self) -> Option<Money> {
        self.opened().and_then(|it| match it.stage {
            Stage::Requested | Stage::Unknown | Stage::Approved | Stage::Declined => None,
            Stage::Refunding(amount) | Stage::RefundFailed(amount) | Stage::Refunded(amount) => Some(amount),
        })
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
    /// When an amount is not to be charged or refunded, and when the order would take the payment backwards.
    pub fn decide(&self, command: PaymentCommand) -> Result<Vec<PaymentEvent>, PaymentError> {
        match (self, command) {
            (Self::NotRequested, PaymentCommand::Request { rental, charge, now }) => {
                check_positive(charge.amount)?;
                Ok(vec![PaymentEvent::Requested { rental, charge, at: now }])
            }
            (Self::Requested(it), PaymentCommand::Request { rental, charge, .. }) => {
                let same = it.rental == rental && it.charge.is_asked_again_by(&charge);
                if same { Ok(vec![]) } else { Err(PaymentError::AnotherCharge) }
            }
            (
                Self::NotRequested,
                PaymentCommand::Approve { .. }
                | PaymentCommand::Decline { .. }
                | PaymentCommand::MarkUnknown { .. }
                | PaymentCommand::RequestRefund { .. }
                | PaymentCommand::MarkRefunded { .. }
                | PaymentCommand::MarkRefundFailed { .. },
            ) => Err(PaymentError::NotRequested),
            (Self::Requested(it), command) => it.decide(command),
        }
    }

    fn fold(&mut self, event: PaymentEvent) {
        match (event, &mut *self) {
            (PaymentEvent::Requested { rental, charge, .. }, _) => {
                let (stage, reference) = (Stage::Requested, None);
                *self = Self::Requested(Box::new(Opened { rental, charge, stage, failures: 0, reference }));
            }
            (event, Self::Requested(it)) => it.fold(&event),
            // Never written: every other order to a payment that was not requested is refused.
            (_, Self::NotRequested) => {}
        }
    }
}

impl Opened {
    fn decide(&self, command: PaymentCommand) -> Result<Vec<PaymentEvent>, PaymentError> {
        use {PaymentCommand as Cmd, PaymentEvent as Evt};
        let (rental, item) = (self.rental, self.charge.item);
        match (self.stage, command) {
            (Stage::Requested | Stage::Unknown, Cmd::Approve { reference, now }) => {
                let amount = Some(self.charge.amount);
                Ok(vec![Evt::Approved { rental, item, amount, reference, at: now }])
            }
            (Stage::Declined, Cmd::Approve { .. }) => Err(self.refuse("approve")),
            (_, Cmd::Approve { .. }) => Ok(vec![]),

            (Stage::Requested | Stage::Unknown, Cmd::Decline { code, now }) => {
                Ok(vec![Evt::Declined { rental, code, at: now }])
            }
            (Stage::Declined, Cmd::Decline { .. }) => Ok(vec![]),
            (_, Cmd::Decline { .. }) => Err(self.refuse("decline")),

            (Stage::Requested, Cmd::MarkUnknown { now }) => Ok(vec![Evt::Unknown { rental, at: now }]),
            // The truth is known, or not knowing is.
            (_, Cmd::MarkUnknown { .. }) => Ok(vec![]),

            (Stage::Refunding(on_its_way), Cmd::RequestRefund { amount, .. }) if on_its_way == amount => Ok(vec![]),
            (Stage::Refunded(_), Cmd::RequestRefund { .. }) => Ok(vec![]),
            (Stage::Approved | Stage::RefundFailed(_), Cmd::RequestRefund { amount, now }) => {
                self.check_refund(amount)?;
                Ok(vec![Evt::RefundRequested { rental, amount, at: now }])
            }
            (_, Cmd::RequestRefund { .. }) => Err(self.refuse("refund")),

            // Also after a failure: the provider may have given it back and lost the answer.
            (Stage::Refunding(amount) | Stage::RefundFailed(amount), Cmd::MarkRefunded { reference, now }) => {
                Ok(vec![Evt::Refunded { rental, item, amount, reference, at: now }])
            }
            (Stage::Refunded(_), Cmd::MarkRefunded { .. }) => Ok(vec![]),
            (_, Cmd::MarkRefunded { .. }) => Err(self.refuse("mark as refunded")),

            (Stage::Refunding(_), Cmd::MarkRefundFailed { code, now }) => {
                let failures = self.failures.saturating_add(1);
                Ok(vec![Evt::RefundFailed { rental, code, failures, at: now }])
            }
            (Stage::RefundFailed(_) | Stage::Refunded(_), Cmd::MarkRefundFailed { .. }) => Ok(vec![]),
            (_, Cmd::MarkRefundFailed { .. }) => Err(self.refuse("fail the refund of")),

            (_, Cmd::Request { .. }) => Err(PaymentError::AnotherCharge),
        }
    }

    fn refuse(&self, attempted: &'static str) -> PaymentError {
        PaymentError::WrongStatus { attempted, status: self.stage.status() }
    }

    fn check_refund(&self, asked: Money) -> Result<(), PaymentError> {
        check_positive(asked)?;
        let approved = self.charge.amount;
        // Money of another currency never came in.
        if asked.currency != approved.currency || asked.amount_minor > approved.amount_minor {
            return Err(PaymentError::MoreThanApproved { asked, approved });
        }
        Ok(())
    }

    fn fold(&mut self, event: &PaymentEvent) {
        if let PaymentEvent::Approved { reference, .. } = event {
            self.reference = Some(reference.clone());
        }
        self.stage = match *event {
            PaymentEvent::Requested { .. } => Stage::Requested,
            PaymentEvent::Approved { .. } => Stage::Approved,
            PaymentEvent::Declined { .. } => Stage::Declined,
            PaymentEvent::Unknown { .. } => Stage::Unknown,
            PaymentEvent::RefundRequested { amount, .. } => Stage::Refunding(amount),
            PaymentEvent::Refunded { amount, .. } => Stage::Refunded(amount),
            PaymentEvent::RefundFailed { failures, .. } => {
                self.failures = failures;
                match self.stage {
                    Stage::Refunding(amount) => Stage::RefundFailed(amount),
                    other => other,
                }
            }
        };
    }
}

fn check_positive(amount: Money) -> Result<(), PaymentError> {
    if amount.amount_minor > 0 { Ok(()) } else { Err(PaymentError::NotPositive(amount)) }
}

crate::aggregate::aggregate!(Payment, "payment", PaymentCommand => PaymentEvent | PaymentError);
