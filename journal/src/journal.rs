//! The handle that everything else holds: append, read, follow.

use crate::append::{Append, AppendError, Appended};
use crate::observer::Observer;
use crate::postgres::{ConnectError, PostgresAddress, Presence};
use crate::queue::{Fate, Place, QUEUE, Request};
use crate::reader::Reader;
use crate::recorded::{Recorded, Shared};
use crate::tail::Tail;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// What others write is seen within milliseconds, and without their signals within a poll.
const CATCH_UP: Duration = Duration::from_secs(10);

/// The append-only journal. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    queue: mpsc::Sender<Request>,
    tail: Arc<Tail>,
    reader: Reader,
    failure: watch::Receiver<Option<Arc<str>>>,
    /// Of a database; a file is always there.
    presence: Option<Arc<Presence>>,
    /// What keeps a shared journal fed ends when this does.
    _alive: Option<watch::Sender<()>>,
}

/// Why the journal cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The database said no, or is away. Asking again later may help.
    #[error("the journal cannot be read: {0}")]
    Database(Arc<str>),
    /// The reader was shut down in the middle.
    #[error("the journal is closing")]
    Closing,
}

impl Journal {
    /// Opens the journal file of a data directory, or makes it. One process at a time may.
    ///
    /// # Errors
    /// When another process has it, the file cannot be used, or the linked SQLite is too old.
    pub fn open(directory: &Path) -> Result<Self, crate::sqlite::OpenError> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (fail, failure) = watch::channel(None);
        let opened = crate::sqlite::open(directory, requests, fail)?;
        let reader = Reader::Sqlite(opened.reader);
        let inner = Inner { queue, tail: opened.tail, reader, failure, presence: None, _alive: None };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens the journal of a PostgreSQL database, or makes it. Any number of processes may.
    ///
    /// # Errors
    /// When it cannot be reached, or a newer program has written it.
    pub async fn connect(address: &PostgresAddress) -> Result<Self, ConnectError> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (fail, failure) = watch::channel(None);
        let opened = crate::postgres::open(address, requests, fail).await?;
        let reader = Reader::Postgres(opened.reader);
        let (presence, alive) = (Some(opened.presence), Some(opened.alive));
        let inner = Inner { queue, tail: opened.tail, reader, failure, presence, _alive: alive };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether other processes may append, so that what one remembers of a stream may be old.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.inner.reader, Reader::Postgres(_))
    }

    /// Has an observer told of what is appended, wherever that may be done by others.
    pub(crate) fn observe(&self, observer: Weak<dyn Observer>) {
        if self.is_shared() {
            self.inner.tail.observe(observer);
        }
    }

    /// Appends events to one stream, all or none, and answers when they are on the disk.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was acknowledged then.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let place = self.reserve().await?;
        let answer = place.send(append, Fate::default());
        self.answered(answer).await
    }

    pub(crate) async fn reserve(&self) -> Result<Place, AppendError> {
        self.inner.queue.clone().reserve_owned().await.map(Place).map_err(|_| self.stopped())
    }

    pub(crate) async fn answered(
        &self,
        answer: oneshot::Receiver<Result<Appended, AppendError>>,
    ) -> Result<Appended, AppendError> {
        answer.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    fn stopped(&self) -> AppendError {
        AppendError::Stopped(self.failure().unwrap_or_else(|| "it was closed".into()))
    }

    /// Why the writer has stopped, if it has.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<str>> {
        self.inner.failure.borrow().clone()
    }

    /// Whether its database is known to be away: then nothing can be read or appended now, and it may come back by itself.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.inner.presence.as_ref().is_some_and(|presence| presence.is_away())
    }

    /// Waits until the writer stops because the disk failed, and says why. Never ends while all is well, nor after a close.
    pub async fn failed(&self) -> Arc<str> {
        let mut failure = self.inner.failure.clone();
        let reason = failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }

    /// Position of the last committed event; 0 for an empty journal.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.inner.tail.head()
    }

    /// Waits until this process sees all that any process had committed when it was asked, and answers up to where that is.
    ///
    /// # Errors
    /// When the database does not say, or what others wrote cannot be read in time.
    pub async fn caught_up(&self) -> Result<u64, ReadError> {
        let Reader::Postgres(reader) = &self.inner.reader else { return Ok(self.head()) };
        let end = reader.head().await?;
        let mut head = self.watch_head();
        match tokio::time::timeout(CATCH_UP, head.wait_for(|head| *head >= end)).await {
            Ok(Ok(_)) => Ok(end),
            Ok(Err(_)) => Err(ReadError::Closing),
            Err(_) => Err(ReadError::Database("what others wrote does not come in".into())),
        }
    }

    /// Changes whenever [`Journal::head`] does.
    #[must_use]
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.inner.tail.watch()
    }

    /// The events of one stream after a revision, in order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_stream(&self, stream: &str, after_revision: u64) -> Result<Vec<Recorded>, ReadError> {
        self.inner.reader.stream(stream, after_revision).await
    }

    /// Up to `limit` events of all streams after a position, in order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_all(&self, after: u64, limit: usize) -> Result<Vec<Shared>, ReadError> {
        // Nothing beyond the head, even where the database has more already: observers have not been told of that.
        let limit = limit.min(usize::try_from(self.head().saturating_sub(after)).unwrap_or(usize::MAX));
        if limit == 0 {
            return Ok(Vec::new());
        }
        if let Some(events) = self.inner.tail.read(after, limit) {
            return Ok(events);
        }
        let events: Arc<[Recorded]> = self.inner.reader.all(after, limit).await?.into();
        Ok((0..events.len()).map(|index| Shared::new(events.clone(), index)).collect())
    }

    /// The events at these positions; those that do not exist are left out.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_at(&self, positions: Vec<u64>) -> Result<Vec<Recorded>, ReadError> {
        self.inner.reader.at(positions).await
    }

    /// Reads on from a position and waits for what comes.
    #[must_use]
    pub fn follow(&self, after: u64) -> Follower {
        Follower { journal: self.clone(), head: self.watch_head(), after }
    }

    /// Writes what is queued, takes no more, and lets the file go. Reading goes on until the last handle is dropped.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.inner.queue.send(Request::Close(done)).await.is_ok() {
            // An error means that the writer had stopped before: then there is nothing left to write.
            let _ = closed.await;
        }
    }
}

/// Reads the journal in order, for ever.
pub struct Follower {
    journal: Journal,
    head: watch::Receiver<u64>,
    after: u64,
}

impl Follower {
    /// The next events, at least one and at most `limit`; waits until there is one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Shared>, ReadError> {
        loop {
            self.head.borrow_and_update();
            let events = self.journal.read_all(self.after, limit).await?;
            if let Some(last) = events.last() {
                self.after = last.position;
                return Ok(events);
            }
            self.head.changed().await.map_err(|_| ReadError::Closing)?;
        }
    }

    /// The position that was read last.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.after
    }
}
