//! A provider that does whatever a provider may do.

use super::memory::Table;
use crate::payments::{
    Answered, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Truth, Unavailable,
};
use domain::PaymentId;

/// What its books say of the payment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Book {
    pub(super) charge: Charging,
    /// What went back, in minor units.
    pub(super) refunded: Option<i64>,
    /// How often it may still refuse to give money back.
    pub(super) refusals_left: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Charging {
    #[default]
    NeverSeen,
    InProgress,
    Charged(i64),
    Declined,
}

/// What a call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Charge,
    Truth,
    Refund,
}

/// How the provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Away,
    Answers,
    /// The answer gets lost on its way back.
    AnswersInVain,
    Declines,
    DeclinesInVain,
    /// The request gets lost on its way there.
    HearsNothing,
    /// It takes longer than anybody waits.
    IsAtIt,
}

impl Book {
    /// Everything that may come of a call, being away apart.
    pub(super) fn calls(&self, said: Said) -> &'static [Call] {
        use Call::{Answers, AnswersInVain, Declines, DeclinesInVain, HearsNothing, IsAtIt};
        match (said, self.charge) {
            (Said::Charge, Charging::NeverSeen) => {
                &[Answers, AnswersInVain, Declines, DeclinesInVain, HearsNothing, IsAtIt]
            }
            (Said::Charge, Charging::InProgress) => &[IsAtIt],
            (Said::Charge, Charging::Charged(_) | Charging::Declined) => &[Answers, AnswersInVain],
            (Said::Truth, _) => &[Answers],
            (Said::Refund, _) if self.refusals_left > 0 && self.refunded.is_none() => {
                &[Answers, AnswersInVain, Declines]
            }
            (Said::Refund, _) => &[Answers, AnswersInVain],
        }
    }

    fn charge(&mut self, call: Call, amount: i64) -> Result<Charged, ChargeError> {
        if call == Call::Away {
            return Err(Unavailable.into());
        }
        if self.charge == Charging::NeverSeen {
            self.charge = match call {
                Call::Answers | Call::AnswersInVain => Charging::Charged(amount),
                Call::Declines | Call::DeclinesInVain => Charging::Declined,
                Call::IsAtIt => Charging::InProgress,
                Call::HearsNothing | Call::Away => Charging::NeverSeen,
            };
        }
        match (call, self.charge) {
            (Call::Answers | Call::Declines, Charging::Charged(_)) => Ok(charged()),
            (Call::Answers | Call::Declines, Charging::Declined) => Err(declined().into()),
            _ => Err(ChargeError::Unknown),
        }
    }

    fn truth(&self, call: Call) -> Result<Truth, Unavailable> {
        if call == Call::Away {
            return Err(Unavailable);
        }
        Ok(match self.charge {
            Charging::NeverSeen => Truth::NeverSeen,
            Charging::InProgress => Truth::InProgress,
            Charging::Charged(_) => Truth::Charged(charged()),
            Charging::Declined => Truth::Declined(declined()),
        })
    }

    fn refund(&mut self, call: Call, amount: i64) -> Result<Refunded, RefundError> {
        if call == Call::Away {
            return Err(Unavailable.into());
        }
        if call == Call::Declines {
            self.refusals_left -= 1;
            return Err(declined().into());
        }
        // One key for the one refund of a payment.
        self.refunded.get_or_insert(amount);
        if call == Call::AnswersInVain {
            return Err(Unavailable.into());
        }
        Ok(Refunded { reference: "refund".to_owned() })
    }
}

fn charged() -> Charged {
    Charged { reference: "charge".to_owned() }
}

fn declined() -> Declined {
    Declined { code: "declined".to_owned() }
}

/// The provider, as the till knows it.
pub(super) struct AnyProvider(pub(super) Table);

impl PaymentProvider for AnyProvider {
    fn charge(&self, request: ChargeRequest) -> Answered<'_, Charged, ChargeError> {
        Box::pin(async move {
            let answer = self.0.step::<Result<Charged, ChargeError>, _>(|board| {
                board.said = Some(Said::Charge);
                let answer = board.book.charge(board.call, request.amount.amount_minor);
                board.known.id(answer)
            });
            (*answer.await).clone()
        })
    }

    fn truth(&self, _: PaymentId) -> Answered<'_, Truth, Unavailable> {
        Box::pin(async move {
            let answer = self.0.step::<Result<Truth, Unavailable>, _>(|board| {
                board.said = Some(Said::Truth);
                let answer = board.book.truth(board.call);
                board.known.id(answer)
            });
            (*answer.await).clone()
        })
    }

    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError> {
        Box::pin(async move {
            let answer = self.0.step::<Result<Refunded, RefundError>, _>(|board| {
                board.said = Some(Said::Refund);
                let answer = board.book.refund(board.call, request.amount.amount_minor);
                board.known.id(answer)
            });
            (*answer.await).clone()
        })
    }
}
