//! Reads the whole journal and says whether it is what was once written.

use crate::hash::{Chain, GENESIS};
use crate::postgres::{JournalDatabase, PostgresAddress};
use crate::recorded::Recorded;
use crate::source::{OpenError, Source};
use crate::sqlite::{self, open_reading};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const PAGE: usize = 10_000;

/// A journal in which everything fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many events there are; also the last position.
    pub events: u64,
    /// In how many streams.
    pub streams: usize,
    /// The hash of the last event: whoever knows it can tell that nothing before it has changed.
    pub hash: [u8; 32],
}

/// What does not fit at a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The content is not what was hashed, or the event before it was exchanged.
    #[error("the event does not fit its hash")]
    Hash,
    /// Positions have a gap.
    #[error("the event is missing: the next one is at {found}")]
    Gap {
        /// The position that came instead.
        found: u64,
    },
    /// Revisions of a stream have a gap.
    #[error("{stream} has revision {found} where {expected} belongs")]
    Revision {
        /// Which stream.
        stream: String,
        /// The revision that belongs there.
        expected: u64,
        /// The revision that is there.
        found: u64,
    },
    /// The row cannot be read.
    #[error("the event cannot be read: {0}")]
    Unreadable(String),
    /// The journal says that it ends elsewhere than it does.
    #[error("the journal's end is said to be another one")]
    End,
    /// SQLite finds the file damaged elsewhere.
    #[error("the file is damaged: {0}")]
    Damaged(String),
}

/// Why a journal was not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is not what was once written.
    #[error("position {position}: {flaw}")]
    Flawed {
        /// The first position that does not fit.
        position: u64,
        /// What is wrong there.
        flaw: Flaw,
    },
}

impl From<sqlite::OpenError> for VerifyError {
    fn from(error: sqlite::OpenError) -> Self {
        Self::Open(error.into())
    }
}

impl Verified {
    /// Checks a journal wherever it is kept.
    ///
    /// # Errors
    /// [`VerifyError::Flawed`] names the first position that does not fit.
    pub async fn source(source: &Source, progress: impl FnMut(u64, u64)) -> Result<Self, VerifyError> {
        match source {
            Source::Directory(directory) => Self::journal(directory, progress),
            Source::Postgres(address) => Self::database(address, progress).await,
        }
    }

    /// Checks positions, revisions and hashes of a database's journal, and that it ends where it says. Servers may be
    /// writing it meanwhile.
    ///
    /// # Errors
    /// [`VerifyError::Flawed`] names the first position that does not fit.
    pub async fn database(address: &PostgresAddress, mut progress: impl FnMut(u64, u64)) -> Result<Self, VerifyError> {
        let mut database = JournalDatabase::open(address).await.map_err(OpenError::from)?;
        let ends = database.ends().await.map_err(OpenError::from)?;
        let mut check = Check::default();
        while check.position < ends.last {
            let next = check.position + 1;
            let events = database.read(None, check.position, PAGE).await.map_err(|error| {
                let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                VerifyError::Flawed { position: next, flaw: Flaw::Unreadable(why) }
            })?;
            for event in events.iter().take_while(|event| event.position <= ends.last) {
                check.next(event).map_err(|flaw| VerifyError::Flawed { position: check.position + 1, flaw })?;
            }
            progress(check.position, ends.last);
        }
        if ends.head != ends.last || ends.hash != check.hash {
            return Err(VerifyError::Flawed { position: ends.last.min(ends.head) + 1, flaw: Flaw::End });
        }
        Ok(check.verified())
    }

    /// Checks positions, revisions and hashes of a data directory's journal, from the first event to the last, then the
    /// file itself. A server may be writing it meanwhile. `progress` hears each position that has been checked, and the last.
    ///
    /// # Errors
    /// [`VerifyError::Flawed`] names the first position that does not fit.
    pub fn journal(directory: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Self, VerifyError> {
        let mut reading = open_reading(directory)?;
        let mut check = Check::default();
        let unreadable = |position: u64, error: rusqlite::Error| VerifyError::Flawed {
            position,
            flaw: Flaw::Unreadable(error.to_string()),
        };
        let head = reading.head().map_err(|error| unreadable(1, error))?;
        while check.position < head {
            let next = check.position + 1;
            // A damaged row hides the good ones of its page: then they are read one by one.
            let events = match reading.all(check.position, PAGE) {
                Ok(events) => events,
                Err(_) => reading.all(check.position, 1).map_err(|error| unreadable(next, error))?,
            };
            if events.is_empty() {
                let damage = reading.damage().unwrap_or_else(|error| Some(error.to_string()));
                let flaw = Flaw::Unreadable(damage.unwrap_or_else(|| "it is not there".to_owned()));
                return Err(VerifyError::Flawed { position: next, flaw });
            }
            for event in &events {
                check.next(event).map_err(|flaw| VerifyError::Flawed { position: check.position + 1, flaw })?;
            }
            progress(check.position, head);
        }
        let damage = reading.damage().map_err(|error| unreadable(head, error))?;
        if let Some(found) = damage {
            return Err(VerifyError::Flawed { position: head, flaw: Flaw::Damaged(found) });
        }
        Ok(check.verified())
    }
}

/// What has been seen so far.
struct Check {
    chain: Chain,
    hash: [u8; 32],
    position: u64,
    revisions: HashMap<Arc<str>, u64>,
}

impl Default for Check {
    fn default() -> Self {
        Self { chain: Chain::default(), hash: GENESIS, position: 0, revisions: HashMap::new() }
    }
}

impl Check {
    fn verified(self) -> Verified {
        Verified { events: self.position, streams: self.revisions.len(), hash: self.hash }
    }

    fn next(&mut self, event: &Recorded) -> Result<(), Flaw> {
        if event.position != self.position + 1 {
            return Err(Flaw::Gap { found: event.position });
        }
        if self.chain.next(&self.hash, event) != event.hash {
            return Err(Flaw::Hash);
        }
        let revision = self.revisions.entry(event.stream.clone()).or_default();
        if event.revision != *revision + 1 {
            let stream = event.stream.to_string();
            return Err(Flaw::Revision { stream, expected: *revision + 1, found: event.revision });
        }
        *revision = event.revision;
        self.position = event.position;
        self.hash = event.hash;
        Ok(())
    }
}
