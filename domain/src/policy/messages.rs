//! Which changes of a rental its customer is told of, and in which words.

use super::placeholder::{Part, parts};
use super::{Action, Policy, PolicyError, Rules, require};
use crate::Language;
use crate::aggregate::fits;
use crate::rental::RentalStatus;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

const MOST_CHARACTERS: usize = 500;

/// A change of a rental that its customer may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// It was asked for.
    Requested,
    /// A place on the waiting list has become a hold.
    Offered,
    /// It stands.
    Confirmed,
    /// It could not be had.
    Rejected,
    /// It was not paid in time.
    Expired,
    /// It is ready at the shop.
    Prepared,
    /// The customer has it.
    HandedOver,
    /// Its end was moved.
    Extended,
    /// Its end could not be moved.
    ExtensionRefused,
    /// It should be back and is not.
    Overdue,
    /// It is back.
    Returned,
    /// It has come to its good end.
    Completed,
    /// A cancellation was asked for.
    Cancelling,
    /// A cancellation came too late.
    CancellationRefused,
    /// It was undone.
    Cancelled,
}

impl Occasion {
    /// The stored name: `handed_over`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Offered => "offered",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Prepared => "prepared",
            Self::HandedOver => "handed_over",
            Self::Extended => "extended",
            Self::ExtensionRefused => "extension_refused",
            Self::Overdue => "overdue",
            Self::Returned => "returned",
            Self::Completed => "completed",
            Self::Cancelling => "cancelling",
            Self::CancellationRefused => "cancellation_refused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Where the rental stands then; `None` where the occasion alone does not say.
    #[must_use]
    pub const fn status(self) -> Option<RentalStatus> {
        match self {
            Self::Requested => Some(RentalStatus::Requested),
            Self::Confirmed => Some(RentalStatus::Confirmed),
            Self::Rejected => Some(RentalStatus::Rejected),
            Self::Expired => Some(RentalStatus::Expired),
            Self::Prepared => Some(RentalStatus::Prepared),
            // A cancellation is refused because the customer has it.
            Self::HandedOver | Self::CancellationRefused => Some(RentalStatus::HandedOver),
            Self::Overdue => Some(RentalStatus::Overdue),
            Self::Returned => Some(RentalStatus::Returned),
            Self::Completed => Some(RentalStatus::Completed),
            Self::Cancelling => Some(RentalStatus::Cancelling),
            Self::Cancelled => Some(RentalStatus::Cancelled),
            Self::Offered | Self::Extended | Self::ExtensionRefused => None,
        }
    }

    /// Whether a rental under these rules may come to it.
    fn can_happen(self, rules: &Rules) -> bool {
        match self {
            Self::Prepared => rules.steps.iter().any(|step| step.action == Action::Prepare),
            Self::Overdue | Self::Returned => rules.comes_back,
            Self::Offered => rules.waiting_list.is_some(),
            Self::Extended | Self::ExtensionRefused => rules.extension.is_some(),
            Self::Requested
            | Self::Confirmed
            | Self::Rejected
            | Self::Expired
            | Self::HandedOver
            | Self::Completed
            | Self::Cancelling
            | Self::CancellationRefused
            | Self::Cancelled => true,
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said on one occasion, in every language. `{item}` and its like stand for what is so in the rental.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// In English.
    pub en: String,
    /// In Korean.
    pub ko: String,
}

impl Texts {
    /// The text in one language.
    #[must_use]
    pub fn text_in(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Ko => &self.ko,
        }
    }
}

impl Policy {
    /// Every occasion that the rules list has a text, and no other has.
    pub(super) fn check_messages(&self) -> Result<(), PolicyError> {
        let listed: BTreeSet<Occasion> = self.rules.messages.iter().copied().collect();
        require(listed.len() == self.rules.messages.len(), "rules.messages", "each occasion once")?;
        let happen = listed.iter().all(|occasion| occasion.can_happen(&self.rules));
        require(happen, "rules.messages", "only what can happen under the other rules")?;
        for occasion in &listed {
            let has_a_text = self.words.messages.contains_key(occasion);
            require(has_a_text, named(*occasion), "`rules.messages` lists it, so it needs a text")?;
        }
        for (occasion, texts) in &self.words.messages {
            require(listed.contains(occasion), named(*occasion), "`rules.messages` does not list it")?;
            for language in Language::ALL {
                check_text(texts.text_in(language), || format!("{}.{language}", named(*occasion)))?;
            }
        }
        Ok(())
    }
}

fn named(occasion: Occasion) -> String {
    format!("words.messages.{occasion}")
}

fn check_text(text: &str, field: impl Fn() -> String) -> Result<(), PolicyError> {
    require(fits(text, MOST_CHARACTERS), field(), "1 to 500 characters")?;
    let known = parts(text).all(|part| !matches!(part, Part::Unknown(_)));
    let placeholders =
        "braces only around store, item, quantity, from, to, seats, total, fee, refunded, until, status or rental";
    require(known, field(), placeholders)?;
    let says_something = parts(text).any(|part| matches!(part, Part::Plain(plain) if !plain.trim().is_empty()));
    require(says_something, field(), "more than placeholders, which may have no value")
}
