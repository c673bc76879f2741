//! Keeps the views up with the journal.
//!
//! Views at the same position share a batch: it is read once, each event is decoded once, and all their documents and
//! checkpoints are written in one transaction. Views that were paused catch up in turns with the others.

mod heal;
mod joining;
mod lane;

pub(crate) use heal::{Heal, parked};
pub use joining::Folding;
pub(crate) use lane::{Lane, Setback, fold_batch};

use crate::error::ViewError;
use crate::handle::{Runner, Views};
use crate::postgres;
use crate::replay::Swap;
use journal::{Fence, Journal, Shared, SubscriptionError, Subscriptions};
use rusqlite::ErrorCode;
use std::collections::BTreeSet;
use std::future::{pending, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Requests that may wait for the runner.
const REQUESTS: usize = 16;
/// How long to wait after the disk or the journal has failed, at first and at the most.
const PATIENCE_MS: std::ops::Range<u64> = 50..5_000;

/// How long events may gather while no reader waits for them.
const LINGER: Duration = Duration::from_millis(40);

/// What is asked of the runner.
pub(crate) enum Request {
    /// Put a generation that was built beside the live one in its place.
    Swap(Box<Swap>),
    /// Put documents that were folded anew in their place.
    Healed(Box<Heal>),
    /// Fold this view, too.
    Join(Box<Lane>),
    /// Fold this view no more, and say so.
    Leave(&'static str, oneshot::Sender<()>),
}

/// Views that are being folded.
pub struct Running {
    views: Views,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Finishes what is being written, then stops.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(error = &error as &dyn std::error::Error, "the views did not stop as they should");
        }
    }
}

enum Wake {
    Stop,
    Request(Request),
    Retry(usize, BTreeSet<String>),
    Go,
}

pub(crate) struct Folder {
    pub(crate) views: Views,
    pub(crate) journal: Journal,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) lanes: Vec<Lane>,
    head: watch::Receiver<u64>,
    requests: mpsc::Receiver<Request>,
    stop: watch::Receiver<bool>,
    healing: JoinSet<()>,
    turns: usize,
}

impl Views {
    /// Follows the journal and keeps every view up with it, each as a subscription of its own: `view-mypage`, ….
    ///
    /// # Errors
    /// When the files cannot be used, or the views were made from another journal.
    pub async fn start(&self, journal: Journal, subscriptions: &Subscriptions) -> Result<Running, ViewError> {
        let mut lanes = Vec::new();
        for index in 0..self.inner.specs.len() {
            // Nobody is told when one of them ends: all of them do, with what is returned here.
            lanes.push(self.lane(index, &journal, subscriptions, None, oneshot::channel().0).await?);
        }
        self.follow(journal, subscriptions, lanes)
    }

    /// The same for views that come and go one by one: [`Running::join`] begins with one.
    ///
    /// # Errors
    /// When a runner of this process is there already.
    pub fn start_empty(&self, journal: Journal, subscriptions: &Subscriptions) -> Result<Running, ViewError> {
        self.follow(journal, subscriptions, Vec::new())
    }

    fn follow(&self, journal: Journal, subscriptions: &Subscriptions, lanes: Vec<Lane>) -> Result<Running, ViewError> {
        let (sender, requests) = mpsc::channel(REQUESTS);
        let running = Runner { journal: journal.clone(), subscriptions: subscriptions.clone(), requests: sender };
        let place = self.occupy(running)?;
        let (stop, stopped) = watch::channel(false);
        let folder = Folder {
            views: self.clone(),
            head: journal.watch_head(),
            journal,
            subscriptions: subscriptions.clone(),
            lanes,
            requests,
            stop: stopped,
            healing: JoinSet::new(),
            turns: 0,
        };
        let (views, subscriptions) = (self.clone(), subscriptions.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                () = folder.run() => {}
                () = views.answer_rebuilds(&subscriptions) => {}
            }
            drop(place);
        });
        Ok(Running { views: self.clone(), stop, task })
    }
}

