//! Makes the calls to the provider and records what came back.

use super::process::{Command, Payments};
use super::{
    Breaker, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Telling, Truth,
};
use crate::Clock;
use crate::orders::{Journaled, Key, Likely, Receivers, inspect, order};
use crate::runner::{Answer, Orders};
use crate::tenure::Tenure;
use chrono::TimeDelta;
use domain::payment::{Payment, PaymentCommand, PaymentStatus};
use domain::{Money, PaymentId};
use journal::Context;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower::retry::budget::{Budget, TpsBudget};
use uuid::Uuid;

/// Where the calls are made.
pub(crate) struct Till<X: Receivers = Journaled> {
    payments: X::Of<Payment>,
    provider: Arc<dyn PaymentProvider>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    /// So many calls at once.
    lines: Semaphore,
    breaker: Breaker,
    /// What is asked again is at most a fifth of what is asked for the first time, and a hundred calls a second.
    budget: TpsBudget,
    tenure: Tenure,
    /// Others are told of the breaker while there is somebody here.
    _telling: Option<Telling>,
}

/// A charge that was due longer ago may have been tried before a crash. Providers remember keys for hours at least.
const FRESH: TimeDelta = TimeDelta::hours(1);
const RETRY_SHARE: f32 = 0.2;
const RETRIES_PER_SECOND: u32 = 100;
/// For so long a first call counts for the retries that it allows.
const BUDGET_OF: Duration = Duration::from_secs(10);

/// What came of wanting to call the provider.
enum Called<T> {
    /// It answered, with success or refusal.
    Answered(T),
    /// It did not, or not in time: the call may have had its effect.
    Silent,
    /// It was not called: it is left alone for a while, or too much is asked again already.
    LeftAlone,
}

type Carried = Result<(), Answer<Infallible>>;

impl<X: Receivers> Till<X> {
    pub(crate) fn new(
        payments: X::Of<Payment>,
        provider: Arc<dyn PaymentProvider>,
        clock: Arc<dyn Clock>,
        breaker: Breaker,
        timeout: Duration,
        calls: usize,
        tenure: Tenure,
    ) -> Self {
        let budget = TpsBudget::new(BUDGET_OF, RETRIES_PER_SECOND, RETRY_SHARE);
        Self {
            payments,
            provider,
            clock,
            timeout,
            lines: Semaphore::new(calls),
            breaker,
            budget,
            tenure,
            _telling: None,
        }
    }
}

impl Till {
    /// Forgets what the breaker knows from before, and tells others of it from now on.
    pub(crate) fn telling(self) -> Self {
        self.breaker.begin_anew();
        let (breaker, tenure) = (self.breaker.clone(), self.tenure.clone());
        Self { _telling: Some(Telling::of(breaker, move |note| tenure.tell(note))), ..self }
    }
}

