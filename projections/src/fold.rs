//! Folding events into the documents of one view: what is touched is loaded once, and written once.

use crate::projection::{Indigestible, Key, Projection, Row, short};
use crate::table::{Stored, Table};
use domain::Event;
use journal::{Recorded, Shared};
use rusqlite::Connection;
use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Documents that stay in memory between batches.
const RECENT: usize = 16_384;

/// A view, without its types.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    /// `mypage.v1`.
    pub(crate) version: &'static str,
    /// `view-mypage`.
    pub(crate) subscription: &'static str,
    pub(crate) listed_by_tag: bool,
    pub(crate) tagged_are_few: bool,
    pub(crate) fold: fn() -> Box<dyn Fold>,
}

impl Spec {
    pub(crate) const fn of<P: Projection>() -> Self {
        Self {
            version: P::NAME,
            subscription: P::SUBSCRIPTION,
            listed_by_tag: P::LISTED_BY_TAG,
            tagged_are_few: P::TAGGED_ARE_FEW,
            fold: || Box::new(Folding::<P>::default()),
        }
    }

    /// `mypage`.
    pub(crate) fn name(&self) -> &'static str {
        short(self.version)
    }
}

/// Why an event was not taken in.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The view cannot digest it.
    Poison {
        /// What waits because of it.
        sequence: String,
        /// What it said.
        reason: String,
    },
    /// The database said no.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// A document that is to be written.
pub(crate) struct Change<'a> {
    pub(crate) kind: ChangeKind,
    /// Position of the document's first event; its place in lists.
    pub(crate) seq: u64,
    pub(crate) key: &'a Key,
    pub(crate) row: Row<'a>,
    pub(crate) body: &'a str,
}

/// What is different about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// It is new.
    New,
    /// It is listed under something else.
    Moved,
    /// Only its content.
    Body,
}

/// Where documents that are not in memory are.
pub(crate) enum Documents<'a> {
    /// In a table of the view database's file, which is looked at when it comes to that.
    File(&'a Connection, &'a Table),
    /// What a look before the batch has found; what is not here is nowhere.
    Found(&'a mut Found),
}

/// Documents that were loaded before they are needed.
pub(crate) type Found = HashMap<Key, Stored>;

impl Documents<'_> {
    fn load(self, key: &Key) -> rusqlite::Result<Option<Stored>> {
        match self {
            Self::File(connection, table) => table.load(connection, key),
            Self::Found(found) => Ok(found.remove(key)),
        }
    }
}

/// The documents that have to be loaded before events can be taken in, each of which is about a document.
pub(crate) fn missing<'e>(
    fold: &dyn Fold,
    events: impl Iterator<Item = (Key, &'e Shared, &'e Event)>,
    trusting: bool,
) -> Vec<Key> {
    let mut seen = HashMap::new();
    for (key, event, decoded) in events {
        if let Entry::Vacant(first) = seen.entry(key) {
            let needed = fold.needs(first.key(), event, decoded, trusting);
            first.insert(needed);
        }
    }
    seen.into_iter().filter_map(|(key, needed)| needed.then_some(key)).collect()
}

/// What an event is folded onto.
pub(crate) struct Source<'a> {
    pub(crate) documents: Documents<'a>,
    /// Whether an event that begins a document may be taken at its word: one look less for each new document.
    pub(crate) trusting: bool,
}

