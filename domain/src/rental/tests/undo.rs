//! Cancellations, their fees, and their race with the hand-over.

use super::*;
use crate::Personal;
use crate::testing::terms_of;

fn cancel_by(by: CancelledBy, now: &str) -> RentalCommand {
    RentalCommand::RequestCancellation { by, reason: None, now: at(now) }
}

fn cancelling_for(by: CancelledBy, fee: Option<i64>, now: &str) -> RentalEvent {
    RentalEvent::CancellationRequested { by, reason: None, fee: fee.map(euros), at: at(now) }
}

fn cancel() -> RentalCommand {
    RentalCommand::Cancel { refunded: None, now: at(MAY) }
}

fn refuse() -> RentalCommand {
    RentalCommand::RefuseCancellation { now: at(MAY) }
}

fn refused() -> RentalEvent {
    RentalEvent::CancellationRefused { at: at(MAY) }
}

#[test]
fn a_rental_can_be_cancelled_until_it_is_handed_over() {
    for before in [vec![], vec![confirmed()], vec![confirmed(), prepared()]] {
        given::<Rental>([requested()].into_iter().chain(before))
            .when(cancel_by(CancelledBy::Customer, MAY))
            .then([cancelling()]);
    }
    let away = vec![requested(), confirmed(), handed_over()];
    given::<Rental>(away)
        .when(cancel_by(CancelledBy::Customer, MAY))
        .then_refused(wrong("cancel", RentalStatus::HandedOver));
}

#[test]
fn cancelling_is_free_until_a_day_before_the_start_and_then_costs_a_tenth() {
    let confirmed = || [requested(), confirmed()];
    for (now, fee) in [("2026-06-30", None), ("2026-06-30T00:01Z", Some(900)), ("2026-07-02", Some(900))] {
        given::<Rental>(confirmed()).when(cancel_by(CancelledBy::Customer, now)).then([cancelling_for(
            CancelledBy::Customer,
            fee,
            now,
        )]);
    }
}

#[test]
fn the_store_never_takes_a_fee_for_cancelling() {
    given::<Rental>([requested(), confirmed()])
        .when(cancel_by(CancelledBy::Store, "2026-07-01"))
        .then([cancelling_for(CancelledBy::Store, None, "2026-07-01")]);
}

#[test]
fn what_is_not_confirmed_or_has_no_period_is_cancelled_for_nothing() {
    let now = "2026-07-01";
    let free = || [cancelling_for(CancelledBy::Customer, None, now)];
    given::<Rental>([requested()]).when(cancel_by(CancelledBy::Customer, now)).then(free());
    given::<Rental>([requested_by(terms_of("phone-shop")), confirmed()])
        .when(cancel_by(CancelledBy::Customer, now))
        .then(free());
}

#[test]
fn a_reason_stays_sealed() {
    let reason = Some(Personal::sealed("c2VjcmV0".to_owned()));
    let by = CancelledBy::Customer;
    given::<Rental>([requested()])
        .when(RentalCommand::RequestCancellation { by, reason: reason.clone(), now: at(MAY) })
        .then([RentalEvent::CancellationRequested { by, reason, fee: None, at: at(MAY) }]);
}

#[test]
fn a_second_cancellation_is_the_first_one() {
    let by_store = || cancel_by(CancelledBy::Store, MAY);
    given::<Rental>([requested(), cancelling()]).when(by_store()).then([]);
    given::<Rental>([requested(), cancelling(), cancelled()]).when(by_store()).then([]);
}

#[test]
fn cancelled_is_recorded_only_when_a_cancellation_is_in_flight() {
    let refunded = Some(euros(8100));
    given::<Rental>([requested(), confirmed(), cancelling()])
        .when(RentalCommand::Cancel { refunded, now: at(MAY) })
        .then([RentalEvent::Cancelled { refunded, at: at(MAY) }]);
    given::<Rental>([requested(), confirmed()]).when(cancel()).then_refused(wrong("cancel", RentalStatus::Confirmed));
}

#[test]
fn a_request_that_is_being_cancelled_is_not_confirmed_rejected_or_expired() {
    let is = RentalStatus::Cancelling;
    given::<Rental>([requested(), cancelling()]).when(confirm()).then_refused(wrong("confirm", is));
    let expire = RentalCommand::Expire { now: at(MAY) };
    given::<Rental>([requested(), cancelling()]).when(expire).then_refused(wrong("expire", is));
}

#[test]
fn a_refused_cancellation_leaves_the_rental_where_it_was() {
    given::<Rental>([requested(), confirmed(), prepared(), cancelling()]).when(refuse()).then([refused()]);
    let after = given::<Rental>([requested(), confirmed(), prepared(), cancelling(), refused()]);
    assert_eq!(after.state.status(), Some(RentalStatus::Prepared));
    given::<Rental>([requested(), confirmed()]).when(refuse()).then([]);
}

#[test]
fn a_hand_over_that_came_first_ends_the_cancellation() {
    given::<Rental>([requested(), confirmed(), prepared(), cancelling()])
        .when(mark_handed_over())
        .then([refused(), handed_over()]);
    given::<Rental>([requested_by(terms_of("phone-shop")), confirmed(), cancelling()]).when(mark_handed_over()).then([
        refused(),
        handed_over(),
        completed(),
    ]);
}

#[test]
fn what_is_undone_is_not_handed_over() {
    given::<Rental>([requested(), confirmed(), cancelling(), cancelled()])
        .when(mark_handed_over())
        .then_refused(wrong("hand over", RentalStatus::Cancelled));
}

#[test]
fn a_preparation_during_a_cancellation_changes_nothing() {
    given::<Rental>([requested(), confirmed(), cancelling()]).when(mark_prepared()).then([]);
}

#[test]
fn orders_that_are_repeated_after_the_cancellation_still_find_their_effect() {
    let undone = [requested(), confirmed(), prepared(), cancelling(), cancelled()];
    given::<Rental>(undone.clone()).when(confirm()).then([]);
    given::<Rental>(undone.clone()).when(mark_prepared()).then([]);
    given::<Rental>(undone).when(cancel()).then([]);
}
