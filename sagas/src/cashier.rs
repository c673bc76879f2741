//! Orders about money that more than one process gives.

use crate::Clock;
use crate::orders::{Journaled, Key, Likely, Receivers, inspect, order};
use crate::runner::Answer;
use domain::payment::{Charge, Payment, PaymentCommand, PaymentError, Purpose};
use domain::rental::{Rental, Terms};
use domain::{Money, PaymentId, RentalId};
use journal::Context;
use std::sync::Arc;

/// Who has money taken and given back for a rental.
pub(crate) struct Cashier<X: Receivers = Journaled> {
    pub(crate) rentals: X::Of<Rental>,
    pub(crate) payments: X::Of<Payment>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What is to be charged for a rental.
pub(crate) struct Bill {
    pub(crate) payment: PaymentId,
    pub(crate) purpose: Purpose,
    pub(crate) amount: Money,
    /// How, where it is not as the rental itself was paid.
    pub(crate) method: Option<String>,
}

impl<X: Receivers> Cashier<X> {
    /// Has money taken; the inner result is the payment's own.
    pub(crate) async fn charge<R>(
        &self,
        rental: RentalId,
        bill: Bill,
        context: &Context,
    ) -> Result<Result<(), PaymentError>, Answer<R>> {
        let Bill { payment, purpose, amount, method } = bill;
        let look = |terms: &Terms| Charge {
            customer: terms.customer.clone(),
            store: terms.store.clone(),
            item: Some(terms.item),
            purpose,
            amount,
            method: method.clone().unwrap_or_else(|| terms.payment_method.clone()),
        };
        let charge = inspect(&self.rentals, Key::of(rental.0).as_str(), |rental| rental.terms().map(look)).await?;
        let charge = charge.ok_or_else(|| Answer::Broken("the rental has no terms".to_owned()))?;
        let command = PaymentCommand::Request { rental, charge, now: self.clock.now() };
        let answer = order(&self.payments, Key::of(payment.0).as_str(), Likely::New, command, context).await?;
        if let Err(refusal) = &answer {
            tracing::warn!(rental.id = %rental, payment.id = %payment, %refusal, "a payment was not requested");
        }
        Ok(answer.map(drop))
    }

    /// Has money given back.
    pub(crate) async fn refund<R>(
        &self,
        rental: RentalId,
        payment: PaymentId,
        amount: Money,
        context: &Context,
    ) -> Result<(), Answer<R>> {
        let command = PaymentCommand::RequestRefund { amount, now: self.clock.now() };
        let answer = order(&self.payments, Key::of(payment.0).as_str(), Likely::Known, command, context).await?;
        if let Err(refusal) = answer {
            tracing::warn!(rental.id = %rental, payment.id = %payment, %refusal, "a refund was not requested");
        }
        Ok(())
    }
}
