//! Makes the calls to the provider and records what came back.

use super::process::{Command, Payments};
use super::{
    ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded, Truth,
};
use crate::Clock;
use crate::orders::{Journaled, Key, Likely, Receivers, inspect, order};
use crate::runner::{Answer, Orders};
use domain::payment::{Payment, PaymentCommand, PaymentStatus};
use domain::{Money, PaymentId};
use journal::Context;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Where the calls are made.
pub(crate) struct Till<X: Receivers = Journaled> {
    payments: X::Of<Payment>,
    provider: Arc<dyn PaymentProvider>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    /// So many calls at once.
    lines: Semaphore,
}

type Carried = Result<(), Answer<Infallible>>;

impl<X: Receivers> Till<X> {
    pub(crate) fn new(
        payments: X::Of<Payment>,
        provider: Arc<dyn PaymentProvider>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
        calls: usize,
    ) -> Self {
        Self { payments, provider, clock, timeout, lines: Semaphore::new(calls) }
    }
}

impl<X: Receivers> Orders<Payments> for Till<X> {
    /// A provider that is away is no failure: nothing is recorded then, and the deadline brings the same order again.
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Carried {
        let payment = PaymentId(id);
        let key = Key::of(id);
        match command {
            Command::Charge => self.charge(payment, &key, context).await,
            Command::AskForTruth => self.ask_for_truth(payment, &key, context).await,
            Command::Refund(amount) => self.refund(payment, &key, amount, context).await,
        }
    }
}

impl<X: Receivers> Till<X> {
    async fn charge(&self, payment: PaymentId, key: &Key, context: &Context) -> Carried {
        // Repeated after a crash, an order may find its answer recorded.
        let charge = inspect(&self.payments, key.as_str(), |payment| {
            let open = matches!(payment.status(), Some(PaymentStatus::Requested | PaymentStatus::Unknown));
            payment.charge().filter(|_| open).map(|charge| (charge.amount, charge.method.clone()))
        });
        let Some((amount, method)) = charge.await? else {
            return Ok(());
        };
        let call = self.provider.charge(ChargeRequest { payment, amount, method });
        let now = || self.clock.now();
        let outcome = match self.within_the_timeout(call).await.unwrap_or(Err(ChargeError::Unknown)) {
            Ok(Charged { reference }) => PaymentCommand::Approve { reference, now: now() },
            Err(ChargeError::Declined(Declined { code })) => PaymentCommand::Decline { code, now: now() },
            Err(ChargeError::Unknown) => PaymentCommand::MarkUnknown { now: now() },
            Err(ChargeError::Unavailable(error)) => {
                tracing::warn!(payment.id = %payment, %error, "a charge has to wait");
                return Ok(());
            }
        };
        self.record(key, outcome, context).await
    }

    async fn ask_for_truth(&self, payment: PaymentId, key: &Key, context: &Context) -> Carried {
        let now = || self.clock.now();
        let outcome = match self.within_the_timeout(self.provider.truth(payment)).await {
            Some(Ok(Truth::Charged(Charged { reference }))) => PaymentCommand::Approve { reference, now: now() },
            Some(Ok(Truth::Declined(Declined { code }))) => PaymentCommand::Decline { code, now: now() },
            Some(Ok(Truth::NeverSeen)) => return self.charge(payment, key, context).await,
            Some(Ok(Truth::InProgress)) | Some(Err(_)) | None => return Ok(()),
        };
        self.record(key, outcome, context).await
    }

    async fn refund(&self, payment: PaymentId, key: &Key, amount: Money, context: &Context) -> Carried {
        let status = inspect(&self.payments, key.as_str(), Payment::status).await?;
        if !matches!(status, Some(PaymentStatus::Refunding | PaymentStatus::RefundFailed)) {
            return Ok(());
        }
        let call = RefundRequest { payment, key: Uuid::new_v5(&payment.0, b"refund"), amount };
        let outcome = match self.within_the_timeout(self.provider.refund(call)).await {
            Some(Ok(Refunded { reference })) => PaymentCommand::MarkRefunded { reference, now: self.clock.now() },
            Some(Err(RefundError::Failed(Declined { code }))) => {
                tracing::warn!(payment.id = %payment, code, "a refund failed, and is tried again");
                PaymentCommand::MarkRefundFailed { code, now: self.clock.now() }
            }
            Some(Err(RefundError::Unavailable(_))) | None => return Ok(()),
        };
        self.record(key, outcome, context).await
    }

    /// The provider's answer, if it comes in time. One that comes at once costs no timer.
    async fn within_the_timeout<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        // The semaphore is never closed; without a permit the call is made all the same.
        let _line = self.lines.acquire().await;
        tokio::time::timeout(self.timeout, call).await.ok()
    }

    async fn record(&self, key: &Key, outcome: PaymentCommand, context: &Context) -> Carried {
        if let Err(refusal) = order(&self.payments, key.as_str(), Likely::Known, outcome, context).await? {
            tracing::error!(payment.id = key.as_str(), %refusal, "what the provider did is not what was recorded before");
        }
        Ok(())
    }
}
