//! A batch on its way to the database.

use super::address::within;
use super::batch::{Entry, Plan, State, fences};
use super::sql;
use super::writer::PATIENCE;
use sqlx::PgConnection;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A batch that was sent and is not answered yet.
pub(super) struct Flight {
    pub(super) plan: Arc<Plan>,
    pub(super) size: usize,
    pub(super) landing: Pin<Box<dyn Future<Output = Landed>>>,
}

/// What was answered.
pub(super) struct Landed {
    pub(super) connection: PgConnection,
    pub(super) entries: Vec<Entry>,
    pub(super) plan: Arc<Plan>,
    pub(super) stored: Result<bool, sqlx::Error>,
}

impl Flight {
    /// Sends what was planned behind a given end of the journal. Where that is the end of another batch on its way, the database
    /// lets it wait for that one, and stores it only if that is stored.
    pub(super) fn launch(mut connection: PgConnection, from: State, plan: Plan, entries: Vec<Entry>) -> Self {
        let (plan, size) = (Arc::new(plan), entries.len());
        let planned = plan.clone();
        let landing = Box::pin(async move {
            let fences = fences(&entries);
            let stored = within(PATIENCE, sql::store(&mut connection, &from, &planned, &entries, &fences)).await;
            Landed { connection, entries, plan: planned, stored }
        });
        Self { plan, size, landing }
    }
}
