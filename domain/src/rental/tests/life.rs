//! From the request to the end.

use super::*;
use crate::rental::RejectReason;
use crate::testing::terms_of;

fn give_back(now: &str) -> RentalCommand {
    RentalCommand::Return { now: at(now) }
}

fn mark_overdue(now: &str) -> RentalCommand {
    RentalCommand::MarkOverdue { now: at(now) }
}

fn away() -> Vec<RentalEvent> {
    vec![requested(), confirmed(), prepared(), handed_over()]
}

fn overdue() -> RentalEvent {
    RentalEvent::Overdue { at: at("2026-07-04") }
}

#[test]
fn a_rental_is_confirmed_prepared_handed_over_returned_and_completed() {
    given::<Rental>([requested()]).when(confirm()).then([confirmed()]);
    given::<Rental>([requested(), confirmed()]).when(mark_prepared()).then([prepared()]);
    given::<Rental>([requested(), confirmed(), prepared()]).when(mark_handed_over()).then([handed_over()]);
    let back = returned("2026-07-03", 0, None);
    given::<Rental>(away()).when(give_back("2026-07-03")).then([back.clone()]);
    let complete = RentalCommand::Complete { now: at(MAY) };
    given::<Rental>(away().into_iter().chain([back])).when(complete).then([completed()]);
}

#[test]
fn a_rental_that_is_not_confirmed_goes_nowhere() {
    let is = RentalStatus::Requested;
    given::<Rental>([requested()]).when(mark_prepared()).then_refused(wrong("prepare", is));
    given::<Rental>([requested()]).when(mark_handed_over()).then_refused(wrong("hand over", is));
    given::<Rental>([requested()]).when(give_back("2026-07-04")).then_refused(wrong("return", is));
    let complete = RentalCommand::Complete { now: at(MAY) };
    given::<Rental>([requested()]).when(complete).then_refused(wrong("complete", is));
}

#[test]
fn a_business_may_hand_over_without_preparing() {
    given::<Rental>([requested(), confirmed()]).when(mark_handed_over()).then([handed_over()]);
}

#[test]
fn what_was_overtaken_is_already_so() {
    given::<Rental>(away()).when(mark_prepared()).then([]);
    given::<Rental>(away()).when(confirm()).then([]);
    let back = away().into_iter().chain([returned("2026-07-04", 0, None)]);
    given::<Rental>(back.clone()).when(mark_overdue("2026-07-05")).then([]);
    given::<Rental>(back).when(mark_handed_over()).then([]);
}

#[test]
fn what_does_not_come_back_is_completed_by_being_handed_over() {
    let sold = [requested_by(terms_of("phone-shop")), confirmed()];
    given::<Rental>(sold.clone()).when(mark_handed_over()).then([handed_over(), completed()]);
    given::<Rental>(sold.into_iter().chain([handed_over(), completed()]))
        .when(give_back("2026-07-04"))
        .then_refused(RentalError::DoesNotComeBack);
}

#[test]
fn a_rental_is_overdue_from_the_end_of_its_period_on() {
    given::<Rental>(away())
        .when(mark_overdue("2026-07-03T23:59Z"))
        .then_refused(RentalError::DoesNotFit { field: "now", why: "it is not due yet" });
    given::<Rental>(away()).when(mark_overdue("2026-07-04")).then([overdue()]);
    given::<Rental>([requested(), confirmed()])
        .when(mark_overdue("2026-07-04"))
        .then_refused(wrong("mark as overdue", RentalStatus::Confirmed));
}

#[test]
fn a_car_that_is_back_in_time_costs_no_more() {
    given::<Rental>(away()).when(give_back("2026-07-04")).then([returned("2026-07-04", 0, None)]);
}

#[test]
fn every_started_day_late_costs_one_and_a_half_days() {
    // Three days cost 90.00, so a day late costs 45.00.
    for (now, days_late, fee) in
        [("2026-07-04T00:01Z", 1, 4500), ("2026-07-05", 1, 4500), ("2026-07-05T00:01Z", 2, 9000)]
    {
        let late = returned(now, days_late, Some(euros(fee)));
        given::<Rental>(away()).when(give_back(now)).then([late.clone()]);
        given::<Rental>(away().into_iter().chain([overdue()])).when(give_back(now)).then([late]);
    }
}

#[test]
fn a_late_book_costs_nothing_where_the_library_takes_nothing() {
    let book = Terms { period: car_terms().period, ..terms_of("library") };
    given::<Rental>([requested_by(book), confirmed(), handed_over()])
        .when(give_back("2026-07-05T00:01Z"))
        .then([returned("2026-07-05T00:01Z", 2, None)]);
}

#[test]
fn only_a_request_is_rejected_or_expires() {
    let reason = RejectReason::OutOfStock { available: 0 };
    let reject = RentalCommand::Reject { reason: reason.clone(), now: at(MAY) };
    let rejected = RentalEvent::Rejected { reason, at: at(MAY) };
    let expire = RentalCommand::Expire { now: at(MAY) };
    let expired = RentalEvent::Expired { at: at(MAY) };
    given::<Rental>([requested()]).when(reject.clone()).then([rejected.clone()]);
    given::<Rental>([requested()]).when(expire.clone()).then([expired.clone()]);
    given::<Rental>([requested(), confirmed()])
        .when(reject.clone())
        .then_refused(wrong("reject", RentalStatus::Confirmed));
    given::<Rental>([requested(), confirmed()])
        .when(expire.clone())
        .then_refused(wrong("expire", RentalStatus::Confirmed));
    given::<Rental>([requested(), expired.clone()]).when(reject).then_refused(wrong("reject", RentalStatus::Expired));
    given::<Rental>([requested(), rejected.clone()]).when(expire).then_refused(wrong("expire", RentalStatus::Rejected));
    given::<Rental>([requested(), rejected]).when(confirm()).then_refused(wrong("confirm", RentalStatus::Rejected));
    given::<Rental>([requested(), expired]).when(confirm()).then_refused(wrong("confirm", RentalStatus::Expired));
}

#[test]
fn a_rental_knows_where_it_stands() {
    let status = |events: Vec<RentalEvent>| given::<Rental>(events).state.status();
    assert_eq!(status(vec![]), None);
    assert_eq!(status(vec![requested()]), Some(RentalStatus::Requested));
    assert_eq!(status(away()), Some(RentalStatus::HandedOver));
    assert_eq!(status(vec![requested(), confirmed(), cancelling()]), Some(RentalStatus::Cancelling));
    let rental = given::<Rental>([requested(), confirmed()]).state;
    assert_eq!(rental.terms(), Some(&car_terms()));
    assert_eq!(rental.total(), Some(euros(9000)));
}
