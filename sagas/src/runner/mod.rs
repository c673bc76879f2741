//! Runs a process manager over its subscription.
//!
//! Processes run side by side, events of one process in order. **An event is handled when its commands are carried out; the
//! checkpoint never passes one that is not.** After a crash the events behind the checkpoint are handled again, which is
//! safe because command ids follow from the event and every receiver answers a repeat with "already so".

mod low_water;
mod parking;
mod process;
mod saved;
mod slots;
mod work;

pub(crate) use process::{Answer, Orders, Process, Route, decoded, id_of};
pub(crate) use saved::Saved;

use crate::{Clock, SagaError, Settings};
use domain::Instant;
use journal::{Shared, Subscription, SubscriptionError};
use parking::Retrying;
use slots::{Delivery, Slots};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior};
use work::Work;

/// Events that are read at once.
const BATCH: usize = 1_024;
/// The checkpoint is repeated among the subscriptions, for those who look there, every so many saves.
const SAVES_PER_NOTE: u32 = 20;

/// One process manager, running.
pub(crate) struct Runner<P: Process, O> {
    subscription: Subscription,
    slots: Slots<P, O>,
    saved: Saved,
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// What was read last.
    after: u64,
    /// The clock and the journal's end at the last tick: what was due then is due for certain once everything that had happened
    /// by then is handled.
    observed: Option<(Instant, u64)>,
    saving: Option<Saving>,
    last_save: tokio::time::Instant,
    saves: u32,
    saved_to: u64,
    asked: VecDeque<String>,
    retrying: Option<Retrying>,
    /// Up to here one event at a time: something behind the checkpoint has ended this process again and again.
    careful_to: u64,
}

struct Saving {
    done: oneshot::Receiver<Result<(), SagaError>>,
    mark: u64,
}

/// Waits for a save, for ever where there is none.
async fn done(saving: &mut Option<Saving>) -> Result<(), SagaError> {
    match saving {
        Some(saving) => (&mut saving.done).await.unwrap_or(Err(SagaError::Closing)),
        None => std::future::pending().await,
    }
}

enum Wake {
    Read(Result<Vec<Shared>, SubscriptionError>),
    Tick,
    Saved(Result<(), SagaError>),
    Failed,
    Room,
    Stop,
}

