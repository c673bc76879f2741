//! Keeps the leases of this process going, takes those that it waits for, and looks at what others want and do.
//!
//! One task, one connection, one thing after the other: what it has seen is in the order in which it happened. While the database is
//! away nothing is renewed, so every lease is lost by time, and is taken again when the database is back.

use super::SubscriptionError;
use super::board::Board;
use super::lease::{Holding, Lease, Terms};
use super::ledger::CHANNEL;
use super::sql;
use crate::postgres::{connect, within};
use sqlx::postgres::{PgConnectOptions, PgListener};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

/// Requests that may wait.
pub(super) const QUEUE: usize = 1_024;

/// What is asked of it.
pub(super) enum Order {
    /// A lease, as soon as nobody has it.
    Lease { name: Arc<str>, grant: oneshot::Sender<Lease> },
    /// Give one back.
    Release { holding: Arc<Holding>, done: Option<oneshot::Sender<()>> },
    /// Look at the database now.
    Look(oneshot::Sender<Result<(), SubscriptionError>>),
    /// Tell the others what this process says of its subscriptions now.
    Tell,
}

/// The task's own.
pub(super) struct Heart {
    pub(super) options: PgConnectOptions,
    pub(super) pool: PgPool,
    pub(super) board: Arc<Board>,
    pub(super) terms: Terms,
    /// Gives leases a way to be given back; weak, so that the last handle ends this.
    pub(super) orders: mpsc::WeakSender<Order>,
}

/// What is under way.
struct Beat {
    heart: Heart,
    connection: Option<PgConnection>,
    away: bool,
    waiting: BTreeMap<Arc<str>, Vec<oneshot::Sender<Lease>>>,
    looking: Vec<oneshot::Sender<Result<(), SubscriptionError>>>,
    /// When a lease that is waited for will be anybody's.
    free_at: Option<Instant>,
    told: BTreeMap<&'static str, sql::Told>,
    telling: bool,
}

impl Heart {
    /// Beats until the last handle is gone.
    pub(super) async fn run(self, mut orders: mpsc::Receiver<Order>) {
        let wake = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(self.board.owner().to_owned(), self.pool.clone(), wake.clone()));
        let mut ticks = tokio::time::interval(self.terms.renew_after());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = Beat {
            heart: self,
            connection: None,
            away: false,
            waiting: BTreeMap::new(),
            looking: Vec::new(),
            free_at: None,
            told: BTreeMap::new(),
            telling: false,
        };
        loop {
            let free = async {
                match beat.free_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let order = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => Some(order),
                    None => break,
                },
                () = free => None,
                () = wake.notified() => None,
                _ = ticks.tick() => None,
            };
            let mut next = order;
            while let Some(order) = next {
                beat.take(order).await;
                next = orders.try_recv().ok();
            }
            beat.once().await;
        }
        listener.abort();
    }
}

impl Beat {
    async fn take(&mut self, order: Order) {
        match order {
            Order::Lease { name, grant } => self.waiting.entry(name).or_default().push(grant),
            Order::Look(answer) => self.looking.push(answer),
            Order::Tell => self.telling = true,
            Order::Release { holding, done } => {
                self.release(&holding).await;
                if let Some(done) = done {
                    // Whoever went away needs no answer.
                    let _ = done.send(());
                }
            }
        }
    }

    /// A lease that was given back, or that nobody waited for any more.
    async fn release(&mut self, holding: &Holding) {
        if self.away {
            tracing::debug!(lease = %holding.fence, "a lease cannot be given back now, and ends by itself");
            return;
        }
        let patience = self.patience();
        let work = async {
            let connection = connected(&mut self.connection, &self.heart.options).await?;
            sql::release(connection, &holding.fence, self.heart.board.owner()).await
        };
        if let Err(error) = within(patience, work).await {
            tracing::warn!(lease = %holding.fence, %error, "a lease could not be given back, and ends by itself");
            self.connection = None;
        }
    }

    /// A database that says nothing for so long must not cost a lease: there is time for another attempt.
    fn patience(&self) -> Duration {
        self.heart.terms.renew_after() * 3 / 2
    }

