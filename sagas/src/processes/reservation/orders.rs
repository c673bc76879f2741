//! Carries out what a reservation orders. What an order is about in detail stands in the rental's own stream.

use super::{Command, Event, Refusal, Stage, correlate};
use crate::Clock;
use crate::cashier::{Bill, Cashier};
use crate::orders::{Journaled, Key, Likely, Receivers, inspect, order};
use crate::runner::{Answer, Orders, Process, Route};
use chrono::TimeDelta;
use domain::dispatch::{Dispatch, DispatchCommand, DispatchError};
use domain::inventory::{Item, ItemCommand, ItemError, Wait, Wanted};
use domain::payment::Purpose;
use domain::policy::PricePer;
use domain::quota::{Quota, QuotaCommand, QuotaError};
use domain::rental::{CancelledBy, RejectReason, Rental, RentalCommand, RentalError, RentalEvent, RentalStatus, Terms};
use domain::{Instant, ItemId, Money, PaymentId, QuotaId, RentalId, days_started};
use journal::{Context, Done, Recorded};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The process manager, as its runner sees it.
#[derive(Debug)]
pub(crate) struct Reservation;

impl Process for Reservation {
    const NAME: &'static str = "reservation";
    const CATEGORIES: &'static [&'static str] = &["rental", "item", "payment", "dispatch", "quota"];
    const SEQUENCE: &'static str = "rental";
    const RESIDENT: bool = false;
    const FIRST_RETRY: Duration = Duration::from_secs(1);
    type Stage = Stage;
    type Command = Command;
    type Refusal = Refusal;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route {
        correlate(recorded, event).map_or(Route::Nobody, |rental| Route::One(rental.0))
    }

    fn begins(event: &domain::Event) -> bool {
        matches!(event, domain::Event::Rental(RentalEvent::Requested { .. }))
    }

    fn react(stage: Stage, id: Uuid, recorded: &Recorded, event: &domain::Event) -> (Stage, Vec<Command>) {
        match Event::of(&stage, RentalId(id), recorded, event) {
            Some(event) => stage.react(event),
            None => (stage, vec![]),
        }
    }

    fn refused(stage: &Stage, refusal: Refusal) -> Vec<Command> {
        stage.refused(refusal)
    }

    fn deadline(stage: &Stage) -> Option<Instant> {
        stage.deadline()
    }

    fn due(stage: &Stage) -> Vec<Command> {
        stage.due()
    }
}

/// The aggregates that a reservation orders about.
pub(crate) struct Desk<X: Receivers = Journaled> {
    pub(crate) rentals: X::Of<Rental>,
    pub(crate) cashier: Cashier<X>,
    pub(crate) items: X::Of<Item>,
    pub(crate) dispatches: X::Of<Dispatch>,
    pub(crate) quotas: X::Of<Quota>,
    pub(crate) clock: Arc<dyn Clock>,
}

type Carried = Result<(), Answer<Refusal>>;

