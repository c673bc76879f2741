//! The journal on PostgreSQL: any number of processes append to it, and positions stay gapless and in commit order.

mod address;
mod batch;
mod copy;
mod durability;
mod feed;
mod fence;
mod presence;
mod reader;
mod schema;
mod sql;
mod tables;
mod writer;

pub use address::{ConnectError, PostgresAddress};
pub(crate) use address::{connect, within};
pub(crate) use copy::DatabaseTarget;
pub use fence::{FenceError, check_fence};
pub(crate) use presence::Presence;
pub use reader::JournalDatabase;
pub(crate) use reader::{Reader, signed, unsigned};
pub use tables::Tables;

use crate::queue::Request;
use crate::tail::Tail;
use sqlx::postgres::PgPoolOptions;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Connections that read, and one that listens.
const READERS: u32 = 9;
/// How long a connection, or a free one of the pool, is waited for.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

pub(crate) struct Opened {
    pub(crate) tail: Arc<Tail>,
    pub(crate) reader: Reader,
    pub(crate) presence: Arc<Presence>,
    /// Everything that runs for this journal ends when this is dropped.
    pub(crate) alive: watch::Sender<()>,
}

/// Makes the tables where they are missing, and starts the writer and what feeds the tail.
pub(crate) async fn open(
    address: &PostgresAddress,
    requests: mpsc::Receiver<Request>,
    failure: watch::Sender<Option<Arc<str>>>,
) -> Result<Opened, ConnectError> {
    let mut connection = address.connect().await?;
    durability::check(&mut connection, address).await?;
    schema::migrate(&mut connection).await?;
    let state = sql::head(&mut connection).await.map_err(ConnectError::Database)?;
    let pool = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(CONNECT)
        .connect_lazy_with(address.options().clone());
    let presence = Arc::new(Presence::default());
    let reader = Reader::new(pool.clone(), presence.clone());
    let tail = Arc::new(Tail::new(state.position));
    let (alive, ended) = watch::channel(());
    let me = uuid::Uuid::now_v7();
    let (written, to_tell) = watch::channel(0);
    tokio::spawn(feed::tell(me, address.options().clone(), to_tell));
    let source = feed::Source { pool, options: address.options().clone(), presence: presence.clone() };
    tokio::spawn(feed::keep_fed(me, source, reader.clone(), tail.clone(), ended));
    let feed = feed::Feed::new(tail.clone(), reader.clone());
    let writer =
        writer::Writer::new(address.options().clone(), state, feed, failure, written).known_to(presence.clone());
    // On a thread of its own, as a file's is: everybody waits for it, so it does not wait for its turn among them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ConnectError::Thread)?;
    std::thread::Builder::new()
        .name("journal-writer".to_owned())
        .spawn(move || runtime.block_on(writer.run(requests)))
        .map_err(ConnectError::Thread)?;
    Ok(Opened { tail, reader, presence, alive })
}
