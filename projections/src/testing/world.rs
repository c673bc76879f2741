//! A world of its own for a test, in files or in a database.

use super::{Fact, PATIENCE, append};
use crate::fold::Spec;
use crate::handle::{VIEWS, Views};
use crate::projection::Projection;
use crate::replay::{self, ReplayError, ReplayReport};
use crate::runner::Running;
use crate::{Key, PageQuery};
use cluster::Cluster;
use journal::postgres::PostgresAddress;
use journal::{Journal, Lease, Owner, Subscriptions};
use std::path::Path;
use tempfile::TempDir;

/// What a world is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    File,
    Postgres,
}

/// Where a world is kept: a data directory and, for some, a database.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
    pub(crate) database: Option<String>,
}

impl Home {
    pub(crate) fn empty(kept: Kept) -> Self {
        let database = (kept == Kept::Postgres).then(|| Cluster::shared().database());
        Self { directory: tempfile::tempdir().unwrap(), database }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn address(&self) -> Option<PostgresAddress> {
        self.database.as_ref().map(|address| address.parse().unwrap())
    }

    /// Runs a statement in the database.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let address = self.database.as_ref().unwrap();
        let name = address.split("localhost/").nth(1).and_then(|rest| rest.split('?').next()).unwrap();
        Cluster::shared().sql(name, statement)
    }

    pub(crate) async fn journal(&self) -> Journal {
        match self.address() {
            None => Journal::open(self.path()).unwrap(),
            Some(address) => Journal::connect(&address).await.unwrap(),
        }
    }

    pub(crate) async fn views(&self, specs: Vec<Spec>, batch: usize) -> Views {
        match self.address() {
            None => Views::open_with(self.path(), specs, batch).unwrap(),
            Some(address) => Views::connect_with(&address, specs, batch).await.unwrap(),
        }
    }

    /// Replays while nothing else uses the views; keeps what that gives, or throws it away.
    pub(crate) async fn replay(
        &self,
        journal: &Journal,
        names: &[String],
        replace: bool,
    ) -> Result<Vec<ReplayReport>, ReplayError> {
        let views = self.views(VIEWS.to_vec(), 4_096).await;
        let result = replay::replay_into(&views, journal, names, &[], |_, _| {}, replace).await;
        views.close().await;
        result
    }

    /// Runs statements that are made for the table of `mypage`.
    pub(crate) fn change_views(&self, statements: impl FnOnce(&str) -> String) {
        match self.database {
            None => {
                let views = rusqlite::Connection::open(self.path().join("views.db")).unwrap();
                views.execute_batch(&statements("mypage")).unwrap();
            }
            Some(_) => drop(self.sql(&statements("reservoir_views.mypage_1"))),
        }
    }

    pub(crate) fn delete_views(&self) {
        match self.database {
            None => {
                for file in ["views.db", "views.db-wal", "views.db-shm"] {
                    let _ = std::fs::remove_file(self.path().join(file));
                }
            }
            Some(_) => drop(self.sql("DROP SCHEMA reservoir_views CASCADE")),
        }
    }

    pub(crate) async fn subscriptions(&self, journal: &Journal) -> Subscriptions {
        match self.address() {
            None => Subscriptions::open(journal.clone(), self.path()).unwrap(),
            Some(address) => {
                Subscriptions::connect(journal.clone(), &address, Owner::this_process("tests")).await.unwrap()
            }
        }
    }
}

/// Tells the same of both.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod in_a_file {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::testing::Kept::File).await;
            })*
        }
        mod in_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::testing::Kept::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// Everything open.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) journal: Journal,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) views: Views,
    running: Option<Running>,
    pub(crate) leases: Vec<Lease>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Kept::File).await
    }

    pub(crate) async fn on(kept: Kept) -> Self {
        Self::open(Home::empty(kept), VIEWS.to_vec(), 4_096).await
    }

    pub(crate) async fn open(home: Home, specs: Vec<Spec>, batch: usize) -> Self {
        let journal = home.journal().await;
        let subscriptions = home.subscriptions(&journal).await;
        let views = home.views(specs, batch).await;
        let mut leases = Vec::new();
        let running = if subscriptions.are_shared() {
            let running = views.start_empty(journal.clone(), &subscriptions).unwrap();
            for (view, subscription) in views.subscriptions() {
                let lease = subscriptions.lease(subscription).await.unwrap();
                running.join(view, Some(lease.fence())).await.unwrap();
                leases.push(lease);
            }
            running
        } else {
            views.start(journal.clone(), &subscriptions).await.unwrap()
        };
        Self { home, journal, subscriptions, views, running: Some(running), leases }
    }

    pub(crate) async fn given_on(kept: Kept, facts: impl IntoIterator<Item = Fact>) -> Self {
        let world = Self::on(kept).await;
        for fact in facts {
            world.happens(fact).await;
        }
        world
    }

    pub(crate) async fn given(facts: impl IntoIterator<Item = Fact>) -> Self {
        Self::given_on(Kept::File, facts).await
    }

    pub(crate) async fn happens(&self, fact: Fact) -> u64 {
        append(&self.journal, fact).await
    }

    /// Stops everything and lets the files go.
    pub(crate) async fn close(mut self) -> Home {
        self.running.take().unwrap().stop().await;
        for lease in self.leases {
            lease.release().await;
        }
        self.views.close().await;
        self.journal.close().await;
        self.home
    }

    /// Waits until a view has taken in everything.
    pub(crate) async fn caught_up<P: Projection>(&self) {
        self.views.reach::<P>(self.journal.head(), PATIENCE).await.unwrap();
    }

    /// A document as a reader gets it, without the moments at which events were recorded.
    pub(crate) async fn shows<P: Projection>(&self, key: impl Into<Key>) -> String {
        self.caught_up::<P>().await;
        let document = self.views.document::<P>(key).await.unwrap();
        let mut json = serde_json::to_value(document).unwrap();
        if let Some(moment) = json.get_mut("changed_at") {
            *moment = "(when it was recorded)".into();
        }
        serde_json::to_string_pretty(&json).unwrap()
    }

    pub(crate) async fn lists<P: Projection>(&self, query: PageQuery) -> crate::Page<P::Document> {
        self.caught_up::<P>().await;
        self.views.page::<P>(query).await.unwrap()
    }

    /// Every view, byte for byte.
    pub(crate) async fn everything(&self) -> String {
        let mut all = String::new();
        for name in self.views.names() {
            all.push_str(&format!("{name}\n{}", self.views.dump(name).await.unwrap()));
        }
        all
    }

    pub(crate) async fn parked(&self, view: &str) -> Vec<String> {
        let all = self.subscriptions.list();
        let status = all.into_iter().find(|status| status.name == view).unwrap();
        status.parked.into_iter().map(|parked| parked.sequence).collect()
    }

    /// Waits until a condition of the subscriptions holds; every change of theirs comes with work of the runner.
    pub(crate) async fn until(&self, condition: impl AsyncFn() -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition().await {
            let late = || self.subscriptions.list().into_iter().map(|one| (one.name, one.position, one.lag));
            assert!(
                tokio::time::Instant::now() < deadline,
                "it never came true: {:?}, in batches of {}",
                late().collect::<Vec<_>>(),
                self.views.inner.batch
            );
            tokio::task::yield_now().await;
        }
    }
}
