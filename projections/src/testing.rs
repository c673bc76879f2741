//! Sample facts and a journal to put them in.

mod world;

pub(crate) use world::*;

use crate::Key;
use domain::dispatch::DispatchEvent;
use domain::inventory::{ItemEvent, ReleaseReason, Stock};
use domain::message::{Letter, MessageEvent};
use domain::payment::{Charge, PaymentEvent, Purpose};
use domain::policy::{
    Action, By, Cancellation, Occasion, PaymentTiming, Policy, PricePer, Rules, Step, StockKind, Words,
};
use domain::quota::QuotaEvent;
use domain::rental::{RentalEvent, Terms};
use domain::store::StoreEvent;
use domain::{
    Currency, CustomerId, Event, Instant, ItemId, Language, MessageId, Money, PaymentId, Period, Personal, RentalId,
    StoreSlug,
};
use journal::{Append, AppendError, Context, Expected, Journal, NewEvent};
use serde::Serialize;
use std::time::Duration;
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An event and the stream that it belongs to.
pub(crate) struct Fact {
    pub(crate) stream: String,
    pub(crate) event_type: String,
    pub(crate) payload: String,
}

impl Fact {
    pub(crate) fn new(stream: String, event: &impl Serialize) -> Self {
        let json = serde_json::to_value(event).unwrap();
        let event_type = json.as_object().unwrap().keys().next().unwrap().clone();
        // Not through the value: it would lose the order of the fields.
        Self { stream, event_type, payload: serde_json::to_string(event).unwrap() }
    }
}

pub(crate) async fn append(journal: &Journal, fact: Fact) -> u64 {
    append_all(journal, &fact.stream.clone(), vec![fact]).await
}

pub(crate) async fn try_append(journal: &Journal, fact: Fact) -> Result<u64, AppendError> {
    try_append_all(journal, &fact.stream.clone(), vec![fact]).await
}

pub(crate) async fn append_all(journal: &Journal, stream: &str, facts: Vec<Fact>) -> u64 {
    try_append_all(journal, stream, facts).await.unwrap()
}

async fn try_append_all(journal: &Journal, stream: &str, facts: Vec<Fact>) -> Result<u64, AppendError> {
    let events = facts.into_iter().map(|Fact { event_type, payload, .. }| NewEvent {
        id: Uuid::now_v7(),
        event_type,
        version: 1,
        payload,
        decoded: None,
    });
    let context = Context {
        command_id: Uuid::now_v7(),
        correlation_id: "a conversation".into(),
        causation_id: None,
        actor: "customer:alice".into(),
        seen_revision: None,
        fence: None,
    };
    let append =
        Append { stream: stream.into(), expected: Expected::Any, events: events.collect(), context, basis: None };
    journal.append(append).await.map(|appended| appended.position)
}

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn noon() -> Instant {
    at("2026-07-01T12:00:00Z")
}

pub(crate) fn won(amount: i64) -> Money {
    Money::new(amount, currency())
}

fn currency() -> Currency {
    Currency::try_from("KRW".to_owned()).unwrap()
}

pub(crate) fn rental(number: u128) -> RentalId {
    RentalId(Uuid::from_u128(0x7000_0000 + number))
}

pub(crate) fn car() -> ItemId {
    ItemId(Uuid::from_u128(0xCA4))
}

pub(crate) fn alice() -> CustomerId {
    "alice".parse().unwrap()
}

pub(crate) fn seoul_cars() -> StoreSlug {
    "seoul-cars".parse().unwrap()
}

fn july() -> Period {
    Period { from: at("2026-07-01T00:00:00Z"), to: at("2026-07-04T00:00:00Z") }
}

