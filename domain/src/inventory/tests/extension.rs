//! Units that stay away for longer.

use super::*;

/// One car, booked for the first three days of July.
fn away(units: u32) -> Vec<ItemEvent> {
    vec![cars(units), held(1, 1, Some(july()), euros(9000)), committed(1)]
}

fn and(mut events: Vec<ItemEvent>, event: ItemEvent) -> Vec<ItemEvent> {
    events.push(event);
    events
}

fn extend(number: u32, to: &str, days: u32) -> ItemCommand {
    extend_at(number, to, days, MAY)
}

fn extend_at(number: u32, to: &str, days: u32, now: &str) -> ItemCommand {
    ItemCommand::Extend { rental: rental(1), number, to: at(to), days, now: at(now) }
}

fn extended(number: u32, to: &str, extra: i64) -> ItemEvent {
    let (rental, occupies) = (rental(1), period("2026-07-01", to));
    ItemEvent::Extended { rental, number, occupies, extra: euros(extra), at: at(MAY) }
}

fn release(number: u32) -> ItemCommand {
    ItemCommand::ReleaseExtension { rental: rental(1), number, now: at(MAY) }
}

fn released(number: u32, to: &str) -> ItemEvent {
    ItemEvent::ExtensionReleased { rental: rental(1), number, occupies: period("2026-07-01", to), at: at(MAY) }
}

fn free(events: Vec<ItemEvent>, from: &str, to: &str) -> Option<u32> {
    given::<Item>(events).state.available(Some(period(from, to)), at(MAY))
}

#[test]
fn a_car_stays_away_longer_at_the_price_of_its_hold() {
    let repriced = ItemEvent::Repriced { price: euros(5000), at: at(MAY) };
    let before = and(away(1), repriced);
    given::<Item>(before.clone()).when(extend(1, "2026-07-06", 2)).then([extended(1, "2026-07-06", 6000)]);
    // A loan costs the same, however long it is.
    given::<Item>(before.clone()).when(extend(1, "2026-07-06", 0)).then([extended(1, "2026-07-06", 0)]);
    let longer = and(before, extended(1, "2026-07-06", 6000));
    assert_eq!(free(longer.clone(), "2026-07-05", "2026-07-06"), Some(0));
    assert_eq!(free(longer, "2026-07-06", "2026-07-07"), Some(1));
}

#[test]
fn an_extension_that_overlaps_what_others_hold_is_refused() {
    let next = period("2026-07-05", "2026-07-07");
    let taken = and(away(1), held(2, 1, Some(next), euros(6000)));
    given::<Item>(taken.clone()).when(extend(1, "2026-07-06", 2)).then_refused(out_of_stock(1, 0));
    given::<Item>(taken).when(extend(1, "2026-07-05", 1)).then([extended(1, "2026-07-05", 3000)]);
    let two = and(away(2), held(2, 1, Some(next), euros(6000)));
    given::<Item>(two).when(extend(1, "2026-07-06", 2)).then([extended(1, "2026-07-06", 6000)]);
}

#[test]
fn an_extension_keeps_the_rest_after_it() {
    let occupied = period("2026-07-01", "2026-07-04T01:00Z");
    let resting = vec![cars(1), held_with(1, 1, Some(occupied), 3600, &[], euros(9000)), committed(1)];
    given::<Item>(resting.clone()).when(extend(1, "2026-07-05", 1)).then([ItemEvent::Extended {
        rental: rental(1),
        number: 1,
        occupies: period("2026-07-01", "2026-07-05T01:00Z"),
        extra: euros(3000),
        at: at(MAY),
    }]);
    let next = and(resting, held(2, 1, Some(period("2026-07-05", "2026-07-06")), euros(3000)));
    given::<Item>(next).when(extend(1, "2026-07-05", 1)).then_refused(out_of_stock(1, 0));
}

#[test]
fn an_extension_that_is_given_up_frees_the_additional_time() {
    let longer = and(away(1), extended(1, "2026-07-06", 6000));
    given::<Item>(longer.clone()).when(release(1)).then([released(1, "2026-07-04")]);
    let as_before = and(longer, released(1, "2026-07-04"));
    assert_eq!(free(as_before.clone(), "2026-07-04", "2026-07-06"), Some(1));
    assert_eq!(free(as_before.clone(), "2026-07-03", "2026-07-06"), Some(0));
    // What comes late does not bring it back; the next extension has a number of its own.
    given::<Item>(as_before.clone()).when(extend(1, "2026-07-06", 2)).then([]);
    given::<Item>(as_before).when(extend(2, "2026-07-06", 2)).then([extended(2, "2026-07-06", 6000)]);
}

#[test]
fn only_the_newest_extension_is_given_up() {
    let twice = and(and(away(1), extended(1, "2026-07-06", 6000)), extended(2, "2026-07-07", 3000));
    given::<Item>(twice.clone()).when(release(1)).then([]);
    given::<Item>(twice.clone()).when(release(2)).then([released(2, "2026-07-06")]);
    given::<Item>(and(twice, released(2, "2026-07-06"))).when(release(1)).then([]);
    given::<Item>(away(1)).when(release(1)).then([]);
    given::<Item>([cars(1)]).when(release(1)).then([]);
}

#[test]
fn a_car_that_is_late_is_not_in_its_own_way() {
    let longer = ItemEvent::Extended {
        rental: rental(1),
        number: 1,
        occupies: period("2026-07-01", "2026-07-06"),
        extra: euros(6000),
        at: at("2026-07-04T12:00Z"),
    };
    given::<Item>(away(1)).when(extend_at(1, "2026-07-06", 2, "2026-07-04T12:00Z")).then([longer.clone()]);
    let august = period("2026-08-01", "2026-08-04");
    let item = given::<Item>(and(away(1), longer)).state;
    assert_eq!(item.available(Some(august), at("2026-07-04T12:00Z")), Some(1));
    assert_eq!(item.available(Some(august), at("2026-07-06")), Some(0));
}

#[test]
fn only_what_is_committed_and_not_overdue_stays_longer() {
    let misfit = |field, why| ItemError::DoesNotFit { field, why };
    let held = vec![cars(1), held(1, 1, Some(july()), euros(9000))];
    given::<Item>(held)
        .when(extend(1, "2026-07-06", 2))
        .then_refused(misfit("rental", "its stock is held and not committed"));
    given::<Item>(and(away(1), overdue(1, "2026-07-04")))
        .when(extend(1, "2026-07-06", 2))
        .then_refused(misfit("rental", "it should be back already"));
    given::<Item>(away(1)).when(extend(1, "2026-07-04", 0)).then_refused(misfit("to", "after the end"));
    given::<Item>([cars(1)]).when(extend(1, "2026-07-06", 2)).then_refused(ItemError::NothingHeld);
    given::<Item>(and(away(1), ItemEvent::Retired { at: at(MAY) }))
        .when(extend(1, "2026-07-06", 2))
        .then_refused(ItemError::Retired);
    let sold = vec![phones(1), ItemEvent::Committed { rental: rental(1), at: at(MAY) }];
    given::<Item>(sold).when(extend(1, "2026-07-06", 2)).then_refused(ItemError::NothingHeld);
}
