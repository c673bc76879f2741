//! Half-open periods, and the only place where a store's time zone is applied.

#[cfg(test)]
mod tests;

use crate::Instant;
use chrono::{Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// `[from, to)`: two periods that meet do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// First instant inside.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
}

/// Why two instants are no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a period ends after it starts, but {to} is not after {from}")]
pub struct PeriodError {
    /// The start that was given.
    pub from: Instant,
    /// The end that was given.
    pub to: Instant,
}

impl Period {
    /// A period of more than no time.
    ///
    /// # Errors
    /// When `to` is not after `from`.
    pub fn new(from: Instant, to: Instant) -> Result<Self, PeriodError> {
        if from < to { Ok(Self { from, to }) } else { Err(PeriodError { from, to }) }
    }
}

/// The first instant of a date in a time zone; where midnight is skipped by daylight saving, the first that exists.
#[must_use]
pub fn instant_of_date(date: NaiveDate, zone: Tz) -> Instant {
    instants_of(date.and_time(NaiveTime::MIN), zone).0
}

/// The first and the last instant at which the clock on the wall shows a time; where it skips it, the instant of the skip.
fn instants_of(local: NaiveDateTime, zone: Tz) -> (Instant, Instant) {
    let mut shown = local;
    // No zone has ever skipped more than a day (Samoa skipped one date).
    for _ in 0..=(25 * 4) {
        match zone.from_local_datetime(&shown) {
            LocalResult::Single(at) => return (at.with_timezone(&Utc), at.with_timezone(&Utc)),
            LocalResult::Ambiguous(first, last) => return (first.with_timezone(&Utc), last.with_timezone(&Utc)),
            LocalResult::None => {
                let quarter = shown.time().num_seconds_from_midnight() % 900;
                shown += TimeDelta::seconds(i64::from(900 - quarter));
            }
        }
    }
    (local.and_utc(), local.and_utc())
}

/// The first instant of the day that `at` falls on in a time zone.
#[must_use]
pub fn start_of_day(at: Instant, zone: Tz) -> Instant {
    instant_of_date(at.with_timezone(&zone).date_naive(), zone)
}

/// A period of which the first day is over, moved on by whole days so that it begins on the day that `now` falls on; with
/// the same times on the store's wall, and the same length in days. `None` beyond the end of the calendar.
#[must_use]
pub fn postponed(period: Period, now: Instant, zone: Tz) -> Option<Period> {
    let wall = |at: Instant| at.with_timezone(&zone).naive_local();
    let days = (wall(now).date() - wall(period.from).date()).num_days();
    let Ok(days @ 1..) = u64::try_from(days) else { return Some(period) };
    let later = |at: Instant| wall(at).checked_add_days(Days::new(days)).map(|shown| instants_of(shown, zone).0);
    Period::new(later(period.from)?, later(period.to)?).ok()
}

/// How many days of `[from, to)` have been started, by the calendar and clock on the store's wall: a day is a day,
/// be it 23, 24 or 25 hours long.
#[must_use]
pub fn days_started(period: Period, zone: Tz) -> u32 {
    let wall = |at: Instant| at.with_timezone(&zone).naive_local();
    let (from, to) = (wall(period.from), wall(period.to));
    let mut days = (to.date() - from.date()).num_days();
    // As an instant: a day that begins at midnight begins at one where there is no midnight, and not an hour before.
    let whole = from.checked_add_days(Days::new(days.max(0).unsigned_abs()));
    if whole.is_some_and(|whole| instants_of(whole, zone).1 < period.to) {
        days += 1;
    }
    u32::try_from(days.max(1)).unwrap_or(u32::MAX)
}
