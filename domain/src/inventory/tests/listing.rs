//! What is said about an item.

use super::*;

fn revise(name: Option<&str>, description: Option<&str>, price: Option<Money>) -> ItemCommand {
    let (name, description) = (name.map(str::to_owned), description.map(str::to_owned));
    ItemCommand::Revise { name, description, price, now: at(MAY) }
}

fn renamed(name: &str) -> ItemEvent {
    ItemEvent::Renamed { name: name.to_owned(), at: at(MAY) }
}

fn retired() -> ItemEvent {
    ItemEvent::Retired { at: at(MAY) }
}

fn misfit(field: &'static str, why: &'static str) -> ItemError {
    ItemError::DoesNotFit { field, why }
}

#[test]
fn an_item_is_registered_once() {
    given::<Item>([]).when(register(Stock::Pool { units: 2 })).then([cars(2)]);
    given::<Item>([cars(2)]).when(register(Stock::Pool { units: 3 })).then_refused(ItemError::AnotherItem);
    given::<Item>([cars(2)]).when(register(Stock::Sale { units: Some(2) })).then_refused(ItemError::AnotherItem);
}

#[test]
fn a_repeated_registration_is_known_again_even_after_the_item_has_changed() {
    given::<Item>([cars(2), renamed("Fiat"), adjusted(1, 3, 5)]).when(register(Stock::Pool { units: 2 })).then([]);
    let rows = || Stock::Seats { seats: texts(&["A1", "A2"]) };
    given::<Item>([registered(rows())]).when(register(rows())).then([]);
}

#[test]
fn seats_are_named_each_once() {
    let refused = |names: &[&str], why| {
        given::<Item>([]).when(register(Stock::Seats { seats: texts(names) })).then_refused(misfit("seats", why));
    };
    refused(&[], "1 to 10000 of them");
    refused(&["A1", "A1"], "each once");
    refused(&["A1", ""], "1 to 32 characters each");
}

#[test]
fn only_what_is_different_is_revised() {
    given::<Item>([cars(1)]).when(revise(Some("Fiat 500"), None, Some(euros(3000)))).then([]);
    let description = "Red.".to_owned();
    given::<Item>([cars(1)]).when(revise(Some("Fiat"), Some("Red."), Some(euros(4000)))).then([
        renamed("Fiat"),
        ItemEvent::Described { description, at: at(MAY) },
        ItemEvent::Repriced { price: euros(4000), at: at(MAY) },
    ]);
}

#[test]
fn what_is_said_fits() {
    let refused = |command, field, why| {
        given::<Item>([cars(1)]).when(command).then_refused(misfit(field, why));
    };
    refused(revise(Some(" "), None, None), "name", "1 to 200 characters");
    refused(revise(None, Some(&"x".repeat(4001)), None), "description", "at most 4000 characters");
    refused(revise(None, None, Some(euros(-1))), "price", "not less than nothing");
    let won = Money::new(5000, "KRW".to_owned().try_into().unwrap());
    refused(revise(None, None, Some(won)), "price", "in the currency that it was in");
}

#[test]
fn a_retired_item_is_held_for_nobody_but_what_stands_goes_on() {
    given::<Item>([cars(1)]).when(ItemCommand::Retire { now: at(MAY) }).then([retired()]);
    given::<Item>([cars(1), retired()]).when(hold(1, days(july(), 3, 1))).then_refused(ItemError::Retired);
    given::<Item>([cars(1), retired()]).when(revise(Some("Fiat"), None, None)).then_refused(ItemError::Retired);
    let standing = [cars(1), held(1, 1, Some(july()), euros(9000)), retired()];
    given::<Item>(standing.clone()).when(commit(1)).then([committed(1)]);
    given::<Item>(standing.clone()).when(hold(1, days(july(), 3, 1))).then([]);
    assert_eq!(given::<Item>(standing).state.available(Some(july()), at(MAY)), Some(0));
}

#[test]
fn the_price_is_that_of_the_moment_of_the_hold() {
    let repriced = ItemEvent::Repriced { price: euros(9999), at: at(MAY) };
    let item = given::<Item>([cars(1), held(1, 1, Some(july()), euros(9000)), repriced]).state;
    assert_eq!(item.price(), Some(euros(9999)));
    assert!(item.holds(rental(1)));
}

#[test]
fn stock_is_adjusted_once_for_each_adjustment() {
    given::<Item>([cars(2)]).when(adjust(1, 3)).then([adjusted(1, 3, 5)]);
    given::<Item>([cars(2), adjusted(1, 3, 5), adjusted(2, -1, 4)]).when(adjust(1, 3)).then([]);
    given::<Item>([phones(2)]).when(adjust(1, -2)).then([adjusted(1, -2, 0)]);
}

#[test]
fn what_is_not_counted_is_not_adjusted() {
    let refusal = || misfit("change", "this item's stock is not counted");
    given::<Item>([seats(&["A1"])]).when(adjust(1, 1)).then_refused(refusal());
    given::<Item>([registered(Stock::Sale { units: None })]).when(adjust(1, 1)).then_refused(refusal());
    given::<Item>([cars(1)]).when(adjust(1, 0)).then_refused(misfit("change", "more, or fewer"));
    given::<Item>([cars(1)]).when(adjust(1, i64::MAX)).then_refused(misfit("change", "out of range"));
    given::<Item>([cars(1)]).when(adjust(1, i64::from(u32::MAX))).then_refused(misfit("change", "out of range"));
}

#[test]
fn there_are_never_fewer_units_than_are_promised_at_the_busiest_instant_to_come() {
    let august = period("2026-08-01", "2026-08-04");
    let busy = [cars(5), held(1, 2, Some(july()), euros(18_000)), held(2, 3, Some(august), euros(27_000))];
    given::<Item>(busy.clone()).when(adjust(1, -2)).then([adjusted(1, -2, 3)]);
    given::<Item>(busy).when(adjust(1, -3)).then_refused(ItemError::Promised { promised: 3 });
    let sold = [phones(3), held(1, 2, None, euros(6000)), committed(1)];
    given::<Item>(sold).when(adjust(1, -2)).then_refused(ItemError::Promised { promised: 2 });
    given::<Item>([cars(1)]).when(adjust(1, -2)).then_refused(ItemError::Promised { promised: 0 });
}

#[test]
fn nothing_is_asked_of_an_item_that_is_not_there() {
    for command in [
        revise(Some("Fiat"), None, None),
        ItemCommand::Retire { now: at(MAY) },
        adjust(1, 1),
        hold(1, units(1)),
        commit(1),
        release(1, ReleaseReason::Expired),
        mark_overdue(1, MAY),
        take_back(1, MAY),
    ] {
        given::<Item>([]).when(command).then_refused(ItemError::NotRegistered);
    }
    assert!(!Item::default().registered());
    assert_eq!(Item::default().available(None, at(MAY)), Some(0));
}
