//! A messenger that writes into a file, for shops that have no other: one line of JSON a message, on the disk before it counts
//! as delivered, and **never two lines for one message**, whatever is killed between the line and the record of it.

use super::{Delivered, Delivering, Messenger, Outgoing, Undelivered};
use domain::policy::Occasion;
use domain::{CustomerId, Instant, Language, MessageId, RentalId, StoreSlug};
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc;
use tokio::sync::oneshot;

const FILE: &str = "messages.log";
/// So many of the last messages are known again: many times as many as can be between their line and the record of it.
const REMEMBERED: usize = 16_384;
/// So many lines share a wait for the disk.
const BATCH: usize = 1_024;

/// Appends every message to `messages.log`.
#[derive(Debug)]
pub struct LogMessenger {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    message: MessageId,
    line: String,
    answer: oneshot::Sender<Result<Delivered, Undelivered>>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: MessageId,
    rental: RentalId,
    store: &'a StoreSlug,
    customer: &'a CustomerId,
    occasion: Occasion,
    language: Language,
    text: &'a str,
    recorded_at: Instant,
}

impl LogMessenger {
    /// Opens the file of a data directory, or makes it. A last line that a crash has cut short is taken away: its message
    /// comes again.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let mut log = Log::open(directory)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("messages-log".to_owned()).spawn(move || {
            while let Ok(first) = queue.recv() {
                let jobs: Vec<Job> = [first].into_iter().chain(queue.try_iter().take(BATCH - 1)).collect();
                log.deliver(jobs);
            }
        })?;
        Ok(Self { jobs })
    }
}

impl Messenger for LogMessenger {
    fn deliver(&self, outgoing: Outgoing) -> Delivering<'_> {
        Box::pin(async move {
            let Outgoing { message, rental, letter, recorded_at } = outgoing;
            let line = Line {
                id: message,
                rental,
                store: &letter.store,
                customer: &letter.customer,
                occasion: letter.occasion,
                language: letter.language,
                text: &letter.text,
                recorded_at,
            };
            let line = serde_json::to_string(&line).map_err(|error| undelivered(&error))?;
            let (answer, answered) = oneshot::channel();
            let ended = || undelivered(&"the log of messages is closed");
            self.jobs.send(Job { message, line, answer }).map_err(|_| ended())?;
            answered.await.map_err(|_| ended())?
        })
    }
}

fn undelivered(reason: &dyn std::fmt::Display) -> Undelivered {
    Undelivered::for_now(reason.to_string())
}

#[cfg(test)]
mod tests;

struct Log {
    file: File,
    /// Where the last whole line ends.
    length: u64,
    /// Whether there may be something behind it.
    torn: bool,
    known: HashSet<MessageId>,
    newest: VecDeque<MessageId>,
}

impl Log {
    fn open(directory: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(directory.join(FILE))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{FILE} is not a file")));
        }
        let tail = tail(&mut file)?;
        let end = file.metadata()?.len();
        let torn = tail.len() - tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let length = end - torn as u64;
        let mut log = Self { file, length, torn: torn > 0, known: HashSet::new(), newest: VecDeque::new() };
        log.cut()?;
        // What is read here counts as delivered, so it has to be on the disk; and so has the name of a new file.
        log.file.sync_all()?;
        File::open(directory)?.sync_all()?;
        for line in tail[..tail.len() - torn].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<Named>(line) {
                Ok(Named { id }) => log.remember(id),
                // The first one of a part of the file may be half a line.
                Err(error) => tracing::debug!(%error, "a line in {FILE} names no message"),
            }
        }
        Ok(log)
    }

    fn deliver(&mut self, jobs: Vec<Job>) {
        let mut lines = String::new();
        let mut fresh = HashSet::new();
        for job in &jobs {
            if !self.known.contains(&job.message) && fresh.insert(job.message) {
                lines.push_str(&job.line);
                lines.push('\n');
            }
        }
        let written = self.append(lines.as_bytes());
        if let Err(error) = &written {
            tracing::error!(%error, "messages cannot be written into {FILE}");
        } else {
            fresh.iter().for_each(|message| self.remember(*message));
        }
        for Job { message, answer, .. } in jobs {
            let answered = match &written {
                Err(error) if fresh.contains(&message) => Err(undelivered(error)),
                Ok(()) | Err(_) => Ok(Delivered { reference: format!("log-{message}") }),
            };
            // Whoever does not wait any more asks again.
            let _ = answer.send(answered);
        }
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.cut()?;
        self.torn = true;
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.torn = false;
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Takes away what did not become a line.
    fn cut(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        Ok(())
    }

    fn remember(&mut self, message: MessageId) {
        if self.known.insert(message) {
            self.newest.push_back(message);
        }
        if self.newest.len() > REMEMBERED
            && let Some(oldest) = self.newest.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[derive(Deserialize)]
struct Named {
    id: MessageId,
}

/// The end of the file, with as many lines as are remembered.
fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let end = file.metadata()?.len();
    let mut window = 1 << 20;
    loop {
        let start = end.saturating_sub(window);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::take(&mut *file, end - start).read_to_end(&mut tail)?;
        let lines = tail.iter().filter(|byte| **byte == b'\n').count();
        if start == 0 || lines > REMEMBERED {
            return Ok(tail);
        }
        window *= 2;
    }
}