impl<X: Receivers> Orders<Reservation> for Desk<X> {
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Carried {
        let rental = RentalId(id);
        let now = self.clock.now();
        match command {
            Command::TakeQuota => self.take_quota(rental, context).await,
            Command::GiveBackQuota => self.give_back_quota(rental, context).await,
            Command::HoldStock => self.hold(rental, context).await,
            Command::Offer { period, until } => {
                self.rental(rental, RentalCommand::Offer { period, until, now }, context).await
            }
            Command::CancelUnfetched => {
                let command = RentalCommand::RequestCancellation { by: CancelledBy::NoShow, reason: None, now };
                self.rental(rental, command, context).await
            }
            Command::CommitStock(item) => {
                // A hold that is gone was released: that event is on its way here.
                self.item(item, ItemCommand::Commit { rental, now }, context).await.map(drop)
            }
            Command::ReleaseStock(item, reason) => {
                self.take_from(item, ItemCommand::Release { rental, reason, now }, context).await
            }
            Command::ReturnStock(item) => self.take_from(item, ItemCommand::Return { rental, now }, context).await,
            Command::HandOutStock(item) => {
                // Repeated after it is back, nothing is held any more: it is not out.
                let command = ItemCommand::HandOut { rental, only_if_in: false, now };
                self.item(item, command, context).await.map(drop)
            }
            Command::MarkStockOverdue(item) => {
                self.item(item, ItemCommand::MarkOverdue { rental, now }, context).await.map(drop)
            }
            Command::RequestPayment(amount) => {
                let (payment, purpose) = (PaymentId::charge_of(rental), Purpose::Rental);
                self.charge(rental, Bill { payment, purpose, amount, method: None }, context).await
            }
            Command::RequestLateFee(attempt, amount) => self.charge_late_fee(rental, attempt, amount, context).await,
            Command::RefundPayment(amount) => {
                self.cashier.refund(rental, PaymentId::charge_of(rental), amount, context).await
            }
            Command::RefundExtension(number, amount) => {
                self.cashier.refund(rental, PaymentId::extension_of(rental, number), amount, context).await
            }
            Command::RefundLateFee(attempt, amount) => {
                self.cashier.refund(rental, PaymentId::late_fee_of(rental, attempt), amount, context).await
            }
            Command::CancelDispatch => self.cancel_dispatch(rental, context).await,
            Command::Confirm(total) => self.rental(rental, RentalCommand::Confirm { total, now }, context).await,
            Command::Reject(reason) => self.rental(rental, RentalCommand::Reject { reason, now }, context).await,
            Command::Expire => self.rental(rental, RentalCommand::Expire { now }, context).await,
            Command::MarkOverdue => self.rental(rental, RentalCommand::MarkOverdue { now }, context).await,
            Command::OweLateFee { attempt, code } => {
                self.rental(rental, RentalCommand::OweLateFee { attempt, code, now }, context).await
            }
            Command::Complete => self.rental(rental, RentalCommand::Complete { now }, context).await,
            Command::RefuseCancellation => {
                self.rental(rental, RentalCommand::RefuseCancellation { now }, context).await
            }
            Command::Cancel { refunded } => self.rental(rental, RentalCommand::Cancel { refunded, now }, context).await,
        }
    }
}

impl<X: Receivers> Desk<X> {
    /// The rental refuses what has been overtaken by an event that is on its way here; nothing follows from that.
    async fn rental(&self, rental: RentalId, command: RentalCommand, context: &Context) -> Carried {
        let key = Key::of(rental.0);
        let answer = order(&self.rentals, key.as_str(), Likely::Known, command, context).await?;
        if let Err(refusal) = answer {
            let overtaken = matches!(refusal, RentalError::WrongStatus { .. });
            tracing::debug!(rental.id = %rental, overtaken, %refusal, "the rental has moved on");
        }
        Ok(())
    }

    async fn item(
        &self,
        item: ItemId,
        command: ItemCommand,
        context: &Context,
    ) -> Result<Result<Done, ItemError>, Answer<Refusal>> {
        order(&self.items, Key::of(item.0).as_str(), Likely::Known, command, context).await
    }

    /// Release or return. "Already so" is worth knowing: then no event will say so.
    async fn take_from(&self, item: ItemId, command: ItemCommand, context: &Context) -> Carried {
        match self.item(item, command, context).await? {
            Ok(done) if done.events == 0 => Err(Answer::Refused(Refusal::NothingHeld)),
            Ok(_) => Ok(()),
            Err(refusal) => {
                tracing::debug!(item.id = %item, %refusal, "the item has moved on");
                Ok(())
            }
        }
    }

    /// What the rental says of itself, where it is still waiting for an answer; else a repeated order has come too late.
    async fn while_requested<T: Send>(
        &self,
        rental: RentalId,
        look: impl Fn(&Terms) -> T + Send + Sync,
    ) -> Result<Option<T>, Answer<Refusal>> {
        inspect(&self.rentals, Key::of(rental.0).as_str(), |rental| match rental.status() {
            Some(RentalStatus::Requested) => rental.terms().map(&look),
            _ => None,
        })
        .await
    }

    /// What the rental says of itself, whatever has become of it.
    async fn terms<T: Send>(
        &self,
        rental: RentalId,
        look: impl Fn(&Terms) -> T + Send + Sync,
    ) -> Result<T, Answer<Refusal>> {
        inspect(&self.rentals, Key::of(rental.0).as_str(), |rental| rental.terms().map(&look))
            .await?
            .ok_or_else(|| Answer::Broken("the rental has no terms".to_owned()))
    }

