//! Where a journal under test is kept. A third back end is one more variant here, and one more line in `contract!`.

use cluster::Cluster;
use journal::{Journal, Owner, Source, Subscriptions};

/// An empty journal of some back end.
pub enum Kept {
    File(tempfile::TempDir),
    Database(&'static Cluster, String),
}

impl Kept {
    pub fn sqlite() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Self {
        let cluster = Cluster::shared();
        Self::Database(cluster, cluster.database())
    }

    pub fn source(&self) -> Source {
        match self {
            Self::File(directory) => Source::Directory(directory.path().to_owned()),
            Self::Database(_, address) => Source::Postgres(address.parse().unwrap()),
        }
    }

    pub async fn open(&self) -> Journal {
        self.source().open().await.unwrap()
    }

    /// The subscriptions of a process of that name, beside those of others.
    pub async fn subscriptions(&self, journal: &Journal, owner: &str) -> Subscriptions {
        match self.source() {
            Source::Directory(directory) => Subscriptions::open(journal.clone(), &directory).unwrap(),
            Source::Postgres(address) => {
                Subscriptions::connect(journal.clone(), &address, Owner::named(owner)).await.unwrap()
            }
        }
    }

    /// Runs a statement on the table of events, as anybody could who has the rights; answers what it is refused with.
    pub async fn statement(&self, sql: impl Fn(&str) -> String) -> Result<(), String> {
        match self {
            Self::File(directory) => {
                let connection = rusqlite::Connection::open(directory.path().join("journal.db")).unwrap();
                connection.execute_batch(&sql("event")).map_err(|error| error.to_string())
            }
            Self::Database(_, address) => {
                let pool = sqlx::PgPool::connect(address).await.unwrap();
                let done = sqlx::raw_sql(&sql("events")).execute(&pool).await;
                done.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    /// The same, past the triggers that say no.
    pub async fn tamper(&self, sql: impl Fn(&str) -> String) {
        let past = match self {
            Self::File(_) => "DROP TRIGGER event_is_never_deleted; DROP TRIGGER event_is_never_changed;",
            Self::Database(..) => "ALTER TABLE events DISABLE TRIGGER USER;",
        };
        self.statement(|table| format!("{past} {}", sql(table))).await.unwrap();
    }
}
