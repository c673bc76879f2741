//! Carries out what a line orders.

use super::{Command, Event, Stage};
use crate::Clock;
use crate::orders::{Journaled, Key, Likely, Receivers, order};
use crate::runner::{Answer, Orders, Process, Route, id_of};
use domain::Instant;
use domain::inventory::{Item, ItemCommand, ItemEvent};
use journal::{Context, Recorded};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The process manager, as its runner sees it.
#[derive(Debug)]
pub(crate) struct Waiting;

impl Process for Waiting {
    const NAME: &'static str = "waiting";
    const CATEGORIES: &'static [&'static str] = &["item"];
    const SEQUENCE: &'static str = "item";
    const RESIDENT: bool = true;
    const FIRST_RETRY: Duration = Duration::from_secs(1);
    type Stage = Stage;
    type Command = Command;
    type Refusal = Infallible;

    fn route(recorded: &Recorded, event: &domain::Event) -> Route {
        match event {
            domain::Event::Item(event) if Event::of(event).is_some() => {
                id_of(recorded).map_or(Route::Nobody, Route::One)
            }
            domain::Event::Item(_)
            | domain::Event::Rental(_)
            | domain::Event::Payment(_)
            | domain::Event::Store(_)
            | domain::Event::Dispatch(_)
            | domain::Event::Quota(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
            | domain::Event::Foreign => Route::Nobody,
        }
    }

    fn begins(event: &domain::Event) -> bool {
        matches!(event, domain::Event::Item(ItemEvent::Awaited { .. }))
    }

    fn react(stage: Stage, _: Uuid, _: &Recorded, event: &domain::Event) -> (Stage, Vec<Command>) {
        match event {
            domain::Event::Item(event) => Event::of(event).map_or((stage, vec![]), |event| stage.react(event)),
            domain::Event::Rental(_)
            | domain::Event::Payment(_)
            | domain::Event::Store(_)
            | domain::Event::Dispatch(_)
            | domain::Event::Quota(_)
            | domain::Event::Message(_)
            | domain::Event::Contact(_)
            | domain::Event::Webhook(_)
            | domain::Event::Foreign => (stage, vec![]),
        }
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

/// The items whose lines are served.
pub(crate) struct Steward<X: Receivers = Journaled> {
    pub(crate) items: X::Of<Item>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl<X: Receivers> Orders<Waiting> for Steward<X> {
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Result<(), Answer<Infallible>> {
        let Command::ServeTheFirst = command;
        let serve = ItemCommand::ServeWaiting { now: self.clock.now() };
        if let Err(refusal) = order(&self.items, Key::of(id).as_str(), Likely::Known, serve, context).await? {
            tracing::error!(item.id = %id, %refusal, "who waits in line is not served");
        }
        Ok(())
    }
}
