//! Keeps the tail in memory going, with what this process writes and with what others do; and tells the others.
//!
//! The signal is one coalesced NOTIFY outside of every append: inside, it would make all writers queue up a second time. It may
//! be lost, for the poll finds whatever it did not tell of.

use super::address::{connect, within};
use super::presence::Presence;
use super::reader::Reader;
use crate::journal::ReadError;
use crate::recorded::Recorded;
use crate::tail::Tail;
use sqlx::postgres::{PgConnectOptions, PgListener};
use sqlx::{Connection as _, PgConnection, PgPool};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

const CHANNEL: &str = "reservoir_journal";
/// How late an event of another process is seen when its signal is lost.
const POLL: Duration = Duration::from_millis(200);
/// Signals are not closer together than this.
const SIGNALS_APART: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(5);
/// Events that are read at once.
const PAGE: usize = 4_096;

/// Puts what this process has written behind what others wrote before it.
pub(super) struct Feed {
    tail: Arc<Tail>,
    reader: Reader,
}

impl Feed {
    pub(super) const fn new(tail: Arc<Tail>, reader: Reader) -> Self {
        Self { tail, reader }
    }

    /// Takes in a batch of this process. It is committed, so whatever stands before it is, too.
    pub(super) async fn own(&self, batch: Vec<Recorded>) {
        let Some(first) = batch.first().map(|event| event.position) else { return };
        let missing = first.saturating_sub(self.tail.head() + 1);
        if missing > 0 && missing <= PAGE as u64 {
            let after = self.tail.head();
            match self.reader.all(after, usize::try_from(missing).unwrap_or(PAGE)).await {
                Ok(gap) => self.tail.extend(gap),
                // The tail begins anew with this batch; who needs what was before reads the database.
                Err(error) => tracing::debug!(%error, "what others wrote was not read yet"),
            }
        }
        self.tail.extend(batch);
    }
}

/// Tells other processes that there is something new. Ends with the writer.
pub(super) async fn tell(me: Uuid, options: PgConnectOptions, mut written: watch::Receiver<u64>) {
    // What a signal tells of is durable already; the signal itself need not be.
    let options = options.options([("synchronous_commit", "off")]);
    let mut connection = None;
    while written.changed().await.is_ok() {
        let position = *written.borrow_and_update();
        match within(PATIENCE, signal(&options, &mut connection, format!("{me} {position}"))).await {
            Ok(()) => {}
            Err(error) => {
                tracing::debug!(%error, "others were not told; they will see by themselves");
                connection = None;
            }
        }
        tokio::time::sleep(SIGNALS_APART).await;
    }
}

async fn signal(
    options: &PgConnectOptions,
    connection: &mut Option<PgConnection>,
    payload: String,
) -> Result<(), sqlx::Error> {
    if connection.is_none() {
        *connection = Some(connect(options).await?);
    }
    if let Some(connection) = connection {
        sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(connection).await?;
    }
    Ok(())
}

/// The database as the feed uses it.
pub(super) struct Source {
    pub(super) pool: PgPool,
    pub(super) options: PgConnectOptions,
    pub(super) presence: Arc<Presence>,
}

impl Source {
    /// Whether anybody can connect: a pool whose connections are all busy is no sign of anything.
    async fn answers(&self) -> bool {
        match connect(&self.options).await {
            Ok(connection) => within(PATIENCE, connection.close()).await.is_ok(),
            Err(_) => false,
        }
    }
}

/// Reads what other processes write into the tail, and finds out whether the database is there. Ends with the last handle of
/// the journal.
pub(super) async fn keep_fed(
    me: Uuid,
    source: Source,
    reader: Reader,
    tail: Arc<Tail>,
    mut alive: watch::Receiver<()>,
) {
    let wake = Arc::new(Notify::new());
    let listener = tokio::spawn(listen(me, source.pool.clone(), wake.clone()));
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = poll.tick() => {}
            () = wake.notified() => {}
            ended = alive.changed() => if ended.is_err() { break },
        }
        // The pool would wait for a connection that nobody gives.
        if !source.presence.is_readable() && !source.answers().await {
            continue;
        }
        match catch_up(&reader, &tail).await {
            Ok(()) => source.presence.set_readable(true),
            Err(ReadError::Closing) => break,
            Err(error) => {
                tracing::debug!(%error, "what others write cannot be read now");
                source.presence.set_readable(source.answers().await);
            }
        }
    }
    listener.abort();
}

async fn catch_up(reader: &Reader, tail: &Tail) -> Result<(), ReadError> {
    loop {
        let events = reader.probe(tail.head(), PAGE).await?;
        let more = events.len() == PAGE;
        tail.extend(events);
        if !more {
            return Ok(());
        }
    }
}

/// Wakes whenever another process says that it has written.
async fn listen(me: Uuid, pool: PgPool, wake: Arc<Notify>) {
    let me = me.to_string();
    while !pool.is_closed() {
        let Err(error) = listen_until_lost(&me, &pool, &wake).await;
        tracing::debug!(%error, "signals of other processes are not heard; the journal is looked at instead");
        tokio::time::sleep(POLL).await;
    }
}

async fn listen_until_lost(me: &str, pool: &PgPool, wake: &Notify) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    loop {
        let heard = listener.recv().await?;
        if !heard.payload().starts_with(me) {
            wake.notify_one();
        }
    }
}
