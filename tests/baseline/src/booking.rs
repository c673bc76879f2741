//! A booking from the request to the shop, one command after the other.

use crate::inventory::{Inventory, InventoryCommand};
use crate::payment::{Payment, PaymentCommand};
use crate::rental::{MyPage, Rental, RentalCommand, Terms};
use cqrs_es::persist::GenericQuery;
use cqrs_es::{Aggregate, AggregateError};
use postgres_es::{PostgresCqrs, PostgresViewRepository, postgres_cqrs};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How often a command is tried when somebody else has changed the same aggregate meanwhile.
const TRIES: u32 = 64;
/// The pause before the next try is random, and at the most this long.
const LONGEST_PAUSE_MS: u32 = 16;

/// Of a day.
const PRICE_MINOR: i64 = 50_000;

/// The three kinds of aggregates.
pub(crate) struct Shop {
    rentals: PostgresCqrs<Rental>,
    payments: PostgresCqrs<Payment>,
    items: PostgresCqrs<Inventory>,
    pages: Arc<PostgresViewRepository<MyPage, Rental>>,
}

/// A booking that did not come about.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The item cannot be had.
    Refused(String),
    /// Too many others, or the database.
    Unavailable(String),
}

impl Shop {
    pub(crate) fn new(pool: &PgPool) -> Self {
        let pages = Arc::new(PostgresViewRepository::new("mypage", pool.clone()));
        let mut page = GenericQuery::new(pages.clone());
        page.use_error_handler(Box::new(|error| complain(&error)));
        Self {
            rentals: postgres_cqrs(pool.clone(), vec![Box::new(page)], ()),
            payments: postgres_cqrs(pool.clone(), Vec::new(), ()),
            items: postgres_cqrs(pool.clone(), Vec::new(), ()),
            pages,
        }
    }

    pub(crate) async fn register(&self, item: Uuid, command: InventoryCommand) -> Result<(), Failure> {
        execute(&self.items, item, command).await.map_err(failed)
    }

    pub(crate) const fn pages(&self) -> &Arc<PostgresViewRepository<MyPage, Rental>> {
        &self.pages
    }

    /// Reserves, takes the money, confirms and tells the shop.
    pub(crate) async fn book(&self, terms: Terms) -> Result<Uuid, Failure> {
        let (rental, payment, item) = (Uuid::now_v7(), Uuid::now_v7(), terms.item);
        let total_minor = PRICE_MINOR * (terms.to - terms.from).num_days();
        execute(&self.rentals, rental, RentalCommand::Request { terms }).await.map_err(failed)?;
        if let Err(refusal) = execute(&self.items, item, InventoryCommand::Hold { rental }).await {
            let reject = RentalCommand::Reject { reason: refusal.to_string() };
            execute(&self.rentals, rental, reject).await.map_err(failed)?;
            return Err(failed(refusal));
        }
        let request = PaymentCommand::Request { rental, amount_minor: total_minor };
        execute(&self.payments, payment, request).await.map_err(failed)?;
        // The provider is simulated, and says yes at once.
        let approve = PaymentCommand::Approve { reference: format!("simulated-{payment}") };
        execute(&self.payments, payment, approve).await.map_err(failed)?;
        execute(&self.items, item, InventoryCommand::Commit { rental }).await.map_err(failed)?;
        execute(&self.rentals, rental, RentalCommand::Confirm { payment, total_minor }).await.map_err(failed)?;
        execute(&self.rentals, rental, RentalCommand::Dispatch).await.map_err(failed)?;
        Ok(rental)
    }
}

/// Executes a command, again when somebody else was faster.
async fn execute<A: Aggregate<Command: Clone>>(
    aggregates: &PostgresCqrs<A>,
    id: Uuid,
    command: A::Command,
) -> Result<(), AggregateError<A::Error>> {
    let id = id.to_string();
    for attempt in 1..TRIES {
        match aggregates.execute(&id, command.clone()).await {
            Err(AggregateError::AggregateConflict) => tokio::time::sleep(pause(attempt)).await,
            other => return other,
        }
    }
    aggregates.execute(&id, command).await
}

fn pause(attempt: u32) -> Duration {
    let longest_us = (1_000 << attempt.min(10)).min(LONGEST_PAUSE_MS * 1_000);
    let (_, random) = Uuid::now_v7().as_u64_pair();
    Duration::from_micros(random % u64::from(longest_us))
}

fn failed<E: std::error::Error>(error: AggregateError<E>) -> Failure {
    match error {
        AggregateError::UserError(refusal) => Failure::Refused(refusal.to_string()),
        other => {
            complain(&other);
            Failure::Unavailable(other.to_string())
        }
    }
}

#[expect(clippy::print_stderr, reason = "the log of a service that has no other")]
fn complain(error: &dyn std::fmt::Display) {
    eprintln!("baseline: {error}");
}
