//! From a policy's text to what one customer reads.

use crate::policy::placeholder::{Part, Placeholder, parts};
use crate::{Instant, Money, Period, RentalId};
use chrono_tz::Tz;
use std::fmt::Write;

/// What a text may speak of, as it is in one rental.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Particulars {
    /// The shop's name.
    pub store: String,
    /// The item's name.
    pub item: String,
    /// How many.
    pub quantity: u32,
    /// From when to when, for what comes back.
    pub period: Option<Period>,
    /// Which seats, where they are known.
    pub seats: Vec<String>,
    /// What is paid in all.
    pub total: Option<Money>,
    /// What cancelling, or being late, costs.
    pub fee: Option<Money>,
    /// What went back.
    pub refunded: Option<Money>,
    /// Until when an offer stands.
    pub until: Option<Instant>,
    /// The business's word for where it stands.
    pub status: String,
    /// Which rental.
    pub rental: RentalId,
    /// In which the shop's clocks are.
    pub time_zone: Tz,
}

impl Particulars {
    /// The text with everything in its place. What has no value here is left out, with the space before it.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        for part in parts(text) {
            match part {
                Part::Plain(plain) | Part::Unknown(plain) => filled.push_str(plain),
                Part::Value(placeholder) => {
                    let before = filled.len();
                    self.write(placeholder, &mut filled);
                    if filled.len() == before && filled.ends_with(' ') {
                        filled.pop();
                    }
                }
            }
        }
        filled.trim().to_owned()
    }

    fn write(&self, placeholder: Placeholder, text: &mut String) {
        match placeholder {
            Placeholder::Store => text.push_str(&self.store),
            Placeholder::Item => text.push_str(&self.item),
            Placeholder::Status => text.push_str(&self.status),
            Placeholder::Seats => text.push_str(&self.seats.join(", ")),
            Placeholder::Quantity => written(text, self.quantity),
            Placeholder::Rental => written(text, self.rental),
            Placeholder::From => self.write_instant(self.period.map(|period| period.from), text),
            Placeholder::To => self.write_instant(self.period.map(|period| period.to), text),
            Placeholder::Until => self.write_instant(self.until, text),
            Placeholder::Total => write_money(self.total, text),
            Placeholder::Fee => write_money(self.fee, text),
            Placeholder::Refunded => write_money(self.refunded, text),
        }
    }

    /// As the clock on the shop's wall shows it.
    fn write_instant(&self, at: Option<Instant>, text: &mut String) {
        if let Some(at) = at {
            written(text, at.with_timezone(&self.time_zone).format("%Y-%m-%d %H:%M"));
        }
    }
}

fn write_money(money: Option<Money>, text: &mut String) {
    if let Some(money) = money {
        written(text, money.for_people());
    }
}

fn written(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}
