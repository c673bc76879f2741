//! Every pair of stage and event that acts, on one screen.

use super::process::{Command, Event, MOST_ATTEMPTS, News, Stage};
use chrono::TimeDelta;
use domain::policy::Occasion;
use domain::{Instant, MessageId};
use expect_test::expect;
use std::fmt::Write;
use uuid::Uuid;

fn message(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(number))
}

fn failed(number: u128, failures: u32) -> Event {
    Event::MessageFailed { message: message(number), failures, permanent: false, at: Instant::UNIX_EPOCH }
}

fn failed_for_good(number: u128, failures: u32) -> Event {
    Event::MessageFailed { message: message(number), failures, permanent: true, at: Instant::UNIX_EPOCH }
}

fn retried(number: u128, failures: u32) -> Event {
    Event::MessageRetried { message: message(number), failures }
}

/// `#1 #2`, with what has become of the attempts of each.
fn shown(stage: &Stage) -> String {
    let waiting: Vec<_> = stage
        .waiting()
        .map(|(message, failures, retry_at)| {
            let retry = retry_at.map_or(String::new(), |at| format!(", again at {} s", at.timestamp()));
            let failures = if failures > 0 { format!("({failures} failed{retry})") } else { String::new() };
            format!("#{}{failures}", message.0.as_u128())
        })
        .collect();
    if waiting.is_empty() { "nothing".to_owned() } else { waiting.join(" ") }
}

fn event_shown(event: Event) -> String {
    match event {
        Event::RentalChanged { message, news } => format!("{:?} (#{})", news.occasion, message.0.as_u128()),
        Event::MessageRecorded(message) => format!("MessageRecorded #{}", message.0.as_u128()),
        Event::MessageSent(message) => format!("MessageSent #{}", message.0.as_u128()),
        Event::MessageFailed { message, failures, permanent, .. } => {
            let for_good = if permanent { " for good" } else { "" };
            format!("MessageFailed #{} {failures}{for_good}", message.0.as_u128())
        }
        Event::MessageRetried { message, failures } => format!("MessageRetried #{} {failures}", message.0.as_u128()),
    }
}

fn command_shown(command: Command) -> String {
    match command {
        Command::Record { message, news } => format!("Record #{} {:?}", message.0.as_u128(), news.occasion),
        Command::Send { message, attempt } => format!("Send #{} attempt {attempt}", message.0.as_u128()),
    }
}

fn after(events: &[Event]) -> Stage {
    events.iter().fold(Stage::default(), |stage, event| stage.react(*event).0)
}

