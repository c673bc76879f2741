//! The rules of a contact.

use super::{Contact, ContactCommand, ContactEvent};
use crate::Personal;
use crate::testing::{at, given};

const NOON: &str = "2026-07-01T12:00Z";

fn sealed(text: &str) -> Personal {
    Personal::sealed(text.to_owned())
}

fn give(text: &str) -> ContactCommand {
    ContactCommand::Give { email: sealed(text), now: at(NOON) }
}

fn was_given(text: &str) -> ContactEvent {
    ContactEvent::Given { email: sealed(text), at: at(NOON) }
}

fn forget() -> ContactCommand {
    ContactCommand::Forget { now: at(NOON) }
}

fn forgotten() -> ContactEvent {
    ContactEvent::Forgotten { at: at(NOON) }
}

#[test]
fn a_contact_is_given_and_replaced() {
    given::<Contact>([]).when(give("1a")).then([was_given("1a")]);
    given::<Contact>([was_given("1a")]).when(give("1a")).then([]);
    given::<Contact>([was_given("1a")]).when(give("1b")).then([was_given("1b")]);
    let state = given::<Contact>([was_given("1a"), was_given("1b")]).state;
    assert_eq!(state.email(), Some((&sealed("1b"), at(NOON))));
}

#[test]
fn a_contact_is_forgotten_and_can_be_given_again() {
    given::<Contact>([]).when(forget()).then([]);
    given::<Contact>([was_given("1a")]).when(forget()).then([forgotten()]);
    given::<Contact>([was_given("1a"), forgotten()]).when(forget()).then([]);
    given::<Contact>([was_given("1a"), forgotten()]).when(give("1a")).then([was_given("1a")]);
    assert_eq!(given::<Contact>([was_given("1a"), forgotten()]).state.email(), None);
}
