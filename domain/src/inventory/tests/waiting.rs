//! Waiting in line for what cannot be had now.

use super::*;
use crate::inventory::Wait;
use chrono_tz::Tz;

const TWO_DAYS_S: u32 = 2 * 86_400;

fn patiently(wanted: Wanted) -> Wanted {
    Wanted { wait: Some(Wait { offer_s: TWO_DAYS_S, zone: Tz::UTC }), ..wanted }
}

fn loan(from: &str, to: &str) -> Wanted {
    let price_per = PricePer::Unit;
    Wanted { price_per, ..patiently(days(period(from, to), 1, 1)) }
}

fn fortnight() -> Wanted {
    loan("2026-07-01", "2026-07-15")
}

fn awaited(number: u128, wanted: Wanted, place: u32) -> ItemEvent {
    let (rental, customer, wanted) = (rental(number), customer(), Box::new(wanted));
    ItemEvent::Awaited { rental, customer, wanted, place, at: at(MAY) }
}

fn ended(number: u128, reason: ReleaseReason) -> ItemEvent {
    ItemEvent::WaitingEnded { rental: rental(number), reason, at: at(MAY) }
}

fn serve(now: &str) -> ItemCommand {
    ItemCommand::ServeWaiting { now: at(now) }
}

/// One book, which somebody else has for the same fortnight.
fn lent() -> [ItemEvent; 3] {
    [cars(1), held(1, 1, fortnight().period, euros(3000)), committed(1)]
}

fn offered(number: u128, occupies: Period, now: &str) -> ItemEvent {
    ItemEvent::Held {
        rental: rental(number),
        customer: customer(),
        quantity: 1,
        occupies: Some(occupies),
        turnaround_s: 0,
        seats: vec![],
        unit_price: euros(3000),
        total: euros(3000),
        until: at(now) + chrono::TimeDelta::seconds(TWO_DAYS_S.into()),
        at: at(now),
    }
}

#[test]
fn who_cannot_have_it_now_waits_in_line_if_they_want_to() {
    given::<Item>(lent()).when(hold(2, fortnight())).then([awaited(2, fortnight(), 1)]);
    let impatient = Wanted { wait: None, ..fortnight() };
    given::<Item>(lent()).when(hold(2, impatient)).then_refused(out_of_stock(1, 0));
}

#[test]
fn who_can_have_it_now_does_not_wait() {
    given::<Item>([cars(1)]).when(hold(1, fortnight())).then([held(1, 1, fortnight().period, euros(3000))]);
}

#[test]
fn nobody_waits_for_more_than_there_is() {
    let two = Wanted { quantity: 2, ..fortnight() };
    given::<Item>(lent()).when(hold(2, two)).then_refused(out_of_stock(2, 0));
}

#[test]
fn what_came_back_is_held_for_the_first_in_line() {
    let line = [awaited(2, fortnight(), 1), awaited(3, fortnight(), 2), returned(1, "2026-07-01")];
    let events = lent().into_iter().chain(line);
    let first = offered(2, period("2026-07-01", "2026-07-15"), "2026-07-01");
    given::<Item>(events).when(serve("2026-07-01")).then([first]);
}

#[test]
fn the_wanted_time_moves_on_while_one_waits() {
    let events = lent().into_iter().chain([awaited(2, fortnight(), 1), returned(1, "2026-07-05T10:00Z")]);
    let later = offered(2, period("2026-07-05", "2026-07-19"), "2026-07-05T10:00Z");
    given::<Item>(events).when(serve("2026-07-05T10:00Z")).then([later]);
}

#[test]
fn nobody_is_served_while_there_is_nothing() {
    let events = lent().into_iter().chain([awaited(2, fortnight(), 1)]);
    given::<Item>(events).when(serve("2026-07-01")).then([]);
    given::<Item>(lent()).when(serve("2026-07-01")).then([]);
    given::<Item>([]).when(serve("2026-07-01")).then_refused(ItemError::NotRegistered);
}

#[test]
fn while_somebody_waits_nobody_else_is_given_anything() {
    let events = lent().into_iter().chain([awaited(2, fortnight(), 1), returned(1, "2026-07-01")]);
    let jumper = Wanted { wait: None, ..loan("2026-09-01", "2026-09-15") };
    let line = given::<Item>(events);
    assert_eq!(line.state.available(jumper.period, at(MAY)), Some(0));
    line.when(hold(3, jumper)).then_refused(out_of_stock(1, 0));
    let events = lent().into_iter().chain([awaited(2, fortnight(), 1), returned(1, "2026-07-01")]);
    let polite = loan("2026-09-01", "2026-09-15");
    given::<Item>(events).when(hold(3, polite.clone())).then([awaited(3, polite, 2)]);
}

#[test]
fn while_somebody_waits_nobody_keeps_it_longer() {
    let extend = ItemCommand::Extend { rental: rental(1), number: 1, to: at("2026-07-20"), days: 0, now: at(MAY) };
    let events = lent().into_iter().chain([awaited(2, fortnight(), 1)]);
    given::<Item>(events).when(extend).then_refused(ItemError::SomebodyWaits);
}

#[test]
fn nobody_overtakes_the_first_who_cannot_be_served_yet() {
    let both = [cars(2), held(1, 2, fortnight().period, euros(6000)), committed(1)];
    let two = Wanted { quantity: 2, ..fortnight() };
    let line = [awaited(2, two, 1), awaited(3, fortnight(), 2), adjusted(1, 1, 3)];
    given::<Item>(both.into_iter().chain(line)).when(serve("2026-07-01")).then([]);
}

#[test]
fn one_can_leave_the_line() {
    let line = || lent().into_iter().chain([awaited(2, fortnight(), 1), awaited(3, fortnight(), 2)]);
    let reason = ReleaseReason::Cancelled;
    given::<Item>(line()).when(release(2, reason)).then([ended(2, reason)]);
    let places: Vec<_> = given::<Item>(line().chain([ended(2, reason)])).state.waiting().map(|it| it.rental).collect();
    assert_eq!(places, [rental(3)]);
}

#[test]
fn an_item_that_is_retired_keeps_nobody_waiting() {
    let events = lent().into_iter().chain([awaited(2, fortnight(), 1), awaited(3, fortnight(), 2)]);
    let retired = ItemEvent::Retired { at: at(MAY) };
    let reason = ReleaseReason::ItemRetired;
    given::<Item>(events).when(ItemCommand::Retire { now: at(MAY) }).then([
        ended(2, reason),
        ended(3, reason),
        retired,
    ]);
}

#[test]
fn one_can_wait_for_what_is_sold_out() {
    let sold = [phones(1), held(1, 1, None, euros(3000))];
    let wanted = patiently(units(1));
    given::<Item>(sold.clone()).when(hold(2, wanted.clone())).then([awaited(2, wanted.clone(), 1)]);
    let events = sold.into_iter().chain([awaited(2, wanted, 1), released(1, ReleaseReason::Expired)]);
    let given = given::<Item>(events).when(serve(MAY));
    let ItemEvent::Held { until, .. } = offered(2, july(), MAY) else { unreachable!() };
    given.then([ItemEvent::Held {
        rental: rental(2),
        customer: customer(),
        quantity: 1,
        occupies: None,
        turnaround_s: 0,
        seats: vec![],
        unit_price: euros(3000),
        total: euros(3000),
        until,
        at: at(MAY),
    }]);
}
