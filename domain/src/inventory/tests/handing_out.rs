//! Which units of a pool have left the shop.

use super::*;

fn lend(number: u128) -> ItemCommand {
    ItemCommand::HandOut { rental: rental(number), only_if_in: true, now: at(MAY) }
}

fn note(number: u128) -> ItemCommand {
    ItemCommand::HandOut { rental: rental(number), only_if_in: false, now: at(MAY) }
}

fn handed_out(number: u128) -> ItemEvent {
    ItemEvent::HandedOut { rental: rental(number), at: at(MAY) }
}

/// So many books, and loans one after the other: the first in June, the second in July and so on.
fn lent(books: u32, loans: &[u32]) -> Vec<ItemEvent> {
    let month = |number: usize| period(&format!("2026-{:02}-01", number + 5), &format!("2026-{:02}-01", number + 6));
    let loan = |(number, quantity): (usize, &u32)| {
        let number = number + 1;
        [held(number as u128, *quantity, Some(month(number)), euros(100)), committed(number as u128)]
    };
    [cars(books)].into_iter().chain(loans.iter().enumerate().flat_map(loan)).collect()
}

fn and(mut events: Vec<ItemEvent>, more: &[ItemEvent]) -> Vec<ItemEvent> {
    events.extend_from_slice(more);
    events
}

fn not_back_yet(out: u32, units: u32) -> ItemError {
    ItemError::NotBackYet { out, units }
}

#[test]
fn a_kiosk_does_not_lend_a_book_whose_return_is_not_processed() {
    let both = lent(1, &[1, 1]);
    given::<Item>(both.clone()).when(lend(1)).then([handed_out(1)]);
    given::<Item>(and(both.clone(), &[handed_out(1)])).when(lend(2)).then_refused(not_back_yet(1, 1));
    given::<Item>(and(both, &[handed_out(1), returned(1, MAY)])).when(lend(2)).then([handed_out(2)]);
}

#[test]
fn a_book_that_was_given_up_or_is_late_counts_as_it_should() {
    let both = and(lent(1, &[1, 1]), &[handed_out(1)]);
    let given_up = and(both.clone(), &[released(1, ReleaseReason::Cancelled)]);
    given::<Item>(given_up).when(lend(2)).then([handed_out(2)]);
    let late = and(both, &[overdue(1, MAY)]);
    given::<Item>(late.clone()).when(lend(2)).then_refused(not_back_yet(1, 1));
    given::<Item>(and(late, &[returned(1, MAY)])).when(lend(2)).then([handed_out(2)]);
}

#[test]
fn a_kiosk_lends_as_long_as_there_are_books_for_all_of_it() {
    let loans = lent(3, &[2, 1, 2]);
    let out = and(loans, &[handed_out(1)]);
    given::<Item>(out.clone()).when(lend(2)).then([handed_out(2)]);
    given::<Item>(out.clone()).when(lend(3)).then_refused(not_back_yet(2, 3));
    given::<Item>(and(out, &[returned(1, MAY)])).when(lend(3)).then([handed_out(3)]);
}

#[test]
fn what_a_person_has_handed_over_is_a_fact() {
    let out = and(lent(1, &[1, 1]), &[handed_out(1)]);
    given::<Item>(out.clone()).when(note(2)).then([handed_out(2)]);
    // Two of one: both have to be back before a kiosk lends it again.
    let three = and(lent(1, &[1, 1, 1]), &[handed_out(1), handed_out(2)]);
    given::<Item>(three.clone()).when(lend(3)).then_refused(not_back_yet(2, 1));
    given::<Item>(and(three, &[returned(1, MAY)])).when(lend(3)).then_refused(not_back_yet(1, 1));
}

#[test]
fn what_is_out_is_already_so_whoever_says_it() {
    let out = and(lent(1, &[1]), &[handed_out(1)]);
    given::<Item>(out.clone()).when(lend(1)).then([]);
    given::<Item>(out).when(note(1)).then([]);
}

#[test]
fn only_what_is_paid_for_and_comes_back_is_handed_out() {
    let misfit = |why| ItemError::DoesNotFit { field: "rental", why };
    let unpaid = [cars(1), held(1, 1, Some(july()), euros(9000))];
    given::<Item>(unpaid).when(lend(1)).then_refused(misfit("its stock is held and not committed"));
    given::<Item>([cars(1)]).when(lend(1)).then_refused(ItemError::NothingHeld);
    given::<Item>([cars(1)]).when(note(1)).then_refused(ItemError::NothingHeld);
    given::<Item>([]).when(lend(1)).then_refused(ItemError::NotRegistered);
    let sold = [phones(1), held(1, 1, None, euros(3000)), committed(1)];
    given::<Item>(sold).when(lend(1)).then_refused(misfit("this item was given for good"));
}

#[test]
fn what_is_retired_is_still_handed_out_to_whom_it_was_promised_and_comes_back() {
    let retired = and(lent(1, &[1]), &[ItemEvent::Retired { at: at(MAY) }]);
    given::<Item>(retired.clone()).when(lend(1)).then([handed_out(1)]);
    given::<Item>(and(retired, &[handed_out(1)])).when(take_back(1, MAY)).then([returned(1, MAY)]);
}

#[test]
fn what_is_out_changes_nothing_about_what_is_promised() {
    let item = given::<Item>(and(lent(2, &[1]), &[handed_out(1)])).state;
    let june = period("2026-06-01", "2026-07-01");
    assert_eq!((item.available(Some(june), at(MAY)), item.busiest(at(MAY))), (Some(1), 1));
}
