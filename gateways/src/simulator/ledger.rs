//! The provider's books on the disk: a line of JSON for each thing that was done, synced before anybody is told.

use domain::{Instant, Money};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Entries that share a sync.
const BATCH: usize = 1_024;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// Money was taken.
    Charged {
        /// The idempotency key.
        key: Uuid,
        /// How much.
        amount: Money,
        /// How it was paid.
        method: String,
        /// The provider's name for it.
        reference: String,
        /// When.
        at: Instant,
    },
    /// Money was refused.
    Declined {
        /// The idempotency key.
        key: Uuid,
        /// How much.
        amount: Money,
        /// How it was to be paid.
        method: String,
        /// Why not.
        code: String,
        /// When.
        at: Instant,
    },
    /// Money went back.
    Refunded {
        /// The idempotency key of the refund.
        key: Uuid,
        /// The idempotency key of the charge.
        charge: Uuid,
        /// How much.
        amount: Money,
        /// The provider's name for it.
        reference: String,
        /// When.
        at: Instant,
    },
    /// Money did not go back this time.
    RefundFailed {
        /// The idempotency key of the refund.
        key: Uuid,
        /// The idempotency key of the charge.
        charge: Uuid,
        /// When.
        at: Instant,
    },
}

/// Why there are no books.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be used.
    #[error("cannot use the ledger {path}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another provider writes it.
    #[error("another provider uses the ledger {path}")]
    InUse {
        /// Which file.
        path: String,
    },
    /// A line is none of a ledger's.
    #[error("line {line} of the ledger {path} cannot be read")]
    Line {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written, and nothing more is.
    #[error("the ledger cannot be written")]
    Stopped,
}

type Waiting = (Entry, oneshot::Sender<()>);

/// Writes entries. Without a file they are kept nowhere but in memory.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    writer: Option<mpsc::Sender<Waiting>>,
}

impl Ledger {
    /// Books that end with this process.
    pub(super) const fn in_memory() -> Self {
        Self { writer: None }
    }

    /// Opens the books and reads what is in them. A last line that was cut off was never told to anybody, and goes.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Entry>), LedgerError> {
        let name = path.display().to_string();
        let failed = |source| LedgerError::File { path: name.clone(), source };
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        file.try_lock().map_err(|_| LedgerError::InUse { path: name.clone() })?;
        let text = std::io::read_to_string(&file).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut entries = Vec::new();
        for (index, line) in text[..whole].lines().enumerate() {
            let entry = serde_json::from_str(line);
            entries.push(entry.map_err(|source| LedgerError::Line { path: name.clone(), line: index + 1, source })?);
        }
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let (writer, waiting) = mpsc::channel(BATCH);
        std::thread::Builder::new().name("ledger".to_owned()).spawn(move || write(file, waiting)).map_err(failed)?;
        Ok((Self { writer: Some(writer) }, entries))
    }

    /// Writes an entry, and returns when it is on the disk.
    pub(super) async fn write(&self, entry: Entry) -> Result<(), LedgerError> {
        let Some(writer) = &self.writer else { return Ok(()) };
        let (written, done) = oneshot::channel();
        writer.send((entry, written)).await.map_err(|_| LedgerError::Stopped)?;
        done.await.map_err(|_| LedgerError::Stopped)
    }

    /// Waits until nothing more can be written; for ever while all is well.
    pub(super) async fn stopped(&self) {
        match &self.writer {
            Some(writer) => writer.closed().await,
            None => std::future::pending().await,
        }
    }
}

fn write(mut file: File, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        if let Err(error) = write_batch(&mut file, &batch) {
            // Nobody is told that it was done, and no sync is tried a second time.
            tracing::error!(%error, "the ledger cannot be written");
            return;
        }
        for (_, written) in batch.drain(..) {
            // Whoever asked may be gone; the entry stands.
            let _ = written.send(());
        }
    }
}

fn write_batch(file: &mut File, batch: &[Waiting]) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for (entry, _) in batch {
        serde_json::to_writer(&mut lines, entry)?;
        lines.push(b'\n');
    }
    file.write_all(&lines)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declined(key: u128) -> Entry {
        Entry::Declined {
            key: Uuid::from_u128(key),
            amount: Money::new(5, "KRW".to_owned().try_into().unwrap()),
            method: "pm_declined".to_owned(),
            code: "declined".to_owned(),
            at: "2026-07-01T12:00:00Z".parse().unwrap(),
        }
    }

    #[tokio::test]
    async fn what_was_written_is_read_again_and_a_line_that_was_cut_off_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.jsonl");
        let (ledger, entries) = Ledger::open(&path).unwrap();
        assert!(entries.is_empty());
        ledger.write(declined(1)).await.unwrap();
        assert!(matches!(Ledger::open(&path), Err(LedgerError::InUse { .. })));
        drop(ledger);
        // The thread has let go of the file when it can be locked.
        let mut file = File::options().append(true).open(&path).unwrap();
        file.lock().unwrap();
        file.write_all(br#"{"entry":"decl"#).unwrap();
        drop(file);
        let (ledger, entries) = Ledger::open(&path).unwrap();
        assert_eq!(entries, [declined(1)]);
        ledger.write(declined(2)).await.unwrap();
        let lines = std::fs::read_to_string(&path).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines}");
    }

    #[tokio::test]
    async fn a_line_that_is_no_entry_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.jsonl");
        std::fs::write(&path, "{}\n").unwrap();
        assert!(matches!(Ledger::open(&path), Err(LedgerError::Line { line: 1, .. })));
    }
}
