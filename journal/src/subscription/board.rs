//! What this process knows of subscriptions: its own at first hand, those of others as the database says.

use super::lease::Holding;
use super::{Parked, SubscriptionState, SubscriptionStatus};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A subscription that this process reads, or has read.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) holding: Arc<Holding>,
    pub(super) position: AtomicU64,
    pub(super) paused: watch::Sender<bool>,
    parked: Mutex<BTreeMap<String, Parked>>,
    parked_count: AtomicUsize,
    pub(super) retries: watch::Sender<BTreeSet<String>>,
    pub(super) note: Mutex<Option<Arc<Value>>>,
    since: DateTime<Utc>,
}

impl Entry {
    pub(super) fn new(name: &'static str, holding: Arc<Holding>, remembered: super::ledger::Remembered) -> Self {
        let parked: BTreeMap<_, _> =
            remembered.parked.into_iter().map(|parked| (parked.sequence.clone(), parked)).collect();
        Self {
            name,
            holding,
            position: AtomicU64::new(remembered.checkpoint),
            paused: watch::Sender::new(remembered.paused),
            parked_count: AtomicUsize::new(parked.len()),
            parked: Mutex::new(parked),
            retries: watch::Sender::default(),
            note: Mutex::default(),
            since: Utc::now(),
        }
    }

    pub(super) fn set_parked(&self, change: impl FnOnce(&mut BTreeMap<String, Parked>)) {
        let mut parked = locked(&self.parked);
        change(&mut parked);
        self.parked_count.store(parked.len(), Ordering::Release);
    }

    pub(super) fn has_parked(&self) -> bool {
        self.parked_count.load(Ordering::Acquire) > 0
    }

    /// Where a sequence was parked. Costs nothing while nothing is.
    pub(super) fn parked_at(&self, sequence: &str) -> Option<u64> {
        if !self.has_parked() {
            return None;
        }
        locked(&self.parked).get(sequence).map(|parked| parked.position)
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.paused.send_if_modified(|is| std::mem::replace(is, paused) != paused);
    }

    pub(super) fn ask_again(&self, sequence: &str) {
        self.retries.send_modify(|retries| {
            retries.insert(sequence.to_owned());
        });
    }

    fn status(&self, owner: &Arc<str>, row: Option<&Row>) -> SubscriptionStatus {
        SubscriptionStatus {
            name: Cow::Borrowed(self.name),
            state: SubscriptionState::of(*self.paused.borrow()),
            position: self.position.load(Ordering::Acquire),
            lag: 0,
            parked: locked(&self.parked).values().cloned().collect(),
            owner: self.holding.is_held().then(|| owner.clone()),
            epoch: self.holding.fence.epoch,
            since: Some(row.and_then(|row| row.since).unwrap_or(self.since)),
            until: row.and_then(|row| row.until),
            note: locked(&self.note).as_deref().cloned(),
        }
    }
}

impl SubscriptionStatus {
    fn behind(self, head: u64) -> Self {
        Self { lag: head.saturating_sub(self.position), ..self }
    }
}

/// What the database says of a subscription.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) paused: bool,
    pub(super) position: u64,
    pub(super) parked: Vec<Parked>,
    pub(super) owner: Option<Arc<str>>,
    pub(super) epoch: u64,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) note: Option<Value>,
    pub(super) rebuild: Rebuild,
}

impl Row {
    fn status(&self) -> SubscriptionStatus {
        SubscriptionStatus {
            name: Cow::Owned(self.name.clone()),
            state: SubscriptionState::of(self.paused),
            position: self.position,
            lag: 0,
            parked: self.parked.clone(),
            owner: self.owner.clone(),
            epoch: self.epoch,
            since: self.since,
            until: self.until,
            note: self.note.clone(),
        }
    }
}

/// How often a rebuild was asked for and done, and what became of the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rebuild {
    pub(super) wanted: u64,
    pub(super) done: u64,
    pub(super) outcome: Option<Value>,
}

