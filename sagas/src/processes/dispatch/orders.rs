//! Carries out what a dispatch orders.

use super::{Command, Event, Stage};
use crate::Clock;
use crate::orders::{Journaled, Key, Likely, Receivers, inspect, order};
use crate::runner::{Answer, Orders, Process, Route, id_of};
use domain::dispatch::{Dispatch, DispatchCommand, DispatchEvent};
use domain::rental::{Rental, RentalCommand, RentalEvent};
use domain::store::{Store, StoreEvent};
use domain::{Instant, RentalId};
use journal::{Context, Recorded};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The process manager, as its runner sees it.
#[derive(Debug)]
pub(crate) struct Dispatching;

impl Process for Dispatching {
    const NAME: &'static str = "dispatch";
    const CATEGORIES: &'static [&'static str] = &["rental", "dispatch", "store"];
    const SEQUENCE: &'static str = "rental";
    // Only what waits for the engine or for a shop to open is open, and an opening is everybody's.
    const RESIDENT: bool = true;
    const FIRST_RETRY: Duration = Duration::from_secs(1);
    type Stage = Stage;
    type Command = Command;
    type Refusal = Infallible;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route {
        match event {
            domain::Event::Rental(RentalEvent::Confirmed { .. }) | domain::Event::Dispatch(_) => {
                id_of(recorded).map_or(Route::Nobody, Route::One)
            }
            domain::Event::Store(StoreEvent::Opened { .. }) => Route::Everyone,
            domain::Event::Rental(_)
            | domain::Event::Payment(_)
            | domain::Event::Item(_)
            | domain::Event::Store(_)
            | domain::Event::Quota(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
            | domain::Event::Foreign => Route::Nobody,
        }
    }

    fn begins(_: &domain::Event) -> bool {
        true
    }

    fn react(stage: Stage, _: Uuid, _: &Recorded, event: &domain::Event) -> (Stage, Vec<Command>) {
        let event = match event {
            domain::Event::Rental(RentalEvent::Confirmed { .. }) => Event::RentalConfirmed,
            domain::Event::Dispatch(DispatchEvent::Requested { steps, .. }) => {
                Event::DispatchRequested { steps: steps.clone() }
            }
            domain::Event::Dispatch(DispatchEvent::Prepared { .. }) => Event::DispatchPrepared,
            domain::Event::Dispatch(DispatchEvent::HandedOver { .. }) => Event::DispatchHandedOver,
            domain::Event::Dispatch(DispatchEvent::Cancelled { .. }) => Event::DispatchCancelled,
            domain::Event::Store(StoreEvent::Opened { .. }) => Event::StoreOpened,
            domain::Event::Rental(_)
            | domain::Event::Payment(_)
            | domain::Event::Item(_)
            | domain::Event::Store(_)
            | domain::Event::Quota(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
            | domain::Event::Foreign => return (stage, vec![]),
        };
        stage.react(&event)
    }

    fn refused(_: &Stage, refusal: Infallible) -> Vec<Command> {
        match refusal {}
    }

    fn deadline(_: &Stage) -> Option<Instant> {
        None
    }

    fn due(_: &Stage) -> Vec<Command> {
        vec![]
    }
}

/// The aggregates that a dispatch orders about.
pub(crate) struct Counter<X: Receivers = Journaled> {
    pub(crate) rentals: X::Of<Rental>,
    pub(crate) dispatches: X::Of<Dispatch>,
    pub(crate) stores: X::Of<Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

type Carried = Result<(), Answer<Infallible>>;

impl<X: Receivers> Orders<Dispatching> for Counter<X> {
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Carried {
        let key = Key::of(id);
        let now = self.clock.now();
        match command {
            Command::RequestDispatch => self.request(RentalId(id), context).await,
            Command::Prepare => {
                let store_open = self.is_open(&key).await?;
                self.dispatch(&key, DispatchCommand::Prepare { store_open, now }, context).await
            }
            Command::HandOver => {
                let store_open = self.is_open(&key).await?;
                self.dispatch(&key, DispatchCommand::HandOver { store_open, now }, context).await
            }
            Command::MarkPrepared => self.rental(&key, RentalCommand::MarkPrepared { now }, context).await,
            Command::MarkHandedOver => self.rental(&key, RentalCommand::MarkHandedOver { now }, context).await,
        }
    }
}

impl<X: Receivers> Counter<X> {
    async fn request(&self, rental: RentalId, context: &Context) -> Carried {
        let (key, now) = (Key::of(rental.0), self.clock.now());
        let request = inspect(&self.rentals, key.as_str(), |rental| {
            rental.terms().map(|terms| DispatchCommand::Request {
                store: terms.store.clone(),
                customer: terms.customer.clone(),
                item: terms.item,
                quantity: terms.quantity,
                period: rental.period(),
                steps: terms.rules.steps.clone(),
                now,
            })
        });
        let Some(request) = request.await? else {
            return Err(Answer::Broken("the rental has no terms".to_owned()));
        };
        // A cancelled dispatch takes no request up: nothing follows from that here.
        order(&self.dispatches, key.as_str(), Likely::New, request, context).await.map(drop)
    }

    async fn is_open(&self, key: &Key) -> Result<bool, Answer<Infallible>> {
        let slug = inspect(&self.dispatches, key.as_str(), |dispatch| dispatch.store().cloned()).await?;
        let Some(slug) = slug else { return Ok(false) };
        inspect(&self.stores, slug.as_str(), |store| store.profile().is_some_and(|shop| shop.open)).await
    }

    async fn dispatch(&self, key: &Key, command: DispatchCommand, context: &Context) -> Carried {
        if let Err(refusal) = order(&self.dispatches, key.as_str(), Likely::Known, command, context).await? {
            tracing::debug!(rental.id = key.as_str(), %refusal, "a step of the engine waits, or is not needed any more");
        }
        Ok(())
    }

    async fn rental(&self, key: &Key, command: RentalCommand, context: &Context) -> Carried {
        if let Err(refusal) = order(&self.rentals, key.as_str(), Likely::Known, command, context).await? {
            tracing::warn!(rental.id = key.as_str(), %refusal, "the rental does not follow its dispatch");
        }
        Ok(())
    }
}
