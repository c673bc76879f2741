//! What can be asked for.

use super::{request, requested, requested_by, wrong};
use crate::rental::{Rental, RentalCommand, RentalError, RentalStatus, Terms};
use crate::testing::{at, car_terms, given, period, terms_of};

fn refused(terms: Terms, field: &'static str, why: &'static str) {
    given::<Rental>([]).when(request(terms)).then_refused(RentalError::DoesNotFit { field, why });
}

#[test]
fn every_business_takes_what_fits_it() {
    for terms in [car_terms(), terms_of("phone-shop"), terms_of("coffee-shop"), terms_of("cinema")] {
        given::<Rental>([]).when(request(terms.clone())).then([requested_by(terms)]);
    }
    let book = Terms { period: car_terms().period, ..terms_of("library") };
    given::<Rental>([]).when(request(book.clone())).then([requested_by(book)]);
}

#[test]
fn the_same_rental_is_not_requested_twice_with_other_terms() {
    let later = RentalCommand::Request { terms: Box::new(car_terms()), now: at("2026-08-01") };
    given::<Rental>([requested()]).when(later).then([]);
    let two = Terms { quantity: 2, ..car_terms() };
    given::<Rental>([requested()]).when(request(two)).then_refused(wrong("request", RentalStatus::Requested));
}

#[test]
fn a_rental_is_of_one_unit_at_least() {
    refused(Terms { quantity: 0, ..car_terms() }, "quantity", "1 to 1000");
    refused(Terms { quantity: 1001, ..car_terms() }, "quantity", "1 to 1000");
}

#[test]
fn what_comes_back_is_rented_for_a_period_and_nothing_else_is() {
    refused(Terms { period: None, ..car_terms() }, "from", "from when to when is needed");
    let period = car_terms().period;
    refused(Terms { period, ..terms_of("phone-shop") }, "from", "this business has no periods");
    refused(Terms { period, ..terms_of("cinema") }, "from", "this business has no periods");
}

#[test]
fn a_period_ends_after_it_starts_and_within_a_year() {
    let mut backwards = period("2026-07-01", "2026-07-04");
    std::mem::swap(&mut backwards.from, &mut backwards.to);
    refused(Terms { period: Some(backwards), ..car_terms() }, "to", "after the start");
    let long = Some(period("2026-07-01", "2027-07-03"));
    refused(Terms { period: long, ..car_terms() }, "to", "at most 366 days after the start");
}

#[test]
fn a_period_may_start_today_but_not_before_by_the_calendar_of_the_store() {
    // In Berlin the first of May begins at ten in the evening, UTC.
    let today = Some(period("2026-04-30T22:00Z", "2026-05-02"));
    let terms = Terms { period: today, ..car_terms() };
    given::<Rental>([]).when(request(terms.clone())).then([requested_by(terms)]);

    let yesterday = Some(period("2026-04-30T21:59Z", "2026-05-02"));
    let terms = Terms { period: yesterday, ..car_terms() };
    given::<Rental>([])
        .when(request(terms))
        .then_refused(RentalError::StartsInThePast { from: at("2026-04-30T21:59Z"), today: at("2026-04-30T22:00Z") });
    // Where it is still April, that is today.
    let terms = Terms { period: yesterday, time_zone: chrono_tz::America::Los_Angeles, ..car_terms() };
    let early = RentalCommand::Request { terms: Box::new(terms.clone()), now: at("2026-05-01T03:00Z") };
    assert!(given::<Rental>([]).state.decide(early).is_ok());
}

#[test]
fn seats_are_chosen_where_there_are_seats_each_once_and_all_or_none() {
    let seats = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    refused(Terms { seats: seats(&["A1"]), ..car_terms() }, "seats", "this business has no seats");
    refused(
        Terms { seats: seats(&["A1"]), quantity: 2, ..terms_of("cinema") },
        "seats",
        "as many as the quantity, or none",
    );
    refused(Terms { seats: seats(&["A1", "A1"]), quantity: 2, ..terms_of("cinema") }, "seats", "each once");
    refused(Terms { seats: seats(&[""]), ..terms_of("cinema") }, "seats", "1 to 32 characters each");
    let two = Terms { seats: seats(&["A1", "A2"]), quantity: 2, ..terms_of("cinema") };
    given::<Rental>([]).when(request(two.clone())).then([requested_by(two)]);
}
