//! Views come to a runner and leave it, each by itself: with several processes, each view is folded where its lease is.

use super::lane::Begin;
use super::{Lane, Request, Running};
use crate::database::Checkpoint;
use crate::error::ViewError;
use crate::handle::Views;
use journal::{Fence, Journal, Subscriptions};
use tokio::sync::oneshot;

/// A view that is being folded.
pub struct Folding {
    views: Views,
    view: &'static str,
    ended: oneshot::Receiver<()>,
}

impl Folding {
    /// Its name.
    #[must_use]
    pub const fn view(&self) -> &'static str {
        self.view
    }

    /// Waits until it is not folded here any more: it was left, its lease was found to be somebody else's, or the runner stopped.
    /// Nothing of it is in memory then.
    pub async fn ended(&mut self) {
        // Nothing is ever sent: the other side is dropped with what it stands for.
        let _ = (&mut self.ended).await;
    }

    /// Finishes the batch that is being written, then folds this view no more.
    pub async fn leave(mut self) {
        let (done, answered) = oneshot::channel();
        // An error means that nothing is folded any more.
        if self.views.request(Request::Leave(self.view, done)).await.is_ok() {
            let _ = answered.await;
        }
        self.ended().await;
    }
}

impl Running {
    /// Goes on with a view from where it is. Whoever has to have a lease for that proves it with a fence, which every write of the
    /// view carries from now on.
    ///
    /// # Errors
    /// When there is no such view, this process folds it already, the lease is somebody else's, the database cannot be used, or the
    /// view was made from another journal.
    pub async fn join(&self, view: &str, fence: Option<Fence>) -> Result<Folding, ViewError> {
        let views = self.views.clone();
        let index = views.find(view)?;
        let runner = views.runner()?;
        let (ended, ends) = oneshot::channel();
        let lane = views.lane(index, &runner.journal, &runner.subscriptions, fence, ended).await?;
        let view = lane.spec.name();
        runner.requests.send(Request::Join(Box::new(lane))).await.map_err(|_| ViewError::NotRunning)?;
        Ok(Folding { views, view, ended: ends })
    }
}

impl Views {
    pub(super) async fn lane(
        &self,
        index: usize,
        journal: &Journal,
        subscriptions: &Subscriptions,
        fence: Option<Fence>,
        ended: oneshot::Sender<()>,
    ) -> Result<Lane, ViewError> {
        let (spec, reached) = (self.inner.specs[index], self.inner.positions[index].clone());
        let claimed = self.inner.here.claim(index).ok_or(ViewError::AlreadyStarted)?;
        let checkpoint = self.inner.store.claim(spec, fence.as_ref()).await?;
        fits(journal, spec.name(), &checkpoint).await?;
        let subscription = subscriptions.subscribe(spec.subscription).await?;
        Ok(Lane::new(Begin { spec, subscription, checkpoint, reached, fence, claimed, ended }))
    }
}

/// Refuses views that are ahead of the journal or know another past: a backup was restored, or files were mixed.
async fn fits(journal: &Journal, view: &'static str, checkpoint: &Checkpoint) -> Result<(), ViewError> {
    if checkpoint.position == 0 {
        return Ok(());
    }
    let found = journal.read_at(vec![checkpoint.position]).await?;
    let same = found.first().is_some_and(|event| event.hash.as_slice() == checkpoint.hash);
    if same { Ok(()) } else { Err(ViewError::OtherJournal { view, position: checkpoint.position }) }
}
