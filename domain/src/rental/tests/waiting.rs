//! A rental that waits in line, and is offered.

use super::*;
use crate::testing::{period, terms_of};

fn book() -> Terms {
    Terms { period: Some(period("2026-07-01", "2026-07-15")), wait: true, ..terms_of("library") }
}

const OFFERED: &str = "2026-07-05T10:00Z";
const OVER: &str = "2026-07-07T10:00Z";

fn offered() -> RentalEvent {
    let period = Some(period("2026-07-05", "2026-07-19"));
    RentalEvent::Offered { period, until: at(OVER), at: at(OFFERED) }
}

fn offer() -> RentalCommand {
    let period = Some(period("2026-07-05", "2026-07-19"));
    RentalCommand::Offer { period, until: at(OVER), now: at(OFFERED) }
}

fn accept(now: &str) -> RentalCommand {
    RentalCommand::Accept { now: at(now) }
}

fn accepted() -> RentalEvent {
    RentalEvent::Accepted { pay_by: at("2026-07-05T12:15Z"), at: at("2026-07-05T12:00Z") }
}

#[test]
fn only_where_there_is_a_line_can_one_wait_in_it() {
    let car = Terms { wait: true, ..car_terms() };
    let error = RentalError::DoesNotFit { field: "wait", why: "this business has no waiting list" };
    given::<Rental>([]).when(request(car)).then_refused(error);
    given::<Rental>([]).when(request(book())).then([requested_by(book())]);
}

#[test]
fn what_is_offered_can_be_accepted_until_the_offer_is_over() {
    given::<Rental>([requested_by(book())]).when(offer()).then([offered()]);
    let turn = || given::<Rental>([requested_by(book()), offered()]);
    turn().when(accept("2026-07-05T12:00Z")).then([accepted()]);
    turn().when(accept(OVER)).then_refused(RentalError::OfferOver { until: at(OVER) });
}

#[test]
fn nothing_is_accepted_that_was_not_offered() {
    given::<Rental>([requested_by(book())]).when(accept(OFFERED)).then_refused(RentalError::NothingOffered);
    let expired = RentalEvent::Expired { at: at(OVER) };
    let over = given::<Rental>([requested_by(book()), offered(), expired]);
    let (attempted, status) = ("accept", RentalStatus::Expired);
    over.when(accept(OVER)).then_refused(RentalError::WrongStatus { attempted, status });
}

#[test]
fn what_is_offered_can_be_declined_and_nothing_else() {
    let decline = RentalCommand::Decline { now: at(MAY) };
    given::<Rental>([requested_by(book()), offered()]).when(decline.clone()).then([cancelling()]);
    given::<Rental>([requested_by(book())]).when(decline.clone()).then_refused(RentalError::NothingOffered);
    let (attempted, status) = ("decline", RentalStatus::Confirmed);
    given::<Rental>([requested_by(book()), offered(), accepted(), confirmed()])
        .when(decline)
        .then_refused(RentalError::WrongStatus { attempted, status });
}

#[test]
fn it_is_late_after_the_period_that_was_offered() {
    let events = [requested_by(book()), offered(), accepted(), confirmed(), handed_over()];
    given::<Rental>(events.clone()).when(RentalCommand::Return { now: at("2026-07-18") }).then([returned(
        "2026-07-18",
        0,
        None,
    )]);
    given::<Rental>(events).when(RentalCommand::Return { now: at("2026-07-20T12:00Z") }).then([returned(
        "2026-07-20T12:00Z",
        2,
        None,
    )]);
}

#[test]
fn a_no_show_pays_what_a_late_cancellation_costs() {
    let by = CancelledBy::NoShow;
    let now = at("2026-07-02T12:00Z");
    given::<Rental>([requested(), confirmed()])
        .when(RentalCommand::RequestCancellation { by, reason: None, now })
        .then([RentalEvent::CancellationRequested { by, reason: None, fee: Some(euros(900)), at: now }]);
}