fn rules() -> Rules {
    Rules {
        stock: StockKind::Pool,
        price_per: PricePer::Day,
        payment: PaymentTiming::Upfront,
        steps: vec![Step { action: Action::HandOver, by: By::Staff }],
        comes_back: true,
        hold_s: 600,
        quota: None,
        turnaround_s: 0,
        cancellation: Cancellation::default(),
        late_fee_percent: 150,
        waiting_list: None,
        no_show_s: None,
        reviews: true,
        kiosk: false,
        messages: Vec::new(),
        extension: None,
    }
}

pub(crate) fn of_rental(id: RentalId, event: RentalEvent) -> Fact {
    Fact::new(format!("rental-{id}"), &event)
}

pub(crate) fn of_payment(id: RentalId, event: PaymentEvent) -> Fact {
    Fact::new(format!("payment-{}", PaymentId::charge_of(id)), &event)
}

pub(crate) fn of_item(id: ItemId, event: ItemEvent) -> Fact {
    Fact::new(format!("item-{id}"), &event)
}

pub(crate) fn of_dispatch(id: RentalId, event: DispatchEvent) -> Fact {
    Fact::new(format!("dispatch-{id}"), &event)
}

pub(crate) fn of_store(event: StoreEvent) -> Fact {
    Fact::new("store-seoul-cars".to_owned(), &event)
}

pub(crate) fn of_quota(event: QuotaEvent) -> Fact {
    Fact::new("quota-seoul-cars/alice".to_owned(), &event)
}

pub(crate) fn terms(customer: &str) -> Box<Terms> {
    Box::new(Terms {
        customer: customer.parse().unwrap(),
        store: seoul_cars(),
        item: car(),
        quantity: 1,
        period: Some(july()),
        seats: Vec::new(),
        wait: false,
        payment_method: "pm_ok".to_owned(),
        policy: "car-rental".to_owned(),
        rules: rules(),
        time_zone: chrono_tz::Asia::Seoul,
        language: Language::En,
    })
}

pub(crate) fn requested(id: RentalId) -> Fact {
    requested_by(id, "alice")
}

pub(crate) fn requested_by(id: RentalId, customer: &str) -> Fact {
    of_rental(id, RentalEvent::Requested { terms: terms(customer), at: noon() })
}

pub(crate) fn registered(item: ItemId, stock: Stock) -> Fact {
    let event = ItemEvent::Registered {
        store: seoul_cars(),
        name: "Ioniq 5".to_owned(),
        description: None,
        price: won(45_000),
        stock,
        at: noon(),
    };
    of_item(item, event)
}

pub(crate) fn held(id: RentalId) -> Fact {
    held_several(id, 1)
}

pub(crate) fn held_several(id: RentalId, quantity: u32) -> Fact {
    let event = ItemEvent::Held {
        rental: id,
        customer: alice(),
        quantity,
        occupies: Some(july()),
        turnaround_s: 0,
        seats: Vec::new(),
        unit_price: won(45_000),
        total: won(135_000),
        until: at("2026-07-01T12:10:00Z"),
        at: noon(),
    };
    of_item(car(), event)
}

pub(crate) fn released(id: RentalId) -> Fact {
    of_item(car(), ItemEvent::Released { rental: id, reason: ReleaseReason::Cancelled, at: noon() })
}

pub(crate) fn payment_requested(id: RentalId) -> Fact {
    let charge = Charge {
        customer: alice(),
        store: seoul_cars(),
        item: Some(car()),
        purpose: Purpose::Rental,
        amount: won(135_000),
        method: "pm_ok".to_owned(),
    };
    of_payment(id, PaymentEvent::Requested { rental: id, charge, at: noon() })
}

pub(crate) fn approved(id: RentalId) -> Fact {
    let (item, amount, reference) = (Some(car()), Some(won(135_000)), "ch_1".to_owned());
    of_payment(id, PaymentEvent::Approved { rental: id, item, amount, reference, at: noon() })
}

pub(crate) fn confirmed(id: RentalId) -> Fact {
    of_rental(id, RentalEvent::Confirmed { total: won(135_000), at: noon() })
}

