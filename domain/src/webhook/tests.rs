//! The rules of a webhook.

use super::{Webhook, WebhookCommand, WebhookError, WebhookEvent, WebhookStatus};
use crate::testing::{at, given, shop};
use std::collections::BTreeSet;

const NOON: &str = "2026-07-01T12:00Z";
const URL: &str = "https://films.example.org/told";

fn names(events: &[&str]) -> BTreeSet<String> {
    events.iter().map(|&name| name.to_owned()).collect()
}

fn register(url: &str, events: &[&str]) -> WebhookCommand {
    WebhookCommand::Register { store: shop(), url: url.to_owned(), events: names(events), now: at(NOON) }
}

fn registered() -> WebhookEvent {
    WebhookEvent::Registered { store: shop(), url: URL.to_owned(), events: names(&["RentalConfirmed"]), at: at(NOON) }
}

fn stop() -> WebhookCommand {
    WebhookCommand::Stop { now: at(NOON) }
}

fn remove() -> WebhookCommand {
    WebhookCommand::Remove { now: at(NOON) }
}

fn pause() -> WebhookCommand {
    WebhookCommand::Pause { now: at(NOON) }
}

fn resume() -> WebhookCommand {
    WebhookCommand::Resume { now: at(NOON) }
}

fn paused() -> WebhookEvent {
    WebhookEvent::Paused { at: at(NOON) }
}

fn resumed() -> WebhookEvent {
    WebhookEvent::Resumed { at: at(NOON) }
}

fn stopped() -> WebhookEvent {
    WebhookEvent::Stopped { at: at(NOON) }
}

fn removed() -> WebhookEvent {
    WebhookEvent::Removed { at: at(NOON) }
}

#[test]
fn a_webhook_is_registered_once() {
    let same = || register(URL, &["RentalConfirmed"]);
    given::<Webhook>([]).when(same()).then([registered()]);
    given::<Webhook>([registered()]).when(same()).then([]);
    given::<Webhook>([registered(), removed()]).when(same()).then([]);
    given::<Webhook>([registered()]).when(register(URL, &[])).then_refused(WebhookError::AnotherWebhook);
}

#[test]
fn a_url_has_an_end() {
    let why = WebhookError::DoesNotFit { field: "url", why: "1 to 2048 bytes" };
    given::<Webhook>([]).when(register(&"u".repeat(2_049), &[])).then_refused(why.clone());
    given::<Webhook>([]).when(register("", &[])).then_refused(why);
}

#[test]
fn whom_the_receiver_stops_or_the_store_removes_is_told_no_more() {
    given::<Webhook>([registered()]).when(stop()).then([stopped()]);
    given::<Webhook>([registered()]).when(remove()).then([removed()]);
    given::<Webhook>([registered(), stopped()]).when(stop()).then([]);
    given::<Webhook>([registered(), stopped()]).when(remove()).then([removed()]);
    given::<Webhook>([registered(), removed()]).when(remove()).then([]);
    given::<Webhook>([registered(), removed()]).when(stop()).then([]);
    let state = given::<Webhook>([registered(), stopped(), removed()]).state;
    assert_eq!((state.status(), state.registered().unwrap().url.as_str()), (Some(WebhookStatus::Removed), URL));
}

#[test]
fn a_webhook_is_paused_and_resumed_until_it_has_ended() {
    given::<Webhook>([registered()]).when(pause()).then([paused()]);
    given::<Webhook>([registered()]).when(resume()).then([]);
    given::<Webhook>([registered(), paused()]).when(pause()).then([]);
    given::<Webhook>([registered(), paused()]).when(resume()).then([resumed()]);
    given::<Webhook>([registered(), paused(), resumed()]).when(pause()).then([paused()]);
    given::<Webhook>([registered(), paused()]).when(register(URL, &["RentalConfirmed"])).then([]);
    given::<Webhook>([registered(), paused()]).when(stop()).then([stopped()]);
    given::<Webhook>([registered(), paused()]).when(remove()).then([removed()]);
    for end in [stopped(), removed()] {
        for command in [pause(), resume()] {
            given::<Webhook>([registered(), end.clone()]).when(command).then_refused(WebhookError::Ended);
        }
    }
    assert_eq!(given::<Webhook>([registered(), paused()]).state.status(), Some(WebhookStatus::Paused));
}

#[test]
fn nothing_is_asked_of_a_webhook_that_is_not_there() {
    for command in [pause(), resume(), stop(), remove()] {
        given::<Webhook>([]).when(command).then_refused(WebhookError::NotRegistered);
    }
}
