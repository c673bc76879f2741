//! Dates that never pass: all of them are counted from today.

use chrono::{DateTime, Datelike, Days, NaiveDate, SecondsFormat, TimeDelta, Utc, Weekday};

/// A date of next July.
#[must_use]
pub fn july(day: u32) -> String {
    date_next_year(7, day).to_string()
}

/// A date of next August, in the same year as [`july`].
#[must_use]
pub fn august(day: u32) -> String {
    date_next_year(8, day).to_string()
}

/// A date of next year.
///
/// # Panics
/// When there is no such date.
#[must_use]
pub fn date_next_year(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(Utc::now().year() + 1, month, day).expect("a date")
}

/// The last Sunday of a month of 31 days next year: in March and October, clocks in Europe change on it.
#[must_use]
pub fn last_sunday(month: u32) -> NaiveDate {
    let last = date_next_year(month, 31);
    last - Days::new(last.weekday().days_since(Weekday::Sun).into())
}

/// The date in Seoul, so many days from now; Korea has no daylight saving.
#[must_use]
pub fn day_at_seoul(days_from_now: i64) -> String {
    (Utc::now() + TimeDelta::hours(9) + TimeDelta::days(days_from_now)).date_naive().to_string()
}

/// The instant so many milliseconds from now, as RFC 3339.
#[must_use]
pub fn instant_in(milliseconds: i64) -> String {
    let at: DateTime<Utc> = Utc::now() + TimeDelta::milliseconds(milliseconds);
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
