//! Why process managers do not run.

/// Why the process managers cannot start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The file of processes cannot be used.
    #[error("cannot use the file of processes")]
    Database(#[from] rusqlite::Error),
    /// The tables of processes cannot be used, or not now.
    #[error("cannot use the tables of processes")]
    Tables(#[from] sqlx::Error),
    /// The tables of processes cannot be made, or are those of a newer program.
    #[error(transparent)]
    Connect(#[from] journal::postgres::ConnectError),
    /// No thread could be had.
    #[error("cannot start the thread of the file of processes")]
    Thread(#[source] std::io::Error),
    /// The subscription cannot go on.
    #[error(transparent)]
    Subscription(#[from] journal::SubscriptionError),
    /// The journal takes no more.
    #[error("no more commands can be carried out: {0}")]
    Stopped(String),
    /// The journal is not the one that the processes were saved with, or was restored from a backup.
    #[error("`{process}` has handled events up to {checkpoint}, but the journal ends at {head}")]
    AheadOfTheJournal {
        /// Whose checkpoint.
        process: &'static str,
        /// What it says.
        checkpoint: u64,
        /// Where the journal ends.
        head: u64,
    },
    /// Others were started with the same file, or have the lease by now.
    #[error("other process managers have taken over")]
    TakenOver,
    /// The program is ending.
    #[error("the file of processes is closing")]
    Closing,
}

impl SagaError {
    /// Whether trying again later, with everything loaded anew, may help where a database is shared.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Tables(_) | Self::Subscription(_) | Self::Stopped(_) | Self::TakenOver => true,
            Self::Database(_) | Self::Connect(_) | Self::Thread(_) | Self::AheadOfTheJournal { .. } | Self::Closing => {
                false
            }
        }
    }
}
