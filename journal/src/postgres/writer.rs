//! The one writer of this process. It takes whatever appends are waiting, writes them in one transaction, then answers.
//!
//! While nobody else writes, what it remembers of the journal's end is right, and one statement checks that and writes; when
//! somebody does, it locks the head row first and looks.

use super::address::{connect, within};
use super::batch::{Entry, Head, Plan, Seen, State, fences, plan};
use super::feed::Feed;
use super::presence::Presence;
use super::sql;
use crate::hash::Chain;
use crate::queue::{Request, gather};
use crate::recent;
use crate::texts::Interner;
use quick_cache::unsync::Cache;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Executor as _, PgConnection};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Streams whose last event is remembered.
const HEADS: usize = 65_536;
/// A batch takes milliseconds; one that takes this long may have been written or not.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often one batch is sent when each time the connection is lost.
const TRIES: u32 = 3;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What became of an attempt.
enum Trouble {
    /// It is not known whether it was written: the connection is of no use any more.
    Lost(sqlx::Error),
    /// Nothing was written, and something in the batch itself is the reason.
    Unfit(sqlx::Error),
    /// Nothing was written; the next batch may be.
    Refused(sqlx::Error),
    /// A stream that was presumed new is not; nothing was written.
    Taken,
    /// The journal is not the one that was written: there must be no acknowledgement after this.
    Replaced(Arc<str>),
}

/// How the time without a database ended.
enum Away {
    /// With a connection, or with a journal that is another one.
    Back,
    /// With the queue; somebody may have asked for that.
    Closed(Option<oneshot::Sender<()>>),
}

/// Owns the writing connection and what is remembered of the journal's end.
pub(super) struct Writer {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    state: State,
    heads: Cache<Arc<str>, Head>,
    /// Others write too: looking first is cheaper than trying first.
    contended: bool,
    /// What was sent and is not known to be written or not.
    sent: Option<Plan>,
    chain: Chain,
    texts: Interner,
    feed: Feed,
    failure: watch::Sender<Option<Arc<str>>>,
    written: watch::Sender<u64>,
    presence: Arc<Presence>,
}

impl Writer {
    pub(super) fn new(
        options: PgConnectOptions,
        state: State,
        feed: Feed,
        failure: watch::Sender<Option<Arc<str>>>,
        written: watch::Sender<u64>,
    ) -> Self {
        Self {
            options,
            connection: None,
            state,
            heads: recent::of_one_thread(HEADS),
            contended: false,
            sent: None,
            chain: Chain::default(),
            texts: Interner::default(),
            feed,
            failure,
            written,
            presence: Arc::default(),
        }
    }

    /// Tells of the times without a database.
    pub(super) fn known_to(self, presence: Arc<Presence>) -> Self {
        Self { presence, ..self }
    }

