//! Reads what there is to tell, and has it told.

use super::attempt::{Ended, UnderWay, attempt};
use super::outbox::{Change, Outbox, Receiver, Refusal};
use super::pauses::{Failing, again_at};
use super::start::WebhookParts;
use super::{Carried, NAME};
use crate::SagaError;
use crate::orders::{Key, Likely, inspect, order};
use crate::runner::{Answer, decoded, id_of};
use domain::rental::Rental;
use domain::webhook::{Webhook, WebhookCommand, WebhookEvent};
use domain::{Event, Instant, RentalId, StoreSlug, WebhookId};
use futures_util::stream::{FuturesUnordered, StreamExt};
use journal::{Context, Lease, Parked, ReadError, Shared, Subscription, SubscriptionError};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// Events that are read at once; and so many that concern nobody are read before that is noted.
const BATCH: usize = 1_024;
/// Events that are on their way to one receiver at once, of as many rentals.
const LINES: usize = 8;
/// The same of one that has not taken the last: it must not have its lines full of what it does not take.
const LINES_OF_THE_FAILING: usize = 1;
/// Events that are on their way at once, to all of them together. Those who have waited longest come first.
const MOST_UNDER_WAY: usize = 1_024;
/// How often everybody is looked at, also where nothing has happened here: another process may have ordered something.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Runner {
    parts: WebhookParts,
    subscription: Subscription,
    outbox: Outbox,
    /// What was read last, and what of that is noted.
    after: u64,
    noted: u64,
    receivers: HashMap<WebhookId, Receiver>,
    /// When there may be something to send, for each who may be sent something.
    look_at: HashMap<WebhookId, Instant>,
    busy: HashSet<(WebhookId, RentalId)>,
    failing: Failing,
    /// Somebody has ordered that something is sent again.
    again: Arc<Notify>,
    lease: Arc<Lease>,
    under_way: FuturesUnordered<UnderWay>,
}

enum Wake {
    Stop,
    Ended(Ended),
    LookAtAll,
    Read(Result<Vec<Shared>, SubscriptionError>),
    Tick,
}

