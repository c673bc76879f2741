//! How a line of business behaves, and the words it uses. Five presets come along; a sixth is a file of its user.

mod check;
mod messages;
pub(crate) mod placeholder;
mod presets;
#[cfg(test)]
mod tests;

pub use messages::{Occasion, Texts};

use crate::rental::RentalStatus;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A line of business: the rules of its rentals and the words for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `car-rental`, or a name of the user's own.
    pub name: String,
    /// What happens.
    pub rules: Rules,
    /// What it is called.
    pub words: Words,
}

/// The rules that one rental follows for all its life; a copy is in its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What kind of stock is held.
    pub stock: StockKind,
    /// What a price is for.
    pub price_per: PricePer,
    /// When money is taken.
    pub payment: PaymentTiming,
    /// What the shop does between confirmation and the customer's hands, in order; the last one hands over.
    pub steps: Vec<Step>,
    /// Whether what is handed over is brought back.
    #[serde(default)]
    pub comes_back: bool,
    /// How long stock stays held for a payment that has not come, in seconds.
    pub hold_s: u32,
    /// Open rentals a customer may have at one shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// How long a unit that came back rests before it goes out again, in seconds.
    #[serde(default)]
    pub turnaround_s: u32,
    /// What cancelling costs.
    #[serde(default)]
    pub cancellation: Cancellation,
    /// For each day late, this many per cent of the price of a day.
    #[serde(default)]
    pub late_fee_percent: u32,
    /// Whether one may wait in line for what cannot be had now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_list: Option<WaitingList>,
    /// Cancelled when it is not fetched so many seconds after the start of its period; left out, it waits for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_show_s: Option<u32>,
    /// Whether customers may review what they have had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reviews: bool,
    /// Whether a kiosk lends and takes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kiosk: bool,
    /// The changes that the customer is told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Occasion>,
    /// Whether what is away may stay longer; never, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
}

/// The three kinds of stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockKind {
    /// Units that come back; counted at every instant of a period.
    Pool,
    /// Units that leave for good, or as many as are asked for.
    Sale,
    /// Named units, each given once.
    Seats,
}

/// What one price buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricePer {
    /// One unit, for as long as it takes.
    Unit,
    /// One unit for one started day.
    Day,
}

/// When money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentTiming {
    /// Before the rental is confirmed.
    Upfront,
    /// Never.
    None,
}

/// One step of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Who does it.
    #[serde(default)]
    pub by: By,
}

/// What a dispatch step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make or ready it.
    Prepare,
    /// Give it to the customer.
    HandOver,
}

/// Who takes a dispatch step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A person of the shop.
    #[default]
    Staff,
    /// Reservoir, as soon as it can.
    Engine,
}

/// What cancelling costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// Free until this many seconds before the period starts; always free where there is no period.
    #[serde(default)]
    pub free_until_s: u32,
    /// After that, this many per cent of the price are kept.
    #[serde(default)]
    pub fee_percent: u8,
}

/// How one waits in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingList {
    /// How long what came free is kept for the first in line, in seconds.
    pub offer_s: u32,
}

/// Whether a rental may stay longer than was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// How often one rental may be extended.
    pub most: u32,
}

/// The words of a business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// "booking", "order", "loan".
    pub rental: String,
    /// "car", "phone", "seat".
    pub item: String,
    /// The word for each status that has one of its own.
    #[serde(default)]
    pub status: BTreeMap<RentalStatus, String>,
    /// What is said on each occasion that the rules list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<Occasion, Texts>,
}

impl Words {
    /// The business's word for a status; the status's own name where it has none.
    #[must_use]
    pub fn label(&self, status: RentalStatus) -> &str {
        self.status.get(&status).map_or(status.name(), String::as_str)
    }
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or not the shape of a policy.
    #[error("the policy cannot be read: {0}")]
    Unreadable(String),
    /// Two fields contradict each other, or one is out of range.
    #[error("{field}: {why}")]
    Contradiction {
        /// Dotted path of the field.
        field: Cow<'static, str>,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No preset of that name.
    #[error("there is no preset `{0}`")]
    NoSuchPreset(String),
}

fn require(holds: bool, field: impl Into<Cow<'static, str>>, why: &'static str) -> Result<(), PolicyError> {
    if holds { Ok(()) } else { Err(PolicyError::Contradiction { field: field.into(), why }) }
}
