//! Units that come back.

use super::*;
use crate::policy::StockKind;

const RESTS_AN_HOUR: u32 = 3600;

fn booked(number: u128, period: Period) -> [ItemEvent; 2] {
    [held(number, 1, Some(period), euros(9000)), committed(number)]
}

/// One car, booked for the first days of July.
fn away() -> Vec<ItemEvent> {
    [cars(1)].into_iter().chain(booked(1, july())).collect()
}

fn and(mut events: Vec<ItemEvent>, event: ItemEvent) -> Vec<ItemEvent> {
    events.push(event);
    events
}

fn free(events: Vec<ItemEvent>, period: Period, now: &str) -> Option<u32> {
    given::<Item>(events).state.available(Some(period), at(now))
}

#[test]
fn a_car_is_held_for_its_days_at_the_price_of_a_day() {
    given::<Item>([cars(5)]).when(hold(1, days(july(), 3, 2))).then([held(1, 2, Some(july()), euros(18_000))]);
    let loan = Wanted { price_per: PricePer::Unit, ..days(july(), 3, 1) };
    given::<Item>([cars(1)]).when(hold(1, loan)).then([held(1, 1, Some(july()), euros(3000))]);
}

#[test]
fn a_july_booking_and_an_august_booking_do_not_compete() {
    let august = period("2026-08-01", "2026-08-04");
    given::<Item>(away()).when(hold(2, days(august, 3, 1))).then([held(2, 1, Some(august), euros(9000))]);
}

#[test]
fn bookings_that_meet_both_stand_on_one_car() {
    let next = period("2026-07-04", "2026-07-07");
    given::<Item>(away()).when(hold(2, days(next, 3, 1))).then([held(2, 1, Some(next), euros(9000))]);
}

#[test]
fn bookings_that_overlap_by_a_minute_do_not() {
    let next = period("2026-07-03T23:59Z", "2026-07-07");
    given::<Item>(away()).when(hold(2, days(next, 4, 1))).then_refused(out_of_stock(1, 0));
}

#[test]
fn capacity_is_that_of_the_busiest_instant_and_not_of_the_sum() {
    let second = period("2026-07-05", "2026-07-08");
    let both = period("2026-07-02", "2026-07-06");
    let events: Vec<_> = [cars(2)].into_iter().chain(booked(1, july())).chain(booked(2, second)).collect();
    given::<Item>(events.clone()).when(hold(3, days(both, 4, 1))).then([held(3, 1, Some(both), euros(12_000))]);
    given::<Item>(events).when(hold(3, days(both, 4, 2))).then_refused(out_of_stock(2, 1));
}

#[test]
fn a_car_rests_between_two_bookings() {
    let occupied = period("2026-07-01", "2026-07-04T01:00Z");
    let wanted = |period| Wanted { turnaround_s: RESTS_AN_HOUR, ..days(period, 3, 1) };
    let resting = held_with(1, 1, Some(occupied), RESTS_AN_HOUR, &[], euros(9000));
    given::<Item>([cars(1)]).when(hold(1, wanted(july()))).then([resting.clone()]);
    given::<Item>([cars(1), resting.clone()])
        .when(hold(2, wanted(period("2026-07-04", "2026-07-06"))))
        .then_refused(out_of_stock(1, 0));
    let later = period("2026-07-04T01:00Z", "2026-07-07T00:00Z");
    assert_eq!(free(vec![cars(1), resting], later, MAY), Some(1));
}

#[test]
fn what_is_held_needs_a_period_that_ends_after_it_starts() {
    let misfit = |field, why| ItemError::DoesNotFit { field, why };
    given::<Item>([cars(1)]).when(hold(1, units(1))).then_refused(misfit("from", "from when to when is needed"));
    let backwards = Period { from: july().to, to: july().from };
    given::<Item>([cars(1)]).when(hold(1, days(backwards, 3, 1))).then_refused(misfit("to", "after the start"));
    let forever = Period { from: july().from, to: Instant::MAX_UTC };
    let wanted = Wanted { turnaround_s: 1, ..days(forever, 3, 1) };
    given::<Item>([cars(1)]).when(hold(1, wanted)).then_refused(misfit("to", "beyond the calendar"));
    given::<Item>([cars(1)]).when(hold(1, days(july(), 0, 1))).then_refused(misfit("days", "more than 0"));
}

#[test]
fn a_hold_that_is_given_up_frees_its_days() {
    for reason in [ReleaseReason::Expired, ReleaseReason::PaymentDeclined, ReleaseReason::TooLate] {
        let given_up = vec![cars(1), held(1, 1, Some(july()), euros(9000)), released(1, reason)];
        assert_eq!(free(given_up, july(), MAY), Some(1));
    }
    let cancelled = and(away(), released(1, ReleaseReason::Cancelled));
    assert_eq!(free(cancelled, july(), MAY), Some(1));
}

