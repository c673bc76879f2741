//! The whole life of a rental on one screen: every event that can happen to it where it stands, and where it stands then.

use super::*;
use crate::policy::{Extension, WaitingList};
use crate::rental::{ExtensionRefusal, RejectReason};
use crate::testing::{period, terms_of};
use cqrs_es::{Aggregate, DomainEvent};
use expect_test::expect_file;
use std::collections::{BTreeSet, HashSet};

/// How many orders are given in a row. What can be repeated without end (reviews) has shown everything long before.
const LONGEST: usize = 12;

/// Every order, once before the period and once after it.
fn orders() -> Vec<RentalCommand> {
    let mut orders = vec![];
    for now in [at(MAY), at("2026-07-20")] {
        let (period, until) = (car_terms().period, at("2026-07-21"));
        let by = CancelledBy::Customer;
        orders.extend([
            RentalCommand::Offer { period, until, now },
            RentalCommand::Accept { now },
            RentalCommand::Decline { now },
            RentalCommand::Confirm { total: euros(9000), now },
            RentalCommand::Reject { reason: RejectReason::ItemRetired, now },
            RentalCommand::Expire { now },
            RentalCommand::MarkPrepared { now },
            RentalCommand::MarkHandedOver { now },
            RentalCommand::MarkOverdue { now },
            RentalCommand::Return { now },
            RentalCommand::Complete { now },
            RentalCommand::RequestExtension { to: at("2026-07-08"), now },
            RentalCommand::Extend { number: 1, extra: None, now },
            RentalCommand::RefuseExtension { number: 1, reason: ExtensionRefusal::Expired, now },
            RentalCommand::OweLateFee { attempt: 1, code: "declined".to_owned(), now },
            RentalCommand::PayLateFee { method: "tok_visa".to_owned(), now },
            RentalCommand::WaiveLateFee { now },
            RentalCommand::RequestCancellation { by, reason: None, now },
            RentalCommand::RefuseCancellation { now },
            RentalCommand::Cancel { refunded: None, now },
            RentalCommand::WriteReview { stars: 5, text: None, now },
            RentalCommand::EditReview { stars: 1, text: None, now },
            RentalCommand::DeleteReview { now },
        ]);
    }
    orders.iter().for_each(belongs_here);
    orders
}

/// An order that is new is asked for here by the compiler: put it into the list above, too.
const fn belongs_here(order: &RentalCommand) {
    match order {
        // It begins the life.
        RentalCommand::Request { .. } => {}
        RentalCommand::Offer { .. }
        | RentalCommand::Accept { .. }
        | RentalCommand::Decline { .. }
        | RentalCommand::Confirm { .. }
        | RentalCommand::Reject { .. }
        | RentalCommand::Expire { .. }
        | RentalCommand::MarkPrepared { .. }
        | RentalCommand::MarkHandedOver { .. }
        | RentalCommand::MarkOverdue { .. }
        | RentalCommand::Return { .. }
        | RentalCommand::Complete { .. }
        | RentalCommand::RequestExtension { .. }
        | RentalCommand::Extend { .. }
        | RentalCommand::RefuseExtension { .. }
        | RentalCommand::OweLateFee { .. }
        | RentalCommand::PayLateFee { .. }
        | RentalCommand::WaiveLateFee { .. }
        | RentalCommand::RequestCancellation { .. }
        | RentalCommand::RefuseCancellation { .. }
        | RentalCommand::Cancel { .. }
        | RentalCommand::WriteReview { .. }
        | RentalCommand::EditReview { .. }
        | RentalCommand::DeleteReview { .. } => {}
    }
}

/// Everything that a policy may allow.
fn terms() -> [Terms; 2] {
    let mut lent = Terms { period: Some(period("2026-07-01", "2026-07-04")), wait: true, ..terms_of("library") };
    lent.rules.late_fee_percent = 100;
    lent.rules.extension = Some(Extension { most: 1 });
    let mut sold = Terms { wait: true, ..terms_of("phone-shop") };
    for rules in [&mut lent.rules, &mut sold.rules] {
        rules.waiting_list = Some(WaitingList { offer_s: 86_400 });
        rules.reviews = true;
    }
    [lent, sold]
}

/// Writes down one step for each event of an answer.
fn write_down(rental: &mut Rental, events: Vec<RentalEvent>, table: &mut BTreeSet<String>) {
    for event in events {
        let name = |rental: &Rental| rental.status().map_or("nothing", RentalStatus::name);
        let (before, event_type) = (name(rental), event.event_type());
        rental.apply(event);
        table.insert(format!("{before} + {event_type} -> {}\n", name(rental)));
    }
}

#[test]
fn every_event_that_can_happen_to_a_rental_where_it_stands() {
    let mut table = BTreeSet::new();
    for terms in terms() {
        let mut rental = Rental::default();
        let requested = rental.decide(request(terms)).unwrap();
        write_down(&mut rental, requested, &mut table);
        let (mut known, mut newest) = (HashSet::new(), vec![rental]);
        for _ in 0..LONGEST {
            let mut next = vec![];
            for (rental, order) in newest.iter().flat_map(|rental| orders().into_iter().map(move |it| (rental, it))) {
                let mut rental = rental.clone();
                let events = rental.decide(order).unwrap_or_default();
                write_down(&mut rental, events, &mut table);
                if known.insert(serde_json::to_string(&rental).unwrap()) {
                    next.push(rental);
                }
            }
            newest = next;
        }
    }
    expect_file!["../life.txt"].assert_eq(&table.into_iter().collect::<String>());
}
