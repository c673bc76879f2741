//! The rules of a quota.

use super::{Quota, QuotaCommand, QuotaError, QuotaEvent};
use crate::testing::{at, given, rental};

fn taken(number: u128) -> QuotaEvent {
    QuotaEvent::Taken { rental: rental(number), at: at("2026-07-01") }
}

fn given_back(number: u128) -> QuotaEvent {
    QuotaEvent::GivenBack { rental: rental(number), at: at("2026-07-01") }
}

fn take(number: u128, limit: u32) -> QuotaCommand {
    QuotaCommand::Take { rental: rental(number), limit, now: at("2026-07-01") }
}

fn give_back(number: u128) -> QuotaCommand {
    QuotaCommand::GiveBack { rental: rental(number), now: at("2026-07-01") }
}

#[test]
fn rentals_are_counted_until_the_limit() {
    given::<Quota>([]).when(take(1, 2)).then([taken(1)]);
    given::<Quota>([taken(1)]).when(take(2, 2)).then([taken(2)]);
    given::<Quota>([taken(1), taken(2)]).when(take(3, 2)).then_refused(QuotaError::Exceeded { limit: 2 });
}

#[test]
fn a_counted_rental_stays_counted_even_when_the_limit_is_lowered() {
    given::<Quota>([taken(1), taken(2)]).when(take(1, 1)).then([]);
}

#[test]
fn a_rental_that_has_ended_makes_room() {
    given::<Quota>([taken(1)]).when(give_back(1)).then([given_back(1)]);
    given::<Quota>([taken(1), given_back(1)]).when(take(2, 1)).then([taken(2)]);
}

#[test]
fn what_was_never_counted_is_not_given_back() {
    given::<Quota>([taken(1)]).when(give_back(2)).then([]);
}
