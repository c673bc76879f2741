//! Days by the calendar on the wall, across daylight saving.

use super::{Period, days_started, instant_of_date, postponed, start_of_day};
use crate::testing::{at, period};
use chrono::NaiveDate;
use chrono_tz::{America::Santiago, Asia::Seoul, Europe::Berlin, Pacific::Apia, Tz};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(from: &str, to: &str, zone: Tz) -> u32 {
    days_started(period(from, to), zone)
}

/// From the first instant of one date to the first of another.
fn days_of_dates(from: &str, to: &str, zone: Tz) -> u32 {
    let instant = |text| instant_of_date(date(text), zone);
    days_started(Period::new(instant(from), instant(to)).unwrap(), zone)
}

#[test]
fn a_period_ends_after_it_starts() {
    assert!(Period::new(at("2026-07-01"), at("2026-07-01T00:01Z")).is_ok());
    let error = Period::new(at("2026-07-01"), at("2026-07-01")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a period ends after it starts, but 2026-07-01 00:00:00 UTC is not after 2026-07-01 00:00:00 UTC"
    );
}

#[test]
fn a_day_begins_at_midnight_on_the_wall_of_the_store() {
    assert_eq!(instant_of_date(date("2026-07-01"), Berlin), at("2026-06-30T22:00Z"));
    assert_eq!(instant_of_date(date("2026-12-01"), Berlin), at("2026-11-30T23:00Z"));
    assert_eq!(instant_of_date(date("2026-07-01"), Seoul), at("2026-06-30T15:00Z"));
    assert_eq!(start_of_day(at("2026-07-01T14:59Z"), Seoul), at("2026-06-30T15:00Z"));
    assert_eq!(start_of_day(at("2026-07-01T15:00Z"), Seoul), at("2026-07-01T15:00Z"));
}

#[test]
fn where_midnight_is_skipped_the_day_begins_at_the_first_instant_there_is() {
    // Chile puts its clocks forward at midnight: 6 September 2026 begins at one o'clock.
    assert_eq!(instant_of_date(date("2026-09-06"), Santiago), at("2026-09-06T04:00Z"));
    assert_eq!(start_of_day(at("2026-09-06T04:00Z"), Santiago), at("2026-09-06T04:00Z"));
    assert_eq!(start_of_day(at("2026-09-06T03:59Z"), Santiago), at("2026-09-05T04:00Z"));
    assert_eq!(days_of_dates("2026-09-05", "2026-09-06", Santiago), 1);
    assert_eq!(days_of_dates("2026-09-06", "2026-09-07", Santiago), 1);
    assert_eq!(days_of_dates("2026-09-05", "2026-09-08", Santiago), 3);
}

#[test]
fn where_midnight_comes_twice_the_day_begins_at_the_first_instant_of_its_date() {
    // Chile puts its clocks back at midnight: the last hour of 4 April 2026 comes twice.
    assert_eq!(instant_of_date(date("2026-04-05"), Santiago), at("2026-04-05T04:00Z"));
    assert_eq!(days_of_dates("2026-04-04", "2026-04-05", Santiago), 1);
}

#[test]
fn a_date_that_a_zone_skipped_begins_with_the_next() {
    // Samoa went from 29 to 31 December 2011.
    assert_eq!(instant_of_date(date("2011-12-30"), Apia), instant_of_date(date("2011-12-31"), Apia));
}

#[test]
fn a_day_of_twenty_five_hours_is_a_day() {
    // Berlin, 25 October 2026.
    assert_eq!(days("2026-10-24T22:00Z", "2026-10-25T23:00Z", Berlin), 1);
    assert_eq!(days_of_dates("2026-10-25", "2026-10-26", Berlin), 1);
    assert_eq!(days_of_dates("2026-10-24", "2026-10-27", Berlin), 3);
    // From ten o'clock to ten o'clock on the wall, although it is 25 hours.
    assert_eq!(days("2026-10-24T08:00Z", "2026-10-25T09:00Z", Berlin), 1);
    assert_eq!(days("2026-10-24T08:00Z", "2026-10-25T09:01Z", Berlin), 2);
}

#[test]
fn a_day_of_twenty_three_hours_is_a_day() {
    // Berlin, 28 March 2027.
    assert_eq!(days("2027-03-27T23:00Z", "2027-03-28T22:00Z", Berlin), 1);
    assert_eq!(days_of_dates("2027-03-27", "2027-03-30", Berlin), 3);
    // From ten o'clock to ten o'clock on the wall, although it is 23 hours.
    assert_eq!(days("2027-03-27T09:00Z", "2027-03-28T08:00Z", Berlin), 1);
    assert_eq!(days("2027-03-27T09:00Z", "2027-03-28T08:01Z", Berlin), 2);
}

#[test]
fn every_started_day_counts() {
    assert_eq!(days("2026-07-01", "2026-07-01T00:01Z", Seoul), 1);
    assert_eq!(days("2026-07-01", "2026-07-02", Seoul), 1);
    assert_eq!(days("2026-07-01", "2026-07-02T00:01Z", Seoul), 2);
    assert_eq!(days_of_dates("2026-07-01", "2026-07-04", Seoul), 3);
    assert_eq!(days_of_dates("2026-01-01", "2027-01-01", Seoul), 365);
}

#[test]
fn the_hour_that_comes_twice_is_part_of_one_day() {
    // From the first half past two in Berlin to the second one: no time on the wall, an hour of rental.
    assert_eq!(days("2026-10-25T00:30Z", "2026-10-25T01:30Z", Berlin), 1);
}

#[test]
fn a_day_that_ends_in_the_hour_that_comes_twice_ends_in_its_second_half() {
    // From half past two in Berlin to either half past two of the next day.
    assert_eq!(days("2026-10-24T00:30Z", "2026-10-25T00:30Z", Berlin), 1);
    assert_eq!(days("2026-10-24T00:30Z", "2026-10-25T01:30Z", Berlin), 1);
    assert_eq!(days("2026-10-24T00:30Z", "2026-10-25T01:31Z", Berlin), 2);
}

#[test]
fn a_day_that_ends_in_the_hour_that_is_skipped_ends_with_the_skip() {
    // From half past two in Berlin to three o'clock of the next day, which is where half past two would have been.
    assert_eq!(days("2027-03-27T01:30Z", "2027-03-28T01:00Z", Berlin), 1);
    assert_eq!(days("2027-03-27T01:30Z", "2027-03-28T01:01Z", Berlin), 2);
}

#[test]
fn a_period_that_has_begun_moves_on_by_days_with_the_same_times_on_the_wall() {
    let wished = |to: &str| Period::new(at("2026-10-20T08:00Z"), at(to)).unwrap();
    // Ten in Berlin, before and after the clocks go back.
    let moved = postponed(wished("2026-10-22T08:00Z"), at("2026-10-26T12:00Z"), Berlin).unwrap();
    assert_eq!(moved, Period::new(at("2026-10-26T09:00Z"), at("2026-10-28T09:00Z")).unwrap());
    let today = wished("2026-10-22T08:00Z");
    assert_eq!(postponed(today, at("2026-10-20T20:00Z"), Berlin), Some(today));
    assert_eq!(postponed(today, at("2026-10-01"), Berlin), Some(today));
}
