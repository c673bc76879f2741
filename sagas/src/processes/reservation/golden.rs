//! Every pair of stage and event, refusal or deadline that acts, on one screen.

use super::{Command, Deal, Event, Late, Paid, Refund, Refusal, Stage};
use chrono::TimeDelta;
use domain::rental::RejectReason;
use domain::{Currency, Instant, ItemId, Money, Period};
use expect_test::{expect, expect_file};
use std::fmt::{Debug, Write};

fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::try_from("KRW".to_owned()).unwrap())
}

fn stages() -> Vec<Stage> {
    let (total, until) = (won(100), Instant::UNIX_EPOCH);
    let item = ItemId(uuid::Uuid::nil());
    let period = Some(Period { from: until, to: until + TimeDelta::days(1) });
    let deal = Deal {
        item,
        quota: true,
        upfront: true,
        period,
        no_show_s: Some(60),
        fetch_by: Some(until),
        asked: Some(total),
        late: None,
    };
    let late = Deal { late: Some(Late { fee: won(7), attempt: 1 }), ..deal };
    let extensions = vec![Paid { number: 1, amount: won(40) }];
    let left = |extension, amount| Refund { extension, amount: won(amount) };
    let code = "declined".to_owned();
    vec![
        Stage::New,
        Stage::AwaitingQuota(deal),
        Stage::AwaitingStock(deal),
        Stage::Waiting(deal),
        Stage::Offered { deal, total, until },
        Stage::Offered { deal, total: won(0), until },
        Stage::AwaitingPayment { deal, until },
        Stage::CommittingStock { deal, total },
        Stage::Confirming { deal, total },
        Stage::Confirmed { deal, total, extensions: vec![] },
        Stage::HandedOver(deal),
        Stage::Overdue(deal),
        Stage::TakingBack { deal, late_fee: None },
        Stage::TakingBack { deal: late, late_fee: Some(won(7)) },
        Stage::TakingBack { deal: late, late_fee: None },
        Stage::AwaitingLateFee(late),
        Stage::Completing(late),
        Stage::ReleasingUnpaid { deal, code },
        Stage::CancellingPayment { deal, fee: None },
        Stage::CancellingDispatch { deal, total, fee: Some(won(10)), extensions: vec![] },
        Stage::CancellingDispatch { deal, total, fee: Some(total), extensions: vec![] },
        Stage::CancellingDispatch { deal, total: won(140), fee: Some(won(110)), extensions },
        Stage::Refunding { deal, left: vec![left(None, 90)], refunded: None },
        Stage::Refunding { deal, left: vec![left(None, 90), left(Some(1), 40)], refunded: None },
        Stage::Refunding { deal, left: vec![left(Some(1), 40), left(Some(2), 5)], refunded: None },
        Stage::Refunding { deal, left: vec![left(Some(1), 40)], refunded: Some(won(90)) },
        Stage::ReleasingCancelled { deal, refunded: Some(won(90)) },
        Stage::Closing(deal),
        Stage::RefundingLate(deal),
        Stage::Undone(deal),
        Stage::Completed(late),
    ]
}

/// Of something that does not come back.
fn sold(item: ItemId) -> Deal {
    Deal { item, quota: false, upfront: true, period: None, no_show_s: None, fetch_by: None, asked: None, late: None }
}

fn events() -> Vec<Event> {
    let until = Instant::UNIX_EPOCH;
    let item = ItemId(uuid::Uuid::nil());
    let paid = Paid { number: 1, amount: won(40) };
    let deal = sold(item);
    vec![
        Event::RentalRequested { deal },
        Event::RentalRequested { deal: Deal { quota: true, ..deal } },
        Event::QuotaTaken,
        Event::StockAwaited,
        Event::StockHeld { total: won(100), until, period: None },
        Event::StockHeld { total: won(0), until, period: None },
        Event::RentalAccepted { pay_by: until },
        Event::PaymentApproved,
        Event::PaymentDeclined { code: "declined".to_owned() },
        Event::StockCommitted,
        Event::RentalConfirmed { at: until },
        Event::RentalExtended { to: until + TimeDelta::days(2), total: won(100), extra: None },
        Event::RentalExtended { to: until + TimeDelta::days(2), total: won(140), extra: Some(paid) },
        Event::RentalHandedOver,
        Event::RentalOverdue,
        Event::RentalReturned { late_fee: None },
        Event::RentalReturned { late_fee: Some(won(7)) },
        Event::StockReturned,
        Event::LateFeeApproved,
        Event::LateFeeDeclined { code: "declined".to_owned() },
        Event::LateFeeDemanded { attempt: 2 },
        Event::LateFeeWaived,
        Event::CancellationRequested { fee: None },
        Event::CancellationRefused,
        Event::DispatchCancelled,
        Event::PaymentRefunded { amount: won(90) },
        Event::ExtensionRefunded { amount: won(40) },
        Event::StockReleased,
        Event::RentalCompleted,
        Event::RentalRejected,
        Event::RentalExpired,
        Event::RentalCancelled,
    ]
}

fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::QuotaExceeded { limit: 1 },
        Refusal::StockRefused(RejectReason::OutOfStock { available: 0 }),
        Refusal::PaymentRefused,
        Refusal::NothingHeld,
        Refusal::HandedOver,
    ]
}

/// The name of a value, without ids and instants; and what else makes a difference.
fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let name: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
    match name.as_str() {
        "TakingBack" | "RentalReturned" if text.contains("late_fee: Some") => format!("{name}(late fee)"),
        "Offered" if text.contains("amount_minor: 0,") => format!("{name}(free)"),
        "TakingBack" if text.contains("late: Some") => format!("{name}(waived)"),
        "Confirmed" | "CancellingDispatch" | "Refunding" => {
            let paid = ["extension: None", "extension: Some", "Paid"].iter().filter(|paid| text.contains(*paid));
            let paid: Vec<_> =
                paid.map(|paid| if *paid == "extension: None" { "charge" } else { "extension" }).collect();
            if paid.is_empty() { name } else { format!("{name}({})", paid.join(", ")) }
        }
        "RentalExtended" if text.contains("extra: Some") => format!("{name}(paid)"),
        "RentalRequested" if text.contains("quota: true") => format!("{name}(quota)"),
        _ => name,
    }
}

fn order(command: &Command) -> String {
    match command {
        Command::ReleaseStock(_, reason) => format!("ReleaseStock({reason:?})"),
        Command::Reject(reason) => format!("Reject({})", short(reason)),
        Command::RequestPayment(amount)
        | Command::RequestLateFee(_, amount)
        | Command::RefundPayment(amount)
        | Command::RefundExtension(_, amount)
        | Command::RefundLateFee(_, amount) => {
            format!("{}({})", short(command), amount.amount_minor)
        }
        Command::Cancel { refunded: Some(amount) } => format!("Cancel(refunded {})", amount.amount_minor),
        other => short(other),
    }
}

fn event_name(event: &Event) -> String {
    match event {
        Event::StockHeld { total, .. } => format!("StockHeld({})", total.amount_minor),
        other => short(other),
    }
}

fn orders(commands: &[Command]) -> String {
    if commands.is_empty() {
        return String::new();
    }
    format!(" ! {}", commands.iter().map(order).collect::<Vec<_>>().join(", "))
}

#[test]
fn every_pair_that_acts() {
    let mut table = String::new();
    let ends = |event: &Event| {
        matches!(short(event).as_str(), "RentalCompleted" | "RentalRejected" | "RentalExpired" | "RentalCancelled")
    };
    for event in events().iter().filter(|event| ends(event)) {
        let confirmed = stages().into_iter().find(|stage| matches!(stage, Stage::Confirmed { .. })).unwrap();
        let (next, commands) = confirmed.react(event.clone());
        writeln!(table, "every other stage + {} -> {}{}", event_name(event), short(&next), orders(&commands)).unwrap();
    }
    for stage in stages() {
        let name = short(&stage);
        for event in events() {
            let (next, commands) = stage.clone().react(event.clone());
            if ends(&event) && commands.len() < 2 {
                continue;
            }
            if next != stage || !commands.is_empty() {
                let next = short(&next);
                writeln!(table, "{name} + {} -> {next}{}", event_name(&event), orders(&commands)).unwrap();
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

/// Found by enumerating all interleavings: the end was told while the refund was on its way, and said nothing of it.
#[test]
fn a_cancellation_that_meets_money_that_came_too_late_ends_when_it_is_back() {
    let mut stage = stages().into_iter().find(|stage| matches!(stage, Stage::AwaitingPayment { .. })).unwrap();
    let cancelled = Event::CancellationRequested { fee: None };
    let events = [Event::StockReleased, Event::PaymentApproved, cancelled, Event::PaymentRefunded { amount: won(100) }];
    let mut told = String::new();
    for event in events {
        let (next, commands) = stage.react(event.clone());
        writeln!(told, "{} -> {}{}", event_name(&event), short(&next), orders(&commands)).unwrap();
        stage = next;
    }
    expect![[r#"
        StockReleased -> Closing ! Expire
        PaymentApproved -> RefundingLate ! RefundPayment(100)
        CancellationRequested -> Refunding(charge)
        PaymentRefunded -> ReleasingCancelled ! ReleaseStock(Cancelled)
    "#]]
    .assert_eq(&told);
    assert_eq!(stage.refused(Refusal::NothingHeld), [Command::Cancel { refunded: Some(won(100)) }]);
}

#[test]
fn what_does_not_come_back_is_not_counted_out() {
    let deal = sold(ItemId(uuid::Uuid::nil()));
    let (next, commands) =
        Stage::Confirmed { deal, total: won(100), extensions: vec![] }.react(Event::RentalHandedOver);
    assert_eq!((next, commands), (Stage::HandedOver(deal), vec![]));
}

#[test]
fn no_event_leaves_an_end() {
    for stage in stages().into_iter().filter(|stage| matches!(stage, Stage::Undone(_) | Stage::Completed(_))) {
        for event in events() {
            let (next, _) = stage.clone().react(event);
            assert!(matches!(next, Stage::Undone(_) | Stage::Completed(_)));
        }
    }
}