    async fn once(&mut self) {
        self.free_at = None;
        let patience = self.patience();
        let result = within(patience, self.beat()).await;
        let looking = std::mem::take(&mut self.looking);
        match result {
            Ok(()) => {
                if std::mem::take(&mut self.away) {
                    tracing::info!("the leases can be renewed again");
                }
                looking.into_iter().for_each(|answer| drop(answer.send(Ok(()))));
            }
            Err(error) => {
                if !std::mem::replace(&mut self.away, true) {
                    tracing::warn!(%error, "the database is away; leases will be lost if it stays so");
                }
                self.connection = None;
                let error = Arc::new(error);
                for answer in looking {
                    let _ = answer.send(Err(SubscriptionError::Away(error.clone())));
                }
            }
        }
    }

    async fn beat(&mut self) -> Result<(), sqlx::Error> {
        let connection = connected(&mut self.connection, &self.heart.options).await?;
        let (board, terms) = (&self.heart.board, self.heart.terms);
        let held = board.held();
        if !held.is_empty() {
            // The holder's clock begins before the database's.
            let until = terms.trusted(Instant::now());
            let renewed = sql::renew(connection, &held, terms.length).await?;
            for holding in held {
                match renewed.contains(&*holding.fence.name) {
                    true => holding.renew(until),
                    false => {
                        tracing::warn!(lease = %holding.fence, "a lease was given to another process");
                        holding.end();
                    }
                }
            }
            let own = board.all_own();
            let telling = std::mem::take(&mut self.telling);
            sql::tell(connection, &own, &mut self.told, telling.then_some(board.owner())).await?;
            for (name, sequence) in sql::take_retries(connection, &own).await? {
                if let Some(entry) = own.iter().find(|entry| entry.name == name) {
                    entry.ask_again(&sequence);
                }
            }
        }
        self.acquire().await?;
        let connection = connected(&mut self.connection, &self.heart.options).await?;
        let rows = sql::rows(connection).await?;
        self.heart.board.see(rows);
        Ok(())
    }

    /// Takes what is waited for and free.
    async fn acquire(&mut self) -> Result<(), sqlx::Error> {
        self.waiting.retain(|_, grants| {
            grants.retain(|grant| !grant.is_closed());
            !grants.is_empty()
        });
        if self.waiting.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.waiting.keys().map(ToString::to_string).collect();
        let connection = connected(&mut self.connection, &self.heart.options).await?;
        let (board, terms) = (&self.heart.board, self.heart.terms);
        let until = terms.trusted(Instant::now());
        let mut unwanted = Vec::new();
        for fence in sql::acquire(connection, &names, board.owner(), terms.length).await? {
            tracing::info!(lease = %fence, "a lease is taken");
            let holding = Arc::new(Holding::until(fence, until));
            board.hold(holding.clone());
            let mut lease = Some(Lease { holding: holding.clone(), heart: self.heart.orders.upgrade() });
            let grants = self.waiting.entry(holding.fence.name.clone()).or_default();
            while let (Some(grant), Some(free)) = (grants.pop(), lease.take()) {
                // Whoever waited may be gone; the next one has it then.
                lease = grant.send(free).err();
            }
            unwanted.extend(lease);
        }
        self.waiting.retain(|_, grants| !grants.is_empty());
        let names: Vec<String> = self.waiting.keys().map(ToString::to_string).collect();
        if !names.is_empty() {
            let left = sql::free_in(connection, &names).await?;
            self.free_at = left.map(|left| Instant::now() + left.max(TRY_AGAIN));
        }
        // Dropped here, where nothing waits for this task: that gives them back.
        drop(unwanted);
        Ok(())
    }
}

async fn connected<'a>(
    connection: &'a mut Option<PgConnection>,
    options: &PgConnectOptions,
) -> Result<&'a mut PgConnection, sqlx::Error> {
    match connection {
        Some(connection) => Ok(connection),
        None => Ok(connection.insert(connect(options).await?)),
    }
}

/// Wakes whenever another process says that there is something to look at.
async fn listen(me: String, pool: PgPool, wake: Arc<Notify>) {
    while !pool.is_closed() {
        let Err(error) = listen_until_lost(&me, &pool, &wake).await;
        tracing::debug!(%error, "other processes are not heard; the database is looked at now and then");
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

/// How soon a lease is tried again that nobody has, and whose last owner was still writing.
const TRY_AGAIN: Duration = Duration::from_millis(20);
const LISTEN_AGAIN: Duration = Duration::from_millis(500);

async fn listen_until_lost(me: &str, pool: &PgPool, wake: &Notify) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    // What was said before it listened.
    wake.notify_one();
    loop {
        let heard = listener.recv().await?;
        if heard.payload() != me {
            wake.notify_one();
        }
    }
}