impl<X: Receivers> Orders<Payments> for Till<X> {
    /// A provider that is away is no failure: nothing is recorded then, and the deadline brings the same order again.
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Carried {
        let payment = PaymentId(id);
        let key = Key::of(id);
        match command {
            Command::Charge { .. } | Command::Refund(_) => self.budget.deposit(),
            Command::ChargeAgain | Command::AskForTruth | Command::RefundAgain(_) if self.budget.withdraw() => {}
            Command::ChargeAgain | Command::AskForTruth | Command::RefundAgain(_) => return Ok(()),
        }
        match command {
            Command::Charge { since } if self.clock.now() - since < FRESH => self.charge(payment, &key, context).await,
            // It may have been asked for before, perhaps long ago: no provider remembers a key for ever.
            Command::Charge { .. } => self.ask_for_truth(payment, &key, context).await,
            Command::ChargeAgain | Command::AskForTruth => self.ask_for_truth(payment, &key, context).await,
            Command::Refund(amount) | Command::RefundAgain(amount) => self.refund(payment, &key, amount, context).await,
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
        let failed =
            |outcome: &Result<_, _>| matches!(outcome, Err(ChargeError::Unknown | ChargeError::Unavailable(_)));
        let outcome = match self.call(call, failed).await? {
            Called::Answered(Ok(Charged { reference })) => PaymentCommand::Approve { reference, now: now() },
            Called::Answered(Err(ChargeError::Declined(Declined { code }))) => {
                PaymentCommand::Decline { code, now: now() }
            }
            Called::Answered(Err(ChargeError::Unknown)) | Called::Silent => PaymentCommand::MarkUnknown { now: now() },
            Called::Answered(Err(ChargeError::Unavailable(error))) => {
                tracing::warn!(payment.id = %payment, %error, "a charge has to wait");
                return Ok(());
            }
            Called::LeftAlone => return Ok(()),
        };
        self.record(key, outcome, context).await
    }

    async fn ask_for_truth(&self, payment: PaymentId, key: &Key, context: &Context) -> Carried {
        let now = || self.clock.now();
        let outcome = match self.call(self.provider.truth(payment), Result::is_err).await? {
            Called::Answered(Ok(Truth::Charged(Charged { reference }))) => {
                PaymentCommand::Approve { reference, now: now() }
            }
            Called::Answered(Ok(Truth::Declined(Declined { code }))) => PaymentCommand::Decline { code, now: now() },
            Called::Answered(Ok(Truth::NeverSeen)) => return self.charge(payment, key, context).await,
            Called::Answered(Ok(Truth::InProgress) | Err(_)) | Called::Silent | Called::LeftAlone => return Ok(()),
        };
        self.record(key, outcome, context).await
    }

    async fn refund(&self, payment: PaymentId, key: &Key, amount: Money, context: &Context) -> Carried {
        let look = |payment: &Payment| (payment.status(), payment.reference().map(str::to_owned));
        let (status, reference) = inspect(&self.payments, key.as_str(), look).await?;
        if !matches!(status, Some(PaymentStatus::Refunding | PaymentStatus::RefundFailed)) {
            return Ok(());
        }
        // Another amount is another refund: it comes only after the one before has failed.
        let name = Uuid::new_v5(&payment.0, format!("refund of {amount}").as_bytes());
        let call = RefundRequest { payment, reference, key: name, amount };
        let failed = |outcome: &Result<_, _>| matches!(outcome, Err(RefundError::Unavailable(_)));
        let outcome = match self.call(self.provider.refund(call), failed).await? {
            Called::Answered(Ok(Refunded { reference })) => {
                PaymentCommand::MarkRefunded { reference, now: self.clock.now() }
            }
            Called::Answered(Err(RefundError::Failed(Declined { code }))) => {
                tracing::warn!(payment.id = %payment, code, "a refund failed, and is tried again");
                PaymentCommand::MarkRefundFailed { code, now: self.clock.now() }
            }
            Called::Answered(Err(RefundError::Unavailable(_))) | Called::Silent | Called::LeftAlone => return Ok(()),
        };
        self.record(key, outcome, context).await
    }

    /// The provider's answer, if it is called and it comes in time. One that comes at once costs no timer.
    async fn call<T>(
        &self,
        call: impl Future<Output = T>,
        failed: impl FnOnce(&T) -> bool,
    ) -> Result<Called<T>, Answer<Infallible>> {
        // The semaphore is never closed; without a permit the call is made all the same.
        let _line = self.lines.acquire().await;
        // Not before there is a line: what waits for one tells nothing of the provider.
        let Ok(passage) = self.breaker.enter() else { return Ok(Called::LeftAlone) };
        // Where another process may be at it by now, nothing is asked from here.
        self.tenure.check()?;
        Ok(match tokio::time::timeout(self.timeout, call).await {
            Err(_) => {
                passage.failed();
                Called::Silent
            }
            Ok(answer) => {
                if failed(&answer) {
                    passage.failed()
                } else {
                    passage.succeeded()
                }
                Called::Answered(answer)
            }
        })
    }

    async fn record(&self, key: &Key, outcome: PaymentCommand, context: &Context) -> Carried {
        if let Err(refusal) = order(&self.payments, key.as_str(), Likely::Known, outcome, context).await? {
            tracing::error!(payment.id = key.as_str(), %refusal, "what the provider did is not what was recorded before");
        }
        Ok(())
    }
}
