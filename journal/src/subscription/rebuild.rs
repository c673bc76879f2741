//! Asking whoever works for a subscription to do its work again from the first event.

use super::board::Rebuild;
use super::ledger::Ledger;
use super::{SubscriptionError, Subscriptions};
use serde_json::Value;

/// A rebuild that somebody wants from this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildRequest {
    /// Of which subscription.
    pub name: String,
    /// Which request it is: doing it again answers all before it, too.
    pub ticket: u64,
}

impl Subscriptions {
    /// Asks for a rebuild by whoever works for a subscription; answers what to wait for with [`Subscriptions::rebuild_outcome`].
    ///
    /// # Errors
    /// When there is no subscription of that name, or nobody can be asked.
    pub async fn request_rebuild(&self, name: &str) -> Result<u64, SubscriptionError> {
        match &self.ledger {
            Ledger::File(_) => {
                let name = self.own(name)?.name.to_owned();
                let mut ticket = 0;
                self.board.rebuilds.send_modify(|rebuilds| {
                    let rebuild = rebuilds.entry(name).or_default();
                    rebuild.wanted += 1;
                    ticket = rebuild.wanted;
                });
                Ok(ticket)
            }
            Ledger::Database(database) => {
                let ticket = database.request_rebuild(name).await?;
                self.look().await?;
                Ok(ticket)
            }
        }
    }

    /// Waits until a rebuild is done, and answers what its owner says of it. While nobody works for the subscription, that takes as
    /// long as it takes.
    ///
    /// # Errors
    /// When everything is ending.
    pub async fn rebuild_outcome(&self, name: &str, ticket: u64) -> Result<Value, SubscriptionError> {
        let mut rebuilds = self.board.rebuilds.subscribe();
        let done = |rebuild: &&Rebuild| rebuild.done >= ticket;
        let rebuilds = rebuilds.wait_for(|rebuilds| rebuilds.get(name).filter(done).is_some()).await;
        let rebuilds = rebuilds.map_err(|_| SubscriptionError::Closing)?;
        Ok(rebuilds.get(name).and_then(|rebuild| rebuild.outcome.clone()).unwrap_or_default())
    }

    /// Waits until somebody wants a rebuild of one of these subscriptions, which this process must be working for. It is asked for
    /// again until [`Subscriptions::rebuilt`] answers it, after a crash by the next owner.
    ///
    /// # Errors
    /// When everything is ending.
    pub async fn rebuild_requested(&self, names: &[&str]) -> Result<RebuildRequest, SubscriptionError> {
        let mut rebuilds = self.board.rebuilds.subscribe();
        let next = |rebuilds: &std::collections::BTreeMap<String, Rebuild>| {
            let mut open = rebuilds.iter().filter(|(name, rebuild)| {
                rebuild.wanted > rebuild.done && names.contains(&name.as_str()) && self.board.own(name).is_some()
            });
            open.next().map(|(name, rebuild)| RebuildRequest { name: name.clone(), ticket: rebuild.wanted })
        };
        loop {
            let request = next(&rebuilds.borrow_and_update());
            match request {
                Some(request) => return Ok(request),
                None => rebuilds.changed().await.map_err(|_| SubscriptionError::Closing)?,
            }
        }
    }

    /// Answers a rebuild: it is done, or failed, and this is what is to be said of it.
    ///
    /// # Errors
    /// When another process works for the subscription by now, or the answer cannot be written.
    pub async fn rebuilt(&self, request: &RebuildRequest, outcome: Value) -> Result<(), SubscriptionError> {
        let entry = self.own(&request.name)?;
        if let Ledger::Database(database) = &self.ledger {
            database.rebuilt(&entry.holding.fence, entry.name, request.ticket, &outcome).await?;
            return self.look().await;
        }
        self.board.rebuilds.send_modify(|rebuilds| {
            let rebuild = rebuilds.entry(request.name.clone()).or_default();
            rebuild.done = request.ticket;
            rebuild.outcome = Some(outcome);
        });
        Ok(())
    }
}
