//! What payment providers send by themselves: first proven, then read.

use crate::protocol::{CHARGE_DECLINED, CHARGE_SUCCEEDED, Event, SIGNATURE, Told};
use crate::{Forged, Secret, verify};
use domain::{Instant, PaymentId};

/// What a provider says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Money was taken.
    Approved {
        /// For which payment.
        payment: PaymentId,
        /// The provider's name for the charge.
        reference: String,
    },
    /// None was, and none will be.
    Declined {
        /// For which payment.
        payment: PaymentId,
        /// The provider's reason.
        code: String,
    },
    /// Something else, or of somebody else's.
    Irrelevant,
}

/// Whose webhooks are believed.
#[derive(Debug, Clone, Default)]
pub struct PaymentWebhooks {
    simulated: Option<Secret>,
}

impl PaymentWebhooks {
    /// Believes nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Believes a simulated provider that signs with this secret, under the name `simulated`.
    #[must_use]
    pub fn with_simulated(self, secret: Secret) -> Self {
        Self { simulated: Some(secret) }
    }

    /// Makes sure that a provider has sent this, now, and reads it.
    ///
    /// # Errors
    /// [`Forged`] for everything that cannot be believed: also for a provider that is not known here.
    pub fn open<'a>(
        &self,
        provider: &str,
        header: impl Fn(&'static str) -> Option<&'a str>,
        body: &[u8],
        now: Instant,
    ) -> Result<Notice, Forged> {
        match (provider, &self.simulated) {
            ("simulated", Some(secret)) => {
                verify(secret, header(SIGNATURE).ok_or(Forged)?, body, now)?;
                // It is theirs; perhaps of a kind that came after this program.
                Ok(serde_json::from_slice(body).map_or(Notice::Irrelevant, notice))
            }
            _ => Err(Forged),
        }
    }
}

fn notice(event: Event) -> Notice {
    let payment = event.payment;
    match (event.kind.as_str(), event.outcome) {
        (CHARGE_SUCCEEDED, Told::Charged { reference }) => Notice::Approved { payment, reference },
        (CHARGE_DECLINED, Told::Declined { code }) => Notice::Declined { payment, code },
        _ => Notice::Irrelevant,
    }
}
