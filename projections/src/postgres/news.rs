//! How a process learns how far views are that another process folds, and how it says that somebody waits.
//!
//! Whoever folds sends a signal with each batch. A signal may be lost: while somebody waits, the checkpoints are looked at all the
//! same; while nobody does, they are not.

use super::Postgres;
use crate::error::ViewError;
use crate::fold::Spec;
use crate::store::Here;
use sqlx::postgres::PgListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

pub(super) const CHANNEL: &str = "reservoir_views";
/// How late a batch is seen when its signal is lost.
const POLL: Duration = Duration::from_millis(20);
/// Looks are not closer together than this.
const APART: Duration = Duration::from_millis(2);
/// After the connection that listens was lost.
const BREATH: Duration = Duration::from_millis(200);

/// Who waits for news.
pub(crate) struct News {
    waiting: watch::Sender<usize>,
    asked: watch::Sender<u64>,
}

/// Somebody who waits, for as long as this exists.
pub(crate) struct Waiting<'a>(&'a watch::Sender<usize>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl News {
    /// Keeps positions up to date for as long as this exists.
    pub(crate) fn listen(
        database: Arc<Postgres>,
        specs: Vec<Spec>,
        positions: Vec<watch::Sender<u64>>,
        wanted: watch::Sender<u64>,
        here: Here,
    ) -> Self {
        let (waiting, waits) = watch::channel(0);
        let (asked, asks) = watch::channel(0);
        tokio::spawn(Listening { database, specs, positions, wanted, here, waiting: waits, asked: asks }.run());
        Self { waiting, asked }
    }

    /// Somebody waits for a position.
    pub(crate) fn wait(&self, position: u64) -> Waiting<'_> {
        self.asked.send_if_modified(|asked| {
            let newer = position > *asked;
            *asked = position.max(*asked);
            newer
        });
        self.waiting.send_modify(|waiting| *waiting += 1);
        Waiting(&self.waiting)
    }
}

struct Listening {
    database: Arc<Postgres>,
    specs: Vec<Spec>,
    positions: Vec<watch::Sender<u64>>,
    /// The newest position that a reader of any process has waited for.
    wanted: watch::Sender<u64>,
    here: Here,
    waiting: watch::Receiver<usize>,
    asked: watch::Receiver<u64>,
}

impl Listening {
    async fn run(mut self) {
        let heard = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(self.database.clone(), self.wanted.clone(), heard.clone()));
        let mut told = 0;
        loop {
            let somebody_waits = *self.waiting.borrow_and_update() > 0;
            tokio::select! {
                () = heard.notified() => {}
                changed = self.waiting.changed() => match changed {
                    Ok(()) if *self.waiting.borrow() > 0 => {}
                    Ok(()) => continue,
                    Err(_) => break,
                },
                () = tokio::time::sleep(POLL), if somebody_waits => {}
            }
            if let Err(error) = self.look(&mut told).await {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "how far the views are cannot be seen now");
            }
            tokio::time::sleep(APART).await;
        }
        listener.abort();
    }

    /// Looks how far the views of other processes are; says that somebody waits when that is not far enough.
    async fn look(&self, told: &mut u64) -> Result<(), ViewError> {
        let elsewhere: Vec<usize> = (0..self.specs.len()).filter(|index| !self.here.is(*index)).collect();
        if elsewhere.is_empty() {
            return Ok(());
        }
        let found = self.database.positions(&self.specs).await?;
        let mut behind = false;
        let asked = *self.asked.borrow();
        for index in elsewhere {
            // What this process has begun to fold meanwhile, it knows better.
            let (Some(position), false) = (found[index], self.here.is(index)) else { continue };
            behind |= position < asked;
            self.positions[index].send_if_modified(|known| std::mem::replace(known, position) != position);
        }
        if behind && asked > *told && *self.waiting.borrow() > 0 {
            self.database.say(asked.to_string()).await?;
            *told = asked;
        }
        Ok(())
    }
}

async fn listen(database: Arc<Postgres>, wanted: watch::Sender<u64>, heard: Arc<Notify>) {
    while !database.reading.is_closed() {
        let Err(error) = listen_until_lost(&database, &wanted, &heard).await;
        tracing::debug!(%error, "signals of other processes are not heard; the checkpoints are looked at instead");
        // They may have been set back with a database that crashed.
        heard.notify_one();
        tokio::time::sleep(BREATH).await;
    }
}

async fn listen_until_lost(
    database: &Postgres,
    wanted: &watch::Sender<u64>,
    heard: &Notify,
) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(&database.reading).await?;
    listener.listen(CHANNEL).await?;
    heard.notify_one();
    loop {
        let said = listener.recv().await?;
        match said.payload().parse::<u64>() {
            Ok(position) => drop(wanted.send_if_modified(|wanted| {
                let newer = position > *wanted;
                *wanted = position.max(*wanted);
                newer
            })),
            Err(_) => heard.notify_one(),
        }
    }
}
