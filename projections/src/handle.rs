//! The handle that readers hold.

use crate::database::{self, Readers, Writer};
use crate::error::{Behind, ViewError};
use crate::fold::Spec;
use crate::postgres::{News, Postgres};
use crate::projection::{Key, Projection};
use crate::runner::Request;
use crate::store::{Here, Store};
use crate::table::{Table, signed, unsigned};
use crate::views;
use journal::postgres::PostgresAddress;
use journal::{SubscriptionState, Subscriptions};
use rusqlite::{Connection, ToSql};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Every view there is.
pub(crate) static VIEWS: [Spec; 9] = [
    Spec::of::<views::MyPage>(),
    Spec::of::<views::Reservations>(),
    Spec::of::<views::Catalogue>(),
    Spec::of::<views::Dispatches>(),
    Spec::of::<views::Payments>(),
    Spec::of::<views::Messages>(),
    Spec::of::<views::Processes>(),
    Spec::of::<views::Stores>(),
    Spec::of::<views::Reviews>(),
];

/// Events that are folded in one transaction at the most.
const BATCH: usize = 4_096;

/// The views of a data directory. Cheap to clone.
#[derive(Clone)]
pub struct Views {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) specs: Vec<Spec>,
    pub(crate) store: Store,
    pub(crate) positions: Vec<watch::Sender<u64>>,
    /// The newest position that a reader has waited for.
    pub(crate) wanted: watch::Sender<u64>,
    pub(crate) batch: usize,
    pub(crate) here: Here,
    running: Mutex<Option<Runner>>,
    /// One rebuild at a time: it takes memory and both cores.
    pub(crate) rebuilding: tokio::sync::Mutex<()>,
}

/// How to reach whoever folds.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) journal: journal::Journal,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) requests: mpsc::Sender<Request>,
}

/// Whoever folds is there, for as long as this exists.
pub(crate) struct Occupied(Views);

impl Drop for Occupied {
    fn drop(&mut self) {
        *self.0.inner.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What to list: newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Only what is this customer's, or this shop's.
    pub owner: Option<String>,
    /// Only what has one of these tags (the status, where a view has one); whatever it has, where there are none.
    pub tags: Vec<String>,
    /// How many at the most.
    pub limit: usize,
    /// Where the page before this one ended.
    pub cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<D> {
    /// The documents, newest first.
    pub items: Vec<D>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<String>,
}

impl Views {
    /// Opens the view database of a data directory, or makes it. Documents can be read at once; [`Views::start`] folds.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(directory: &Path) -> Result<Self, ViewError> {
        Self::open_with(directory, VIEWS.to_vec(), BATCH)
    }

    /// The same, folding at most so many events in one transaction.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open_in_batches(directory: &Path, batch: usize) -> Result<Self, ViewError> {
        Self::open_with(directory, VIEWS.to_vec(), batch.max(1))
    }

    pub(crate) fn open_with(directory: &Path, specs: Vec<Spec>, batch: usize) -> Result<Self, ViewError> {
        let (connection, path) = database::open(directory, &specs)?;
        let positions = specs
            .iter()
            .map(|spec| Ok(watch::Sender::new(database::checkpoint(&connection, spec)?.position)))
            .collect::<Result<_, ViewError>>()?;
        let store = Store::File { writer: Writer::start(connection)?, readers: Readers::new(path) };
        let (wanted, here) = (watch::Sender::new(0), Here::none_of(specs.len()));
        Ok(Self::new(specs, store, positions, wanted, here, batch))
    }

