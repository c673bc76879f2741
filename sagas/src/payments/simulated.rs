//! A payment provider in this process, which fails in all the ways that real ones do.

use super::{
    Answered, ChargeError, ChargeRequest, Charged, Declined, PaymentProvider, RefundError, RefundRequest, Refunded,
    Truth, Unavailable,
};
use domain::{Money, PaymentId};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// What `pm_slow` takes unless told otherwise: more than the default time-out.
const SLOW: Duration = Duration::from_millis(900);

/// The built-in provider. It knows the methods `pm_ok`, `pm_declined`, `pm_insufficient_funds`, `pm_slow` (takes longer than the
/// time-out, then is charged), `pm_charged_but_timed_out`, `pm_refund_fails_once` and `pm_up_to_<amount>` (no charge of more
/// minor units than that), and declines all others.
#[derive(Debug)]
pub struct SimulatedProvider {
    accounts: Mutex<HashMap<PaymentId, Account>>,
    latency: Range<Duration>,
    slow: Duration,
    available: AtomicBool,
}

#[derive(Debug)]
struct Account {
    /// When the charge is made; in the past for most.
    charged_at: Instant,
    outcome: Result<Money, Declined>,
    refunds: Vec<(Uuid, Money)>,
    refusals_left: u32,
    calls: u32,
}

/// What the provider's books say of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What was taken; `None` when nothing was.
    pub charged: Option<Money>,
    /// What went back, in minor units.
    pub refunded_minor: i64,
    /// How many refunds that were.
    pub refunds: usize,
    /// How often the charge was asked for.
    pub calls: u32,
}

impl Default for SimulatedProvider {
    fn default() -> Self {
        Self {
            accounts: Mutex::default(),
            latency: Duration::ZERO..Duration::ZERO,
            slow: SLOW,
            available: AtomicBool::new(true),
        }
    }
}

impl SimulatedProvider {
    /// Answers after a time within this range, instead of at once.
    #[must_use]
    pub fn with_latency(self, latency: Range<Duration>) -> Self {
        Self { latency, ..self }
    }

    /// How long `pm_slow` takes.
    #[must_use]
    pub fn with_slow(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// Goes away, or comes back. While it is away no request arrives.
    pub fn set_available(&self, available: bool) {
        self.available.store(available, Ordering::Release);
    }

    /// What the books say of a payment; `None` when it was never asked for.
    #[must_use]
    pub fn entry(&self, payment: PaymentId) -> Option<Entry> {
        self.accounts().get(&payment).map(Account::entry)
    }

    /// All the books.
    #[must_use]
    pub fn entries(&self) -> Vec<(PaymentId, Entry)> {
        self.accounts().iter().map(|(payment, account)| (*payment, account.entry())).collect()
    }

    fn accounts(&self) -> std::sync::MutexGuard<'_, HashMap<PaymentId, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_available(&self) -> Result<(), Unavailable> {
        if self.available.load(Ordering::Acquire) { Ok(()) } else { Err(Unavailable) }
    }

    /// A time within the range that follows from the payment: the same in every run.
    async fn take_time(&self, payment: PaymentId) {
        let span = self.latency.end.saturating_sub(self.latency.start);
        let pause = self.latency.start + span / 256 * u32::from(payment.0.as_bytes()[15]);
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Writes a charge into the books, once; answers when it is made, and whether the caller hears of it.
    fn book(&self, request: &ChargeRequest) -> (Instant, bool, Result<Money, Declined>) {
        let now = Instant::now();
        let declined = |code: &str| Err(Declined { code: code.to_owned() });
        let (after, outcome) = match request.method.as_str() {
            "pm_ok" | "pm_charged_but_timed_out" | "pm_refund_fails_once" => (Duration::ZERO, Ok(request.amount)),
            "pm_slow" => (self.slow, Ok(request.amount)),
            "pm_declined" => (Duration::ZERO, declined("declined")),
            "pm_insufficient_funds" => (Duration::ZERO, declined("insufficient_funds")),
            other => match other.strip_prefix("pm_up_to_").map(str::parse) {
                Some(Ok(most)) if request.amount.amount_minor <= most => (Duration::ZERO, Ok(request.amount)),
                Some(Ok::<i64, _>(_)) => (Duration::ZERO, declined("insufficient_funds")),
                Some(Err(_)) | None => (Duration::ZERO, declined("unknown_payment_method")),
            },
        };
        let answers = request.method != "pm_charged_but_timed_out";
        let refusals_left = u32::from(request.method == "pm_refund_fails_once");
        let mut accounts = self.accounts();
        let account = accounts.entry(request.payment).or_insert(Account {
            charged_at: now + after,
            outcome,
            refunds: vec![],
            refusals_left,
            calls: 0,
        });
        account.calls += 1;
        (account.charged_at, answers || account.calls > 1, account.outcome.clone())
    }
}

impl Account {
    fn entry(&self) -> Entry {
        Entry {
            charged: self.outcome.as_ref().ok().copied().filter(|_| self.charged_at <= Instant::now()),
            refunded_minor: self.refunds.iter().map(|(_, amount)| amount.amount_minor).sum(),
            refunds: self.refunds.len(),
            calls: self.calls,
        }
    }
}

fn charged(payment: PaymentId) -> Charged {
    Charged { reference: format!("sim-charge-{payment}") }
}

impl PaymentProvider for SimulatedProvider {
    fn charge(&self, request: ChargeRequest) -> Answered<'_, Charged, ChargeError> {
        Box::pin(async move {
            self.check_available()?;
            self.take_time(request.payment).await;
            let (charged_at, answers, outcome) = self.book(&request);
            if !answers {
                std::future::pending::<()>().await;
            }
            if charged_at > Instant::now() {
                tokio::time::sleep_until(charged_at).await;
            }
            outcome?;
            Ok(charged(request.payment))
        })
    }

    fn truth(&self, payment: PaymentId) -> Answered<'_, Truth, Unavailable> {
        Box::pin(async move {
            self.check_available()?;
            self.take_time(payment).await;
            Ok(match self.accounts().get(&payment) {
                None => Truth::NeverSeen,
                Some(account) if account.charged_at > Instant::now() => Truth::InProgress,
                Some(Account { outcome: Err(declined), .. }) => Truth::Declined(declined.clone()),
                Some(_) => Truth::Charged(charged(payment)),
            })
        })
    }

    fn refund(&self, request: RefundRequest) -> Answered<'_, Refunded, RefundError> {
        Box::pin(async move {
            self.check_available()?;
            self.take_time(request.payment).await;
            let failed = |code: &str| Err(RefundError::Failed(Declined { code: code.to_owned() }));
            let mut accounts = self.accounts();
            // A real provider's books outlive us; these are as old as this process. Refunds are asked for only of charges
            // that were approved, so one that is not in the books was made before the last restart.
            let account = accounts.entry(request.payment).or_insert_with(|| Account {
                charged_at: Instant::now(),
                outcome: Ok(request.amount),
                refunds: vec![],
                refusals_left: 0,
                calls: 0,
            });
            let reference = format!("sim-refund-{}", request.key);
            if account.refunds.iter().any(|(key, _)| *key == request.key) {
                return Ok(Refunded { reference });
            }
            if account.refusals_left > 0 {
                account.refusals_left -= 1;
                return failed("refund_failed");
            }
            let taken = account.entry().charged.map_or(0, |amount| amount.amount_minor);
            let already = account.entry().refunded_minor;
            if already + request.amount.amount_minor > taken {
                return failed("more_than_charged");
            }
            account.refunds.push((request.key, request.amount));
            Ok(Refunded { reference })
        })
    }
}
