//! A process that begins where another one has ended for certain need not wait for its leases.

use super::ledger::Ledger;
use super::{Owner, SubscriptionError, Subscriptions};
use crate::postgres::{CONNECT, within};
use std::sync::Arc;

const GIVE_BACK: &str = "UPDATE subscriptions SET owner = NULL, since = NULL, until = NULL WHERE owner = $1";

impl Subscriptions {
    /// Gives back the leases of a process that is gone. Should it be there all the same, it loses them, and nothing else is lost:
    /// whoever has them next has another epoch.
    ///
    /// # Errors
    /// When the database cannot be told; then they end by themselves.
    pub async fn succeed(&self, owner: &Owner) -> Result<(), SubscriptionError> {
        let Ledger::Database(database) = &self.ledger else { return Ok(()) };
        let given_back = sqlx::query(GIVE_BACK).bind(owner.as_str()).execute(&database.pool);
        let given_back = within(CONNECT, given_back).await;
        given_back.map(drop).map_err(|error| SubscriptionError::Away(Arc::new(error)))
    }
}