    /// Opens the views of a PostgreSQL database, or makes them. Documents can be read at once, whichever process folds them;
    /// [`Views::start`], or [`crate::Running::join`] view by view, folds them here.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn connect(address: &PostgresAddress) -> Result<Self, ViewError> {
        Self::connect_with(address, VIEWS.to_vec(), BATCH).await
    }

    pub(crate) async fn connect_with(
        address: &PostgresAddress,
        specs: Vec<Spec>,
        batch: usize,
    ) -> Result<Self, ViewError> {
        let database = Arc::new(Postgres::open(address, &specs).await?);
        let found = database.positions(&specs).await?;
        let positions: Vec<_> =
            found.into_iter().map(|position| watch::Sender::new(position.unwrap_or_default())).collect();
        let (wanted, here) = (watch::Sender::new(0), Here::none_of(specs.len()));
        let news = News::listen(database.clone(), specs.clone(), positions.clone(), wanted.clone(), here.clone());
        Ok(Self::new(specs, Store::Postgres { database, news }, positions, wanted, here, batch))
    }

    fn new(
        specs: Vec<Spec>,
        store: Store,
        positions: Vec<watch::Sender<u64>>,
        wanted: watch::Sender<u64>,
        here: Here,
        batch: usize,
    ) -> Self {
        let (running, rebuilding) = (Mutex::default(), tokio::sync::Mutex::new(()));
        Self { inner: Arc::new(Inner { specs, store, positions, wanted, batch, here, running, rebuilding }) }
    }

    /// The one place for whoever folds.
    pub(crate) fn occupy(&self, runner: Runner) -> Result<Occupied, ViewError> {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(ViewError::AlreadyStarted);
        }
        *running = Some(runner);
        Ok(Occupied(self.clone()))
    }

    pub(crate) fn runner(&self) -> Result<Runner, ViewError> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(ViewError::NotRunning)
    }

    /// Lets the file go. Stop whoever folds before. **Until this has returned, the file must not be deleted or replaced**:
    /// SQLite tidies up under its name.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }

    /// One document, or `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn document<P: Projection>(&self, id: impl Into<Key>) -> Result<Option<P::Document>, ViewError> {
        let key = id.into();
        let spec = self.spec::<P>();
        match &self.inner.store {
            Store::File { readers, .. } => {
                let table = Table::live(spec);
                let read = readers.run(move |connection| {
                    let stored = table.load(connection, &key)?;
                    stored.map(|stored| document::<P>(&stored.body, || key.to_string())).transpose()
                });
                read.await
            }
            Store::Postgres { database, .. } => {
                let stored = database.documents(spec, std::slice::from_ref(&key)).await?;
                stored.first().map(|stored| document::<P>(&stored.body, || key.to_string())).transpose()
            }
        }
    }

    /// A page of documents, newest first. Cursors stay good while documents come and change.
    ///
    /// # Errors
    /// [`ViewError::BadCursor`], or when the database cannot be read.
    pub async fn page<P: Projection>(&self, query: PageQuery) -> Result<Page<P::Document>, ViewError> {
        let before = match &query.cursor {
            Some(cursor) => read_cursor(cursor)?,
            None => i64::MAX,
        };
        let spec = self.spec::<P>();
        match &self.inner.store {
            Store::File { readers, .. } => {
                let view = spec.name();
                readers.run(move |connection| page::<P>(connection, view, &query, before)).await
            }
            Store::Postgres { database, .. } => {
                let limit = query.limit.max(1);
                let rows = database.page(spec, &query, before, signed(limit as u64 + 1)).await?;
                let next = (rows.len() > limit).then(|| cursor(rows[limit - 1].0));
                let read = |(seq, body): &(i64, String)| document::<P>(body, || format!("#{seq}"));
                Ok(Page { items: rows.iter().take(limit).map(read).collect::<Result<_, _>>()?, next })
            }
        }
    }

    /// Up to which position a view has taken in the journal.
    #[must_use]
    pub fn position<P: Projection>(&self) -> u64 {
        *self.inner.positions[self.index(P::NAME)].borrow()
    }

    /// Waits until a view has reached a position, and answers where it is then.
    ///
    /// # Errors
    /// [`Behind`], when it has not within `patience`.
    pub async fn reach<P: Projection>(&self, position: u64, patience: Duration) -> Result<u64, Behind> {
        let mut reached = self.inner.positions[self.index(P::NAME)].subscribe();
        let there = *reached.borrow();
        if there >= position {
            return Ok(there);
        }
        self.inner.wanted.send_if_modified(|wanted| {
            let newer = position > *wanted;
            *wanted = position.max(*wanted);
            newer
        });
        let _waiting = self.inner.store.wait(position);
        // The sender lives in this handle, so only time can run out.
        let waited = tokio::time::timeout(patience, reached.wait_for(|there| *there >= position)).await;
        match waited {
            Ok(Ok(there)) => Ok(*there),
            _ => Err(Behind { position: self.position::<P>() }),
        }
    }

    /// Waits until every view that is not paused has reached a position. For as long as that takes: somebody has to be folding.
    pub async fn settle(&self, position: u64) {
        let _waiting = self.inner.store.wait(position);
        for (spec, reached) in self.inner.specs.iter().zip(&self.inner.positions) {
            let paused = || self.state_of(spec.subscription) == Some(SubscriptionState::Paused);
            let mut reached = reached.subscribe();
            if !paused() {
                // The sender lives in this handle.
                let _ = reached.wait_for(|there| *there >= position).await;
            }
        }
    }

    fn state_of(&self, subscription: &str) -> Option<SubscriptionState> {
        self.runner().ok()?.subscriptions.state(subscription)
    }

    /// Whether an administrator has stopped a view.
    #[must_use]
    pub fn is_paused<P: Projection>(&self) -> bool {
        self.state_of(P::SUBSCRIPTION) == Some(SubscriptionState::Paused)
    }

    /// The names under which all views read: `view-mypage`, …
    #[must_use]
    pub fn all_subscriptions() -> Vec<&'static str> {
        VIEWS.iter().map(|spec| spec.subscription).collect()
    }

    /// The names of all views: `mypage`, …
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.inner.specs.iter().map(Spec::name).collect()
    }

    /// The name of each view, and that of the subscription under which it is folded: `mypage`, `view-mypage`; ….
    #[must_use]
    pub fn subscriptions(&self) -> Vec<(&'static str, &'static str)> {
        self.inner.specs.iter().map(|spec| (spec.name(), spec.subscription)).collect()
    }

    pub(crate) fn find(&self, name: &str) -> Result<usize, ViewError> {
        self.inner
            .specs
            .iter()
            .position(|spec| spec.name() == name)
            .ok_or_else(|| ViewError::NoSuchView { name: name.to_owned(), known: self.names() })
    }

    fn index(&self, version: &str) -> usize {
        // A projection that is not registered is a programming error; the first view's position is never read for it.
        let found = self.inner.specs.iter().position(|spec| spec.version == version);
        debug_assert!(found.is_some(), "{version} is not registered");
        found.unwrap_or_default()
    }

    fn spec<P: Projection>(&self) -> &Spec {
        &self.inner.specs[self.index(P::NAME)]
    }

    /// Every row of a view as text, in order: equal views give equal bytes.
    ///
    /// # Errors
    /// When there is no such view, or the database cannot be read.
    pub async fn dump(&self, name: &str) -> Result<String, ViewError> {
        let spec = &self.inner.specs[self.find(name)?];
        match &self.inner.store {
            Store::File { readers, .. } => {
                let table = Table::live(spec);
                readers.run(move |connection| dump(connection, &table)).await
            }
            Store::Postgres { database, .. } => database.dump(spec).await,
        }
    }
}

