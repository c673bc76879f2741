//! Moves a journal between back ends, so that every byte that was hashed is the same at both ends.
//!
//! **A target is a beginning of the source, at any moment**: it is checked before the first write, and each write says where it goes
//! on. So a copy that was stopped goes on where it was. Until it is finished, no program takes the target for a journal.

use crate::hash::Chain;
use crate::postgres::{ConnectError, DatabaseTarget};
use crate::recorded::Recorded;
use crate::source::{OpenError, Source, StoredJournal};
use crate::sqlite::{FileTarget, JournalFile};
use crate::verify::{Flaw, Verified, VerifyError};
use std::path::PathBuf;

/// Events that are read and written at once.
const PAGE: usize = 4_096;
/// What follows a journal in its directory and goes on where it was.
const FOLLOWERS: &[&str] = &["subscriptions.db", "sagas.db", "views.db", "webhooks.db"];

/// Why a journal was not copied, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to do.
    #[error("both ends are the same journal")]
    Same,
    /// The source cannot be read.
    #[error("the source cannot be read")]
    Source(#[source] OpenError),
    /// An event of the source is not what was once written.
    #[error("the source is damaged at position {position}: {flaw}")]
    Damaged {
        /// Where.
        position: u64,
        /// What is wrong there.
        flaw: Flaw,
    },
    /// The target cannot be used.
    #[error("the target cannot be used")]
    Target(#[source] OpenError),
    /// A program runs on the target, or copies into it.
    #[error("the target is in use: another process works with {0}")]
    InUse(String),
    /// The target holds something else.
    #[error("the target holds another journal: its event at position {0} is not the source's")]
    Different(u64),
    /// The target holds more than the source.
    #[error("the target has {target} events, and the source no more than {source_head}: it is the older one")]
    Ahead {
        /// How many are in the target.
        target: u64,
        /// How many are in the source.
        source_head: u64,
    },
    /// The target's directory holds what followed another journal.
    #[error("{} has {file} of another journal: name an empty directory", directory.display())]
    Followed {
        /// The directory.
        directory: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// Somebody has written into the target.
    #[error("somebody else has written into the target after position {0}")]
    Disturbed(u64),
    /// PostgreSQL would keep the event under another name.
    #[error("PostgreSQL cannot keep the stream of position {0}: its name ends with a dash")]
    Unnameable(u64),
    /// What was written is not what is there.
    #[error("the target does not hold what was copied")]
    Unverified(#[source] VerifyError),
    /// It ends otherwise than what was copied.
    #[error("the target ends at position {0} with another hash than the source")]
    OtherEnd(u64),
}

enum Target {
    File(FileTarget),
    Database(Box<DatabaseTarget>),
}

/// A copy that was begun. Dropped before it is finished, it goes on where it was when it is begun again.
pub struct Copying {
    source: StoredJournal,
    target: Target,
    to: Source,
    chain: Chain,
    found: u64,
    position: u64,
    hash: [u8; 32],
}

impl Copying {
    /// Opens both ends. Nothing is written unless the target is empty or a beginning of the source, and nobody uses it. The
    /// source may be in use; then what is there is copied.
    ///
    /// # Errors
    /// Says which end is not fit, and why.
    pub async fn begin(from: &Source, to: &Source) -> Result<Self, CopyError> {
        if is_same(from, to) {
            return Err(CopyError::Same);
        }
        let mut source = from.open_reading().await.map_err(CopyError::Source)?;
        let (mut target, (position, hash)) = Target::open(to).await?;
        if position > 0 {
            check_prefix(&mut source, position, hash).await?;
        }
        target.mark(to).await?;
        Ok(Self { source, target, to: to.clone(), chain: Chain::default(), found: position, position, hash })
    }

    /// How many events were in the target before.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// How many events are in the target now.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The hash of the last of them.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Copies until the source has no more, and recomputes every hash on the way. `progress` hears each position that is on the
    /// target's disk, and the source's last.
    ///
    /// # Errors
    /// When it stops early; what was copied stays.
    pub async fn run(&mut self, mut progress: impl FnMut(u64, u64)) -> Result<(), CopyError> {
        let mut head = self.source.head().await.map_err(CopyError::Source)?;
        loop {
            progress(self.position, head.max(self.position));
            let events = self.source.read(None, self.position, PAGE).await.map_err(CopyError::Source)?;
            if events.is_empty() {
                // Events that are there and are not found would be a gap at the end.
                head = self.source.head().await.map_err(CopyError::Source)?;
                if head > self.position {
                    return Err(CopyError::Damaged { position: self.position + 1, flaw: Flaw::Gap { found: head } });
                }
                return Ok(());
            }
            let mut end = (self.position, self.hash);
            for event in &events {
                end = self.follow(end, event)?;
            }
            self.target.write(self.position, &events).await?;
            (self.position, self.hash) = end;
        }
    }

    /// The event belongs behind what came before.
    fn follow(&mut self, (position, hash): (u64, [u8; 32]), event: &Recorded) -> Result<(u64, [u8; 32]), CopyError> {
        let position = position + 1;
        if event.position != position {
            return Err(CopyError::Damaged { position, flaw: Flaw::Gap { found: event.position } });
        }
        if self.chain.next(&hash, event) != event.hash {
            return Err(CopyError::Damaged { position, flaw: Flaw::Hash });
        }
        Ok((position, event.hash))
    }

    /// Reads the whole target and compares its end with what was copied.
    ///
    /// # Errors
    /// When anything is not the source's.
    pub async fn verify(&self, progress: impl FnMut(u64, u64)) -> Result<Verified, CopyError> {
        let verified = Verified::source(&self.to, progress).await.map_err(CopyError::Unverified)?;
        if (verified.events, verified.hash) != (self.position, self.hash) {
            return Err(CopyError::OtherEnd(verified.events));
        }
        Ok(verified)
    }

    /// Makes the target a journal like any other, and answers how many events the source has got meanwhile.
    ///
    /// # Errors
    /// When that cannot be written; then it is half copied still.
    pub async fn finish(mut self) -> Result<u64, CopyError> {
        self.target.finish().await?;
        let head = self.source.head().await.map_err(CopyError::Source)?;
        Ok(head.saturating_sub(self.position))
    }
}

impl Target {
    async fn open(to: &Source) -> Result<(Self, (u64, [u8; 32])), CopyError> {
        match to {
            Source::Directory(directory) => {
                // What was at some position of another journal would miss events of this one.
                if let Some(file) = FOLLOWERS.iter().copied().find(|file| directory.join(file).exists())
                    && !JournalFile::is_in(directory).map_err(|error| CopyError::Target(error.into()))?
                {
                    return Err(CopyError::Followed { directory: directory.clone(), file });
                }
                let target = FileTarget::open(directory).map_err(|error| CopyError::Target(error.into()))?;
                let end = target.end().map_err(file)?;
                Ok((Self::File(target), end))
            }
            Source::Postgres(address) => {
                let target = DatabaseTarget::open(address).await.map_err(|error| CopyError::Target(error.into()))?;
                let target = target.ok_or_else(|| CopyError::InUse(address.to_string()))?;
                let end = target.end();
                Ok((Self::Database(Box::new(target)), end))
            }
        }
    }

    async fn mark(&mut self, to: &Source) -> Result<(), CopyError> {
        match self {
            Self::File(target) => target.mark().map_err(file),
            Self::Database(target) => match (target.mark().await.map_err(database)?, to) {
                (true, _) => Ok(()),
                (false, Source::Postgres(address)) => Err(CopyError::InUse(address.to_string())),
                (false, Source::Directory(directory)) => Err(CopyError::InUse(directory.display().to_string())),
            },
        }
    }

    async fn write(&mut self, after: u64, events: &[Recorded]) -> Result<(), CopyError> {
        match self {
            Self::File(target) => target.write(events).map_err(file),
            Self::Database(target) => {
                if let Some(event) =
                    events.iter().find(|event| event.stream.ends_with('-') && event.aggregate_id() == "")
                {
                    return Err(CopyError::Unnameable(event.position));
                }
                if target.write(events).await.map_err(database)? { Ok(()) } else { Err(CopyError::Disturbed(after)) }
            }
        }
    }

    async fn finish(&mut self) -> Result<(), CopyError> {
        match self {
            Self::File(target) => target.finish().map_err(file),
            Self::Database(target) => target.finish().await.map_err(database),
        }
    }
}

fn file(error: rusqlite::Error) -> CopyError {
    CopyError::Target(crate::sqlite::OpenError::from(error).into())
}

fn database(error: sqlx::Error) -> CopyError {
    CopyError::Target(ConnectError::Database(error).into())
}

/// Where one event is the same, hash and all, every event before it is.
async fn check_prefix(source: &mut StoredJournal, position: u64, hash: [u8; 32]) -> Result<(), CopyError> {
    let there = source.read(None, position - 1, 1).await.map_err(CopyError::Source)?;
    match there.first() {
        Some(event) if event.position == position && event.hash == hash => Ok(()),
        Some(_) => Err(CopyError::Different(position)),
        None => {
            let source_head = source.head().await.map_err(CopyError::Source)?;
            Err(CopyError::Ahead { target: position, source_head })
        }
    }
}

fn is_same(from: &Source, to: &Source) -> bool {
    match (from, to) {
        (Source::Directory(from), Source::Directory(to)) => {
            from == to || matches!((from.canonicalize(), to.canonicalize()), (Ok(from), Ok(to)) if from == to)
        }
        (Source::Postgres(from), Source::Postgres(to)) => from.to_string() == to.to_string(),
        (Source::Directory(_), Source::Postgres(_)) | (Source::Postgres(_), Source::Directory(_)) => false,
    }
}