pub(crate) fn dispatch_requested(id: RentalId) -> Fact {
    let event = DispatchEvent::Requested {
        store: seoul_cars(),
        customer: alice(),
        item: car(),
        quantity: 1,
        period: Some(july()),
        steps: rules().steps,
        at: noon(),
    };
    of_dispatch(id, event)
}

pub(crate) fn handed_over(id: RentalId) -> Vec<Fact> {
    vec![
        of_dispatch(id, DispatchEvent::HandedOver { at: noon() }),
        of_rental(id, RentalEvent::HandedOver { at: noon() }),
    ]
}

pub(crate) fn founded() -> Fact {
    let policy = Policy {
        name: "car-rental".to_owned(),
        rules: rules(),
        words: Words {
            rental: "booking".to_owned(),
            item: "car".to_owned(),
            status: Default::default(),
            messages: Default::default(),
        },
    };
    of_store(StoreEvent::Registered {
        slug: seoul_cars(),
        name: "Seoul Cars".to_owned(),
        policy: Box::new(policy),
        time_zone: chrono_tz::Asia::Seoul,
        currency: currency(),
        at: noon(),
    })
}

pub(crate) fn reviewed(id: RentalId, number: u32, stars: u8) -> Fact {
    let text = Some(Personal::sealed(format!("sealed {stars}")));
    of_rental(id, RentalEvent::ReviewWritten { item: car(), customer: alice(), number, stars, text, at: noon() })
}

/// A rental from the request to the hand-over: ten events in five streams.
pub(crate) fn story(id: RentalId) -> Vec<Fact> {
    let mut facts = vec![
        requested(id),
        held(id),
        payment_requested(id),
        approved(id),
        of_item(car(), ItemEvent::Committed { rental: id, at: noon() }),
        confirmed(id),
        dispatch_requested(id),
    ];
    facts.extend(handed_over(id));
    facts.push(of_quota(QuotaEvent::Taken { rental: id, at: noon() }));
    facts
}

/// What alice is told of a rental, and that it has gone out.
pub(crate) fn told(id: RentalId) -> Vec<Fact> {
    let letter = Letter {
        customer: alice(),
        store: seoul_cars(),
        occasion: Occasion::Confirmed,
        language: Language::En,
        text: "It stands.".to_owned(),
    };
    let stream = format!("message-{}", MessageId::telling_of(id.0));
    vec![
        Fact::new(stream.clone(), &MessageEvent::Recorded { rental: id, letter, at: noon() }),
        Fact::new(stream, &MessageEvent::Sent { rental: id, reference: "log-1".to_owned(), at: noon() }),
    ]
}

/// Many rentals at once, always mixed in the same way.
pub(crate) async fn busy_day(journal: &Journal, rentals: std::ops::Range<u128>) {
    if rentals.start == 0 {
        append(journal, founded()).await;
        append(journal, registered(car(), Stock::Pool { units: 1_000 })).await;
        for fact in crate::tests::webhooks::subscribed() {
            append(journal, fact).await;
        }
    }
    let mut open = Vec::new();
    let mut coming = rentals.map(rental);
    let mut dice = 7_usize;
    loop {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if open.len() < 8
            && let Some(id) = coming.next()
        {
            let mut facts = story(id);
            facts.push(reviewed(id, 1, 4));
            facts.extend(told(id));
            open.push(facts.into_iter());
        }
        if open.is_empty() {
            return;
        }
        let chosen = (dice >> 33) % open.len();
        match open[chosen].next() {
            Some(fact) => drop(append(journal, fact).await),
            None => drop(open.swap_remove(chosen)),
        }
    }
}

/// What a projection of a test folds: it counts the events of a rental.
pub(crate) fn rental_key(event: &journal::Recorded, decoded: &Event) -> Option<Key> {
    matches!(decoded, Event::Rental(_)).then(|| Key::from(event.aggregate_id()))
}