fn document<P: Projection>(body: &str, id: impl FnOnce() -> String) -> Result<P::Document, ViewError> {
    let state = serde_json::from_str(body).map_err(|source| ViewError::Unreadable {
        view: P::short_name(),
        id: id(),
        source,
    })?;
    Ok(P::document(state))
}

fn page<P: Projection>(
    connection: &Connection,
    view: &str,
    query: &PageQuery,
    before: i64,
) -> Result<Page<P::Document>, ViewError> {
    let limit = query.limit.max(1);
    let most = signed(limit as u64 + 1);
    let mut sql = format!("SELECT seq, body FROM {view} WHERE seq < ?1");
    let mut values: Vec<&dyn ToSql> = vec![&before, &most];
    if let Some(owner) = &query.owner {
        values.push(owner);
        sql.push_str(" AND owner = ?3");
    }
    if !query.tags.is_empty() {
        let first = values.len();
        values.extend(query.tags.iter().map(|tag| tag as &dyn ToSql));
        let places: Vec<String> = (first + 1..=values.len()).map(|place| format!("?{place}")).collect();
        sql.push_str(&format!(" AND tag IN ({})", places.join(", ")));
    }
    if query.owner.is_none() && !query.tags.is_empty() {
        // Said, so that the index of the few is found.
        sql.push_str(" AND tag <> ''");
    }
    sql.push_str(" ORDER BY seq DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(&*values)?;
    let mut page = Page { items: Vec::new(), next: None };
    let mut last = 0;
    while let Some(row) = rows.next()? {
        if page.items.len() == limit {
            page.next = Some(cursor(last));
            break;
        }
        last = row.get(0)?;
        let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        page.items.push(document::<P>(body, || format!("#{last}"))?);
    }
    Ok(page)
}

fn cursor(seq: i64) -> String {
    format!("{:016x}", unsigned(seq))
}

fn read_cursor(text: &str) -> Result<i64, ViewError> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let seq = digits.then(|| i64::from_str_radix(text, 16).ok()).flatten();
    seq.ok_or(ViewError::BadCursor)
}

fn dump(connection: &Connection, table: &Table) -> Result<String, ViewError> {
    use std::fmt::Write;
    let mut text = String::new();
    let sql = format!("SELECT seq, id, owner, tag, body FROM {} ORDER BY seq", table.name());
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, key, owner, tag): (i64, Key, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let body = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{seq} {key} {owner:?} {tag:?} {body}");
    }
    Ok(text)
}
