//! A lease: the right to work for something, for as long as it is renewed.

use super::heart::Order;
use crate::fence::Fence;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;

/// How long a lease lasts when it is not renewed, unless a test wants it otherwise.
pub(super) const LENGTH: Duration = Duration::from_secs(5);
/// Of so many parts of its length, a lease is renewed after one …
const PARTS: u32 = 5;
/// … and its holder trusts it for so many, counted from before the renewal was sent. The database counts all of them from later
/// on, so the holder has stopped before anybody else can begin.
const TRUSTED: u32 = 4;

/// How long leases last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) length: Duration,
}

impl Terms {
    pub(super) fn renew_after(self) -> Duration {
        self.length / PARTS
    }

    pub(super) fn trusted(self, sent: Instant) -> Instant {
        sent + self.length / PARTS * TRUSTED
    }
}

/// Names a process among all that have ever worked on a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(Arc<str>);

impl Owner {
    /// Under a name of one's choice, which nobody else may have.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.into())
    }

    /// This process: its host, its id, what it is there for, and something that another process with the same id does not have.
    #[must_use]
    pub fn this_process(roles: &str) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
        let host = host.as_deref().map_or("localhost", str::trim);
        let unique = Uuid::now_v7().simple().to_string();
        Self(format!("{host}:{} {roles} {}", std::process::id(), &unique[..12]).into())
    }

    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long somebody may believe to hold a lease.
#[derive(Debug, Clone, Copy)]
enum Standing {
    /// Nobody else could.
    Always,
    /// By this process's own clock.
    Until(Instant),
    Over,
}

/// A lease that was given, shared by whoever works under it and what renews it.
pub(super) struct Holding {
    pub(super) fence: Fence,
    standing: watch::Sender<Standing>,
}

impl Holding {
    /// Where there is no other process.
    pub(super) fn always(name: &str) -> Self {
        Self { fence: Fence { name: name.into(), epoch: 0 }, standing: watch::Sender::new(Standing::Always) }
    }

    pub(super) fn until(fence: Fence, until: Instant) -> Self {
        Self { fence, standing: watch::Sender::new(Standing::Until(until)) }
    }

    pub(super) fn is_held(&self) -> bool {
        holds(*self.standing.borrow())
    }

    /// Whoever was once told that it is not held is never told otherwise again.
    pub(super) fn renew(&self, until: Instant) {
        self.standing.send_if_modified(|standing| {
            let renewed = holds(*standing);
            *standing = if renewed { Standing::Until(until) } else { Standing::Over };
            renewed
        });
    }

    pub(super) fn end(&self) {
        self.standing.send_replace(Standing::Over);
    }

    pub(super) async fn lost(&self) {
        let mut standing = self.standing.subscribe();
        loop {
            let now = *standing.borrow_and_update();
            if !holds(now) {
                return;
            }
            let over = async {
                match now {
                    Standing::Until(until) => tokio::time::sleep_until(until).await,
                    Standing::Always | Standing::Over => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => {}
                // The sender is here, so this is never an end.
                _ = standing.changed() => {}
            }
        }
    }
}

fn holds(standing: Standing) -> bool {
    match standing {
        Standing::Always => true,
        Standing::Until(until) => Instant::now() < until,
        Standing::Over => false,
    }
}

/// The right to work for a subscription, or for a group of them, under a name. It is renewed by itself; when it cannot be, it is lost
/// before anybody else gets it. Dropping it gives it back, without waiting for that.
pub struct Lease {
    pub(super) holding: Arc<Holding>,
    /// What renews it; nothing where nobody else could have it.
    pub(super) heart: Option<mpsc::Sender<Order>>,
}

impl Lease {
    /// What it is the lease of.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.holding.fence.name
    }

    /// How often it has been given, this time included; 0 where a single process owns everything.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.holding.fence.epoch
    }

    /// What every write under this lease must carry.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.holding.fence.clone()
    }

    /// Whether it is certain that nobody else has it. Once false, never true again.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.holding.is_held()
    }

    /// Waits until it is not held any more, for whatever reason. Never ends where a single process owns everything.
    pub async fn lost(&self) {
        self.holding.lost().await;
    }

    /// Gives it back, so that somebody else can have it at once. Where the database cannot be told, it ends by itself.
    pub async fn release(&self) {
        self.holding.end();
        if let Some(heart) = &self.heart {
            let (done, released) = oneshot::channel();
            let order = Order::Release { holding: self.holding.clone(), done: Some(done) };
            if heart.send(order).await.is_ok() {
                // An error means that everything ends, and the lease too.
                let _ = released.await;
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.holding.end();
        if let Some(heart) = &self.heart {
            // Where there is no room for it, the lease ends by itself.
            let _ = heart.try_send(Order::Release { holding: self.holding.clone(), done: None });
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({})", self.holding.fence)
    }
}
