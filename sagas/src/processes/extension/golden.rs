//! Every pair of stage and event, refusal or deadline that acts, on one screen.

use super::{Command, Event, Refusal, Stage};
use domain::rental::ExtensionRefusal;
use domain::{Currency, Instant, Money};
use expect_test::expect_file;
use std::fmt::{Debug, Write};

fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::try_from("KRW".to_owned()).unwrap())
}

fn stages() -> Vec<Stage> {
    let (number, amount, pay_by) = (1, won(100), Instant::UNIX_EPOCH);
    vec![
        Stage::Idle,
        Stage::AwaitingStock { number, pay_by: Some(pay_by) },
        Stage::AwaitingStock { number, pay_by: None },
        Stage::AwaitingPayment { number, amount, pay_by },
        Stage::Confirming { number, paid: None },
        Stage::Confirming { number, paid: Some(amount) },
        Stage::Abandoned { number, amount },
    ]
}

fn events() -> Vec<Event> {
    let refused = |number, reason| Event::ExtensionRefused { number, reason };
    vec![
        Event::ExtensionRequested { number: 1, pay_by: Some(Instant::UNIX_EPOCH) },
        Event::ExtensionRequested { number: 2, pay_by: None },
        Event::StockExtended { number: 1, extra: won(100) },
        Event::StockExtended { number: 1, extra: won(0) },
        Event::PaymentApproved,
        Event::PaymentDeclined { code: "declined".to_owned() },
        Event::RentalExtended { number: 1 },
        refused(1, ExtensionRefusal::Overtaken),
        refused(1, ExtensionRefusal::PaymentDeclined { code: "declined".to_owned() }),
    ]
}

fn of_another_extension() -> Vec<Event> {
    vec![
        Event::StockExtended { number: 2, extra: won(100) },
        Event::RentalExtended { number: 2 },
        Event::ExtensionRefused { number: 2, reason: ExtensionRefusal::Busy },
    ]
}

fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::Stock(ExtensionRefusal::OutOfStock { available: 0 }),
        Refusal::Payment,
        Refusal::Rental("out of range".to_owned()),
    ]
}

fn short(value: &impl Debug) -> String {
    format!("{value:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn stage_name(stage: Stage) -> String {
    match stage {
        Stage::AwaitingStock { pay_by: None, .. } => "AwaitingStock(never paid)".to_owned(),
        Stage::Confirming { paid: Some(paid), .. } => format!("Confirming(paid {})", paid.amount_minor),
        other => short(&other),
    }
}

fn event_name(event: &Event) -> String {
    match event {
        Event::ExtensionRequested { number, .. } => format!("ExtensionRequested({number})"),
        Event::StockExtended { extra, .. } => format!("StockExtended({})", extra.amount_minor),
        Event::ExtensionRefused { reason, .. } => format!("ExtensionRefused({})", short(reason)),
        other => short(other),
    }
}

fn orders(commands: &[Command]) -> String {
    let order = |command: &Command| match command {
        Command::Refuse(number, reason) => format!("Refuse({number}, {})", short(reason)),
        Command::Extend(_, Some(amount)) | Command::RequestPayment(_, amount) | Command::RefundPayment(_, amount) => {
            format!("{}({})", short(command), amount.amount_minor)
        }
        other => short(other),
    };
    let orders: Vec<_> = commands.iter().map(order).collect();
    if orders.is_empty() { String::new() } else { format!(" ! {}", orders.join(", ")) }
}

#[test]
fn every_pair_that_acts() {
    let mut table = String::new();
    for stage in stages() {
        let name = stage_name(stage);
        for event in events() {
            let (next, commands) = stage.react(event.clone());
            if next != stage || !commands.is_empty() {
                let (event, next) = (event_name(&event), stage_name(next));
                writeln!(table, "{name} + {event} -> {next}{}", orders(&commands)).unwrap();
            }
        }
        for refusal in refusals() {
            let commands = stage.refused(refusal.clone());
            if !commands.is_empty() {
                writeln!(table, "{name} + refused {}{}", short(&refusal), orders(&commands)).unwrap();
            }
        }
        if stage.deadline().is_some() {
            writeln!(table, "{name} + deadline{}", orders(&stage.due())).unwrap();
        }
    }
    expect_file!["golden.txt"].assert_eq(&table);
}

#[test]
fn what_happens_to_another_extension_changes_nothing() {
    for stage in stages() {
        for event in of_another_extension() {
            assert_eq!(stage.react(event), (stage, vec![]));
        }
    }
}