/// One view's documents in memory.
pub(crate) trait Fold: Send {
    /// Which document an event is about.
    fn key(&self, event: &Recorded, decoded: &Event) -> Result<Option<Key>, Trouble>;
    /// Whether the document has to be loaded before the event can be taken in.
    fn needs(&self, key: &Key, event: &Recorded, decoded: &Event, trusting: bool) -> bool;
    /// Takes an event in. After an error, [`Fold::forget`] has to be called before anything else.
    fn take(&mut self, source: Option<Source<'_>>, key: Key, event: &Recorded, decoded: &Event) -> Result<(), Trouble>;
    /// Hands out what has changed since the last time, in the order in which it was first touched.
    fn changes(&mut self, visit: &mut dyn FnMut(Change<'_>) -> rusqlite::Result<()>) -> rusqlite::Result<()>;
    /// Drops what is in memory when it is more than a live view should keep. Only where all of it is written.
    fn trim(&mut self);
    /// Drops everything that is in memory.
    fn forget(&mut self);
}

struct Folding<P: Projection> {
    places: HashMap<Key, usize>,
    slots: Vec<Slot<P::State>>,
    touched: Vec<usize>,
    body: Vec<u8>,
    view: PhantomData<fn() -> P>,
}

struct Slot<S> {
    key: Key,
    seq: u64,
    state: S,
    /// Owner and tag, as they stand in the table; `None` for what is not there yet.
    listed: Option<(Box<str>, Box<str>)>,
    touched: bool,
}

impl<P: Projection> Default for Folding<P> {
    fn default() -> Self {
        Self { places: HashMap::new(), slots: Vec::new(), touched: Vec::new(), body: Vec::new(), view: PhantomData }
    }
}

impl<P: Projection> Folding<P> {
    /// The document's place in memory, wherever it comes from.
    fn place(
        &mut self,
        source: Option<Source<'_>>,
        key: Key,
        event: &Recorded,
        decoded: &Event,
    ) -> Result<usize, Trouble> {
        let begun =
            guarded(|| Ok::<_, Indigestible>(P::begin(event, decoded))).map_err(|reason| poison(&key, &reason))?;
        if let Some(place) = self.places.get(&key) {
            return if begun.is_none() { Ok(*place) } else { Err(poison(&key, "it was begun before")) };
        }
        let stored = match source {
            Some(source) if begun.is_none() || !source.trusting => load::<P>(source.documents, &key)?,
            _ => None,
        };
        let slot = match (stored, begun) {
            (Some(_), Some(_)) => return Err(poison(&key, "it was begun before")),
            (Some(slot), None) => slot,
            (None, Some(state)) => Slot { key: key.clone(), seq: event.position, state, listed: None, touched: false },
            (None, None) => return Err(poison(&key, "its first event is missing")),
        };
        let place = self.slots.len();
        self.slots.push(slot);
        self.places.insert(key, place);
        Ok(place)
    }
}

fn load<P: Projection>(documents: Documents<'_>, key: &Key) -> Result<Option<Slot<P::State>>, Trouble> {
    let Some(stored) = documents.load(key)? else { return Ok(None) };
    let state =
        serde_json::from_str(&stored.body).map_err(|error| poison(key, &format!("stored document: {error}")))?;
    let listed = Some((stored.owner, stored.tag));
    Ok(Some(Slot { key: key.clone(), seq: stored.seq, state, listed, touched: false }))
}

impl<P: Projection> Fold for Folding<P> {
    fn key(&self, event: &Recorded, decoded: &Event) -> Result<Option<Key>, Trouble> {
        guarded(|| P::key(event, decoded))
            .map_err(|reason| Trouble::Poison { sequence: event.stream.as_ref().to_owned(), reason })
    }

    fn needs(&self, key: &Key, event: &Recorded, decoded: &Event, trusting: bool) -> bool {
        // What panics here does so again when it is taken in, and is told then.
        let begins = || guarded(|| Ok::<_, Indigestible>(P::begin(event, decoded).is_some())).unwrap_or(true);
        !(self.places.contains_key(key) || trusting && begins())
    }

    fn take(&mut self, source: Option<Source<'_>>, key: Key, event: &Recorded, decoded: &Event) -> Result<(), Trouble> {
        let place = self.place(source, key, event, decoded)?;
        let slot = &mut self.slots[place];
        guarded(|| P::apply(&mut slot.state, event, decoded)).map_err(|reason| poison(&slot.key, &reason))?;
        if !slot.touched {
            slot.touched = true;
            self.touched.push(place);
        }
        Ok(())
    }

    fn changes(&mut self, visit: &mut dyn FnMut(Change<'_>) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        for place in self.touched.drain(..) {
            let slot = &mut self.slots[place];
            slot.touched = false;
            self.body.clear();
            serde_json::to_writer(&mut self.body, &slot.state).map_err(unwritable)?;
            let body = std::str::from_utf8(&self.body).map_err(unwritable)?;
            let row = P::row(&slot.state);
            let kind = match &slot.listed {
                None => ChangeKind::New,
                Some((owner, tag)) if **owner == *row.owner && **tag == *row.tag => ChangeKind::Body,
                Some(_) => ChangeKind::Moved,
            };
            visit(Change { kind, seq: slot.seq, key: &slot.key, row, body })?;
            if kind != ChangeKind::Body {
                slot.listed = Some((row.owner.into(), row.tag.into()));
            }
        }
        Ok(())
    }

    fn trim(&mut self) {
        if self.slots.len() > RECENT {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.places.clear();
        self.slots.clear();
        self.touched.clear();
    }
}

fn poison(key: &Key, reason: &str) -> Trouble {
    Trouble::Poison { sequence: key.to_string(), reason: reason.to_owned() }
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// A panic of a view is one more way to say that it cannot digest an event.
pub(crate) fn guarded<T, E: ToString>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("panicked: {}", message(&*panic))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// An event, decoded once for all who ask.
pub(crate) fn decode(event: &Recorded) -> Result<&Event, String> {
    guarded(|| {
        event.decoded(Event::decode).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Indigestible::new(format!("{error}: {cause}"))
        })
    })
}