    /// Serves the queue until it is closed, or the journal is found to be another one.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        // Where that fails, the database has gone away since it was opened, and is waited for.
        self.connection = connect(&self.options).await.ok();
        let mut closing = None;
        while closing.is_none() && self.failure.borrow().is_none() {
            if self.connection.is_none() {
                self.presence.set_writable(false);
                match self.away(&mut requests).await {
                    Away::Back => {
                        self.presence.set_writable(true);
                        continue;
                    }
                    Away::Closed(done) => closing = done,
                }
                break;
            }
            let Some(first) = requests.recv().await else { break };
            let batch = gather(first, &mut requests, &mut closing);
            let entries = batch.into_iter().map(|waiting| Entry::new(waiting, &mut self.texts)).collect();
            self.serve(entries).await;
        }
        // Whoever is still waiting sees a closed channel, which callers read as `Stopped`.
        drop(requests);
        drop(self);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// Writes and answers. Where one append makes the batch unfit, each is tried alone.
    async fn serve(&mut self, entries: Vec<Entry>) {
        let mut parts = vec![entries];
        while let Some(mut part) = parts.pop() {
            match self.store(&mut part).await {
                Ok(plan) => self.finish(part, plan).await,
                Err(Trouble::Unfit(_)) if part.len() > 1 => parts.extend(part.into_iter().rev().map(|one| vec![one])),
                Err(Trouble::Replaced(reason)) => {
                    tracing::error!(%reason, "the journal stops");
                    // Set before the callers' channels close: they read the reason here.
                    self.failure.send_replace(Some(reason));
                    return;
                }
                Err(Trouble::Lost(error) | Trouble::Refused(error) | Trouble::Unfit(error)) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a batch was not written");
                    let reason: Arc<str> = error.to_string().into();
                    part.into_iter().for_each(|entry| entry.fail(&reason));
                }
                Err(Trouble::Taken) => {
                    let reason: Arc<str> = "a stream was taken while it was locked".into();
                    part.into_iter().for_each(|entry| entry.fail(&reason));
                }
            }
        }
    }

    /// Sends until it is known what became of it.
    async fn store(&mut self, entries: &mut [Entry]) -> Result<Plan, Trouble> {
        let mut tries = 0;
        // Of another batch: whoever waited for that one has been answered.
        self.sent = None;
        loop {
            if self.connection.is_none()
                && let Some(plan) = self.resume().await?
            {
                return Ok(plan);
            }
            tries += 1;
            match self.attempt(entries).await {
                Err(Trouble::Lost(error)) => {
                    tracing::warn!(%error, "the connection to the database is lost");
                    self.connection = None;
                    if tries == TRIES {
                        return Err(Trouble::Lost(error));
                    }
                }
                other => return other,
            }
        }
    }

    async fn attempt(&mut self, entries: &mut [Entry]) -> Result<Plan, Trouble> {
        if !self.contended {
            match self.try_first(entries).await {
                Ok(Some(plan)) => return Ok(plan),
                Ok(None) => self.contended = true,
                Err(Trouble::Taken) => {}
                Err(other) => return Err(other),
            }
        }
        self.look_first(entries).await
    }

    /// One statement, which does nothing if somebody else has written. `None` says that somebody has.
    async fn try_first(&mut self, entries: &mut [Entry]) -> Result<Option<Plan>, Trouble> {
        let heads = &mut self.heads;
        let unknown = streams(entries, false, heads);
        let looked_up = self.look_up(unknown).await?;
        let heads = &self.heads;
        let plan = plan(entries, &self.state, &[], &mut self.chain, |stream| seen(stream, heads, &looked_up));
        let fences = fences(entries);
        let Some(connection) = &mut self.connection else { return Ok(None) };
        if plan.events == 0 {
            let head = within(PATIENCE, sql::head_of_holders(connection, &fences)).await.map_err(trouble)?;
            let known = |head: State| head.position == self.state.position && head.fence == self.state.fence;
            return Ok(head.is_some_and(known).then_some(plan));
        }
        self.sent = Some(plan.clone());
        let stored =
            within(PATIENCE, sql::store(connection, &self.state, &plan, entries, &fences)).await.map_err(trouble);
        if !matches!(stored, Err(Trouble::Lost(_))) {
            self.sent = None;
        }
        Ok(stored?.then_some(plan))
    }

    /// Locks the head, reads what is there, and writes behind it.
    async fn look_first(&mut self, entries: &mut [Entry]) -> Result<Plan, Trouble> {
        let result = self.look_and_write(entries).await;
        if !matches!(result, Err(Trouble::Lost(_))) {
            self.sent = None;
        }
        if let Err(Trouble::Refused(_) | Trouble::Unfit(_) | Trouble::Taken) = &result
            && let Some(connection) = &mut self.connection
        {
            within(PATIENCE, connection.execute("ROLLBACK")).await.map_err(Trouble::Lost)?;
        }
        result
    }

    async fn look_and_write(&mut self, entries: &mut [Entry]) -> Result<Plan, Trouble> {
        let Some(connection) = &mut self.connection else { return Err(Trouble::Taken) };
        within(PATIENCE, connection.execute("BEGIN")).await.map_err(trouble)?;
        let (found, stale) = within(PATIENCE, sql::locked_head(connection, fences(entries))).await.map_err(trouble)?;
        self.contended = found.position != self.state.position;
        self.take_over(found)?;
        let heads = &mut self.heads;
        let unknown = streams(entries, true, heads);
        let looked_up = self.look_up(unknown).await?;
        let heads = &self.heads;
        let plan = plan(entries, &self.state, &stale, &mut self.chain, |stream| seen(stream, heads, &looked_up));
        let Some(connection) = &mut self.connection else { return Err(Trouble::Taken) };
        if plan.events > 0 {
            self.sent = Some(plan.clone());
            let stored =
                within(PATIENCE, sql::store(connection, &self.state, &plan, entries, &[])).await.map_err(trouble)?;
            if !stored {
                return Err(Trouble::Replaced("the head of the journal moved while it was locked".into()));
            }
        }
        within(PATIENCE, connection.execute("COMMIT")).await.map_err(trouble)?;
        Ok(plan)
    }

    async fn look_up(&mut self, streams: Vec<Arc<str>>) -> Result<HashMap<Arc<str>, Option<Head>>, Trouble> {
        let Some(connection) = self.connection.as_mut().filter(|_| !streams.is_empty()) else {
            return Ok(HashMap::new());
        };
        let mut found = within(PATIENCE, sql::stream_heads(connection, &streams)).await.map_err(trouble)?;
        Ok(streams
            .into_iter()
            .map(|stream| {
                let head = found.remove(&stream);
                (stream, head)
            })
            .collect())
    }

    /// The journal ends here now. It never ends before what was acknowledged.
    fn take_over(&mut self, found: State) -> Result<(), Trouble> {
        let known = &self.state;
        if found.position < known.position || (found.position == known.position && found.hash != known.hash) {
            let reason = format!(
                "position {} was written, and now the journal ends otherwise at {}: another one is in its place",
                known.position, found.position
            );
            return Err(Trouble::Replaced(reason.into()));
        }
        if found.position != known.position {
            self.heads.clear();
        }
        self.state = found;
        Ok(())
    }

    /// Publishes, answers and tells.
    async fn finish(&mut self, entries: Vec<Entry>, plan: Plan) {
        self.state = plan.end;
        for (stream, head) in plan.touched {
            self.heads.insert(stream, head);
        }
        let mut entries = entries;
        let recorded: Vec<_> = entries
            .iter_mut()
            .filter(|entry| entry.stands())
            .flat_map(|entry| std::mem::take(&mut entry.events))
            .collect();
        let is_new = !recorded.is_empty();
        self.feed.own(recorded).await;
        entries.into_iter().for_each(Entry::settle);
        if is_new {
            self.written.send_replace(self.state.position);
        }
    }

    /// One attempt at a new connection, while callers wait. Answers the plan that was sent before, if it stands.
    async fn resume(&mut self) -> Result<Option<Plan>, Trouble> {
        let (mut connection, found) = within(PATIENCE, fenced(&self.options)).await.map_err(Trouble::Lost)?;
        let mut stands = None;
        if let Some(plan) = self.sent.take()
            && let Some((position, event_id)) = plan.first
        {
            let there = within(PATIENCE, sql::event_at(&mut connection, position)).await.map_err(Trouble::Lost);
            // Still unknown: whoever waits is told so.
            stands = (there? == Some(event_id)).then_some(plan);
        }
        self.heads.clear();
        self.take_over(found.clone())?;
        self.connection = Some(connection);
        tracing::info!("the database is back");
        // What it knows of the streams' ends is old where others have written since.
        Ok(stands.map(|plan| match found.position == plan.end.position {
            true => Plan { end: found, ..plan },
            false => Plan { end: found, touched: HashMap::new(), ..plan },
        }))
    }

    /// Refuses whatever comes until there is a connection again.
    async fn away(&mut self, requests: &mut mpsc::Receiver<Request>) -> Away {
        let reason: Arc<str> = "the database is away".into();
        let mut pause = SHORTEST_PAUSE;
        loop {
            let options = self.options.clone();
            let mut resumed = Box::pin(async move {
                tokio::time::sleep(pause).await;
                within(PATIENCE, fenced(&options)).await
            });
            let resumed = loop {
                tokio::select! {
                    resumed = &mut resumed => break resumed,
                    request = requests.recv() => match request {
                        Some(Request::Append(waiting)) => Entry::new(waiting, &mut self.texts).fail(&reason),
                        Some(Request::Close(done)) => return Away::Closed(Some(done)),
                        None => return Away::Closed(None),
                    },
                }
            };
            match resumed.map(|(connection, found)| (connection, self.take_over(found))) {
                Ok((connection, Ok(()))) => {
                    tracing::info!("the database is back");
                    self.heads.clear();
                    self.connection = Some(connection);
                    return Away::Back;
                }
                Ok((_, Err(Trouble::Replaced(reason)))) => {
                    self.failure.send_replace(Some(reason));
                    return Away::Back;
                }
                Ok((_, Err(_))) => {}
                Err(error) => tracing::debug!(%error, "the database is still away"),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// A connection behind which nothing sent before can come.
async fn fenced(options: &PgConnectOptions) -> Result<(PgConnection, State), sqlx::Error> {
    let mut connection = connect(options).await?;
    let state = sql::fenced_head(&mut connection).await?;
    Ok((connection, state))
}

/// The streams whose ends are not remembered, each once.
fn streams(entries: &[Entry], all: bool, heads: &mut Cache<Arc<str>, Head>) -> Vec<Arc<str>> {
    let wanted = entries.iter().flat_map(|entry| entry.streams(all));
    let mut streams: Vec<_> = wanted.filter(|stream| heads.get(*stream).is_none()).cloned().collect();
    streams.sort_unstable();
    streams.dedup();
    streams
}

fn seen(stream: &str, heads: &Cache<Arc<str>, Head>, looked_up: &HashMap<Arc<str>, Option<Head>>) -> Seen {
    match (heads.peek(stream), looked_up.get(stream)) {
        (Some(head), _) | (None, Some(Some(head))) => Seen::Head(*head),
        (None, Some(None)) => Seen::Absent,
        (None, None) => Seen::Unknown,
    }
}

/// Only where PostgreSQL says what it did not do is that certain.
fn trouble(error: sqlx::Error) -> Trouble {
    let code = match &error {
        sqlx::Error::Database(refusal) => refusal.code().map(|code| code.into_owned()),
        sqlx::Error::Encode(_) => return Trouble::Unfit(error),
        _ => None,
    };
    match code.as_deref() {
        Some("23505") => Trouble::Taken,
        // The data, a constraint, a limit of the program.
        Some(code) if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => Trouble::Unfit(error),
        // A statement or a right that is missing, a transaction that cannot go on, a full disk, a lock.
        Some(code) if ["25", "40", "42", "53", "55"].iter().any(|class| code.starts_with(class)) => {
            Trouble::Refused(error)
        }
        _ => Trouble::Lost(error),
    }
}
