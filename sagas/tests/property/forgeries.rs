//! What must not be: a good story with something put in, taken out or changed.

use super::bad::{CANCELLED, CONFIRMED, LATE, Story, whose};
use super::check::Fact;
use super::world::won;
use domain::Event;
use domain::dispatch::DispatchEvent;
use domain::inventory::{ItemEvent, Stock};
use domain::payment::PaymentEvent;
use domain::quota::QuotaEvent;
use domain::rental::RentalEvent;
use uuid::Uuid;

/// What was done to a good story, and by which check that is found.
pub struct Forgery {
    pub found_by: &'static str,
    pub what: &'static str,
    pub forge: fn(&mut Story),
}

pub const FORGERIES: &[Forgery] = &[
    Forgery {
        found_by: "stock",
        what: "one car is given three times",
        forge: |story| {
            story.each(|event| {
                if let Event::Item(ItemEvent::Registered { stock, .. }) = event {
                    *stock = Stock::Pool { units: 1 };
                }
            });
        },
    },
    Forgery {
        found_by: "stock",
        what: "one seat is given three times",
        forge: |story| {
            story.each(|event| match event {
                Event::Item(ItemEvent::Registered { stock, .. }) => {
                    *stock = Stock::Seats { seats: vec!["A1".to_owned()] }
                }
                Event::Item(ItemEvent::Held { seats, occupies, .. }) => {
                    (*seats, *occupies) = (vec!["A1".to_owned()], None);
                }
                _ => {}
            });
        },
    },
    Forgery {
        found_by: "stock",
        what: "more is sold than there is",
        forge: |story| {
            story.each(|event| match event {
                Event::Item(ItemEvent::Registered { stock, .. }) => *stock = Stock::Sale { units: Some(2) },
                Event::Item(ItemEvent::Held { occupies, .. }) => *occupies = None,
                _ => {}
            });
        },
    },
    Forgery {
        found_by: "stock",
        what: "there are fewer than none",
        forge: |story| {
            let place = story.place("StockCommitted", LATE);
            let (change, reason, at) = (-11, None, story.now);
            let event = ItemEvent::StockAdjusted { adjustment: Uuid::nil(), change, units: 0, reason, at };
            let stream = story.facts[place].stream.clone();
            story.facts.insert(place, Fact { stream, event_type: "StockAdjusted".to_owned(), event: event.into() });
        },
    },
    Forgery { found_by: "stock", what: "a hold is made twice", forge: |story| story.twice("StockHeld", LATE) },
    Forgery {
        found_by: "stock",
        what: "what is not held comes back",
        forge: |story| story.twice("StockReturned", LATE),
    },
    Forgery {
        found_by: "money",
        what: "a refund is lost",
        forge: |story| {
            story.without("PaymentRefunded", CANCELLED);
            story.without("RefundRequested", CANCELLED);
            story.books.values_mut().for_each(|(_, refunded)| *refunded = 0);
        },
    },
    Forgery { found_by: "money", what: "money is taken twice", forge: |story| story.twice("PaymentApproved", LATE) },
    Forgery {
        found_by: "money",
        what: "money goes back twice",
        forge: |story| story.twice("PaymentRefunded", CANCELLED),
    },
    Forgery {
        found_by: "money",
        what: "the provider took more than we know",
        forge: |story| story.books.values_mut().for_each(|(charged, _)| *charged += 1),
    },
    Forgery {
        found_by: "money",
        what: "something is confirmed at another price",
        forge: |story| {
            story.change("RentalConfirmed", CONFIRMED, |event| {
                if let Event::Rental(RentalEvent::Confirmed { total, .. }) = event {
                    *total = won(299);
                }
            });
        },
    },
    Forgery {
        found_by: "money",
        what: "something is held at another price",
        forge: |story| {
            story.change("StockHeld", CONFIRMED, |event| {
                if let Event::Item(ItemEvent::Held { unit_price, .. }) = event {
                    *unit_price = won(99);
                }
            });
        },
    },
    Forgery {
        found_by: "money",
        what: "a cancellation costs more than it may",
        forge: |story| {
            story.change("RentalCancellationRequested", CANCELLED, |event| {
                if let Event::Rental(RentalEvent::CancellationRequested { fee, .. }) = event {
                    *fee = Some(won(31));
                }
            });
        },
    },
    Forgery {
        found_by: "money",
        what: "being late costs nothing",
        forge: |story| {
            story.change("RentalReturned", LATE, |event| {
                if let Event::Rental(RentalEvent::Returned { late_fee, .. }) = event {
                    *late_fee = None;
                }
            });
        },
    },
    Forgery {
        found_by: "money",
        what: "a cancellation is complete before the money is back",
        forge: |story| story.before("RentalCancelled", "PaymentRefunded", CANCELLED),
    },
    Forgery {
        found_by: "quota",
        what: "a quota is not given back",
        forge: |story| story.without("QuotaGivenBack", LATE),
    },
    Forgery { found_by: "quota", what: "a quota is not taken", forge: |story| story.without("QuotaTaken", CONFIRMED) },
    Forgery {
        found_by: "quota",
        what: "more are open than may be",
        forge: |story| {
            let place = story.place("QuotaTaken", CONFIRMED);
            let stream = story.facts[story.place("QuotaTaken", LATE)].stream.clone();
            let event = QuotaEvent::Taken { rental: CONFIRMED, at: story.now };
            story.facts.insert(place, Fact { stream, event_type: "QuotaTaken".to_owned(), event: event.into() });
        },
    },
    Forgery {
        found_by: "rest",
        what: "a cancellation never ends",
        forge: |story| story.without("RentalCancelled", CANCELLED),
    },
    Forgery {
        found_by: "rest",
        what: "what was cancelled has stock",
        forge: |story| story.without("StockReleased", CANCELLED),
    },
    Forgery {
        found_by: "rest",
        what: "what is confirmed has none",
        forge: |story| story.without("StockHeld", CONFIRMED),
    },
    Forgery {
        found_by: "rest",
        what: "what is back is not counted in",
        forge: |story| story.without("StockReturned", LATE),
    },
    Forgery {
        found_by: "rest",
        what: "what is back is not completed",
        forge: |story| story.without("RentalCompleted", LATE),
    },
    Forgery {
        found_by: "rest",
        what: "a request is not answered",
        forge: |story| story.without("RentalConfirmed", CONFIRMED),
    },
    Forgery {
        found_by: "rest",
        what: "a charge is under way for ever",
        forge: |story| story.without("PaymentApproved", LATE),
    },
    Forgery {
        found_by: "rest",
        what: "nobody notices that it is late",
        forge: |story| {
            for event_type in ["RentalOverdue", "StockOverdue", "RentalReturned", "StockReturned", "RentalCompleted"] {
                story.without(event_type, LATE);
            }
        },
    },
    Forgery {
        found_by: "rest",
        what: "the shop does not know of it",
        forge: |story| {
            story.facts.retain(|fact| {
                let requested = matches!(fact.event, Event::Dispatch(DispatchEvent::Requested { .. }));
                !(requested && whose(fact) == Some(CONFIRMED))
            });
        },
    },
    Forgery {
        found_by: "life",
        what: "it is prepared after it was handed over",
        forge: |story| story.before("RentalHandedOver", "RentalPrepared", LATE),
    },
    Forgery { found_by: "life", what: "it is confirmed twice", forge: |story| story.twice("RentalConfirmed", LATE) },
    Forgery {
        found_by: "process",
        what: "stock is committed before it is paid",
        forge: |story| story.before("StockCommitted", "PaymentApproved", LATE),
    },
    Forgery {
        found_by: "process",
        what: "a payment is declined that was approved",
        forge: |story| {
            let (rental, code, at) = (CONFIRMED, "declined".to_owned(), story.now);
            let place = story.place("PaymentApproved", CONFIRMED);
            let stream = story.facts[place].stream.clone();
            let event = PaymentEvent::Declined { rental, code, at }.into();
            story.facts.push(Fact { stream, event_type: "PaymentDeclined".to_owned(), event });
        },
    },
];
