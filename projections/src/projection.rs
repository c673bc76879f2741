//! What a view is: a pure fold of the journal into documents.

use domain::{CustomerId, Event, ItemId, MessageId, PaymentId, RentalId, StoreSlug};
use journal::Recorded;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;
use uuid::Uuid;

/// A view. Everything here is pure: **the event and when it was recorded, never now**, so that two folds of one journal
/// give equal bytes. Matches over events have no bare wildcard: whoever adds an event says here what it means.
pub trait Projection: Send + Sync + 'static {
    /// Names the view and the shape of its documents: `mypage.v1`. Another number means that it is built anew.
    const NAME: &'static str;
    /// Under this name it reads the journal: `view-mypage`.
    const SUBSCRIPTION: &'static str;
    /// Whether lists are asked for by tag too, which costs an index.
    const LISTED_BY_TAG: bool = false;
    /// Whether documents with a tag are few, and listed by it whoever owns them. Those without one cost no index.
    const TAGGED_ARE_FEW: bool = false;

    /// What is folded and stored: the document, and what is needed to go on with it.
    type State: Serialize + DeserializeOwned + Send + 'static;
    /// What a reader gets: its field names are part of the HTTP contract. It is read from the stored state.
    type Document: Serialize + DeserializeOwned + Send + 'static;

    /// Which document an event is about, if it is about one.
    ///
    /// # Errors
    /// When the event should say and does not.
    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible>;

    /// The document that an event begins; `None` for an event that goes on with one.
    fn begin(event: &Recorded, decoded: &Event) -> Option<Self::State>;

    /// Takes an event in; also the one that began it.
    ///
    /// # Errors
    /// When the event cannot have happened to this document. It is thrown away then, and its sequence is parked.
    fn apply(state: &mut Self::State, event: &Recorded, decoded: &Event) -> Result<(), Indigestible>;

    /// Under what a document is listed.
    fn row(state: &Self::State) -> Row<'_>;

    /// What a reader gets of a stored state.
    fn document(state: Self::State) -> Self::Document;

    /// `mypage`, of `mypage.v1`.
    #[must_use]
    fn short_name() -> &'static str {
        short(Self::NAME)
    }
}

/// The part of a view's name before the first dot.
pub(crate) fn short(name: &'static str) -> &'static str {
    name.split_once('.').map_or(name, |(short, _)| short)
}

/// Under what a document is listed. Lists are always newest first, by the first event of each document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Whose it is: a customer, or a shop.
    pub owner: &'a str,
    /// What it is listed by within its owner: a status. Empty where nobody asks for one.
    pub tag: &'a str,
}

/// Why a view cannot take in an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Indigestible(pub String);

impl Indigestible {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<domain::InvalidId> for Indigestible {
    fn from(error: domain::InvalidId) -> Self {
        Self(error.to_string())
    }
}

impl From<domain::MoneyError> for Indigestible {
    fn from(error: domain::MoneyError) -> Self {
        Self(error.to_string())
    }
}

/// Names a document of a view.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// By a UUID.
    Id(Uuid),
    /// By a name.
    Name(Box<str>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl From<Uuid> for Key {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<RentalId> for Key {
    fn from(id: RentalId) -> Self {
        Self::Id(id.0)
    }
}

impl From<ItemId> for Key {
    fn from(id: ItemId) -> Self {
        Self::Id(id.0)
    }
}

impl From<PaymentId> for Key {
    fn from(id: PaymentId) -> Self {
        Self::Id(id.0)
    }
}

impl From<MessageId> for Key {
    fn from(id: MessageId) -> Self {
        Self::Id(id.0)
    }
}

impl From<&StoreSlug> for Key {
    fn from(slug: &StoreSlug) -> Self {
        Self::Name(slug.as_str().into())
    }
}

impl From<&CustomerId> for Key {
    fn from(customer: &CustomerId) -> Self {
        Self::Name(customer.as_str().into())
    }
}

impl From<&str> for Key {
    /// A UUID where the text is one, else a name.
    fn from(text: &str) -> Self {
        Uuid::parse_str(text).map_or_else(|_| Self::Name(text.into()), Self::Id)
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

// A UUID takes 16 bytes in a table and not 36: rows and their index are smaller, and faster to compare.
impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Name(name) => ValueRef::Text(name.as_bytes()),
        }))
    }
}

impl FromSql for Key {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(_) => Ok(Self::Id(Uuid::from_bytes(<[u8; 16]>::column_result(value)?))),
            _ => Ok(Self::Name(value.as_str()?.into())),
        }
    }
}
