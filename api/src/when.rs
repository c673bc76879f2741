//! Instants and dates as callers write them.

use crate::error::invalid;
use crate::problem::Problem;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use domain::{Instant, Period, instant_of_date};

/// RFC 3339 in UTC, with as many digits as needed.
pub(crate) fn text(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An RFC 3339 instant, or the first instant of a date at the store.
pub(crate) fn instant(field: &str, text: &str, zone: Tz) -> Result<Instant, Problem> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    // `2026-7-1` is a date to chrono and not to RFC 3339.
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) if text.len() == "2026-07-01".len() => Ok(instant_of_date(date, zone)),
        Ok(_) | Err(_) => Err(invalid(field, "a date like 2026-07-01 or an instant like 2026-07-01T09:00:00Z")),
    }
}

/// The period between two of them; both or none. Whether it is one that can be had, the domain decides.
pub(crate) fn period(from: Option<&str>, to: Option<&str>, zone: Tz) -> Result<Option<Period>, Problem> {
    match (from, to) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(invalid("to", "is needed where there is a `from`")),
        (None, Some(_)) => Err(invalid("from", "is needed where there is a `to`")),
        (Some(from), Some(to)) => Ok(Some(Period { from: instant("from", from, zone)?, to: instant("to", to, zone)? })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_when_the_day_begins_at_the_store() {
        let begins = |date, zone| text(instant("from", date, zone).unwrap());
        assert_eq!(begins("2026-07-01", Tz::Asia__Seoul), "2026-06-30T15:00:00Z");
        assert_eq!(begins("2026-07-01", Tz::America__New_York), "2026-07-01T04:00:00Z");
        // Clocks in Cairo skip the first hour of this day.
        assert_eq!(begins("2026-04-24", Tz::Africa__Cairo), "2026-04-23T22:00:00Z");
    }

    #[test]
    fn an_instant_is_the_same_at_every_store() {
        let at = |zone| text(instant("from", "2026-07-01T09:00:00+09:00", zone).unwrap());
        assert_eq!(at(Tz::Asia__Seoul), "2026-07-01T00:00:00Z");
        assert_eq!(at(Tz::America__New_York), "2026-07-01T00:00:00Z");
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in ["", "today", "2026-7-1", "2026-02-30", "2026-07-01T09:00:00", "2026-07-01 09:00", "01.07.2026"] {
            assert!(instant("from", text, Tz::UTC).is_err(), "{text}");
        }
    }
}
