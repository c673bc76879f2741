//! Reading, whichever back end it is.

use crate::journal::ReadError;
use crate::recorded::Recorded;
use crate::{postgres, sqlite};

/// A pool of connections that read.
pub(crate) enum Reader {
    Sqlite(sqlite::Reader),
    Postgres(postgres::Reader),
}

impl Reader {
    /// The events of one stream after a revision.
    pub(crate) async fn stream(&self, stream: &str, after_revision: u64) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Sqlite(reader) => {
                let stream = stream.to_owned();
                reader.run(move |reading| reading.stream(&stream, after_revision)).await
            }
            Self::Postgres(reader) => reader.stream(stream, after_revision).await,
        }
    }

    /// Up to `limit` events of all streams after a position.
    pub(crate) async fn all(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Sqlite(reader) => reader.run(move |reading| reading.all(after, limit)).await,
            Self::Postgres(reader) => reader.all(after, limit).await,
        }
    }

    /// The events at these positions.
    pub(crate) async fn at(&self, positions: Vec<u64>) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Sqlite(reader) => reader.run(move |reading| reading.at(&positions)).await,
            Self::Postgres(reader) => reader.at(&positions).await,
        }
    }
}
