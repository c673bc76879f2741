//! What payment providers send by themselves: first proven, then read.

use crate::protocol::{CHARGE_DECLINED, CHARGE_SUCCEEDED, Event, SIGNATURE, Told};
use crate::{Forged, Secret, stripe, verify};
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
    stripe: Option<Secret>,
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
        Self { simulated: Some(secret), ..self }
    }

    /// Believes Stripe, which signs with the secret of this endpoint, under the name `stripe`.
    #[must_use]
    pub fn with_stripe(self, secret: Secret) -> Self {
        Self { stripe: Some(secret), ..self }
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
        let (secret, signature, read): (_, _, fn(&[u8]) -> Notice) = match provider {
            "simulated" => (&self.simulated, SIGNATURE, notice),
            "stripe" => (&self.stripe, stripe::SIGNATURE, stripe::notice),
            _ => return Err(Forged),
        };
        let secret = secret.as_ref().ok_or(Forged)?;
        verify(secret, header(signature).ok_or(Forged)?, body, now)?;
        Ok(read(body))
    }
}

fn notice(body: &[u8]) -> Notice {
    // It is theirs; perhaps of a kind that came after this program.
    let Ok(Event { payment, kind, outcome, .. }) = serde_json::from_slice(body) else { return Notice::Irrelevant };
    match (kind.as_str(), outcome) {
        (CHARGE_SUCCEEDED, Told::Charged { reference }) => Notice::Approved { payment, reference },
        (CHARGE_DECLINED, Told::Declined { code }) => Notice::Declined { payment, code },
        _ => Notice::Irrelevant,
    }
}
