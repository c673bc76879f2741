//! A fee for being late that was declined: it stays owed until it is paid in another way or waived.

use super::*;

const LATE: &str = "2026-07-05";

fn back() -> Vec<RentalEvent> {
    vec![requested(), confirmed(), handed_over(), returned(LATE, 1, Some(euros(4500)))]
}

fn declined(attempt: u32) -> RentalEvent {
    RentalEvent::LateFeeDeclined { attempt, code: "card_declined".to_owned(), at: at(MAY) }
}

fn demanded(attempt: u32, method: &str) -> RentalEvent {
    RentalEvent::LateFeeDemanded { attempt, method: method.to_owned(), at: at(MAY) }
}

fn owe(attempt: u32) -> RentalCommand {
    RentalCommand::OweLateFee { attempt, code: "card_declined".to_owned(), now: at(MAY) }
}

fn pay(method: &str) -> RentalCommand {
    RentalCommand::PayLateFee { method: method.to_owned(), now: at(MAY) }
}

fn waive() -> RentalCommand {
    RentalCommand::WaiveLateFee { now: at(MAY) }
}

fn waived() -> RentalEvent {
    RentalEvent::LateFeeWaived { at: at(MAY) }
}

fn and(more: impl IntoIterator<Item = RentalEvent>) -> Vec<RentalEvent> {
    back().into_iter().chain(more).collect()
}

fn nothing_owed(why: &'static str) -> RentalError {
    RentalError::NothingOwed { why }
}

#[test]
fn a_declined_fee_is_paid_in_another_way() {
    given::<Rental>(back()).when(owe(1)).then([declined(1)]);
    given::<Rental>(and([declined(1)])).when(pay("tok_other")).then([demanded(2, "tok_other")]);
    given::<Rental>(and([declined(1), demanded(2, "tok_other")])).when(owe(2)).then([declined(2)]);
    given::<Rental>(and([declined(1), demanded(2, "tok_other"), declined(2)]))
        .when(pay("tok_third"))
        .then([demanded(3, "tok_third")]);
    let state = given::<Rental>(and([declined(1), demanded(2, "tok_other")])).state;
    let fee = state.late_fee().unwrap();
    assert_eq!((fee.amount, fee.attempt, fee.method.as_str()), (euros(4500), 2, "tok_other"));
    assert!(fee.is_being_charged());
}

#[test]
fn a_fee_is_charged_in_one_way_at_a_time() {
    given::<Rental>(back()).when(pay("tok_other")).then_refused(nothing_owed("it is being charged already"));
    given::<Rental>(back()).when(pay("tok_visa")).then([]);
    given::<Rental>(and([declined(1), demanded(2, "tok_other")])).when(owe(1)).then([]);
}

#[test]
fn a_fee_is_waived_whether_it_was_declined_or_not() {
    given::<Rental>(back()).when(waive()).then([waived()]);
    given::<Rental>(and([declined(1)])).when(waive()).then([waived()]);
    let gone = and([declined(1), waived()]);
    given::<Rental>(gone.clone()).when(pay("tok_other")).then_refused(nothing_owed("the fee was waived"));
    given::<Rental>(gone.clone()).when(owe(1)).then([]);
    let complete = RentalCommand::Complete { now: at(MAY) };
    given::<Rental>(gone).when(complete).then([completed()]);
    given::<Rental>(and([waived(), completed()])).when(waive()).then([]);
}

#[test]
fn what_is_not_owed_is_neither_paid_nor_waived() {
    let in_time = [requested(), confirmed(), handed_over(), returned("2026-07-03", 0, None)];
    given::<Rental>(in_time.clone()).when(pay("tok_visa")).then_refused(nothing_owed("nothing is owed"));
    given::<Rental>(in_time.clone()).when(waive()).then_refused(nothing_owed("nothing is owed"));
    given::<Rental>(in_time).when(owe(1)).then_refused(nothing_owed("nothing is owed"));
    given::<Rental>(and([completed()])).when(waive()).then_refused(nothing_owed("it is paid"));
    given::<Rental>(and([completed()])).when(pay("tok_visa")).then_refused(nothing_owed("it is paid"));
}
