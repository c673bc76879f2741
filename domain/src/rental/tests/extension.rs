//! Keeping it longer.

use super::*;
use crate::rental::{ExtensionRefusal, Pending};
use crate::testing::terms_of;

/// Two days more than was agreed.
const LONGER: &str = "2026-07-06";

fn ask(to: &str) -> RentalCommand {
    ask_at(to, MAY)
}

fn ask_at(to: &str, now: &str) -> RentalCommand {
    RentalCommand::RequestExtension { to: at(to), now: at(now) }
}

fn asked(number: u32, to: &str) -> RentalEvent {
    RentalEvent::ExtensionRequested { number, to: at(to), pay_by: Some(at("2026-05-01T12:15Z")), at: at(MAY) }
}

fn extend(number: u32, extra: Option<i64>) -> RentalCommand {
    RentalCommand::Extend { number, extra: extra.map(euros), now: at(MAY) }
}

fn extended(number: u32, to: &str, extra: i64, total: i64) -> RentalEvent {
    RentalEvent::Extended { number, to: at(to), extra: Some(euros(extra)), total: euros(total), at: at(MAY) }
}

fn refuse(number: u32) -> RentalCommand {
    RentalCommand::RefuseExtension { number, reason: ExtensionRefusal::Busy, now: at(MAY) }
}

fn refused(number: u32, reason: ExtensionRefusal, now: &str) -> RentalEvent {
    RentalEvent::ExtensionRefused { number, reason, at: at(now) }
}

fn rented() -> Vec<RentalEvent> {
    vec![requested(), confirmed(), prepared(), handed_over()]
}

fn and(mut events: Vec<RentalEvent>, more: impl IntoIterator<Item = RentalEvent>) -> Vec<RentalEvent> {
    events.extend(more);
    events
}

/// Rented until the sixth.
fn longer() -> Vec<RentalEvent> {
    and(rented(), [asked(1, LONGER), extended(1, LONGER, 6000, 15_000)])
}

fn not_extendable(why: &'static str) -> RentalError {
    RentalError::NotExtendable { why }
}

#[test]
fn what_stands_may_be_extended_until_it_is_back() {
    for before in [vec![], vec![prepared()], vec![prepared(), handed_over()]] {
        given::<Rental>(and(vec![requested(), confirmed()], before)).when(ask(LONGER)).then([asked(1, LONGER)]);
    }
    for (after, is) in [
        (vec![], RentalStatus::Requested),
        (vec![confirmed(), handed_over(), RentalEvent::Overdue { at: at("2026-07-04") }], RentalStatus::Overdue),
        (vec![confirmed(), handed_over(), returned("2026-07-04", 0, None)], RentalStatus::Returned),
        (vec![confirmed(), cancelling()], RentalStatus::Cancelling),
        (vec![confirmed(), cancelling(), cancelled()], RentalStatus::Cancelled),
    ] {
        given::<Rental>(and(vec![requested()], after)).when(ask(LONGER)).then_refused(wrong("extend", is));
    }
}

#[test]
fn what_should_be_back_is_not_extended() {
    let refusal = || not_extendable("it should be back already");
    given::<Rental>(rented()).when(ask_at(LONGER, "2026-07-04")).then_refused(refusal());
    given::<Rental>(longer()).when(ask_at("2026-07-09", "2026-07-06")).then_refused(refusal());
}

#[test]
fn a_business_that_extends_nothing_says_so() {
    let refusal = || not_extendable("nothing is extended in this business");
    let phone = vec![requested_by(terms_of("phone-shop")), confirmed()];
    given::<Rental>(phone).when(ask(LONGER)).then_refused(refusal());
    let mut never = car_terms();
    never.rules.extension = None;
    given::<Rental>([requested_by(never), confirmed()]).when(ask(LONGER)).then_refused(refusal());
}

#[test]
fn an_extension_ends_after_the_end_and_within_a_year() {
    let misfit = |why| RentalError::DoesNotFit { field: "to", why };
    given::<Rental>(rented()).when(ask("2026-07-04")).then_refused(misfit("after the end of the period"));
    given::<Rental>(rented()).when(ask("2027-07-03")).then_refused(misfit("at most 366 days after the start"));
    given::<Rental>(rented()).when(ask("2027-07-02")).then([asked(1, "2027-07-02")]);
}

#[test]
fn one_extension_is_decided_at_a_time() {
    let pending = and(rented(), [asked(1, LONGER)]);
    given::<Rental>(pending.clone())
        .when(ask("2026-07-07"))
        .then_refused(not_extendable("another extension is being decided"));
    given::<Rental>(pending).when(ask(LONGER)).then([]);
    given::<Rental>(longer()).when(ask(LONGER)).then([]);
}

#[test]
fn an_extension_that_is_asked_for_again_after_a_refusal_has_a_number_of_its_own() {
    let before = and(rented(), [asked(1, LONGER), refused(1, ExtensionRefusal::Busy, MAY)]);
    given::<Rental>(before).when(ask(LONGER)).then([asked(2, LONGER)]);
}

#[test]
fn a_rental_is_extended_as_often_as_the_policy_says() {
    let mut once = car_terms();
    once.rules.extension = Some(crate::policy::Extension { most: 1 });
    let refused_once = [asked(1, LONGER), refused(1, ExtensionRefusal::Busy, MAY)];
    let before = and(vec![requested_by(once), confirmed()], refused_once);
    given::<Rental>(before.clone()).when(ask(LONGER)).then([asked(2, LONGER)]);
    given::<Rental>(and(before, [asked(2, LONGER), extended(2, LONGER, 6000, 15_000)]))
        .when(ask("2026-07-07"))
        .then_refused(not_extendable("it was extended as often as may be"));
}

