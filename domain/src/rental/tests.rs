//! The rules of a rental.

mod extension;
mod late_fee;
mod life;
mod life_table;
mod request;
mod review;
mod undo;
mod waiting;

use super::{CancelledBy, ExtensionRefusal, Rental, RentalCommand, RentalError, RentalEvent, RentalStatus, Terms};
use crate::Money;
use crate::testing::{at, car_terms, euros, given};

/// When everything happens that could happen at any time.
const MAY: &str = "2026-05-01T12:00Z";

fn request(terms: Terms) -> RentalCommand {
    RentalCommand::Request { terms: Box::new(terms), now: at(MAY) }
}

fn confirm() -> RentalCommand {
    RentalCommand::Confirm { total: euros(9000), now: at(MAY) }
}

fn mark_prepared() -> RentalCommand {
    RentalCommand::MarkPrepared { now: at(MAY) }
}

fn mark_handed_over() -> RentalCommand {
    RentalCommand::MarkHandedOver { now: at(MAY) }
}

fn requested_by(terms: Terms) -> RentalEvent {
    RentalEvent::Requested { terms: Box::new(terms), at: at(MAY) }
}

fn requested() -> RentalEvent {
    requested_by(car_terms())
}

/// Three days of July for 90 euros.
fn confirmed() -> RentalEvent {
    RentalEvent::Confirmed { total: euros(9000), at: at(MAY) }
}

fn prepared() -> RentalEvent {
    RentalEvent::Prepared { at: at(MAY) }
}

fn handed_over() -> RentalEvent {
    RentalEvent::HandedOver { at: at(MAY) }
}

fn returned(now: &str, days_late: u32, late_fee: Option<Money>) -> RentalEvent {
    RentalEvent::Returned { days_late, late_fee, at: at(now) }
}

fn completed() -> RentalEvent {
    RentalEvent::Completed { at: at(MAY) }
}

fn cancelling() -> RentalEvent {
    RentalEvent::CancellationRequested { by: CancelledBy::Customer, reason: None, fee: None, at: at(MAY) }
}

fn cancelled() -> RentalEvent {
    RentalEvent::Cancelled { refunded: None, at: at(MAY) }
}

fn wrong(attempted: &'static str, status: RentalStatus) -> RentalError {
    RentalError::WrongStatus { attempted, status }
}

#[test]
fn nothing_is_asked_of_a_rental_that_is_not_there() {
    let now = at(MAY);
    for command in [
        confirm(),
        mark_prepared(),
        mark_handed_over(),
        RentalCommand::Expire { now },
        RentalCommand::MarkOverdue { now },
        RentalCommand::Return { now },
        RentalCommand::Complete { now },
        RentalCommand::RequestExtension { to: now, now },
        RentalCommand::Extend { number: 1, extra: None, now },
        RentalCommand::RefuseExtension { number: 1, reason: ExtensionRefusal::Busy, now },
        RentalCommand::OweLateFee { attempt: 1, code: "card_declined".to_owned(), now },
        RentalCommand::PayLateFee { method: "tok_visa".to_owned(), now },
        RentalCommand::WaiveLateFee { now },
        RentalCommand::RequestCancellation { by: CancelledBy::Store, reason: None, now },
        RentalCommand::RefuseCancellation { now },
        RentalCommand::Cancel { refunded: None, now },
        RentalCommand::WriteReview { stars: 5, text: None, now },
        RentalCommand::EditReview { stars: 5, text: None, now },
        RentalCommand::DeleteReview { now },
    ] {
        given::<Rental>([]).when(command).then_refused(RentalError::NotRequested);
    }
}
