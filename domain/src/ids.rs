//! Names of things. Ids of aggregates are UUIDs; a shop is named by its slug and a customer by an opaque name.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a UUID.
    #[error("`{0}` is not a UUID")]
    NotAUuid(String),
    /// Not a slug.
    #[error("`{0}` is not a slug: 1 to 63 of a-z, 0-9 and inner dashes")]
    NotASlug(String),
    /// Not a customer name.
    #[error("a customer is named by 1 to 128 of letters, digits and . _ @ + -")]
    NotACustomer,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId::NotAUuid(text.to_owned()))
            }
        }
    };
}

uuid_id!(
    /// One rental: one customer, one item, one hand-over. Its dispatch has the same UUID.
    RentalId
);
uuid_id!(
    /// Something a shop lends, sells or seats.
    ItemId
);
uuid_id!(
    /// One charge and its refunds; also the idempotency key at the payment provider.
    PaymentId
);

impl PaymentId {
    /// The charge for the rental itself.
    #[must_use]
    pub fn charge_of(rental: RentalId) -> Self {
        Self(derived(rental.0, b"charge"))
    }

    /// The charge for an extension of the rental; extensions are numbered from 1.
    #[must_use]
    pub fn extension_of(rental: RentalId, number: u32) -> Self {
        Self(derived(rental.0, format!("extension {number}").as_bytes()))
    }

    /// The charge for bringing the rental back late. Attempts are numbered from 1; a declined one is not made again.
    #[must_use]
    pub fn late_fee_of(rental: RentalId, attempt: u32) -> Self {
        match attempt {
            0 | 1 => Self(derived(rental.0, b"late fee")),
            more => Self(derived(rental.0, format!("late fee {more}").as_bytes())),
        }
    }
}

uuid_id!(
    /// What a customer is told of one event; also the idempotency key at whoever delivers it.
    MessageId
);

uuid_id!(
    /// Where a store is told of its rentals.
    WebhookId
);

impl MessageId {
    /// The message that tells of an event: one event never makes two.
    #[must_use]
    pub fn telling_of(event: Uuid) -> Self {
        Self(derived(event, b"message"))
    }
}

/// A UUID that follows from another one and keeps its first 48 bits: ids made together stay together in an index.
fn derived(from: Uuid, purpose: &[u8]) -> Uuid {
    let mut hasher = blake3::Hasher::new();
    hasher.update(from.as_bytes()).update(purpose);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    bytes[..6].copy_from_slice(&from.as_bytes()[..6]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:expr, $error:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                let error: fn(String) -> InvalidId = $error;
                if check(&text) { Ok(Self(text)) } else { Err(error(text)) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A shop's name in addresses: `seoul-cars`.
    StoreSlug,
    |text| {
        (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    },
    InvalidId::NotASlug
);
text_id!(
    /// A customer, as the identity provider names them. Opaque: it says nothing about the person.
    CustomerId,
    |text| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@+-".contains(&b))
    },
    |_| InvalidId::NotACustomer
);

/// The stream in which one customer's open rentals at one shop are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QuotaId {
    /// Whose shop sets the limit.
    pub store: StoreSlug,
    /// Whose rentals are counted.
    pub customer: CustomerId,
}

impl fmt::Display for QuotaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A slug has no slash, so the pair can be read back.
        write!(f, "{}/{}", self.store, self.customer)
    }
}
