//! The rules of an item and its stock.

mod extension;
mod handing_out;
mod listing;
mod model;
mod pool;
mod sale;
mod waiting;

use super::{Item, ItemCommand, ItemError, ItemEvent, ReleaseReason, Stock, Wanted};
use crate::policy::PricePer;
use crate::testing::{at, customer, euros, given, period, rental, shop};
use crate::{Instant, Money, Period};

/// When everything happens that could happen at any time.
const MAY: &str = "2026-05-01T12:00Z";

fn registered(stock: Stock) -> ItemEvent {
    let (store, name) = (shop(), "Fiat 500".to_owned());
    ItemEvent::Registered { store, name, description: None, price: euros(3000), stock, at: at(MAY) }
}

fn register(stock: Stock) -> ItemCommand {
    let (store, name) = (shop(), "Fiat 500".to_owned());
    ItemCommand::Register { store, name, description: None, price: euros(3000), stock, now: at(MAY) }
}

fn cars(units: u32) -> ItemEvent {
    registered(Stock::Pool { units })
}

fn phones(units: u32) -> ItemEvent {
    registered(Stock::Sale { units: Some(units) })
}

fn seats(names: &[&str]) -> ItemEvent {
    registered(Stock::Seats { seats: texts(names) })
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Units of a pool by the day.
fn days(period: Period, days: u32, quantity: u32) -> Wanted {
    let (price_per, seats) = (PricePer::Day, vec![]);
    Wanted { quantity, period: Some(period), days, price_per, seats, turnaround_s: 0, wait: None }
}

fn units(quantity: u32) -> Wanted {
    Wanted { quantity, period: None, days: 1, price_per: PricePer::Unit, seats: vec![], turnaround_s: 0, wait: None }
}

fn hold(number: u128, wanted: Wanted) -> ItemCommand {
    hold_at(number, wanted, MAY)
}

fn hold_at(number: u128, wanted: Wanted, now: &str) -> ItemCommand {
    ItemCommand::Hold { rental: rental(number), customer: customer(), wanted, until: deadline(), now: at(now) }
}

fn deadline() -> Instant {
    at("2026-05-01T12:15Z")
}

fn held(number: u128, quantity: u32, occupies: Option<Period>, total: Money) -> ItemEvent {
    held_with(number, quantity, occupies, 0, &[], total)
}

fn held_with(
    number: u128,
    quantity: u32,
    occupies: Option<Period>,
    turnaround_s: u32,
    seats: &[&str],
    total: Money,
) -> ItemEvent {
    ItemEvent::Held {
        rental: rental(number),
        customer: customer(),
        quantity,
        occupies,
        turnaround_s,
        seats: texts(seats),
        unit_price: euros(3000),
        total,
        until: deadline(),
        at: at(MAY),
    }
}

fn commit(number: u128) -> ItemCommand {
    ItemCommand::Commit { rental: rental(number), now: at(MAY) }
}

fn committed(number: u128) -> ItemEvent {
    ItemEvent::Committed { rental: rental(number), at: at(MAY) }
}

fn release(number: u128, reason: ReleaseReason) -> ItemCommand {
    ItemCommand::Release { rental: rental(number), reason, now: at(MAY) }
}

fn released(number: u128, reason: ReleaseReason) -> ItemEvent {
    ItemEvent::Released { rental: rental(number), reason, at: at(MAY) }
}

fn take_back(number: u128, now: &str) -> ItemCommand {
    ItemCommand::Return { rental: rental(number), now: at(now) }
}

fn returned(number: u128, now: &str) -> ItemEvent {
    ItemEvent::Returned { rental: rental(number), at: at(now) }
}

fn mark_overdue(number: u128, now: &str) -> ItemCommand {
    ItemCommand::MarkOverdue { rental: rental(number), now: at(now) }
}

fn overdue(number: u128, now: &str) -> ItemEvent {
    ItemEvent::Overdue { rental: rental(number), at: at(now) }
}

fn adjust(number: u128, change: i64) -> ItemCommand {
    let adjustment = uuid::Uuid::from_u128(number);
    ItemCommand::AdjustStock { adjustment, change, reason: None, now: at(MAY) }
}

fn adjusted(number: u128, change: i64, units: u32) -> ItemEvent {
    let adjustment = uuid::Uuid::from_u128(number);
    ItemEvent::StockAdjusted { adjustment, change, units, reason: None, at: at(MAY) }
}

fn out_of_stock(wanted: u32, available: u32) -> ItemError {
    ItemError::OutOfStock { wanted, available }
}

fn july() -> Period {
    period("2026-07-01", "2026-07-04")
}