#[test]
fn every_pair_that_acts() {
    let (first, second) = (Event::MessageRecorded(message(1)), Event::MessageRecorded(message(2)));
    let stages = [
        after(&[]),
        after(&[first]),
        after(&[first, failed(1, 1)]),
        after(&[first, second]),
        after(&[first, second, failed(1, 11)]),
        after(&[first, failed(1, MOST_ATTEMPTS), retried(1, MOST_ATTEMPTS)]),
    ];
    let news = News { occasion: Occasion::Confirmed, amount: None, until: None };
    let events = [
        Event::RentalChanged { message: message(3), news },
        first,
        second,
        failed(1, 1),
        failed(1, 2),
        failed(1, MOST_ATTEMPTS),
        failed(1, MOST_ATTEMPTS + 1),
        failed(1, 2 * MOST_ATTEMPTS),
        failed_for_good(1, 1),
        retried(1, 1),
        retried(2, 3),
        Event::MessageSent(message(1)),
        Event::MessageSent(message(2)),
    ];
    let mut table = String::new();
    for stage in stages {
        if let Some(at) = stage.deadline() {
            let orders: Vec<_> = stage.due().into_iter().map(command_shown).collect();
            writeln!(table, "{} + {} s ! {}", shown(&stage), at.timestamp(), orders.join(", ")).unwrap();
        }
        for event in events {
            let (next, commands) = stage.clone().react(event);
            if next == stage && commands.is_empty() {
                continue;
            }
            let orders: Vec<_> = commands.into_iter().map(command_shown).collect();
            let orders = if orders.is_empty() { String::new() } else { format!(" ! {}", orders.join(", ")) };
            writeln!(table, "{} + {} -> {}{orders}", shown(&stage), event_shown(event), shown(&next)).unwrap();
        }
    }
    expect![[r#"
        nothing + Confirmed (#3) -> nothing ! Record #3 Confirmed
        nothing + MessageRecorded #1 -> #1 ! Send #1 attempt 1
        nothing + MessageRecorded #2 -> #2 ! Send #2 attempt 1
        nothing + MessageRetried #1 1 -> #1(1 failed) ! Send #1 attempt 2
        nothing + MessageRetried #2 3 -> #2(3 failed) ! Send #2 attempt 4
        #1 + Confirmed (#3) -> #1 ! Record #3 Confirmed
        #1 + MessageRecorded #2 -> #1 #2
        #1 + MessageFailed #1 1 -> #1(1 failed, again at 1 s)
        #1 + MessageFailed #1 2 -> #1(2 failed, again at 2 s)
        #1 + MessageFailed #1 12 -> nothing
        #1 + MessageFailed #1 13 -> nothing
        #1 + MessageFailed #1 24 -> nothing
        #1 + MessageFailed #1 1 for good -> nothing
        #1 + MessageRetried #1 1 -> #1 ! Send #1 attempt 1
        #1 + MessageRetried #2 3 -> #1 #2(3 failed)
        #1 + MessageSent #1 -> nothing
        #1(1 failed, again at 1 s) + 1 s ! Send #1 attempt 2
        #1(1 failed, again at 1 s) + Confirmed (#3) -> #1(1 failed, again at 1 s) ! Record #3 Confirmed
        #1(1 failed, again at 1 s) + MessageRecorded #2 -> #1(1 failed, again at 1 s) #2
        #1(1 failed, again at 1 s) + MessageFailed #1 2 -> #1(2 failed, again at 2 s)
        #1(1 failed, again at 1 s) + MessageFailed #1 12 -> nothing
        #1(1 failed, again at 1 s) + MessageFailed #1 13 -> nothing
        #1(1 failed, again at 1 s) + MessageFailed #1 24 -> nothing
        #1(1 failed, again at 1 s) + MessageFailed #1 1 for good -> nothing
        #1(1 failed, again at 1 s) + MessageRetried #1 1 -> #1(1 failed) ! Send #1 attempt 2
        #1(1 failed, again at 1 s) + MessageRetried #2 3 -> #1(1 failed, again at 1 s) #2(3 failed)
        #1(1 failed, again at 1 s) + MessageSent #1 -> nothing
        #1 #2 + Confirmed (#3) -> #1 #2 ! Record #3 Confirmed
        #1 #2 + MessageFailed #1 1 -> #1(1 failed, again at 1 s) #2
        #1 #2 + MessageFailed #1 2 -> #1(2 failed, again at 2 s) #2
        #1 #2 + MessageFailed #1 12 -> #2 ! Send #2 attempt 1
        #1 #2 + MessageFailed #1 13 -> #2 ! Send #2 attempt 1
        #1 #2 + MessageFailed #1 24 -> #2 ! Send #2 attempt 1
        #1 #2 + MessageFailed #1 1 for good -> #2 ! Send #2 attempt 1
        #1 #2 + MessageRetried #1 1 -> #1 #2 ! Send #1 attempt 1
        #1 #2 + MessageRetried #2 3 -> #1 #2
        #1 #2 + MessageSent #1 -> #2 ! Send #2 attempt 1
        #1 #2 + MessageSent #2 -> #1
        #1(11 failed, again at 600 s) #2 + 600 s ! Send #1 attempt 12
        #1(11 failed, again at 600 s) #2 + Confirmed (#3) -> #1(11 failed, again at 600 s) #2 ! Record #3 Confirmed
        #1(11 failed, again at 600 s) #2 + MessageFailed #1 1 -> #1(1 failed, again at 1 s) #2
        #1(11 failed, again at 600 s) #2 + MessageFailed #1 2 -> #1(2 failed, again at 2 s) #2
        #1(11 failed, again at 600 s) #2 + MessageFailed #1 12 -> #2 ! Send #2 attempt 1
        #1(11 failed, again at 600 s) #2 + MessageFailed #1 13 -> #2 ! Send #2 attempt 1
        #1(11 failed, again at 600 s) #2 + MessageFailed #1 24 -> #2 ! Send #2 attempt 1
        #1(11 failed, again at 600 s) #2 + MessageFailed #1 1 for good -> #2 ! Send #2 attempt 1
        #1(11 failed, again at 600 s) #2 + MessageRetried #1 1 -> #1(11 failed) #2 ! Send #1 attempt 12
        #1(11 failed, again at 600 s) #2 + MessageRetried #2 3 -> #1(11 failed, again at 600 s) #2
        #1(11 failed, again at 600 s) #2 + MessageSent #1 -> #2 ! Send #2 attempt 1
        #1(11 failed, again at 600 s) #2 + MessageSent #2 -> #1(11 failed, again at 600 s)
        #1(12 failed) + Confirmed (#3) -> #1(12 failed) ! Record #3 Confirmed
        #1(12 failed) + MessageRecorded #2 -> #1(12 failed) #2
        #1(12 failed) + MessageFailed #1 1 -> #1(1 failed, again at 1 s)
        #1(12 failed) + MessageFailed #1 2 -> #1(2 failed, again at 1 s)
        #1(12 failed) + MessageFailed #1 12 -> #1(12 failed, again at 1 s)
        #1(12 failed) + MessageFailed #1 13 -> #1(13 failed, again at 1 s)
        #1(12 failed) + MessageFailed #1 24 -> nothing
        #1(12 failed) + MessageFailed #1 1 for good -> nothing
        #1(12 failed) + MessageRetried #1 1 -> #1(12 failed) ! Send #1 attempt 13
        #1(12 failed) + MessageRetried #2 3 -> #1(12 failed) #2(3 failed)
        #1(12 failed) + MessageSent #1 -> nothing
    "#]]
    .assert_eq(&table);
}

#[test]
fn pauses_double_up_to_ten_minutes() {
    let pauses: Vec<_> = (1..MOST_ATTEMPTS)
        .map(|failures| after(&[Event::MessageRecorded(message(1)), failed(1, failures)]).deadline().unwrap())
        .map(|at| (at - Instant::UNIX_EPOCH).num_seconds())
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
    assert_eq!(pauses.iter().map(|s| TimeDelta::seconds(*s)).sum::<TimeDelta>().num_minutes(), 27);
}
