//! What the machine tells of a process: its memory, its time, and where it may run.

use std::time::Duration;
use tokio::task::JoinHandle;

const LOOK_AGAIN: Duration = Duration::from_millis(200);
const PAGE_BYTES: u64 = 4_096;

/// Resident memory in megabytes.
pub(crate) fn resident_mb(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_024
}

/// How many threads a process has.
pub(crate) fn threads(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count)
}

/// What the kernel keeps of all connections of this machine, read or sent, in megabytes.
pub(crate) fn connections_mb() -> u64 {
    let counts = std::fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = counts.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let pages = line.rsplit_once(" mem ").and_then(|(_, pages)| pages.trim().parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES / 1_000_000
}

/// Keeps a process on one processor, where that can be done: a load generator must not take away the time of what it
/// measures.
pub(crate) fn keep_on(id: u32, processor: usize) -> bool {
    let mut command = std::process::Command::new("taskset");
    let kept = command.args(["-acp", &processor.to_string(), &id.to_string()]).stdout(std::process::Stdio::null());
    kept.status().is_ok_and(|status| status.success())
}

/// Keeps the one worker of this runtime from ever sleeping, until it is dropped: whoever sleeps has to be woken, and on a virtual
/// machine it is the sender, here the server, who pays for that with every answer.
pub(crate) struct Awake(JoinHandle<()>);

impl Awake {
    pub(crate) fn until_dropped() -> Self {
        Self(tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        }))
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Watches how much memory is taken until it is asked.
pub(crate) struct MemoryWatch(JoinHandle<()>, tokio::sync::watch::Receiver<Vec<u64>>);

impl MemoryWatch {
    pub(crate) fn of(mb: impl Fn() -> u64 + Send + 'static) -> Self {
        let (told, seen) = tokio::sync::watch::channel(Vec::new());
        let watching = tokio::spawn(async move {
            loop {
                told.send_modify(|seen| seen.push(mb()));
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        Self(watching, seen)
    }

    /// The most megabytes of the first half of the time, and of the second.
    pub(crate) fn end(self) -> [u64; 2] {
        self.0.abort();
        let seen = self.1.borrow();
        let (first, second) = seen.split_at(seen.len() / 2);
        [first, second].map(|half| half.iter().copied().max().unwrap_or(0))
    }
}