impl Folder {
    async fn run(mut self) {
        let mut patience_ms = PATIENCE_MS.start;
        loop {
            let turned = self.turn().await;
            let woken = match turned {
                Ok(progress) => {
                    patience_ms = PATIENCE_MS.start;
                    if progress {
                        self.linger().await;
                    }
                    self.wait(!progress).await
                }
                Err(error @ (ViewError::Closing | ViewError::Read(journal::ReadError::Closing))) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the views stop");
                    return;
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the views wait: a batch was not folded");
                    let pause = Duration::from_millis(patience_ms);
                    patience_ms = (patience_ms * 2).min(PATIENCE_MS.end);
                    self.pause(pause).await
                }
            };
            match woken {
                Ok(Wake::Go) => {}
                // Between two looks a lease may end; what is lost is left, and the others go on.
                Err(SubscriptionError::Stale(fence)) => self.lose(&fence),
                Ok(Wake::Stop) | Err(_) => return,
                Ok(Wake::Request(Request::Swap(swap))) => self.swap(*swap).await,
                Ok(Wake::Request(Request::Healed(heal))) => self.healed(*heal).await,
                Ok(Wake::Request(Request::Join(lane))) => self.lanes.push(*lane),
                Ok(Wake::Request(Request::Leave(view, done))) => {
                    self.lanes.retain(|lane| lane.spec.name() != view);
                    // Whoever asked may be gone.
                    let _ = done.send(());
                }
                Ok(Wake::Retry(lane, sequences)) => self.retry(lane, sequences),
            }
        }
    }

    /// One batch for the views that are at one position. False when there was nothing to do.
    async fn turn(&mut self) -> Result<bool, ViewError> {
        self.make_sure().await?;
        let head = *self.head.borrow_and_update();
        let Some((position, limit)) = self.choose(head) else { return Ok(false) };
        let events = self.journal.read_all(position, limit).await?;
        if events.is_empty() {
            return Ok(false);
        }
        let mut group = self.group(position);
        let result = match ready_for(&mut group, &events[0]).await {
            Ok(true) => self.fold(&mut group, events).await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if result.is_err() {
            group.iter_mut().for_each(|lane| lane.unsure = true);
        }
        self.lanes.append(&mut group);
        match result {
            Err(ViewError::Stale(fence) | ViewError::Subscription(SubscriptionError::Stale(fence))) => {
                self.lose(&fence);
                Ok(true)
            }
            // Where they really are is looked up before anything else.
            Err(ViewError::Moved) => Ok(true),
            result => result.map(|()| true),
        }
    }

    /// What was taken away is folded here no more.
    fn lose(&mut self, fence: &Fence) {
        tracing::info!(%fence, "a view is folded by another process from now on");
        self.lanes.retain(|lane| lane.fence.as_ref() != Some(fence));
    }

    /// After a failure nobody knows what was written: the database does.
    async fn make_sure(&mut self) -> Result<(), ViewError> {
        let mut lost = None;
        for lane in self.lanes.iter_mut().filter(|lane| lane.unsure) {
            match self.views.inner.store.checkpoint_after_failure(&lane.spec).await {
                Ok(Some(checkpoint)) => lane.resume(&checkpoint),
                Ok(None) => lane.unsure = false,
                Err(ViewError::OtherShape { view }) => lost = Some(view),
                Err(error) => return Err(error),
            }
        }
        if let Some(view) = lost {
            tracing::warn!(view, "another version of this program has the view");
            self.lanes.retain(|lane| lane.spec.name() != view);
        }
        Ok(())
    }

    /// The views that go on together from a position.
    fn group(&mut self, position: u64) -> Vec<Lane> {
        let runs = |lane: &Lane| lane.position == position && !lane.subscription.is_paused();
        // One view at a time: it is the one that dies that is to be found out.
        if let Some(index) = self.lanes.iter().position(|lane| runs(lane) && lane.is_careful()) {
            return vec![self.lanes.swap_remove(index)];
        }
        self.lanes.extract_if(.., |lane| runs(lane)).collect()
    }

    /// Which position goes on, and by how many events: the newest one and the ones behind it by turns.
    fn choose(&mut self, head: u64) -> Option<(u64, usize)> {
        let running = self.lanes.iter().filter(|lane| !lane.subscription.is_paused() && lane.position < head);
        if let Some(careful) = running.clone().find(|lane| lane.is_careful()) {
            return Some((careful.position, 1));
        }
        let positions: BTreeSet<u64> = running.map(|lane| lane.position).collect();
        let newest = *positions.last()?;
        let batch = self.views.inner.batch;
        self.turns = self.turns.wrapping_add(1);
        let behind = positions.len() - 1;
        if behind == 0 || self.turns.is_multiple_of(2) {
            return Some((newest, batch));
        }
        let position = *positions.iter().nth(self.turns / 2 % behind)?;
        // Not past the next one: there they go on together. A position that is paused or at the head counts too.
        let next = self.lanes.iter().map(|lane| lane.position).filter(|next| *next > position).min();
        let distance = next.map_or(u64::MAX, |next| next - position);
        Some((position, batch.min(usize::try_from(distance).unwrap_or(usize::MAX))))
    }

    /// Folds a batch into a group of views; parks what cannot be digested, and goes on.
    async fn fold(&mut self, group: &mut Vec<Lane>, events: Vec<Shared>) -> Result<(), ViewError> {
        let events: std::sync::Arc<[Shared]> = events.into();
        let (mut start, mut end, mut trusting) = (0, events.len(), true);
        while start < events.len() {
            let lanes = std::mem::take(group);
            let folding = self.views.inner.store.fold(lanes, events.clone(), start..end, trusting);
            let (returned, result) = folding.await?;
            *group = returned;
            match result {
                Ok(()) => {
                    for lane in group.iter_mut() {
                        lane.advance(events[end - 1].position).await;
                    }
                    (start, end, trusting) = (end, events.len(), true);
                }
                // What came before it is good: that is written first, and the event then tried by itself.
                Err(Setback::Poison { event, .. }) if event > 0 => end = start + event,
                Err(Setback::Poison { lane, sequence, reason, .. }) => {
                    group[lane].failed(&events[start], sequence, reason).await?;
                    end = start + 1;
                }
                Err(Setback::Failed(error)) if trusting && is_taken(&error) => trusting = false,
                Err(Setback::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Lets events gather while nobody waits for them: a document that changes five times in a moment is then written once.
    /// The first event after a silence never waits, and neither does a reader.
    async fn linger(&mut self) {
        let newest = self.lanes.iter().map(|lane| lane.position).max().unwrap_or_default();
        let behind = self.journal.head().saturating_sub(newest);
        if behind >= self.views.inner.batch as u64 || self.lanes.iter().any(Lane::is_careful) {
            return;
        }
        let mut wanted = self.views.inner.wanted.subscribe();
        let early = async {
            tokio::select! {
                _ = wanted.wait_for(|wanted| *wanted > newest) => {}
                _ = self.stop.wait_for(|stop| *stop) => {}
            }
        };
        // Running out of time is the usual case.
        let _ = tokio::time::timeout(LINGER, early).await;
    }

    /// Waits before it tries again.
    async fn pause(&mut self, pause: Duration) -> Result<Wake, SubscriptionError> {
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Ok(Wake::Stop),
            Some(request) = self.requests.recv() => Ok(Wake::Request(request)),
            () = tokio::time::sleep(pause) => Ok(Wake::Go),
        }
    }

    /// Waits for something to do; looks only, when there is more to fold.
    async fn wait(&mut self, idle: bool) -> Result<Wake, SubscriptionError> {
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Ok(Wake::Stop),
            Some(request) = self.requests.recv() => Ok(Wake::Request(request)),
            woken = woken(&mut self.lanes) => woken,
            () = ready(()), if !idle => Ok(Wake::Go),
            changed = self.head.changed() => changed.map(|()| Wake::Go).map_err(|_| SubscriptionError::Closing),
        }
    }
}

type Wait<'a> = Pin<Box<dyn Future<Output = Result<Wake, SubscriptionError>> + Send + 'a>>;

/// Waits until a paused view goes on, or a parked sequence is to be tried again.
async fn woken(lanes: &mut [Lane]) -> Result<Wake, SubscriptionError> {
    let mut waits: Vec<Wait<'_>> = Vec::new();
    for (index, lane) in lanes.iter_mut().enumerate() {
        let subscription = &mut lane.subscription;
        if subscription.is_paused() {
            waits.push(Box::pin(async move { subscription.running().await.map(|()| Wake::Go) }));
        } else if subscription.has_parked() {
            waits.push(Box::pin(async move { Ok(Wake::Retry(index, subscription.retries().await?)) }));
        }
    }
    if waits.is_empty() {
        return pending().await;
    }
    let first = |context: &mut std::task::Context<'_>| {
        waits.iter_mut().map(|wait| wait.as_mut().poll(context)).find(Poll::is_ready).unwrap_or(Poll::Pending)
    };
    poll_fn(first).await
}

/// Whether these views may take in what begins with an event. Not, when one of them has to be taken by itself from now on.
async fn ready_for(group: &mut [Lane], event: &Shared) -> Result<bool, ViewError> {
    let mut ready = true;
    for lane in group.iter_mut() {
        ready &= !lane.watch_for_deadly_events().await?;
    }
    if ready {
        for lane in group.iter_mut().filter(|lane| lane.is_careful()) {
            lane.before_careful(event).await?;
        }
    }
    Ok(ready)
}

/// A document that was taken to be new was there before.
fn is_taken(error: &ViewError) -> bool {
    match error {
        ViewError::Database(error) => error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation),
        ViewError::Postgres(error) => postgres::is_taken(error),
        _ => false,
    }
}
