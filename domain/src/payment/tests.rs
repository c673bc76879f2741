//! The rules of a payment.

use super::{Charge, Payment, PaymentCommand, PaymentError, PaymentEvent, PaymentStatus, Purpose};
use crate::Money;
use crate::testing::{at, customer, euros, given, item, rental, shop};

const NOON: &str = "2026-07-01T12:00Z";

fn charge(amount: Money) -> Charge {
    let (customer, store, method) = (customer(), shop(), "tok_visa".to_owned());
    Charge { customer, store, item: Some(item(7)), purpose: Purpose::Rental, amount, method }
}

fn request(amount: Money) -> PaymentCommand {
    PaymentCommand::Request { rental: rental(1), charge: charge(amount), now: at(NOON) }
}

fn approve() -> PaymentCommand {
    PaymentCommand::Approve { reference: "ch_1".to_owned(), now: at(NOON) }
}

fn decline() -> PaymentCommand {
    PaymentCommand::Decline { code: "card_declined".to_owned(), now: at(NOON) }
}

fn mark_unknown() -> PaymentCommand {
    PaymentCommand::MarkUnknown { now: at(NOON) }
}

fn refund(cents: i64) -> PaymentCommand {
    PaymentCommand::RequestRefund { amount: euros(cents), now: at(NOON) }
}

fn mark_refunded() -> PaymentCommand {
    PaymentCommand::MarkRefunded { reference: "re_1".to_owned(), now: at(NOON) }
}

fn mark_refund_failed() -> PaymentCommand {
    PaymentCommand::MarkRefundFailed { code: "timeout".to_owned(), now: at(NOON) }
}

fn requested() -> PaymentEvent {
    PaymentEvent::Requested { rental: rental(1), charge: charge(euros(9000)), at: at(NOON) }
}

fn approved() -> PaymentEvent {
    let (item, amount, reference) = (Some(item(7)), Some(euros(9000)), "ch_1".to_owned());
    PaymentEvent::Approved { rental: rental(1), item, amount, reference, at: at(NOON) }
}

fn declined() -> PaymentEvent {
    PaymentEvent::Declined { rental: rental(1), code: "card_declined".to_owned(), at: at(NOON) }
}

fn unknown() -> PaymentEvent {
    PaymentEvent::Unknown { rental: rental(1), at: at(NOON) }
}

fn refund_requested(cents: i64) -> PaymentEvent {
    PaymentEvent::RefundRequested { rental: rental(1), amount: euros(cents), at: at(NOON) }
}

fn refunded(cents: i64) -> PaymentEvent {
    let (item, amount, reference) = (Some(item(7)), euros(cents), "re_1".to_owned());
    PaymentEvent::Refunded { rental: rental(1), item, amount, reference, at: at(NOON) }
}

fn refund_failed(failures: u32) -> PaymentEvent {
    PaymentEvent::RefundFailed { rental: rental(1), code: "timeout".to_owned(), failures, at: at(NOON) }
}

fn wrong(attempted: &'static str, status: PaymentStatus) -> PaymentError {
    PaymentError::WrongStatus { attempted, status }
}

#[test]
fn a_payment_is_requested_once_for_one_charge() {
    given::<Payment>([]).when(request(euros(9000))).then([requested()]);
    given::<Payment>([requested(), approved()]).when(request(euros(9000))).then([]);
    given::<Payment>([requested()]).when(request(euros(9001))).then_refused(PaymentError::AnotherCharge);
}

#[test]
fn a_charge_from_before_items_were_named_is_still_the_same_charge() {
    let charge = Charge { item: None, ..charge(euros(9000)) };
    let before = PaymentEvent::Requested { rental: rental(1), charge, at: at(NOON) };
    given::<Payment>([before.clone()]).when(request(euros(9000))).then([]);
    given::<Payment>([before]).when(request(euros(9001))).then_refused(PaymentError::AnotherCharge);
    let another = Charge { item: Some(item(8)), ..self::charge(euros(9000)) };
    let command = PaymentCommand::Request { rental: rental(1), charge: another, now: at(NOON) };
    given::<Payment>([requested()]).when(command).then_refused(PaymentError::AnotherCharge);
}

#[test]
fn nothing_and_less_is_not_charged() {
    for cents in [0, -1] {
        given::<Payment>([]).when(request(euros(cents))).then_refused(PaymentError::NotPositive(euros(cents)));
    }
}