impl<P: Process, O: Orders<P>> Runner<P, O> {
    /// Goes on from what was saved. Whatever others did before the lease was taken is in the journal, and seen.
    pub(crate) async fn resume(
        subscription: Subscription,
        orders: Arc<O>,
        saved: Saved,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Self, SagaError> {
        let head = subscription.journal().caught_up().await.map_err(SubscriptionError::from)?;
        let fence = subscription.fence().clone();
        let saved = saved.under(&fence);
        let loaded = saved.load::<P>().await?;
        let after = loaded.checkpoint;
        if after > head {
            return Err(SagaError::AheadOfTheJournal { process: P::NAME, checkpoint: after, head });
        }
        let mut slots = Slots::new(Work::new::<P>(orders, saved.clone(), fence), after, head);
        for (id, state) in loaded.processes {
            slots.restore(id, state);
        }
        // A start is counted where it begins, and forgotten when the checkpoint moves on.
        let starts = if after < head { subscription.count_attempt(after).await? } else { 0 };
        let careful_to = if starts > parking::TRIES { head } else { 0 };
        Ok(Self {
            subscription,
            slots,
            saved,
            clock,
            settings,
            after,
            observed: None,
            saving: None,
            last_save: tokio::time::Instant::now(),
            saves: 0,
            saved_to: after,
            asked: VecDeque::new(),
            retrying: None,
            careful_to,
        })
    }

    /// Runs until it is told to stop; then finishes what is under way and saves.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), SagaError> {
        self.subscription.progressed(self.slots.water.mark());
        let mut ticks = tokio::time::interval(self.settings.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            match self.wait(&mut ticks, &mut stop).await? {
                Wake::Read(Ok(events)) => self.take_up(events).await?,
                Wake::Read(Err(SubscriptionError::Read(error @ journal::ReadError::Database(_)))) => {
                    tracing::warn!(subscription = P::NAME, %error, "the journal cannot be read, and is tried again");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Wake::Read(Err(error)) => return Err(error.into()),
                Wake::Tick => {
                    self.tick();
                    self.retry_next().await?;
                }
                Wake::Saved(result) => self.saved(result).await?,
                Wake::Failed => self.look_at_failures().await?,
                Wake::Room => {}
                Wake::Stop => return self.drain().await,
            }
            self.subscription.progressed(self.slots.water.mark());
            if self.slots.unsaved() >= self.settings.save_every_events {
                self.save();
            }
        }
    }

    fn has_room(&self) -> bool {
        let most = self.settings.in_flight;
        self.slots.in_flight.len() < most && self.slots.waiting < 4 * most && self.retrying.is_none()
    }

    /// Waits for whatever comes first, and meanwhile takes in what is finished.
    async fn wait(&mut self, ticks: &mut Interval, stop: &mut watch::Receiver<bool>) -> Result<Wake, SagaError> {
        let reads = self.has_room();
        let most = self.settings.in_flight;
        let Self { subscription, slots, clock, after, saving, retrying, .. } = self;
        let mut read = pin!(subscription.next(*after, BATCH));
        loop {
            if !slots.failures.is_empty() {
                return Ok(Wake::Failed);
            }
            if !reads && retrying.is_none() && slots.in_flight.len() <= most / 2 && slots.waiting <= 2 * most {
                return Ok(Wake::Room);
            }
            tokio::select! {
                biased;
                Some(finished) = slots.next_finished(), if !slots.in_flight.is_empty() => {
                    slots.finished(finished, clock.now()).map_err(SagaError::Stopped)?;
                }
                result = &mut read, if reads => return Ok(Wake::Read(result)),
                result = done(saving) => return Ok(Wake::Saved(result)),
                _ = ticks.tick() => return Ok(Wake::Tick),
                _ = stop.wait_for(|stop| *stop) => return Ok(Wake::Stop),
            }
        }
    }

    /// Hands events to their processes.
    async fn take_up(&mut self, events: Vec<Shared>) -> Result<(), SagaError> {
        for event in events {
            self.after = event.position;
            if P::CATEGORIES.contains(&event.category()) {
                self.hand_out(event).await?;
            }
            self.slots.water.read_to(self.after);
        }
        Ok(())
    }

    async fn hand_out(&mut self, event: Shared) -> Result<(), SagaError> {
        let position = event.position;
        if position <= self.careful_to && self.is_deadly(&event).await? {
            return Ok(());
        }
        let decoded = match decoded(&event) {
            Ok(decoded) => decoded,
            Err(error) => {
                let reason = error.to_string();
                return self.park_undecodable(&event, reason).await;
            }
        };
        let begins = P::begins(decoded);
        let ids = match P::route(&event, decoded) {
            Route::Nobody => return Ok(()),
            Route::One(id) if !self.is_parked(&event, id) => {
                self.slots.water.take_up(position, 1);
                self.slots.deliver(id, Delivery { event, again: false, late: false }, begins);
                return self.wait_if_careful(position).await;
            }
            Route::One(_) => return Ok(()),
            Route::Everyone => {
                let mut open = self.slots.open();
                open.retain(|id| !self.is_parked(&event, *id));
                open
            }
        };
        self.slots.water.take_up(position, u32::try_from(ids.len()).unwrap_or(u32::MAX));
        for id in ids {
            self.slots.deliver(id, Delivery { event: event.clone(), again: false, late: false }, false);
        }
        self.wait_if_careful(position).await
    }

    fn tick(&mut self) {
        let paused = self.subscription.is_paused();
        // What was due at the last tick is due for certain: nothing that had happened by then is still unread.
        if let Some((due, head)) = self.observed
            && self.after >= head
            && !paused
        {
            self.slots.fire(due, self.settings.in_flight);
            self.observed = None;
        }
        if self.observed.is_none() {
            self.observed = Some((self.clock.now(), self.subscription.journal().head()));
        }
        let news = self.slots.unsaved() > 0 || self.slots.water.mark() > self.saved_to || self.retrying.is_some();
        if news && self.last_save.elapsed() >= self.settings.save_every {
            self.save();
        }
        self.look_for_retries();
    }

    /// Saves what has changed, in the background.
    fn save(&mut self) {
        let mark = self.slots.water.mark();
        if self.saving.is_some() {
            return;
        }
        self.last_save = tokio::time::Instant::now();
        let changes = self.slots.changes();
        let (answer, done) = oneshot::channel();
        let saved = self.saved.clone();
        tokio::spawn(async move {
            let _ = answer.send(saved.save::<P>(changes, mark).await);
        });
        self.saving = Some(Saving { done, mark });
    }

    async fn saved(&mut self, result: Result<(), SagaError>) -> Result<(), SagaError> {
        let mark = self.saving.take().map_or(0, |saving| saving.mark);
        if matches!(result, Err(SagaError::TakenOver)) {
            return result;
        }
        if let Err(error) = &result {
            tracing::warn!(subscription = P::NAME, %error, "processes cannot be saved now, and will be");
        }
        self.slots.saved(result.is_ok(), self.settings.in_memory);
        if result.is_ok() {
            self.saved_to = mark;
            self.saves += 1;
            if self.saves.is_multiple_of(SAVES_PER_NOTE) {
                self.subscription.save(mark).await?;
            }
            self.settle_retry().await?;
        }
        Ok(())
    }

    /// Finishes what is under way, takes nothing new, and saves. What takes too long is let go as in a crash: it is unhandled, and is
    /// handled again after the next start.
    async fn drain(mut self) -> Result<(), SagaError> {
        let patience = tokio::time::Instant::now() + self.settings.drain;
        while let Ok(Some(finished)) = tokio::time::timeout_at(patience, self.slots.next_finished()).await {
            let now = self.clock.now();
            self.slots.finished(finished, now).map_err(SagaError::Stopped)?;
            // What has failed stays unhandled, before the checkpoint's eyes, and is tried again after the next start.
        }
        let mark = self.save_now().await?;
        self.subscription.save(mark).await?;
        self.subscription.progressed(mark);
        Ok(())
    }

    /// Saves what has changed, and waits for it; answers the checkpoint.
    async fn save_now(&mut self) -> Result<u64, SagaError> {
        if let Some(saving) = self.saving.take() {
            let saved = saving.done.await.unwrap_or(Err(SagaError::Closing));
            self.slots.saved(saved.is_ok(), usize::MAX);
        }
        let mark = self.slots.water.mark();
        let changes = self.slots.changes();
        let saved = self.saved.save::<P>(changes, mark).await;
        self.slots.saved(saved.is_ok(), usize::MAX);
        saved.map(|()| mark)
    }
}