/// Everything that is known. No lock of it is held while anything waits.
pub(super) struct Board {
    owner: Arc<str>,
    entries: Mutex<BTreeMap<&'static str, Arc<Entry>>>,
    held: Mutex<BTreeMap<Arc<str>, Arc<Holding>>>,
    rows: Mutex<Arc<BTreeMap<String, Row>>>,
    pub(super) rebuilds: watch::Sender<BTreeMap<String, Rebuild>>,
}

impl Board {
    pub(super) fn new(owner: &str) -> Self {
        Self {
            owner: owner.into(),
            entries: Mutex::default(),
            held: Mutex::default(),
            rows: Mutex::default(),
            rebuilds: watch::Sender::default(),
        }
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) fn insert(&self, entry: Arc<Entry>) {
        locked(&self.entries).insert(entry.name, entry);
    }

    /// What this process reads under a lease that it holds.
    pub(super) fn own(&self, name: &str) -> Option<Arc<Entry>> {
        locked(&self.entries).get(name).filter(|entry| entry.holding.is_held()).cloned()
    }

    /// All of that.
    pub(super) fn all_own(&self) -> Vec<Arc<Entry>> {
        locked(&self.entries).values().filter(|entry| entry.holding.is_held()).cloned().collect()
    }

    pub(super) fn holding(&self, name: &str) -> Option<Arc<Holding>> {
        locked(&self.held).get(name).filter(|holding| holding.is_held()).cloned()
    }

    /// The leases that are held; those that are not any more are forgotten.
    pub(super) fn held(&self) -> Vec<Arc<Holding>> {
        let mut held = locked(&self.held);
        held.retain(|_, holding| holding.is_held());
        held.values().cloned().collect()
    }

    pub(super) fn hold(&self, holding: Arc<Holding>) {
        locked(&self.held).insert(holding.fence.name.clone(), holding);
    }

    /// Takes in what the database says.
    pub(super) fn see(&self, rows: BTreeMap<String, Row>) {
        for entry in self.all_own() {
            if let Some(row) = rows.get(entry.name) {
                entry.set_paused(row.paused);
            }
        }
        let rebuilds: BTreeMap<_, _> = rows.values().map(|row| (row.name.clone(), row.rebuild.clone())).collect();
        *locked(&self.rows) = Arc::new(rows);
        self.rebuilds.send_if_modified(|known| {
            let changed = *known != rebuilds;
            *known = rebuilds;
            changed
        });
    }

    pub(super) fn list(&self, head: u64) -> Vec<SubscriptionStatus> {
        let rows = locked(&self.rows).clone();
        let mut all: BTreeMap<Cow<'static, str>, SubscriptionStatus> =
            rows.values().map(|row| (Cow::Owned(row.name.clone()), row.status())).collect();
        for entry in locked(&self.entries).values() {
            let row = rows.get(entry.name);
            if entry.holding.is_held() || row.is_none() {
                all.insert(Cow::Borrowed(entry.name), entry.status(&self.owner, row));
            }
        }
        all.into_values().map(|status| status.behind(head)).collect()
    }

    pub(super) fn status(&self, name: &str, head: u64) -> Option<SubscriptionStatus> {
        let rows = locked(&self.rows).clone();
        let status = match self.own(name) {
            Some(entry) => entry.status(&self.owner, rows.get(name)),
            None => rows.get(name)?.status(),
        };
        Some(status.behind(head))
    }

    pub(super) fn is_paused(&self, name: &str) -> Option<bool> {
        match self.own(name) {
            Some(entry) => Some(*entry.paused.borrow()),
            None => locked(&self.rows).get(name).map(|row| row.paused),
        }
    }

    /// What the owner says beside its position.
    pub(super) fn note(&self, name: &str) -> Option<Value> {
        match self.own(name) {
            Some(entry) => locked(&entry.note).as_deref().cloned(),
            None => locked(&self.rows).get(name).filter(|row| row.owner.is_some()).and_then(|row| row.note.clone()),
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
