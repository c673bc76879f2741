//! Where a policy comes from: a preset, or a file of its user.

use super::{Policy, PolicyError};

const PRESETS: [(&str, &str); 5] = [
    ("car-rental", include_str!("../../presets/car-rental.toml")),
    ("phone-shop", include_str!("../../presets/phone-shop.toml")),
    ("coffee-shop", include_str!("../../presets/coffee-shop.toml")),
    ("cinema", include_str!("../../presets/cinema.toml")),
    ("library", include_str!("../../presets/library.toml")),
];

const NAMES: [&str; PRESETS.len()] = {
    let mut names = [""; PRESETS.len()];
    let mut i = 0;
    while i < PRESETS.len() {
        names[i] = PRESETS[i].0;
        i += 1;
    }
    names
};

impl Policy {
    /// The lines of business that come along.
    #[must_use]
    pub const fn preset_names() -> &'static [&'static str] {
        &NAMES
    }

    /// A line of business that comes along.
    ///
    /// # Errors
    /// [`PolicyError::NoSuchPreset`].
    pub fn preset(name: &str) -> Result<Self, PolicyError> {
        match PRESETS.iter().find(|(known, _)| *known == name) {
            Some((_, toml)) => Self::from_toml(toml),
            None => Err(PolicyError::NoSuchPreset(name.to_owned())),
        }
    }

    /// A policy as its user wrote it, checked.
    ///
    /// # Errors
    /// When the text is not a policy, or contradicts itself; the message names the field.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        policy.check()?;
        Ok(policy)
    }
}

/// On one line: which line of the text, what it says, and what is wrong with it. A line begins with the name of its field.
fn unreadable(text: &str, error: &toml::de::Error) -> PolicyError {
    let why = error.message().replace('\n', ", ");
    let place = error.span().and_then(|span| {
        let number = text.get(..span.start)?.matches('\n').count();
        Some((number + 1, text.lines().nth(number)?.trim()))
    });
    PolicyError::Unreadable(match place {
        Some((number, line)) => format!("line {number}, `{line}`: {why}"),
        None => why,
    })
}
