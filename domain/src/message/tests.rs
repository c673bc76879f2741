//! The rules of a message, and how its text is filled.

use super::{Letter, Message, MessageCommand, MessageError, MessageEvent, MessageStatus, Particulars, occasion_of};
use crate::policy::{Occasion, Policy};
use crate::rental::{CancelledBy, RejectReason, RentalEvent};
use crate::testing::{at, car_terms, customer, euros, given, period, rental, shop};
use crate::{Language, MessageId, Money};
use uuid::Uuid;

const NOON: &str = "2026-07-01T12:00Z";

fn letter(text: &str) -> Letter {
    Letter {
        customer: customer(),
        store: shop(),
        occasion: Occasion::Confirmed,
        language: Language::En,
        text: text.to_owned(),
    }
}

fn record(text: &str) -> MessageCommand {
    MessageCommand::Record { rental: rental(1), letter: letter(text), now: at(NOON) }
}

fn mark_sent() -> MessageCommand {
    MessageCommand::MarkSent { reference: "log-1".to_owned(), now: at(NOON) }
}

fn mark_failed(attempt: u32) -> MessageCommand {
    MessageCommand::MarkFailed { attempt, reason: "nobody is there".to_owned(), permanent: false, now: at(NOON) }
}

fn retry() -> MessageCommand {
    MessageCommand::Retry { now: at(NOON) }
}

fn recorded() -> MessageEvent {
    MessageEvent::Recorded { rental: rental(1), letter: letter("It stands."), at: at(NOON) }
}

fn sent() -> MessageEvent {
    MessageEvent::Sent { rental: rental(1), reference: "log-1".to_owned(), at: at(NOON) }
}

fn failed(failures: u32) -> MessageEvent {
    MessageEvent::Failed {
        rental: rental(1),
        reason: "nobody is there".to_owned(),
        failures,
        permanent: false,
        at: at(NOON),
    }
}

#[test]
fn a_message_is_recorded_once_whatever_the_words_are_by_then() {
    given::<Message>([]).when(record("It stands.")).then([recorded()]);
    given::<Message>([recorded()]).when(record("It stands, dear customer.")).then([]);
    given::<Message>([recorded(), sent()]).when(record("It stands.")).then([]);
}

#[test]
fn a_message_goes_out_once_and_stays_out() {
    given::<Message>([recorded()]).when(mark_sent()).then([sent()]);
    given::<Message>([recorded(), sent()]).when(mark_sent()).then([]);
    given::<Message>([recorded(), sent()]).when(mark_failed(1)).then([]);
    assert_eq!(given::<Message>([recorded(), sent()]).state.status(), Some(MessageStatus::Sent));
}

#[test]
fn every_failed_attempt_counts_once() {
    given::<Message>([recorded()]).when(mark_failed(1)).then([failed(1)]);
    given::<Message>([recorded(), failed(1)]).when(mark_failed(1)).then([]);
    given::<Message>([recorded(), failed(1)]).when(mark_failed(2)).then([failed(2)]);
    assert_eq!(given::<Message>([recorded(), failed(1)]).state.status(), Some(MessageStatus::Failed));
}

#[test]
fn attempts_fail_one_after_the_other() {
    let refused = |attempt, failures| MessageError::NotThatAttempt { attempt, failures };
    given::<Message>([recorded()]).when(mark_failed(2)).then_refused(refused(2, 0));
    given::<Message>([recorded(), failed(1)]).when(mark_failed(3)).then_refused(refused(3, 1));
    given::<Message>([recorded()]).when(mark_failed(0)).then([]);
}

#[test]
fn what_failed_may_still_go_out() {
    given::<Message>([recorded(), failed(1), failed(2)]).when(mark_sent()).then([sent()]);
}

#[test]
fn a_failure_that_would_come_again_says_so() {
    let for_good = |permanent| MessageCommand::MarkFailed {
        attempt: 1,
        reason: "nobody lives there".to_owned(),
        permanent,
        now: at(NOON),
    };
    given::<Message>([recorded()]).when(for_good(true)).then([MessageEvent::Failed {
        rental: rental(1),
        reason: "nobody lives there".to_owned(),
        failures: 1,
        permanent: true,
        at: at(NOON),
    }]);
}

#[test]
fn what_failed_is_put_on_its_way_again_once_and_its_attempts_are_counted_on() {
    let retried = |failures| MessageEvent::Retried { rental: rental(1), failures, at: at(NOON) };
    given::<Message>([recorded(), failed(1)]).when(retry()).then([retried(1)]);
    let again = given::<Message>([recorded(), failed(1), retried(1)]);
    assert_eq!((again.state.status(), again.state.failures()), (Some(MessageStatus::Recorded), 1));
    again.when(mark_failed(2)).then([failed(2)]);
    given::<Message>([recorded(), failed(1), retried(1), failed(2)]).when(retry()).then([retried(2)]);
}