    async fn take_quota(&self, rental: RentalId, context: &Context) -> Carried {
        let look = |terms: &Terms| terms.rules.quota.map(|limit| (quota_of(terms), limit));
        let Some((quota, limit)) = self.while_requested(rental, look).await?.flatten() else {
            return Ok(());
        };
        let command = QuotaCommand::Take { rental, limit, now: self.clock.now() };
        match order(&self.quotas, &quota, Likely::Known, command, context).await? {
            Ok(_) => Ok(()),
            Err(QuotaError::Exceeded { limit }) => Err(Answer::Refused(Refusal::QuotaExceeded { limit })),
        }
    }

    async fn give_back_quota(&self, rental: RentalId, context: &Context) -> Carried {
        let quota = self.terms(rental, quota_of).await?;
        let command = QuotaCommand::GiveBack { rental, now: self.clock.now() };
        order(&self.quotas, &quota, Likely::Known, command, context).await.map(drop)
    }

    async fn hold(&self, rental: RentalId, context: &Context) -> Carried {
        let now = self.clock.now();
        let look = |terms: &Terms| {
            let wanted = Wanted {
                quantity: terms.quantity,
                period: terms.period,
                days: match (terms.rules.price_per, terms.period) {
                    (PricePer::Day, Some(period)) => days_started(period, terms.time_zone),
                    (PricePer::Day | PricePer::Unit, _) => 1,
                },
                price_per: terms.rules.price_per,
                seats: terms.seats.clone(),
                turnaround_s: terms.rules.turnaround_s,
                wait: terms
                    .rules
                    .waiting_list
                    .filter(|_| terms.wait)
                    .map(|list| Wait { offer_s: list.offer_s, zone: terms.time_zone }),
            };
            let until = now + TimeDelta::seconds(terms.rules.hold_s.into());
            (terms.item, ItemCommand::Hold { rental, customer: terms.customer.clone(), wanted, until, now })
        };
        let Some((item, command)) = self.while_requested(rental, look).await? else {
            return Ok(());
        };
        let Err(refusal) = self.item(item, command, context).await? else {
            return Ok(());
        };
        let reason = match refusal {
            ItemError::OutOfStock { available, .. } => RejectReason::OutOfStock { available },
            ItemError::SeatsTaken { seats } => RejectReason::SeatsTaken { seats },
            ItemError::Retired => RejectReason::ItemRetired,
            ItemError::NotRegistered => RejectReason::NoSuchItem,
            other @ (ItemError::DoesNotFit { .. }
            | ItemError::AnotherItem
            | ItemError::NothingHeld
            | ItemError::Committed
            | ItemError::NotBackYet { .. }
            | ItemError::SomebodyWaits
            | ItemError::Promised { .. }) => RejectReason::DoesNotFit { detail: other.to_string() },
        };
        Err(Answer::Refused(Refusal::StockRefused(reason)))
    }

    async fn charge(&self, rental: RentalId, bill: Bill, context: &Context) -> Carried {
        self.cashier.charge(rental, bill, context).await?.map_err(|_| Answer::Refused(Refusal::PaymentRefused))
    }

    /// Where the fee was waived, or this attempt is over, a repeated order has come too late.
    async fn charge_late_fee(&self, rental: RentalId, attempt: u32, amount: Money, context: &Context) -> Carried {
        let look = |rental: &Rental| {
            let due = rental.late_fee().filter(|fee| fee.attempt == attempt && fee.is_being_charged());
            due.map(|fee| fee.method.clone())
        };
        let Some(method) = inspect(&self.rentals, Key::of(rental.0).as_str(), look).await? else {
            return Ok(());
        };
        let (payment, purpose) = (PaymentId::late_fee_of(rental, attempt), Purpose::LateFee);
        self.charge(rental, Bill { payment, purpose, amount, method: Some(method) }, context).await
    }

    async fn cancel_dispatch(&self, rental: RentalId, context: &Context) -> Carried {
        let command = DispatchCommand::Cancel { now: self.clock.now() };
        match order(&self.dispatches, Key::of(rental.0).as_str(), Likely::Known, command, context).await? {
            Err(DispatchError::HandedOver) => Err(Answer::Refused(Refusal::HandedOver)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn quota_of(terms: &Terms) -> String {
    QuotaId { store: terms.store.clone(), customer: terms.customer.clone() }.to_string()
}
