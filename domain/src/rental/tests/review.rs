//! What a customer says of what they have had.

use super::*;
use crate::Personal;
use crate::testing::{customer, item, terms_of};

fn sealed(text: &str) -> Option<Personal> {
    Some(Personal::sealed(text.to_owned()))
}

fn write(stars: u8, text: Option<Personal>) -> RentalCommand {
    RentalCommand::WriteReview { stars, text, now: at(MAY) }
}

fn edit(stars: u8, text: Option<Personal>) -> RentalCommand {
    RentalCommand::EditReview { stars, text, now: at(MAY) }
}

fn delete() -> RentalCommand {
    RentalCommand::DeleteReview { now: at(MAY) }
}

fn written(number: u32, stars: u8, text: Option<Personal>) -> RentalEvent {
    RentalEvent::ReviewWritten { item: item(7), customer: customer(), number, stars, text, at: at(MAY) }
}

fn edited(before: u8, stars: u8, text: Option<Personal>) -> RentalEvent {
    RentalEvent::ReviewEdited { item: item(7), number: 1, stars, before, text, at: at(MAY) }
}

fn deleted(number: u32, stars: u8) -> RentalEvent {
    RentalEvent::ReviewDeleted { item: item(7), number, stars, at: at(MAY) }
}

fn reserved() -> Vec<RentalEvent> {
    vec![requested_by(terms_of("cinema")), confirmed()]
}

fn attended() -> Vec<RentalEvent> {
    and(reserved(), &[handed_over(), completed()])
}

fn and(mut events: Vec<RentalEvent>, more: &[RentalEvent]) -> Vec<RentalEvent> {
    events.extend_from_slice(more);
    events
}

#[test]
fn a_film_is_reviewed_by_whoever_has_attended() {
    given::<Rental>(attended()).when(write(4, sealed("long"))).then([written(1, 4, sealed("long"))]);
    given::<Rental>(attended()).when(write(1, None)).then([written(1, 1, None)]);
}

#[test]
fn nothing_is_reviewed_before_its_customer_has_had_it() {
    let prepared = and(reserved(), &[prepared()]);
    for (before, status) in [
        (vec![requested_by(terms_of("cinema"))], RentalStatus::Requested),
        (reserved(), RentalStatus::Confirmed),
        (prepared, RentalStatus::Prepared),
        (and(reserved(), &[cancelling()]), RentalStatus::Cancelling),
        (and(reserved(), &[cancelling(), cancelled()]), RentalStatus::Cancelled),
    ] {
        given::<Rental>(before).when(write(5, None)).then_refused(RentalError::NotReviewableYet { status });
    }
}

#[test]
fn a_book_is_reviewed_while_it_is_borrowed_and_after() {
    let book = Terms { period: car_terms().period, ..terms_of("library") };
    let borrowed = vec![requested_by(book), confirmed(), handed_over()];
    let late = and(borrowed.clone(), &[RentalEvent::Overdue { at: at("2026-07-04") }]);
    let back = and(borrowed.clone(), &[returned("2026-07-03", 0, None)]);
    let done = and(back.clone(), &[completed()]);
    for had in [borrowed, late, back, done] {
        given::<Rental>(had).when(write(5, None)).then([written(1, 5, None)]);
    }
}

#[test]
fn a_review_does_not_change_where_a_rental_stands() {
    let reviewed = given::<Rental>(and(attended(), &[written(1, 4, sealed("long"))])).state;
    assert_eq!(reviewed.status(), Some(RentalStatus::Completed));
    assert_eq!(reviewed.review(), Some((4, sealed("long").as_ref())));
}

#[test]
fn a_review_has_one_to_five_stars() {
    let misfit = || RentalError::DoesNotFit { field: "stars", why: "1 to 5" };
    for stars in [0, 6, u8::MAX] {
        given::<Rental>(attended()).when(write(stars, None)).then_refused(misfit());
        given::<Rental>(and(attended(), &[written(1, 4, None)])).when(edit(stars, None)).then_refused(misfit());
    }
}

#[test]
fn a_rental_has_one_review() {
    let reviewed = and(attended(), &[written(1, 4, sealed("long"))]);
    given::<Rental>(reviewed.clone()).when(write(5, sealed("long"))).then_refused(RentalError::AlreadyReviewed);
    given::<Rental>(reviewed.clone()).when(write(4, sealed("longer"))).then_refused(RentalError::AlreadyReviewed);
    given::<Rental>(reviewed).when(write(4, sealed("long"))).then([]);
}

#[test]
fn a_review_can_be_changed() {
    let reviewed = and(attended(), &[written(1, 4, sealed("long"))]);
    given::<Rental>(reviewed.clone()).when(edit(2, sealed("too long"))).then([edited(4, 2, sealed("too long"))]);
    given::<Rental>(reviewed.clone()).when(edit(4, None)).then([edited(4, 4, None)]);
    given::<Rental>(reviewed.clone()).when(edit(4, sealed("long"))).then([]);
    let changed = and(reviewed, &[edited(4, 2, None)]);
    given::<Rental>(changed).when(edit(5, None)).then([edited(2, 5, None)]);
}

#[test]
fn what_was_not_reviewed_cannot_be_changed() {
    given::<Rental>(reserved()).when(edit(5, None)).then_refused(RentalError::NotReviewed);
    given::<Rental>(attended()).when(edit(5, None)).then_refused(RentalError::NotReviewed);
    let gone = and(attended(), &[written(1, 4, None), deleted(1, 4)]);
    given::<Rental>(gone).when(edit(5, None)).then_refused(RentalError::NotReviewed);
}

#[test]
fn a_review_that_was_deleted_can_be_written_again() {
    let reviewed = and(attended(), &[written(1, 4, sealed("long")), edited(4, 2, None)]);
    given::<Rental>(reviewed.clone()).when(delete()).then([deleted(1, 2)]);
    let gone = and(reviewed, &[deleted(1, 2)]);
    given::<Rental>(gone.clone()).when(delete()).then([]);
    given::<Rental>(gone.clone()).when(write(2, None)).then([written(2, 2, None)]);
    given::<Rental>(and(gone, &[written(2, 2, None)])).when(delete()).then([deleted(2, 2)]);
}

#[test]
fn deleting_what_was_never_written_is_already_so() {
    given::<Rental>(reserved()).when(delete()).then([]);
    given::<Rental>(attended()).when(delete()).then([]);
}

#[test]
fn a_business_without_reviews_has_none() {
    let driven = [requested(), confirmed(), handed_over()];
    for command in [write(5, None), edit(5, None), delete()] {
        given::<Rental>(driven.clone()).when(command).then_refused(RentalError::NoReviews);
    }
}

#[test]
fn a_kiosk_lends_where_the_rules_of_the_rental_say_so() {
    assert_eq!(given::<Rental>([]).state.check_kiosk(), Err(RentalError::NotRequested));
    assert_eq!(given::<Rental>([requested()]).state.check_kiosk(), Err(RentalError::NoKiosk));
    assert_eq!(given::<Rental>([requested_by(terms_of("library"))]).state.check_kiosk(), Ok(()));
}