impl Runner {
    pub(super) async fn resume(
        parts: WebhookParts,
        subscription: Subscription,
        outbox: Outbox,
        again: Arc<Notify>,
        lease: Arc<Lease>,
    ) -> Result<Self, SagaError> {
        let (after, receivers) = outbox.load().await?;
        let head = subscription.journal().head();
        if after > head {
            return Err(SagaError::AheadOfTheJournal { process: NAME, checkpoint: after, head });
        }
        let awake = receivers.iter().filter(|(_, receiver)| !receiver.paused);
        Ok(Self {
            look_at: awake.map(|(id, _)| (*id, Instant::default())).collect(),
            receivers: receivers.into_iter().collect(),
            noted: after,
            busy: HashSet::new(),
            failing: Failing::default(),
            under_way: FuturesUnordered::new(),
            parts,
            subscription,
            outbox,
            again,
            lease,
            after,
        })
    }

    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), SagaError> {
        self.subscription.progressed(self.after);
        let again = self.again.clone();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = tokio::time::interval(self.parts.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wake = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => Wake::Stop,
                Some(ended) = self.under_way.next() => Wake::Ended(ended),
                () = again.notified() => Wake::LookAtAll,
                _ = looks.tick() => Wake::LookAtAll,
                read = self.subscription.next(self.after, BATCH) => Wake::Read(read),
                _ = ticks.tick() => Wake::Tick,
            };
            match wake {
                Wake::Stop => break,
                Wake::Ended(ended) => self.settle(ended).await?,
                Wake::LookAtAll => {
                    self.receivers.keys().copied().collect::<Vec<_>>().into_iter().for_each(|id| self.look_at_soon(id))
                }
                Wake::Read(Ok(events)) => self.take_up(events).await?,
                Wake::Read(Err(SubscriptionError::Read(error @ ReadError::Database(_)))) => {
                    tracing::warn!(subscription = NAME, %error, "the journal cannot be read, and is tried again");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Wake::Read(Err(error)) => return Err(error.into()),
                Wake::Tick => {}
            }
            self.send().await?;
        }
        while let Some(ended) = self.under_way.next().await {
            self.settle(ended).await?;
        }
        self.outbox.note(vec![], self.after).await?;
        self.subscription.save(self.after).await?;
        Ok(())
    }

    /// Notes what is to be sent because of some events.
    async fn take_up(&mut self, events: Vec<Shared>) -> Result<(), SagaError> {
        let mut changes = Vec::new();
        for event in &events {
            match event.category() {
                "webhook" => changes.extend(self.registered(event).await?),
                "rental" => changes.extend(self.concerned(event).await?),
                _ => {}
            }
            self.after = event.position;
        }
        for change in &changes {
            match change {
                Change::ToBeSent { webhook, .. } => self.look_at_soon(*webhook),
                Change::Resumed(webhook) => self.look_at_afresh(*webhook),
                _ => {}
            }
        }
        if !changes.is_empty() || self.after - self.noted >= BATCH as u64 {
            self.outbox.note(changes, self.after).await?;
            self.noted = self.after;
        }
        self.subscription.progressed(self.after);
        Ok(())
    }

    async fn registered(&mut self, event: &Shared) -> Result<Option<Change>, SagaError> {
        let Some(id) = id_of(event).map(WebhookId) else { return Ok(None) };
        Ok(match decoded(event) {
            Ok(Event::Webhook(WebhookEvent::Registered { store, url, events, .. })) => {
                let receiver =
                    Receiver { store: store.clone(), url: url.clone(), events: events.clone(), paused: false };
                self.receivers.insert(id, receiver.clone());
                Some(Change::Added(id, receiver))
            }
            Ok(Event::Webhook(WebhookEvent::Paused { .. })) => {
                self.look_at.remove(&id);
                self.set_paused(id, true);
                Some(Change::Paused(id))
            }
            Ok(Event::Webhook(WebhookEvent::Resumed { .. })) => {
                self.set_paused(id, false);
                Some(Change::Resumed(id))
            }
            Ok(Event::Webhook(WebhookEvent::Stopped { .. })) => {
                self.forget(id);
                Some(Change::Stopped(id))
            }
            Ok(Event::Webhook(WebhookEvent::Removed { .. })) => {
                self.forget(id);
                Some(Change::Removed(id))
            }
            Ok(_) => None,
            Err(error) => {
                self.park(event, error.to_string()).await?;
                None
            }
        })
    }

    fn set_paused(&mut self, webhook: WebhookId, paused: bool) {
        if let Some(receiver) = self.receivers.get_mut(&webhook) {
            receiver.paused = paused;
        }
    }

    fn forget(&mut self, webhook: WebhookId) {
        self.receivers.remove(&webhook);
        self.look_at.remove(&webhook);
        self.failing.forget(webhook);
    }

    /// There may be something to send.
    fn look_at_soon(&mut self, webhook: WebhookId) {
        if self.receivers.get(&webhook).is_some_and(|receiver| !receiver.paused) {
            self.look_at.insert(webhook, self.failing.not_before(webhook, self.parts.clock.now()));
        }
    }

    /// The same, as if it had never failed.
    fn look_at_afresh(&mut self, webhook: WebhookId) {
        self.failing.forget(webhook);
        self.look_at_soon(webhook);
    }

    /// Whoever is to be told of an event.
    async fn concerned(&mut self, event: &Shared) -> Result<Vec<Change>, SagaError> {
        let wants = |receiver: &Receiver| receiver.events.is_empty() || receiver.events.contains(&*event.event_type);
        if !self.receivers.values().any(wants) {
            return Ok(vec![]);
        }
        let Some(rental) = id_of(event).map(RentalId) else { return Ok(vec![]) };
        let Some(store) = self.store_of(event, rental).await? else { return Ok(vec![]) };
        let concerned = self.receivers.iter().filter(|(_, receiver)| receiver.store == store && wants(receiver));
        let position = event.position;
        Ok(concerned.map(|(webhook, _)| Change::ToBeSent { webhook: *webhook, rental, position }).collect())
    }

    /// A rental never changes its store.
    async fn store_of(&mut self, event: &Shared, rental: RentalId) -> Result<Option<StoreSlug>, SagaError> {
        let key = Key::of(rental.0);
        let store = |rental: &Rental| rental.terms().map(|terms| terms.store.clone());
        match inspect(&self.parts.rentals, key.as_str(), store).await {
            Ok(store) => Ok(store),
            Err(Answer::Stopped(reason)) => Err(SagaError::Stopped(reason)),
            Err(Answer::Broken(reason)) => {
                self.park(event, reason).await?;
                Ok(None)
            }
            Err(Answer::<Infallible>::Refused(refusal)) => match refusal {},
        }
    }

    /// What cannot be read is shown, and the rest goes on.
    async fn park(&mut self, event: &Shared, reason: String) -> Result<(), SagaError> {
        let (sequence, event_type) = (event.stream.to_string(), event.event_type.to_string());
        let (position, parked_at) = (event.position, self.parts.clock.now());
        Ok(self.subscription.park(Parked { sequence, position, event_type, attempts: 1, reason, parked_at }).await?)
    }

    /// Sends whatever may be sent now.
    async fn send(&mut self) -> Result<(), SagaError> {
        if self.subscription.is_paused() {
            return Ok(());
        }
        if !self.lease.is_held() {
            return Err(SagaError::TakenOver);
        }
        let now = self.parts.clock.now();
        let mut to_look_at: Vec<_> =
            self.look_at.iter().filter(|(_, at)| **at <= now).map(|(id, at)| (*at, *id)).collect();
        to_look_at.sort_unstable();
        for (_, webhook) in to_look_at {
            if self.under_way.len() >= MOST_UNDER_WAY {
                break;
            }
            let Some(receiver) = self.receivers.get(&webhook) else { continue };
            let lines = self.busy.iter().filter(|(busy, _)| *busy == webhook).count();
            let all_lines = if self.failing.is_failing(webhook) { LINES_OF_THE_FAILING } else { LINES };
            if lines >= all_lines {
                continue;
            }
            // Those under way are among what is due.
            let most = all_lines + lines;
            let (due, later) = self.outbox.due(webhook, now, most).await?;
            let all = due.len();
            let free: Vec<_> = due.into_iter().filter(|due| !self.busy.contains(&(webhook, due.rental))).collect();
            for due in free.into_iter().take(all_lines - lines) {
                self.busy.insert((webhook, due.rental));
                let (journal, parts) = (self.subscription.journal().clone(), &self.parts);
                self.under_way.push(attempt(
                    journal,
                    parts.courier.clone(),
                    parts.timeout,
                    webhook,
                    receiver.clone(),
                    due,
                ));
            }
            // When one that is under way has ended, it is looked at again in any case.
            if all < most {
                match later {
                    Some(later) => self.look_at.insert(webhook, later),
                    None => self.look_at.remove(&webhook),
                };
            }
        }
        Ok(())
    }

    async fn settle(&mut self, Ended { webhook, due, carried }: Ended) -> Result<(), SagaError> {
        self.busy.remove(&(webhook, due.rental));
        let now = self.parts.clock.now();
        let reason = match carried {
            Carried::Taken => {
                self.look_at_afresh(webhook);
                return self.outbox.taken(webhook, due.position).await;
            }
            Carried::Gone => return self.gone(webhook, now).await,
            Carried::Refused { reason } => reason,
        };
        self.failing.refused(webhook, now);
        self.look_at_soon(webhook);
        let again_at = again_at(webhook, due.position, due.attempts + 1, due.first_at.unwrap_or(now), now);
        if again_at.is_none() {
            tracing::warn!(webhook.id = %webhook, position = due.position, reason, "an event was not taken for three days");
        }
        self.outbox.refused(webhook, due, Refusal { reason, at: now, again_at }).await
    }

    /// The receiver says so for ever: that is a fact, and it is recorded.
    async fn gone(&mut self, webhook: WebhookId, now: Instant) -> Result<(), SagaError> {
        self.forget(webhook);
        let context = Context {
            command_id: Uuid::now_v7(),
            correlation_id: webhook.to_string().into(),
            causation_id: None,
            actor: "process:webhooks".into(),
            fence: Some(self.lease.fence()),
            seen_revision: None,
        };
        let (key, stop) = (Key::of(webhook.0), WebhookCommand::Stop { now });
        match order::<Webhook, Infallible>(&self.parts.webhooks, key.as_str(), Likely::Known, stop, &context).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refusal)) => {
                tracing::error!(webhook.id = %webhook, %refusal, "a receiver is gone that never was");
                Ok(())
            }
            Err(Answer::Stopped(reason) | Answer::Broken(reason)) => Err(SagaError::Stopped(reason)),
            Err(Answer::Refused(refusal)) => match refusal {},
        }
    }
}
