//! Carries out charges and refunds the way the script wants them.

use super::book::{Begun, Book};
use super::ledger::{Entry, Ledger, LedgerError};
use super::script::{Behaviour, Script};
use super::sender::Sender;
use crate::protocol::{CHARGE_DECLINED, CHARGE_SUCCEEDED, Charge, Event, REFUND_SUCCEEDED, Refund, Told};
use domain::PaymentId;
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// What the caller gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reaction {
    /// An answer.
    Answer(StatusCode, Told),
    /// The end of the connection.
    Cut,
}

/// The provider behind the counter.
#[derive(Debug)]
pub(super) struct Desk {
    book: Book,
    ledger: Ledger,
    sender: Option<Sender>,
}

impl Desk {
    pub(super) const fn new(book: Book, ledger: Ledger, sender: Option<Sender>) -> Self {
        Self { book, ledger, sender }
    }

    pub(super) const fn book(&self) -> &Book {
        &self.book
    }

    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where its webhooks are sent from; `None` where it sends none.
    pub(super) const fn sender(&self) -> Option<&Sender> {
        self.sender.as_ref()
    }

    /// Charges, once for each key. It goes on when the caller hangs up.
    pub(super) async fn charge(self: Arc<Self>, script: Arc<Script>, key: Uuid, charge: Charge) -> Reaction {
        let (begun, call) = self.book.begin_charge(key, &charge);
        let latency = script.latency(key, call);
        match begun {
            Begun::Fresh { first } => {
                let (answer, answered) = oneshot::channel();
                tokio::spawn(async move {
                    tokio::time::sleep(latency).await;
                    if let Err(error) = self.make_charge(&script, key, charge, first, answer).await {
                        tracing::error!(%error, charge = %key, "a charge was not made");
                    }
                });
                answered.await.unwrap_or_else(|_| server_error())
            }
            begun => {
                tokio::time::sleep(latency).await;
                not_fresh(begun)
            }
        }
    }

    async fn make_charge(
        &self,
        script: &Script,
        key: Uuid,
        charge: Charge,
        first: bool,
        answer: oneshot::Sender<Reaction>,
    ) -> Result<(), LedgerError> {
        let behaviour = script.behaviour(key, &charge.method);
        let (slow, late) = (Duration::from_millis(script.slow_ms), Duration::from_millis(script.late_webhook_ms));
        let mut answer = Some(answer);
        match behaviour {
            Behaviour::ServerError | Behaviour::NotChargedAnswerLost if first => {
                self.book.let_go_of_charge(key);
                let lost = behaviour == Behaviour::NotChargedAnswerLost;
                say(&mut answer, if lost { Reaction::Cut } else { server_error() });
                return Ok(());
            }
            Behaviour::InFlight => {
                say(&mut answer, Reaction::Answer(StatusCode::CONFLICT, Told::InProgress));
                tokio::time::sleep(slow).await;
            }
            Behaviour::Slow => tokio::time::sleep(slow).await,
            _ => {}
        }
        let (kind, told) = self.settle(key, charge, behaviour).await?;
        let event = event(kind, key, told.clone());
        let mut times = if behaviour == Behaviour::DuplicateWebhook { 3 } else { 1 };
        if let (Behaviour::WebhookFirst, Some(sender)) = (behaviour, &self.sender) {
            times = usize::from(!sender.deliver(&event).await);
        }
        say(&mut answer, if behaviour == Behaviour::ChargedAnswerLost { Reaction::Cut } else { answer_of(told) });
        if let Some(sender) = &self.sender {
            sender.send(&event, times, if behaviour == Behaviour::LateWebhook { late } else { Duration::ZERO });
        }
        Ok(())
    }

    /// Writes down what becomes of a charge.
    async fn settle(
        &self,
        key: Uuid,
        charge: Charge,
        behaviour: Behaviour,
    ) -> Result<(&'static str, Told), LedgerError> {
        let Charge { amount, method } = charge;
        let at = chrono::Utc::now();
        let code = match behaviour {
            Behaviour::Decline => Some("declined"),
            Behaviour::InsufficientFunds => Some("insufficient_funds"),
            Behaviour::UnknownMethod => Some("unknown_payment_method"),
            _ => None,
        };
        let (kind, told, entry) = if let Some(code) = code {
            let code = code.to_owned();
            let told = Told::Declined { code: code.clone() };
            (CHARGE_DECLINED, told, Entry::Declined { key, amount, method, code, at })
        } else {
            let reference = self.book.reference("charge", key);
            let told = Told::Charged { reference: reference.clone() };
            (CHARGE_SUCCEEDED, told, Entry::Charged { key, amount, method, reference, at })
        };
        self.ledger.write(entry.clone()).await?;
        self.book.enter(entry);
        Ok((kind, told))
    }

