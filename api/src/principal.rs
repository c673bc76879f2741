//! Who calls: a customer, the staff of a store, a kiosk in one, or an administrator.

use domain::{CustomerId, StoreSlug};
use std::fmt;
use std::str::FromStr;

/// Who a token speaks for, and who stands as the actor in the metadata of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// `customer:<name>`
    Customer(CustomerId),
    /// `staff:<store>`
    Staff(StoreSlug),
    /// `kiosk:<store>/<number>`
    Kiosk {
        /// Where it stands.
        store: StoreSlug,
        /// Which of that store's kiosks it is.
        number: u32,
    },
    /// `admin`
    Admin,
}

/// Why a text names no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `customer:<name>`, `staff:<store>`, `kiosk:<store>/<number>` or `admin`")]
pub struct NotAPrincipal(String);

impl FromStr for Principal {
    type Err = NotAPrincipal;

    fn from_str(text: &str) -> Result<Self, NotAPrincipal> {
        let parsed = match text.split_once(':') {
            None => (text == "admin").then_some(Self::Admin),
            Some(("customer", name)) => name.parse().ok().map(Self::Customer),
            Some(("staff", store)) => store.parse().ok().map(Self::Staff),
            Some(("kiosk", place)) => place.split_once('/').and_then(|(store, number)| {
                // `+7` and `007` would be other texts for the same kiosk.
                let number = number.parse().ok().filter(|parsed: &u32| parsed.to_string() == number)?;
                Some(Self::Kiosk { store: store.parse().ok()?, number })
            }),
            Some(_) => None,
        };
        parsed.ok_or_else(|| NotAPrincipal(text.to_owned()))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(name) => write!(f, "customer:{name}"),
            Self::Staff(store) => write!(f, "staff:{store}"),
            Self::Kiosk { store, number } => write!(f, "kiosk:{store}/{number}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

impl Principal {
    /// Whether it works at that store.
    #[must_use]
    pub fn is_staff_of(&self, store: &StoreSlug) -> bool {
        matches!(self, Self::Staff(own) if own == store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_read_back_from_its_text() {
        for text in ["customer:alice@example.org", "staff:seoul-cars", "kiosk:library/7", "admin"] {
            assert_eq!(text.parse::<Principal>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_nobody() {
        for text in
            ["", "Admin", "customer:", "staff:No Slug", "kiosk:library", "kiosk:library/+7", "owner:x", "admin:x"]
        {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }
}
