//! The rules of a shop.

use super::{Store, StoreCommand, StoreError, StoreEvent};
use crate::policy::{Policy, PolicyError};
use crate::testing::{at, euros, given, shop};
use chrono_tz::Europe::Berlin;

const NOON: &str = "2026-07-01T12:00Z";

fn policy(preset: &str) -> Box<Policy> {
    Box::new(Policy::preset(preset).unwrap())
}

fn registered() -> StoreEvent {
    let (name, currency) = ("Berlin Cars".to_owned(), euros(0).currency);
    StoreEvent::Registered {
        slug: shop(),
        name,
        policy: policy("car-rental"),
        time_zone: Berlin,
        currency,
        at: at(NOON),
    }
}

fn register(name: &str, policy: Box<Policy>) -> StoreCommand {
    let currency = euros(0).currency;
    StoreCommand::Register { slug: shop(), name: name.to_owned(), policy, time_zone: Berlin, currency, now: at(NOON) }
}

fn rename(name: &str) -> StoreCommand {
    StoreCommand::Revise { name: Some(name.to_owned()), policy: None, now: at(NOON) }
}

fn adopt(policy: Box<Policy>) -> StoreCommand {
    StoreCommand::Revise { name: None, policy: Some(policy), now: at(NOON) }
}

fn renamed(name: &str) -> StoreEvent {
    StoreEvent::Renamed { name: name.to_owned(), at: at(NOON) }
}

fn opened() -> StoreEvent {
    StoreEvent::Opened { at: at(NOON) }
}

fn closed() -> StoreEvent {
    StoreEvent::Closed { at: at(NOON) }
}

#[test]
fn a_store_is_open_from_the_start() {
    given::<Store>([]).when(register("Berlin Cars", policy("car-rental"))).then([registered()]);
    assert!(given::<Store>([registered()]).state.profile().is_some_and(|shop| shop.open));
}

#[test]
fn a_repeated_registration_is_known_again_even_after_the_store_has_changed() {
    given::<Store>([registered(), renamed("Cars of Berlin"), closed()])
        .when(register("Berlin Cars", policy("car-rental")))
        .then([]);
}

#[test]
fn a_slug_is_given_once() {
    given::<Store>([registered()])
        .when(register("Another Shop", policy("car-rental")))
        .then_refused(StoreError::SlugTaken);
}

#[test]
fn a_store_has_a_name() {
    for name in ["", "  ", &"x".repeat(201)] {
        let refusal = || StoreError::DoesNotFit { field: "name", why: "1 to 200 characters" };
        given::<Store>([]).when(register(name, policy("library"))).then_refused(refusal());
        given::<Store>([registered()]).when(rename(name)).then_refused(refusal());
    }
}

#[test]
fn a_policy_that_contradicts_itself_is_not_adopted() {
    let mut odd = policy("car-rental");
    odd.rules.comes_back = false;
    let why = "units of a pool come back, and nothing else does";
    let refusal = || StoreError::Policy(PolicyError::Contradiction { field: "rules.comes_back".into(), why });
    given::<Store>([]).when(register("Berlin Cars", odd.clone())).then_refused(refusal());
    given::<Store>([registered()]).when(adopt(odd)).then_refused(refusal());
}

#[test]
fn a_store_keeps_its_kind_of_stock() {
    given::<Store>([registered()]).when(adopt(policy("cinema"))).then_refused(StoreError::AnotherKindOfStock);
}

#[test]
fn only_what_is_different_is_revised() {
    given::<Store>([registered()]).when(rename("Berlin Cars")).then([]);
    given::<Store>([registered()]).when(rename("Cars of Berlin")).then([renamed("Cars of Berlin")]);
    given::<Store>([registered()]).when(adopt(policy("car-rental"))).then([]);
    given::<Store>([registered()])
        .when(adopt(policy("library")))
        .then([StoreEvent::PolicyAdopted { policy: policy("library"), at: at(NOON) }]);
}

#[test]
fn a_store_opens_and_closes() {
    given::<Store>([registered()]).when(StoreCommand::Open { now: at(NOON) }).then([]);
    given::<Store>([registered()]).when(StoreCommand::Close { now: at(NOON) }).then([closed()]);
    given::<Store>([registered(), closed()]).when(StoreCommand::Open { now: at(NOON) }).then([opened()]);
    assert!(given::<Store>([registered(), closed()]).state.profile().is_some_and(|shop| !shop.open));
}

#[test]
fn nothing_is_asked_of_a_store_that_is_not_there() {
    given::<Store>([]).when(rename("Berlin Cars")).then_refused(StoreError::NotRegistered);
    given::<Store>([]).when(StoreCommand::Open { now: at(NOON) }).then_refused(StoreError::NotRegistered);
    given::<Store>([]).when(StoreCommand::Close { now: at(NOON) }).then_refused(StoreError::NotRegistered);
}