    /// Gives money back, once for each key. It goes on when the caller hangs up.
    pub(super) async fn refund(
        self: Arc<Self>,
        script: Arc<Script>,
        charge: Uuid,
        key: Uuid,
        refund: Refund,
    ) -> Reaction {
        let (begun, call) = self.book.begin_refund(charge, key, refund);
        let latency = script.latency(key, call);
        match begun {
            Begun::Fresh { first } => {
                let given = tokio::spawn(async move {
                    tokio::time::sleep(latency).await;
                    self.make_refund(&script, charge, key, refund, first).await
                });
                match given.await {
                    Ok(Ok(reaction)) => reaction,
                    Ok(Err(error)) => {
                        tracing::error!(%error, refund = %key, "a refund was not made");
                        server_error()
                    }
                    Err(_) => server_error(),
                }
            }
            begun => {
                tokio::time::sleep(latency).await;
                not_fresh(begun)
            }
        }
    }

    async fn make_refund(
        &self,
        script: &Script,
        charge: Uuid,
        key: Uuid,
        Refund { amount }: Refund,
        first: bool,
    ) -> Result<Reaction, LedgerError> {
        let behaviour = script.behaviour(charge, &self.book.method(charge).unwrap_or_default());
        let at = chrono::Utc::now();
        let fails = match behaviour {
            Behaviour::RefundFailsAlways => true,
            Behaviour::RefundFailsOnce => !self.book.has_failed_to_refund(charge),
            _ => false,
        };
        if fails {
            let entry = Entry::RefundFailed { key, charge, at };
            self.ledger.write(entry.clone()).await?;
            self.book.enter(entry);
            let code = "refund_failed".to_owned();
            return Ok(Reaction::Answer(StatusCode::PAYMENT_REQUIRED, Told::Failed { code }));
        }
        let reference = self.book.reference("refund", key);
        let entry = Entry::Refunded { key, charge, amount, reference: reference.clone(), at };
        self.ledger.write(entry.clone()).await?;
        self.book.enter(entry);
        let told = Told::Refunded { reference };
        if let Some(sender) = &self.sender {
            let times = if behaviour == Behaviour::DuplicateWebhook { 3 } else { 1 };
            sender.send(&event(REFUND_SUCCEEDED, charge, told.clone()), times, Duration::ZERO);
        }
        let lost = first && behaviour == Behaviour::RefundAnswerLost;
        Ok(if lost { Reaction::Cut } else { answer_of(told) })
    }
}

fn event(kind: &str, payment: Uuid, outcome: Told) -> Event {
    let (id, at) = (Uuid::now_v7(), chrono::Utc::now());
    Event { id, kind: kind.to_owned(), at, payment: PaymentId(payment), outcome }
}

/// Says it once; whoever asked may be gone.
fn say(answer: &mut Option<oneshot::Sender<Reaction>>, reaction: Reaction) {
    if let Some(answer) = answer.take() {
        let _ = answer.send(reaction);
    }
}

fn server_error() -> Reaction {
    let why = "something went wrong".to_owned();
    Reaction::Answer(StatusCode::INTERNAL_SERVER_ERROR, Told::Refused { why })
}

fn not_fresh(begun: Begun) -> Reaction {
    let refused = |status, why: &str| Reaction::Answer(status, Told::Refused { why: why.to_owned() });
    match begun {
        Begun::Known(told) => answer_of(told),
        Begun::Fresh { .. } | Begun::InFlight => Reaction::Answer(StatusCode::CONFLICT, Told::InProgress),
        Begun::AnotherRequest => refused(StatusCode::UNPROCESSABLE_ENTITY, "the key was used for something else"),
        Begun::NoSuchCharge => refused(StatusCode::NOT_FOUND, "there is no such charge"),
        Begun::MoreThanCharged => {
            let code = "more_than_charged".to_owned();
            Reaction::Answer(StatusCode::PAYMENT_REQUIRED, Told::Failed { code })
        }
    }
}

fn answer_of(told: Told) -> Reaction {
    let status = match told {
        Told::Charged { .. } | Told::Refunded { .. } => StatusCode::CREATED,
        Told::Declined { .. } | Told::Failed { .. } => StatusCode::PAYMENT_REQUIRED,
        Told::InProgress => StatusCode::CONFLICT,
        Told::NeverSeen => StatusCode::NOT_FOUND,
        Told::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Reaction::Answer(status, told)
}
