//! The rules of a dispatch.

use super::{Dispatch, DispatchCommand, DispatchError, DispatchEvent, DispatchStatus};
use crate::policy::{Action, By, Step};
use crate::testing::{at, customer, given, item, shop};

const NOON: &str = "2026-07-01T12:00Z";

fn steps(prepare: bool) -> Vec<Step> {
    let hand_over = Step { action: Action::HandOver, by: By::Staff };
    let prepare = prepare.then_some(Step { action: Action::Prepare, by: By::Engine });
    prepare.into_iter().chain([hand_over]).collect()
}

fn requested_with(steps: Vec<Step>) -> DispatchEvent {
    let (store, customer, item) = (shop(), customer(), item(7));
    DispatchEvent::Requested { store, customer, item, quantity: 1, period: None, steps, at: at(NOON) }
}

fn requested() -> DispatchEvent {
    requested_with(steps(true))
}

fn request() -> DispatchCommand {
    let (store, customer, item) = (shop(), customer(), item(7));
    DispatchCommand::Request { store, customer, item, quantity: 1, period: None, steps: steps(true), now: at(NOON) }
}

fn prepare() -> DispatchCommand {
    DispatchCommand::Prepare { store_open: true, now: at(NOON) }
}

fn hand_over() -> DispatchCommand {
    DispatchCommand::HandOver { store_open: true, now: at(NOON) }
}

fn cancel() -> DispatchCommand {
    DispatchCommand::Cancel { now: at(NOON) }
}

fn prepared() -> DispatchEvent {
    DispatchEvent::Prepared { at: at(NOON) }
}

fn handed_over() -> DispatchEvent {
    DispatchEvent::HandedOver { at: at(NOON) }
}

fn cancelled() -> DispatchEvent {
    DispatchEvent::Cancelled { at: at(NOON) }
}

#[test]
fn a_dispatch_is_prepared_and_then_handed_over() {
    given::<Dispatch>([]).when(request()).then([requested()]);
    given::<Dispatch>([requested()]).when(prepare()).then([prepared()]);
    given::<Dispatch>([requested(), prepared()]).when(hand_over()).then([handed_over()]);
}

#[test]
fn a_business_that_prepares_does_not_hand_over_before() {
    given::<Dispatch>([requested()]).when(hand_over()).then_refused(DispatchError::NotPrepared);
}

#[test]
fn a_business_that_does_not_prepare_hands_over_at_once() {
    given::<Dispatch>([requested_with(steps(false))]).when(hand_over()).then([handed_over()]);
    given::<Dispatch>([requested_with(steps(false))]).when(prepare()).then_refused(DispatchError::NoSuchStep);
}

#[test]
fn the_dispatches_of_a_closed_store_wait() {
    let prepare = DispatchCommand::Prepare { store_open: false, now: at(NOON) };
    let hand_over = DispatchCommand::HandOver { store_open: false, now: at(NOON) };
    given::<Dispatch>([requested()]).when(prepare.clone()).then_refused(DispatchError::StoreClosed);
    given::<Dispatch>([requested(), prepared()]).when(hand_over.clone()).then_refused(DispatchError::StoreClosed);
    given::<Dispatch>([requested(), prepared()]).when(prepare).then([]);
    given::<Dispatch>([requested(), prepared(), handed_over()]).when(hand_over).then([]);
}

#[test]
fn a_late_preparation_changes_nothing() {
    given::<Dispatch>([requested(), prepared(), handed_over()]).when(prepare()).then([]);
}

#[test]
fn a_store_does_nothing_that_it_has_not_heard_of() {
    given::<Dispatch>([]).when(prepare()).then_refused(DispatchError::NotRequested);
    given::<Dispatch>([]).when(hand_over()).then_refused(DispatchError::NotRequested);
}

#[test]
fn a_cancellation_that_comes_first_stops_the_hand_over() {
    given::<Dispatch>([requested(), prepared()]).when(cancel()).then([cancelled()]);
    given::<Dispatch>([requested(), prepared(), cancelled()]).when(hand_over()).then_refused(DispatchError::Cancelled);
    given::<Dispatch>([requested(), cancelled()]).when(prepare()).then_refused(DispatchError::Cancelled);
}

#[test]
fn a_hand_over_that_comes_first_stops_the_cancellation() {
    given::<Dispatch>([requested(), prepared(), handed_over()]).when(cancel()).then_refused(DispatchError::HandedOver);
}

#[test]
fn a_request_that_was_overtaken_by_its_cancellation_is_not_taken_up() {
    given::<Dispatch>([]).when(cancel()).then([cancelled()]);
    given::<Dispatch>([cancelled()]).when(request()).then([]);
    assert_eq!(given::<Dispatch>([cancelled()]).state.status(), Some(DispatchStatus::Cancelled));
}

#[test]
fn a_dispatch_knows_whose_work_it_is() {
    let dispatch = given::<Dispatch>([requested(), prepared()]).state;
    assert_eq!(dispatch.store(), Some(&shop()));
    assert_eq!(dispatch.steps(), steps(true));
    assert_eq!(dispatch.status(), Some(DispatchStatus::Prepared));
}