#[test]
fn what_is_on_its_way_or_has_gone_out_is_not_put_there_again() {
    given::<Message>([recorded()]).when(retry()).then([]);
    given::<Message>([recorded(), sent()]).when(retry()).then([]);
}

#[test]
fn nothing_is_reported_of_a_message_that_was_not_recorded() {
    for command in [mark_sent(), mark_failed(1), retry()] {
        given::<Message>([]).when(command).then_refused(MessageError::NotRecorded);
    }
}

#[test]
fn an_event_has_one_message_of_its_own() {
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(MessageId::telling_of(one), MessageId::telling_of(one));
    assert_ne!(MessageId::telling_of(one), MessageId::telling_of(other));
}

#[test]
fn every_change_of_a_rental_is_an_occasion() {
    let at = at(NOON);
    let occasions: Vec<_> = [
        RentalEvent::Requested { terms: Box::new(car_terms()), at },
        RentalEvent::Confirmed { total: euros(9000), at },
        RentalEvent::Rejected { reason: RejectReason::NoSuchItem, at },
        RentalEvent::Expired { at },
        RentalEvent::Prepared { at },
        RentalEvent::HandedOver { at },
        RentalEvent::Overdue { at },
        RentalEvent::Returned { days_late: 0, late_fee: None, at },
        RentalEvent::Completed { at },
        RentalEvent::CancellationRequested { by: CancelledBy::Customer, reason: None, fee: None, at },
        RentalEvent::CancellationRefused { at },
        RentalEvent::Cancelled { refunded: None, at },
    ]
    .iter()
    .filter_map(occasion_of)
    .map(Occasion::name)
    .collect();
    let expected = "requested confirmed rejected expired prepared handed_over overdue returned completed cancelling \
                    cancellation_refused cancelled";
    assert_eq!(occasions.join(" "), expected);
}

fn particulars() -> Particulars {
    Particulars {
        store: "Berlin Cars".to_owned(),
        item: "Fiat 500".to_owned(),
        quantity: 2,
        period: Some(period("2026-06-30T22:00Z", "2026-07-04T07:00Z")),
        seats: vec!["A1".to_owned(), "A2".to_owned()],
        total: Some(euros(123_450)),
        fee: Some(euros(900)),
        refunded: Some(Money::new(45_000, "KRW".to_owned().try_into().unwrap())),
        until: Some(at("2026-07-03T10:00Z")),
        status: "booked".to_owned(),
        rental: rental(1),
        time_zone: chrono_tz::Europe::Berlin,
    }
}

#[test]
fn a_text_is_filled_with_what_is_so() {
    for (text, expected) in [
        ("{item} at {store}: {status}", "Fiat 500 at Berlin Cars: booked"),
        ("{quantity} seats, {seats}.", "2 seats, A1, A2."),
        ("{from} to {to}", "2026-07-01 00:00 to 2026-07-04 09:00"),
        ("{total}, {fee}, {refunded}", "1,234.50 EUR, 9.00 EUR, 45,000 KRW"),
        ("#{rental}", "#00000000-0000-0000-0000-000000000001"),
        ("{item} 예매", "Fiat 500 예매"),
    ] {
        assert_eq!(particulars().fill(text), expected);
    }
}

#[test]
fn what_has_no_value_is_left_out_with_the_space_before_it() {
    let nothing = Particulars {
        period: None,
        seats: vec![],
        total: None,
        fee: None,
        refunded: None,
        until: None,
        ..particulars()
    };
    for (text, expected) in [
        ("{quantity} seat(s) {seats}, {total} in all.", "2 seat(s), in all."),
        ("{fee} {item} {refunded}", "Fiat 500"),
        ("Back by {to}.", "Back by."),
        ("({from})", "()"),
    ] {
        assert_eq!(nothing.fill(text), expected);
    }
}

#[test]
fn a_value_is_never_read_as_a_placeholder() {
    let item = "{store} {".to_owned();
    assert_eq!(Particulars { item, ..particulars() }.fill("{item}!"), "{store} {!");
}

#[test]
fn the_texts_of_every_preset_read_well_with_and_without_seats() {
    for name in Policy::preset_names() {
        let policy = Policy::preset(name).unwrap();
        for (occasion, texts) in &policy.words.messages {
            for language in Language::ALL {
                for seats in [vec![], vec!["A1".to_owned()]] {
                    let filled = Particulars { seats, ..particulars() }.fill(texts.text_in(language));
                    let odd = ["{", "}", "  ", " .", " ,", "()"].iter().find(|odd| filled.contains(**odd));
                    assert_eq!(odd, None, "{name} {occasion} {language}: {filled}");
                }
            }
        }
    }
}