#[test]
fn a_car_that_comes_back_early_can_be_rented_again_at_once() {
    given::<Item>(away()).when(take_back(1, "2026-07-02")).then([returned(1, "2026-07-02")]);
    let back = and(away(), returned(1, "2026-07-02"));
    let rest = period("2026-07-02", "2026-07-04");
    assert_eq!(free(back.clone(), rest, "2026-07-02"), Some(1));
    // Also from the start of that day: what is over does not count.
    let same_day = period("2026-07-01", "2026-07-03");
    assert_eq!(free(back, same_day, "2026-07-02"), Some(1));
}

#[test]
fn a_car_that_comes_back_rests_first() {
    let occupied = period("2026-07-01", "2026-07-04T01:00Z");
    let resting = held_with(1, 1, Some(occupied), RESTS_AN_HOUR, &[], euros(9000));
    let back = vec![cars(1), resting, committed(1), returned(1, "2026-07-02T10:00Z")];
    assert_eq!(free(back.clone(), period("2026-07-02T10:59Z", "2026-07-03"), "2026-07-02T10:00Z"), Some(0));
    assert_eq!(free(back, period("2026-07-02T11:00Z", "2026-07-03"), "2026-07-02T10:00Z"), Some(1));
}

#[test]
fn a_car_that_is_late_is_promised_to_nobody_even_before_anybody_has_noticed() {
    let august = period("2026-08-01", "2026-08-04");
    assert_eq!(free(away(), august, "2026-07-03T23:59Z"), Some(1));
    given::<Item>(away()).when(hold_at(2, days(august, 3, 1), "2026-07-04")).then_refused(out_of_stock(1, 0));
}

#[test]
fn an_overdue_car_blocks_until_it_is_back() {
    let august = period("2026-08-01", "2026-08-04");
    given::<Item>(away()).when(mark_overdue(1, "2026-07-04")).then([overdue(1, "2026-07-04")]);
    let late = and(away(), overdue(1, "2026-07-04"));
    assert_eq!(free(late.clone(), august, "2026-07-05"), Some(0));
    given::<Item>(late.clone()).when(take_back(1, "2026-07-09")).then([returned(1, "2026-07-09")]);
    assert_eq!(free(and(late, returned(1, "2026-07-09")), august, "2026-07-09"), Some(1));
}

#[test]
fn a_late_car_does_not_take_a_car_that_is_there() {
    let events = [cars(2)].into_iter().chain(booked(1, july())).collect::<Vec<_>>();
    assert_eq!(free(events.clone(), period("2026-08-01", "2026-08-04"), "2026-07-20"), Some(1));
    assert_eq!(free(and(events, overdue(1, "2026-07-04")), july(), "2026-07-20"), Some(1));
}

#[test]
fn only_what_is_paid_for_can_be_late_or_come_back() {
    let refusal = || ItemError::DoesNotFit { field: "rental", why: "its stock is held and not committed" };
    let held = [cars(1), held(1, 1, Some(july()), euros(9000))];
    given::<Item>(held.clone()).when(mark_overdue(1, "2026-07-04")).then_refused(refusal());
    given::<Item>(held).when(take_back(1, "2026-07-04")).then_refused(refusal());
    given::<Item>([cars(1)]).when(mark_overdue(1, "2026-07-04")).then([]);
    given::<Item>([cars(1)]).when(take_back(1, "2026-07-04")).then([]);
}

#[test]
fn a_clock_that_lags_behind_does_not_find_a_car_twice() {
    // Returned at ten past; a process whose clock is at nine holds it for the past hour and more.
    let back = and(away(), returned(1, "2026-07-02T10:10Z"));
    given::<Item>(back.clone()).when(hold_at(2, days(july(), 3, 1), "2026-07-02T10:09Z")).then([ItemEvent::Held {
        rental: rental(2),
        customer: customer(),
        quantity: 1,
        occupies: Some(july()),
        turnaround_s: 0,
        seats: vec![],
        unit_price: euros(3000),
        total: euros(9000),
        until: deadline(),
        at: at("2026-07-02T10:09Z"),
    }]);
    let again = and(back, held(2, 1, Some(july()), euros(9000)));
    given::<Item>(again).when(hold_at(3, days(july(), 3, 1), "2026-07-02T10:08Z")).then_refused(out_of_stock(1, 0));
}

#[test]
fn an_item_shows_what_is_free_now() {
    let item = given::<Item>(away()).state;
    assert_eq!(item.available(None, at(MAY)), Some(1));
    assert_eq!(item.available(None, at("2026-07-01")), Some(0));
    assert_eq!(item.busiest(at(MAY)), 1);
    assert_eq!(item.units(), Some(1));
    assert_eq!(item.stock_kind(), Some(StockKind::Pool));
    assert_eq!(item.store(), Some(&shop()));
    assert_eq!((item.name(), item.description()), (Some("Fiat 500"), None));
}
