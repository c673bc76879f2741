//! The languages that customers are spoken to in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A language that every text for customers is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English, where nothing else was asked for.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Language {
    /// Every language there is.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// Its ISO 639 code: `ko`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// Whether it is the one that need not be written down.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::En)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
