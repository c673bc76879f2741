//! Carries out what an extension orders. What an order is about in detail stands in the rental's own stream.

use super::{Command, Event, Refusal, Stage, correlate};
use crate::Clock;
use crate::cashier::{Bill, Cashier};
use crate::orders::{Key, Likely, inspect, order};
use crate::runner::{Answer, Orders, Process, Route};
use domain::inventory::{Item, ItemCommand, ItemError};
use domain::payment::Purpose;
use domain::policy::PricePer;
use domain::rental::{ExtensionRefusal, Rental, RentalCommand, RentalError, RentalEvent};
use domain::{Instant, ItemId, Money, PaymentId, Period, RentalId, days_started};
use journal::{Context, Executor, Recorded};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The process manager, as its runner sees it.
#[derive(Debug)]
pub(crate) struct Extending;

impl Process for Extending {
    const NAME: &'static str = "extension";
    const CATEGORIES: &'static [&'static str] = &["rental", "item", "payment"];
    const SEQUENCE: &'static str = "rental";
    // Only what is being decided is open.
    const RESIDENT: bool = true;
    const FIRST_RETRY: Duration = Duration::from_secs(1);
    type Stage = Stage;
    type Command = Command;
    type Refusal = Refusal;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route {
        correlate(recorded, event).map_or(Route::Nobody, |rental| Route::One(rental.0))
    }

    fn begins(event: &domain::Event) -> bool {
        matches!(event, domain::Event::Rental(RentalEvent::ExtensionRequested { .. }))
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

/// The aggregates that an extension orders about.
pub(crate) struct Clerk {
    pub(crate) rentals: Executor<Rental>,
    pub(crate) items: Executor<Item>,
    pub(crate) cashier: Cashier,
    pub(crate) clock: Arc<dyn Clock>,
}

type Carried = Result<(), Answer<Refusal>>;

impl Orders<Extending> for Clerk {
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Carried {
        let rental = RentalId(id);
        let now = self.clock.now();
        match command {
            Command::ExtendStock(number) => self.extend_stock(rental, number, context).await,
            Command::ReleaseExtension(number) => {
                let item = self.item_of(rental).await?;
                let release = ItemCommand::ReleaseExtension { rental, number, now };
                if let Err(refusal) = self.item(item, release, context).await? {
                    tracing::debug!(item.id = %item, %refusal, "the item has moved on");
                }
                Ok(())
            }
            Command::RequestPayment(number, amount) => self.charge(rental, number, amount, context).await,
            Command::RefundPayment(number, amount) => {
                self.cashier.refund(rental, PaymentId::extension_of(rental, number), amount, context).await
            }
            Command::Extend(number, extra) => {
                let answer = self.rental(rental, RentalCommand::Extend { number, extra, now }, context).await?;
                answer.map_err(|refusal| Answer::Refused(Refusal::Rental(refusal.to_string())))
            }
            Command::Refuse(number, reason) => {
                self.rental(rental, RentalCommand::RefuseExtension { number, reason, now }, context).await.map(drop)
            }
        }
    }
}

impl Clerk {
    async fn rental(
        &self,
        rental: RentalId,
        command: RentalCommand,
        context: &Context,
    ) -> Result<Result<(), RentalError>, Answer<Refusal>> {
        let answer = order(&self.rentals, Key::of(rental.0).as_str(), Likely::Known, command, context).await?;
        if let Err(refusal) = &answer {
            tracing::debug!(rental.id = %rental, %refusal, "the rental has moved on");
        }
        Ok(answer.map(drop))
    }

    async fn item(
        &self,
        item: ItemId,
        command: ItemCommand,
        context: &Context,
    ) -> Result<Result<(), ItemError>, Answer<Refusal>> {
        let answer = order(&self.items, Key::of(item.0).as_str(), Likely::Known, command, context).await?;
        Ok(answer.map(drop))
    }

    async fn item_of(&self, rental: RentalId) -> Result<ItemId, Answer<Refusal>> {
        inspect(&self.rentals, Key::of(rental.0).as_str(), |rental| rental.terms().map(|terms| terms.item))
            .await?
            .ok_or_else(|| Answer::Broken("the rental has no terms".to_owned()))
    }

    /// Where the extension is decided already, a repeated order has come too late.
    async fn extend_stock(&self, rental: RentalId, number: u32, context: &Context) -> Carried {
        let now = self.clock.now();
        let look = |state: &Rental| {
            let to = state.pending_extension().filter(|pending| pending.number == number)?.to;
            let (terms, period) = (state.terms()?, state.period()?);
            let started = |period| days_started(period, terms.time_zone);
            let days = match terms.rules.price_per {
                PricePer::Day => started(Period { to, ..period }).saturating_sub(started(period)),
                PricePer::Unit => 0,
            };
            Some((terms.item, ItemCommand::Extend { rental, number, to, days, now }))
        };
        let Some((item, command)) = inspect(&self.rentals, Key::of(rental.0).as_str(), look).await? else {
            return Ok(());
        };
        let Err(refusal) = self.item(item, command, context).await? else {
            return Ok(());
        };
        let reason = match refusal {
            ItemError::OutOfStock { available, .. } => ExtensionRefusal::OutOfStock { available },
            ItemError::Retired => ExtensionRefusal::ItemRetired,
            ItemError::NothingHeld => ExtensionRefusal::Overtaken,
            ItemError::SomebodyWaits => ExtensionRefusal::SomebodyWaits,
            other @ (ItemError::DoesNotFit { .. }
            | ItemError::NotRegistered
            | ItemError::AnotherItem
            | ItemError::SeatsTaken { .. }
            | ItemError::Committed
            | ItemError::NotBackYet { .. }
            | ItemError::Promised { .. }) => ExtensionRefusal::DoesNotFit { detail: other.to_string() },
        };
        Err(Answer::Refused(Refusal::Stock(reason)))
    }

    async fn charge(&self, rental: RentalId, number: u32, amount: Money, context: &Context) -> Carried {
        let (payment, purpose) = (PaymentId::extension_of(rental, number), Purpose::Extension { number });
        let bill = Bill { payment, purpose, amount, method: None };
        let answer = self.cashier.charge(rental, bill, context).await?;
        answer.map_err(|_| Answer::Refused(Refusal::Payment))
    }
}
