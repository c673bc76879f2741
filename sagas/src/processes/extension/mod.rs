//! From a customer's wish to keep it longer to a rental that ends later: keep the stock for longer, take money, extend; and
//! undo what was done when a step fails or the rental ends first.
//!
//! **Money for an extension that never stood goes back from here; money for one that stands goes back with the rental.** The
//! rental's stream has either `RentalExtended` or `ExtensionRefused` for every extension, and so decides which.

mod command;
mod event;
#[cfg(test)]
mod golden;
mod orders;

pub(crate) use command::{Command, Refusal};
pub(crate) use event::{Event, correlate};
pub(crate) use orders::{Clerk, Extending};

use domain::rental::ExtensionRefusal;
use domain::{Instant, Money};
use serde::{Deserialize, Serialize};

/// How far the newest extension of a rental has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// There is none, or it is decided and nothing is left to be undone.
    #[default]
    Idle,
    /// Whether the stock can be kept for longer is being decided.
    AwaitingStock { number: u32, pay_by: Option<Instant> },
    /// It can; the money is on its way, perhaps.
    AwaitingPayment { number: u32, amount: Money, pay_by: Instant },
    /// Paid, or nothing to be paid.
    Confirming { number: u32, paid: Option<Money> },
    /// It was refused while the payment was under way: what is approved now goes back.
    Abandoned { number: u32, amount: Money },
}

impl Stage {
    /// Answers an event.
    #[must_use]
    pub(crate) fn react(self, event: Event) -> (Self, Vec<Command>) {
        match event {
            Event::ExtensionRequested { number, pay_by } => self.begin(number, pay_by),
            Event::ExtensionRefused { number, reason } if self.number() == Some(number) => self.undo(&reason),
            Event::StockExtended { number, .. } | Event::RentalExtended { number } if self.number() != Some(number) => {
                (self, vec![])
            }
            Event::ExtensionRefused { .. } => (self, vec![]),
            Event::StockExtended { .. }
            | Event::RentalExtended { .. }
            | Event::PaymentApproved
            | Event::PaymentDeclined { .. } => self.go_on(event),
        }
    }

    fn begin(self, number: u32, pay_by: Option<Instant>) -> (Self, Vec<Command>) {
        match self {
            stage if stage.number() == Some(number) => (stage, vec![]),
            Self::Idle => (Self::AwaitingStock { number, pay_by }, vec![Command::ExtendStock(number)]),
            Self::AwaitingStock { .. }
            | Self::AwaitingPayment { .. }
            | Self::Confirming { .. }
            | Self::Abandoned { .. } => (self, vec![Command::Refuse(number, ExtensionRefusal::Busy)]),
        }
    }

    fn go_on(self, event: Event) -> (Self, Vec<Command>) {
        use {Command as Cmd, Event as Evt};
        match (self, event) {
            (Self::AwaitingStock { number, pay_by: Some(pay_by) }, Evt::StockExtended { extra, .. })
                if !extra.is_zero() =>
            {
                (Self::AwaitingPayment { number, amount: extra, pay_by }, vec![Cmd::RequestPayment(number, extra)])
            }
            (Self::AwaitingStock { number, .. }, Evt::StockExtended { extra, .. }) => {
                let extra = Some(extra).filter(|extra| !extra.is_zero());
                (Self::Confirming { number, paid: None }, vec![Cmd::Extend(number, extra)])
            }
            (Self::AwaitingPayment { number, amount, .. }, Evt::PaymentApproved) => {
                (Self::Confirming { number, paid: Some(amount) }, vec![Cmd::Extend(number, Some(amount))])
            }
            (Self::AwaitingPayment { number, .. }, Evt::PaymentDeclined { code }) => {
                let refuse = Cmd::Refuse(number, ExtensionRefusal::PaymentDeclined { code });
                (Self::Idle, vec![Cmd::ReleaseExtension(number), refuse])
            }
            (Self::Confirming { .. }, Evt::RentalExtended { .. }) => (Self::Idle, vec![]),
            // Too late: the customer must not pay for an extension that was refused.
            (Self::Abandoned { number, amount }, Evt::PaymentApproved) => {
                (Self::Idle, vec![Cmd::RefundPayment(number, amount)])
            }
            (Self::Abandoned { .. }, Evt::PaymentDeclined { .. }) => (Self::Idle, vec![]),
            (stage, _) => (stage, vec![]),
        }
    }

    /// The rental has refused the extension, whoever wanted that.
    fn undo(self, reason: &ExtensionRefusal) -> (Self, Vec<Command>) {
        use Command as Cmd;
        match self {
            Self::Idle | Self::Abandoned { .. } => (self, vec![]),
            Self::AwaitingStock { number, .. } => (Self::Idle, vec![Cmd::ReleaseExtension(number)]),
            Self::AwaitingPayment { number, amount, .. } => {
                // Declined before it was requested: no outcome will come.
                let over = matches!(reason, ExtensionRefusal::PaymentDeclined { .. });
                let next = if over { Self::Idle } else { Self::Abandoned { number, amount } };
                (next, vec![Cmd::ReleaseExtension(number)])
            }
            Self::Confirming { number, paid } => {
                let refund = paid.map(|paid| Cmd::RefundPayment(number, paid));
                (Self::Idle, [Cmd::ReleaseExtension(number)].into_iter().chain(refund).collect())
            }
        }
    }

    /// Answers a refusal.
    #[must_use]
    pub(crate) fn refused(self, refusal: Refusal) -> Vec<Command> {
        match (self, refusal) {
            (Self::AwaitingStock { number, .. }, Refusal::Stock(reason)) => {
                vec![Command::Refuse(number, reason)]
            }
            (Self::AwaitingPayment { number, .. }, Refusal::Payment) => {
                let code = "invalid_charge".to_owned();
                vec![Command::Refuse(number, ExtensionRefusal::PaymentDeclined { code })]
            }
            // As a rule it has refused the extension before, and then this changes nothing.
            (Self::Confirming { number, .. }, Refusal::Rental(detail)) => {
                vec![Command::Refuse(number, ExtensionRefusal::DoesNotFit { detail })]
            }
            // Whatever made the order moot is in the journal, or will be.
            (_, _) => vec![],
        }
    }

    /// When something is to be done if nothing happens until then.
    #[must_use]
    pub(crate) const fn deadline(self) -> Option<Instant> {
        match self {
            Self::AwaitingPayment { pay_by, .. } => Some(pay_by),
            Self::Idle | Self::AwaitingStock { .. } | Self::Confirming { .. } | Self::Abandoned { .. } => None,
        }
    }

    /// Answers a deadline that has passed.
    #[must_use]
    pub(crate) fn due(self) -> Vec<Command> {
        match self {
            Self::AwaitingPayment { number, .. } => vec![Command::Refuse(number, ExtensionRefusal::Expired)],
            Self::Idle | Self::AwaitingStock { .. } | Self::Confirming { .. } | Self::Abandoned { .. } => vec![],
        }
    }

    pub(super) const fn number(self) -> Option<u32> {
        match self {
            Self::Idle => None,
            Self::AwaitingStock { number, .. }
            | Self::AwaitingPayment { number, .. }
            | Self::Confirming { number, .. }
            | Self::Abandoned { number, .. } => Some(number),
        }
    }
}