#[test]
fn the_provider_approves_or_declines() {
    given::<Payment>([requested()]).when(approve()).then([approved()]);
    given::<Payment>([requested()]).when(decline()).then([declined()]);
}

#[test]
fn what_was_unknown_becomes_known() {
    given::<Payment>([requested()]).when(mark_unknown()).then([unknown()]);
    given::<Payment>([requested(), unknown()]).when(approve()).then([approved()]);
    given::<Payment>([requested(), unknown()]).when(decline()).then([declined()]);
}

#[test]
fn what_is_known_does_not_become_unknown() {
    for known in [vec![approved()], vec![declined()], vec![approved(), refund_requested(100)]] {
        given::<Payment>([requested()].into_iter().chain(known)).when(mark_unknown()).then([]);
    }
}

#[test]
fn an_answer_is_never_taken_back() {
    given::<Payment>([requested(), declined()]).when(approve()).then_refused(wrong("approve", PaymentStatus::Declined));
    given::<Payment>([requested(), approved()]).when(decline()).then_refused(wrong("decline", PaymentStatus::Approved));
}

#[test]
fn a_late_approval_does_not_undo_a_refund() {
    given::<Payment>([requested(), approved(), refund_requested(9000), refunded(9000)]).when(approve()).then([]);
}

#[test]
fn at_most_what_came_in_goes_back() {
    given::<Payment>([requested(), approved()]).when(refund(9000)).then([refund_requested(9000)]);
    given::<Payment>([requested(), approved()]).when(refund(8100)).then([refund_requested(8100)]);
    given::<Payment>([requested(), approved()])
        .when(refund(9001))
        .then_refused(PaymentError::MoreThanApproved { asked: euros(9001), approved: euros(9000) });
    given::<Payment>([requested(), approved()]).when(refund(0)).then_refused(PaymentError::NotPositive(euros(0)));
}

#[test]
fn what_never_came_in_does_not_go_back() {
    given::<Payment>([requested()]).when(refund(9000)).then_refused(wrong("refund", PaymentStatus::Requested));
    given::<Payment>([requested(), unknown()]).when(refund(9000)).then_refused(wrong("refund", PaymentStatus::Unknown));
    given::<Payment>([requested(), declined()])
        .when(refund(9000))
        .then_refused(wrong("refund", PaymentStatus::Declined));
}

#[test]
fn there_is_one_refund() {
    let refunding = [requested(), approved(), refund_requested(9000)];
    given::<Payment>(refunding.clone()).when(refund(100)).then_refused(wrong("refund", PaymentStatus::Refunding));
    given::<Payment>(refunding.into_iter().chain([refunded(9000)])).when(refund(9000)).then([]);
}

#[test]
fn a_failed_refund_is_counted_and_tried_again() {
    let refunding = [requested(), approved(), refund_requested(9000)];
    given::<Payment>(refunding.clone()).when(mark_refund_failed()).then([refund_failed(1)]);
    let failed = refunding.into_iter().chain([refund_failed(1)]);
    given::<Payment>(failed.clone()).when(refund(9000)).then([refund_requested(9000)]);
    given::<Payment>(failed.clone().chain([refund_requested(9000)]))
        .when(mark_refund_failed())
        .then([refund_failed(2)]);
    // The provider had done it and lost the answer.
    given::<Payment>(failed).when(mark_refunded()).then([refunded(9000)]);
}

#[test]
fn money_that_went_back_stays_back() {
    let refunding = [requested(), approved(), refund_requested(9000)];
    given::<Payment>(refunding.clone()).when(mark_refunded()).then([refunded(9000)]);
    given::<Payment>(refunding.into_iter().chain([refunded(9000)])).when(mark_refund_failed()).then([]);
}

#[test]
fn nobody_reports_a_refund_that_was_not_requested() {
    given::<Payment>([requested(), approved()])
        .when(mark_refunded())
        .then_refused(wrong("mark as refunded", PaymentStatus::Approved));
    given::<Payment>([requested(), approved()])
        .when(mark_refund_failed())
        .then_refused(wrong("fail the refund of", PaymentStatus::Approved));
}

#[test]
fn nothing_is_asked_of_a_payment_that_is_not_there() {
    for command in [approve(), decline(), mark_unknown(), refund(1), mark_refunded(), mark_refund_failed()] {
        given::<Payment>([]).when(command).then_refused(PaymentError::NotRequested);
    }
}
