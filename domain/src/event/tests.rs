//! What was stored once can be read for ever.

use super::Event;
use cqrs_es::DomainEvent;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::error::Error;

const CATEGORIES: [&str; 9] =
    ["rental", "payment", "item", "store", "dispatch", "quota", "message", "contact", "webhook"];

/// An event as it was stored.
#[derive(Deserialize)]
struct Sample {
    category: String,
    payload: Value,
}

fn samples() -> Vec<Sample> {
    let lines = include_str!("../../samples/events.v1.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Type, version and JSON of an event.
fn stored(event: &Event) -> (String, String, Value) {
    fn of<E: DomainEvent>(event: &E) -> (String, String, Value) {
        (event.event_type(), event.event_version(), serde_json::to_value(event).unwrap())
    }
    match event {
        Event::Rental(event) => of(event),
        Event::Payment(event) => of(event),
        Event::Item(event) => of(event),
        Event::Store(event) => of(event),
        Event::Dispatch(event) => of(event),
        Event::Quota(event) => of(event),
        Event::Message(event) => of(event),
        Event::Contact(event) => of(event),
        Event::Webhook(event) => of(event),
        Event::Foreign => panic!("a sample of a stream that is not the domain's"),
    }
}

/// The names of all events of a category: serde lists them when it meets another one.
fn names(category: &str) -> BTreeSet<String> {
    let error = Event::decode(category, r#"{"Nothing":{}}"#).unwrap_err();
    let message = error.source().unwrap().to_string();
    let names: BTreeSet<_> = message.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(names.len() > 1, "{message}");
    names
}

#[test]
fn every_sample_is_read_and_written_again_as_it_was() {
    for Sample { category, payload } in samples() {
        let event = Event::decode(&category, &payload.to_string()).unwrap();
        let (name, version, json) = stored(&event);
        assert_eq!(json, payload);
        assert_eq!(payload.as_object().unwrap().keys().collect::<Vec<_>>(), [&name]);
        assert_eq!(version, "1");
    }
}

#[test]
fn there_is_a_sample_of_every_event() {
    for category in CATEGORIES {
        let of_category = samples().into_iter().filter(|sample| sample.category == category);
        let sampled: BTreeSet<_> = of_category
            .flat_map(|sample| sample.payload.as_object().unwrap().keys().cloned().collect::<Vec<_>>())
            .collect();
        assert_eq!(sampled, names(category), "{category}");
    }
}

#[test]
fn the_names_of_a_rentals_events_are_all_known() {
    let known: BTreeSet<_> = crate::rental::RentalEvent::NAMES.iter().map(ToString::to_string).collect();
    assert_eq!(known, names("rental"));
}

#[test]
fn no_two_events_have_the_same_name() {
    let all: Vec<_> = CATEGORIES.into_iter().flat_map(names).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn what_is_not_the_domains_is_left_alone_and_what_is_broken_is_an_error() {
    assert_eq!(Event::decode("lease", "anything").unwrap(), Event::Foreign);
    let error = Event::decode("rental", r#"{"RentalExpired":{}}"#).unwrap_err();
    assert_eq!(error.to_string(), "the payload of a `rental` event cannot be read");
}