#[test]
fn where_nothing_is_paid_an_extension_has_no_deadline() {
    let mut free = car_terms();
    free.rules.payment = crate::policy::PaymentTiming::None;
    given::<Rental>([requested_by(free), confirmed()]).when(ask(LONGER)).then([RentalEvent::ExtensionRequested {
        number: 1,
        to: at(LONGER),
        pay_by: None,
        at: at(MAY),
    }]);
}

#[test]
fn an_extended_rental_ends_later_and_costs_more() {
    let pending = and(rented(), [asked(1, LONGER)]);
    let state = given::<Rental>(pending.clone()).state;
    assert_eq!(state.pending_extension(), Some(Pending { number: 1, to: at(LONGER) }));
    given::<Rental>(pending.clone()).when(extend(1, Some(6000))).then([extended(1, LONGER, 6000, 15_000)]);
    given::<Rental>(pending).when(extend(1, None)).then([RentalEvent::Extended {
        number: 1,
        to: at(LONGER),
        extra: None,
        total: euros(9000),
        at: at(MAY),
    }]);
    let state = given::<Rental>(longer()).state;
    assert_eq!((state.total(), state.pending_extension()), (Some(euros(15_000)), None));
    assert_eq!(state.period().map(|period| period.to), Some(at(LONGER)));
    assert_eq!(state.terms(), Some(&car_terms()));
}

#[test]
fn only_the_extension_that_is_being_decided_is_granted_or_refused() {
    let unknown = |number| RentalError::NoExtension { number };
    given::<Rental>(rented()).when(extend(1, None)).then_refused(unknown(1));
    given::<Rental>(rented()).when(refuse(1)).then_refused(unknown(1));
    given::<Rental>(longer()).when(refuse(1)).then_refused(unknown(1));
    given::<Rental>(longer()).when(extend(1, Some(6000))).then([]);
    let pending = and(rented(), [asked(1, LONGER)]);
    given::<Rental>(pending.clone()).when(extend(2, None)).then_refused(unknown(2));
    given::<Rental>(pending.clone()).when(refuse(1)).then([refused(1, ExtensionRefusal::Busy, MAY)]);
    let after = and(pending, [refused(1, ExtensionRefusal::Busy, MAY)]);
    given::<Rental>(after.clone()).when(refuse(1)).then([]);
    given::<Rental>(after).when(extend(1, None)).then_refused(unknown(1));
}

#[test]
fn a_cancellation_overtakes_an_extension_that_is_being_decided() {
    let by_store = RentalCommand::RequestCancellation { by: CancelledBy::Customer, reason: None, now: at(MAY) };
    given::<Rental>([requested(), confirmed(), asked(1, LONGER)])
        .when(by_store)
        .then([refused(1, ExtensionRefusal::Overtaken, MAY), cancelling()]);
}

#[test]
fn a_return_overtakes_an_extension_that_is_being_decided() {
    let back = RentalCommand::Return { now: at("2026-07-03") };
    given::<Rental>(and(rented(), [asked(1, LONGER)]))
        .when(back)
        .then([refused(1, ExtensionRefusal::Overtaken, "2026-07-03"), returned("2026-07-03", 0, None)]);
}

#[test]
fn what_is_being_extended_is_not_overdue_yet() {
    let late = |now: &str| RentalCommand::MarkOverdue { now: at(now) };
    let pending = and(rented(), [asked(1, LONGER)]);
    given::<Rental>(pending.clone())
        .when(late("2026-07-05"))
        .then_refused(RentalError::DoesNotFit { field: "now", why: "an extension is being decided" });
    let event = |now| RentalEvent::Overdue { at: at(now) };
    given::<Rental>(and(pending, [refused(1, ExtensionRefusal::Busy, MAY)]))
        .when(late("2026-07-05"))
        .then([event("2026-07-05")]);
    given::<Rental>(longer())
        .when(late("2026-07-05"))
        .then_refused(RentalError::DoesNotFit { field: "now", why: "it is not due yet" });
    given::<Rental>(longer()).when(late("2026-07-06")).then([event("2026-07-06")]);
}

#[test]
fn an_extended_car_is_late_from_its_new_end_on() {
    // Five days cost 150.00, so a day late costs 45.00 as before.
    let back = |now: &str| RentalCommand::Return { now: at(now) };
    given::<Rental>(longer()).when(back("2026-07-06")).then([returned("2026-07-06", 0, None)]);
    given::<Rental>(longer()).when(back("2026-07-07")).then([returned("2026-07-07", 1, Some(euros(4500)))]);
}

#[test]
fn cancelling_what_was_extended_costs_a_tenth_of_it_all() {
    let now = "2026-07-01";
    let before = vec![requested(), confirmed(), asked(1, LONGER), extended(1, LONGER, 6000, 15_000)];
    given::<Rental>(before)
        .when(RentalCommand::RequestCancellation { by: CancelledBy::Customer, reason: None, now: at(now) })
        .then([RentalEvent::CancellationRequested {
            by: CancelledBy::Customer,
            reason: None,
            fee: Some(euros(1500)),
            at: at(now),
        }]);
}
