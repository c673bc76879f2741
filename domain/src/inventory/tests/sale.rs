//! Units that leave for good, and seats.

use super::*;

fn chosen(names: &[&str]) -> Wanted {
    let quantity = u32::try_from(names.len()).unwrap();
    Wanted { seats: texts(names), ..units(quantity) }
}

fn seated(number: u128, names: &[&str]) -> ItemEvent {
    let quantity = u32::try_from(names.len()).unwrap();
    held_with(number, quantity, None, 0, names, euros(3000 * i64::from(quantity)))
}

fn misfit(field: &'static str, why: &'static str) -> ItemError {
    ItemError::DoesNotFit { field, why }
}

#[test]
fn what_is_sold_is_gone() {
    given::<Item>([phones(3)]).when(hold(1, units(2))).then([held(1, 2, None, euros(6000))]);
    let sold = [phones(3), held(1, 2, None, euros(6000)), committed(1)];
    given::<Item>(sold.clone()).when(hold(2, units(2))).then_refused(out_of_stock(2, 1));
    assert_eq!(given::<Item>(sold).state.available(None, at(MAY)), Some(1));
}

#[test]
fn what_is_released_can_be_sold_again() {
    for events in [vec![], vec![committed(1)]] {
        let reason = ReleaseReason::Cancelled;
        let given_up = [phones(1), held(1, 1, None, euros(3000))].into_iter().chain(events);
        given::<Item>(given_up.clone()).when(release(1, reason)).then([released(1, reason)]);
        given::<Item>(given_up.chain([released(1, reason)])).when(hold(2, units(1))).then([held(
            2,
            1,
            None,
            euros(3000),
        )]);
    }
}

#[test]
fn what_is_made_to_order_is_never_out_of_stock() {
    let coffee = registered(Stock::Sale { units: None });
    given::<Item>([coffee.clone()]).when(hold(1, units(1_000_000))).then([held(
        1,
        1_000_000,
        None,
        euros(3_000_000_000),
    )]);
    let item = given::<Item>([coffee]).state;
    assert_eq!((item.available(None, at(MAY)), item.units()), (None, None));
}

#[test]
fn a_rental_holds_once() {
    given::<Item>([phones(3), held(1, 2, None, euros(6000))]).when(hold(1, units(3))).then([]);
}

#[test]
fn a_hold_expires_but_a_commitment_does_not() {
    let expired = ReleaseReason::Expired;
    let held = [phones(1), held(1, 1, None, euros(3000))];
    given::<Item>(held.clone()).when(release(1, expired)).then([released(1, expired)]);
    given::<Item>(held.into_iter().chain([committed(1)])).when(release(1, expired)).then_refused(ItemError::Committed);
}

#[test]
fn only_what_is_held_is_committed() {
    given::<Item>([phones(1), held(1, 1, None, euros(3000))]).when(commit(1)).then([committed(1)]);
    given::<Item>([phones(1)]).when(commit(1)).then_refused(ItemError::NothingHeld);
    given::<Item>([phones(1)]).when(release(1, ReleaseReason::TooLate)).then([]);
}

#[test]
fn what_is_given_for_good_does_not_come_back() {
    let sold = [phones(1), held(1, 1, None, euros(3000)), committed(1)];
    let refusal = || misfit("rental", "this item was given for good");
    given::<Item>(sold.clone()).when(take_back(1, MAY)).then_refused(refusal());
    given::<Item>(sold).when(mark_overdue(1, MAY)).then_refused(refusal());
}

#[test]
fn what_is_held_fits_the_kind_of_stock() {
    let refused = |wanted, field, why| {
        given::<Item>([phones(9)]).when(hold(1, wanted)).then_refused(misfit(field, why));
    };
    refused(units(0), "quantity", "more than 0");
    refused(days(july(), 3, 1), "from", "this item does not come back");
    refused(chosen(&["A1"]), "seats", "this item has no seats");
}

#[test]
fn a_price_beyond_all_money_is_refused() {
    let dear = ItemEvent::Repriced { price: euros(i64::MAX), at: at(MAY) };
    given::<Item>([phones(9), dear])
        .when(hold(1, units(2)))
        .then_refused(misfit("quantity", "the price of it all is out of range"));
}

#[test]
fn chosen_seats_are_given_once() {
    let row = seats(&["A1", "A2", "A3"]);
    given::<Item>([row.clone()]).when(hold(1, chosen(&["A3", "A1"]))).then([seated(1, &["A3", "A1"])]);
    given::<Item>([row, seated(1, &["A3", "A1"])])
        .when(hold(2, chosen(&["A1", "A2", "B1"])))
        .then_refused(ItemError::SeatsTaken { seats: texts(&["A1", "B1"]) });
}

#[test]
fn the_first_free_seats_are_assigned_where_none_are_chosen() {
    let row = seats(&["Z", "A", "M"]);
    given::<Item>([row.clone()]).when(hold(1, units(2))).then([seated(1, &["Z", "A"])]);
    given::<Item>([row.clone(), seated(1, &["A"])]).when(hold(2, units(2))).then([seated(2, &["Z", "M"])]);
    given::<Item>([row, seated(1, &["A"])]).when(hold(2, units(3))).then_refused(out_of_stock(3, 2));
}

#[test]
fn a_rental_has_the_seats_that_were_chosen_or_assigned_until_it_gives_them_up() {
    let row = [seats(&["A1", "A2", "A3"]), seated(1, &["A3", "A1"])];
    let theirs = |events: Vec<ItemEvent>, number| given::<Item>(events).state.seats_of(rental(number));
    assert_eq!(theirs(row.to_vec(), 1), ["A1", "A3"]);
    assert!(theirs(row.to_vec(), 2).is_empty());
    let given_up = row.into_iter().chain([released(1, ReleaseReason::Cancelled)]).collect();
    assert!(theirs(given_up, 1).is_empty());
}

#[test]
fn a_seat_that_is_given_up_is_free_again() {
    let given_up = released(1, ReleaseReason::PaymentDeclined);
    let row = [seats(&["A1", "A2"]), seated(1, &["A1"]), given_up];
    assert_eq!(given::<Item>(row.clone()).state.available(None, at(MAY)), Some(2));
    given::<Item>(row).when(hold(2, chosen(&["A1"]))).then([seated(2, &["A1"])]);
}

#[test]
fn seats_are_chosen_all_or_none_and_each_once() {
    let row = || seats(&["A1", "A2"]);
    let two = Wanted { quantity: 2, ..chosen(&["A1"]) };
    given::<Item>([row()]).when(hold(1, two)).then_refused(misfit("seats", "as many as the quantity, or none"));
    given::<Item>([row()]).when(hold(1, chosen(&["A1", "A1"]))).then_refused(misfit("seats", "each once"));
}
