//! What can go wrong with views.

use journal::{Fence, ReadError, SubscriptionError};
use std::path::PathBuf;

/// Why a view cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The cursor is not one that a page gave out.
    #[error("the cursor is not one that this list gave out")]
    BadCursor,
    /// No view has that name.
    #[error("there is no view `{name}`; there are {}", known.join(", "))]
    NoSuchView {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// A stored document is not of the shape that the view has now.
    #[error("the document `{id}` of the view `{view}` cannot be read")]
    Unreadable {
        /// Of which view.
        view: &'static str,
        /// Which document.
        id: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The views have seen events that the journal does not have: it is not the journal that they were made from.
    #[error(
        "the view `{view}` was made from another journal than this one: position {position} does not fit; \
         delete views.db, or the schema reservoir_views, to build it anew"
    )]
    OtherJournal {
        /// Which view.
        view: &'static str,
        /// How far it is.
        position: u64,
    },
    /// The data directory cannot be used.
    #[error("cannot use {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The view database said no.
    #[error("the view database failed")]
    Database(#[from] rusqlite::Error),
    /// The view database is away, or said no.
    #[error("the view database failed")]
    Postgres(#[source] sqlx::Error),
    /// The view is folded by whoever has the lease now.
    #[error("the view is folded by somebody else by now: {0}")]
    Stale(Fence),
    /// The view is not where it was believed to be: it was folded or built anew by somebody else, or a crash set it back.
    #[error("the view was moved on by somebody else")]
    Moved,
    /// A newer or older program has the view.
    #[error("the view `{view}` is of another version of this program, or is not built yet")]
    OtherShape {
        /// Which view.
        view: &'static str,
    },
    /// Only whoever folds a view can build it anew beside the live one.
    #[error("the view `{view}` is folded by another process")]
    FoldedElsewhere {
        /// Which view.
        view: &'static str,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The subscriptions said no.
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
    /// No thread could be had.
    #[error("cannot start a thread of the views")]
    Thread(#[source] std::io::Error),
    /// Views are folded by a runner, and none is running.
    #[error("the views are not running")]
    NotRunning,
    /// One runner is enough.
    #[error("the views are running already")]
    AlreadyStarted,
    /// The process is ending.
    #[error("the views are closing")]
    Closing,
}

impl From<sqlx::Error> for ViewError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closing,
            error => Self::Postgres(error),
        }
    }
}

/// A view that has not reached a position in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the view is only at position {position}")]
pub struct Behind {
    /// Where it is.
    pub position: u64,
}
