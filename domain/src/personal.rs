//! What is personal stays sealed: the domain carries it and can never read it.

use serde::{Deserialize, Serialize};

/// Text about a person, sealed under a key of that customer. Destroying the key erases it in every copy of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// Wraps what has been sealed already; the sealing happens where the keys are.
    #[must_use]
    pub const fn sealed(text: String) -> Self {
        Self(text)
    }

    /// The sealed form.
    #[must_use]
    pub fn as_sealed(&self) -> &str {
        &self.0
    }
}
