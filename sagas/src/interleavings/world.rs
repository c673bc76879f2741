//! One customer, one item, one payment; and everything that anybody may do next.

use super::actor::{Actor, Moves, One, React, real};
use super::known::Id;
use super::memory::{Board, InMemory, Table};
use super::provider::{AnyProvider, Book};
use crate::Clock;
use crate::cashier::Cashier;
use crate::payments::{Breaker, BreakerSettings, Payments, Till};
use crate::processes::dispatch::{Counter, Dispatching};
use crate::processes::reservation::{Desk, Reservation};
use crate::processes::waiting::{Steward, Waiting};
use crate::runner::{Orders, Process, decoded};
use crate::tenure::Tenure;
use chrono::TimeDelta;
use domain::dispatch::Dispatch;
use domain::inventory::{Item, ItemCommand, ItemEvent, Stock, Wanted};
use domain::payment::{Payment, PaymentEvent};
use domain::policy::{Policy, Rules, WaitingList};
use domain::quota::Quota;
use domain::rental::{Rental, RentalCommand, RentalEvent, Terms};
use domain::store::{Store, StoreCommand};
use domain::{Currency, Event, Instant, ItemId, Language, Money, PaymentId, Period, RentalId};
use journal::Shared;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub(super) const RENTAL: RentalId = RentalId(Uuid::from_u128(1));
pub(super) const ITEM: ItemId = ItemId(Uuid::from_u128(2));
/// Has the item before it, where it waits in line.
pub(super) const OTHER: RentalId = RentalId(Uuid::from_u128(3));
pub(super) const PRICE: i64 = 100;
pub(super) const RESERVATION: usize = 0;
pub(super) const PAYMENTS: usize = 1;
pub(super) const DISPATCH: usize = 2;
pub(super) const WAITING: usize = 3;

/// What may happen, and how often.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) preset: &'static str,
    pub(super) rules: fn(&mut Rules),
    /// By process: reservation, payments, dispatch, waiting.
    pub(super) crashes: [u8; 4],
    /// Whether somebody else has the item at first, and the customer waits in line.
    pub(super) waits: bool,
    pub(super) cancellations: u8,
    pub(super) cancellations_by_the_shop: u8,
    pub(super) refunds_that_fail: u8,
    pub(super) react: React<Reservation>,
}

/// Everything that makes a difference for what may follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) aggregates: Vec<Id>,
    pub(super) actors: Vec<Actor>,
    pub(super) book: Book,
    /// Whether the hold's deadline has passed.
    pub(super) late: bool,
    pub(super) cancellations_left: u8,
    pub(super) cancellations_by_the_shop_left: u8,
    pub(super) notes: Notes,
}

/// What has happened so far, where the aggregates have no word for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Notes {
    /// Stock was held: its deadline counts.
    pub(super) held: bool,
    /// What is kept, as the last request for a cancellation says.
    pub(super) fee: Option<i64>,
    /// A refund that was requested and is not recorded.
    on_its_way: bool,
    /// What has gone back.
    refunded: Option<i64>,
    /// Where the end of a cancellation says something else, or comes before everything is recorded.
    pub(super) cancelled_too_early: bool,
}

pub(super) struct World {
    pub(super) table: Table,
    pub(super) actors: Vec<Box<dyn Moves>>,
    scenario: Scenario,
    terms: Terms,
}

pub(super) fn start() -> Instant {
    "2026-07-01T10:00:00Z".parse().unwrap()
}

fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::try_from("KRW".to_owned()).unwrap())
}

fn terms(policy: &Policy, wait: bool) -> Terms {
    let (from, to) = (start(), start() + TimeDelta::hours(10));
    Terms {
        customer: "alice".parse().unwrap(),
        store: "shop".parse().unwrap(),
        item: ITEM,
        quantity: 1,
        period: policy.rules.comes_back.then(|| Period::new(from, to).unwrap()),
        seats: vec![],
        payment_method: "any".to_owned(),
        policy: policy.name.clone(),
        rules: policy.rules.clone(),
        time_zone: chrono_tz::Tz::UTC,
        wait,
        language: Language::default(),
    }
}

fn one<P, O>(id: Uuid, orders: impl Fn() -> O + 'static, react: React<P>, impatient: bool) -> Box<dyn Moves>
where
    P: Process<Command: Clone + Sync>,
    O: Orders<P>,
{
    Box::new(One { id, orders: Box::new(orders), react, impatient })
}

fn with<O>(table: &Table, orders: fn(&Table) -> O) -> impl Fn() -> O + use<O> {
    let table = table.clone();
    move || orders(&table)
}

fn clock(table: &Table) -> Arc<dyn Clock> {
    let table = table.clone();
    Arc::new(move || table.board().now)
}

fn desk(table: &Table) -> Desk<InMemory> {
    let (rentals, payments) = (table.memory(Rental::clone), table.memory(Payment::clone));
    Desk {
        rentals: table.memory(Rental::clone),
        cashier: Cashier { rentals, payments, clock: clock(table) },
        items: table.memory(Item::clone),
        dispatches: table.memory(Dispatch::clone),
        quotas: table.memory(Quota::clone),
        clock: clock(table),
    }
}

/// To be left alone is as if the provider were away: that it may always be.
fn till(table: &Table) -> Till<InMemory> {
    let provider = Arc::new(AnyProvider(table.clone()));
    let breaker = Breaker::new("model", BreakerSettings::default());
    Till::new(
        table.memory(Payment::clone),
        provider,
        clock(table),
        breaker,
        Duration::from_secs(1),
        1,
        Tenure::for_ever(),
    )
}

fn counter(table: &Table) -> Counter<InMemory> {
    Counter {
        rentals: table.memory(Rental::clone),
        dispatches: table.memory(Dispatch::clone),
        stores: table.memory(Store::clone),
        clock: clock(table),
    }
}

fn steward(table: &Table) -> Steward<InMemory> {
    Steward { items: table.memory(Item::clone), clock: clock(table) }
}

impl World {
    pub(super) fn new(scenario: Scenario) -> Self {
        let table = Table::laid();
        let mut policy = Policy::preset(scenario.preset).unwrap();
        (scenario.rules)(&mut policy.rules);
        policy.rules.waiting_list = scenario.waits.then_some(WaitingList { offer_s: policy.rules.hold_s });
        let charge = PaymentId::charge_of(RENTAL).0;
        let mut actors = vec![
            one::<Reservation, _>(RENTAL.0, with(&table, desk), scenario.react.clone(), false),
            one::<Payments, _>(charge, with(&table, till), real::<Payments>(), true),
            one::<Dispatching, _>(RENTAL.0, with(&table, counter), real::<Dispatching>(), false),
        ];
        if scenario.waits {
            actors.push(one::<Waiting, _>(ITEM.0, with(&table, steward), real::<Waiting>(), false));
        }
        let terms = terms(&policy, scenario.waits);
        Self { table, actors, scenario, terms }
    }

    /// The shop is there, and a customer has asked for its one thing.
    pub(super) fn begin(&self) -> State {
        let mut actors = vec![];
        for (actor, crashes) in self.actors.iter().zip(self.scenario.crashes) {
            actors.push(actor.start(&mut self.table.board(), crashes));
        }
        let state = State {
            aggregates: vec![],
            actors,
            book: Book { refusals_left: self.scenario.refunds_that_fail, ..Book::default() },
            late: false,
            cancellations_left: self.scenario.cancellations,
            cancellations_by_the_shop_left: self.scenario.cancellations_by_the_shop,
            notes: Notes::default(),
        };
        self.people(&state, |board, now| {
            let policy = Policy { rules: self.terms.rules.clone(), ..Policy::preset(self.scenario.preset).unwrap() };
            let (slug, name, policy) = (self.terms.store.clone(), "Shop".to_owned(), Box::new(policy));
            let (time_zone, currency) = (chrono_tz::Tz::UTC, won(0).currency);
            let found = StoreCommand::Register { slug, name, policy, time_zone, currency, now };
            board.execute::<Store>("shop", Store::clone, found).unwrap();
            let (store, name, description, price) = (self.terms.store.clone(), "Thing".to_owned(), None, won(PRICE));
            let stock = match self.terms.rules.comes_back {
                true => Stock::Pool { units: 1 },
                false => Stock::Sale { units: Some(1) },
            };
            let register = ItemCommand::Register { store, name, description, price, stock, now };
            let item = ITEM.to_string();
            board.execute(&item, Item::clone, register).unwrap();
            if self.scenario.waits {
                self.lend_to_the_other(board, now);
            }
            let request = RentalCommand::Request { terms: Box::new(self.terms.clone()), now };
            board.execute(&RENTAL.to_string(), Rental::clone, request).unwrap();
        })
    }

    fn lend_to_the_other(&self, board: &mut Board, now: Instant) {
        let (period, customer) = (self.terms.period, "bob".parse().unwrap());
        let (price_per, seats) = (self.terms.rules.price_per, vec![]);
        let wanted = Wanted { quantity: 1, period, days: 1, price_per, seats, turnaround_s: 0, wait: None };
        let hold = ItemCommand::Hold { rental: OTHER, customer, wanted, until: now, now };
        board.execute(&ITEM.to_string(), Item::clone, hold).unwrap();
        board.execute(&ITEM.to_string(), Item::clone, ItemCommand::Commit { rental: OTHER, now }).unwrap();
    }

    fn now(&self, late: bool) -> Instant {
        if late { start() + TimeDelta::seconds(self.terms.rules.hold_s.into()) } else { start() }
    }

    pub(super) fn set_up(&self, state: &State) {
        let mut board = self.table.board();
        board.aggregates.clone_from(&state.aggregates);
        board.book = state.book;
        board.now = self.now(state.late);
        board.said = None;
        board.appended.clear();
    }

    /// The state after something has been done on the board: whoever listens to what happened has it before them.
    fn after(&self, mut state: State) -> State {
        let board = self.table.board();
        state.aggregates.clone_from(&board.aggregates);
        state.book = board.book;
        for number in &board.appended {
            let event = board.known.get::<Shared>(*number);
            for (moves, actor) in self.actors.iter().zip(&mut state.actors) {
                if moves.listens(&event) {
                    actor.log.push(*number);
                }
            }
            state.notes.take(decoded(&event).unwrap());
        }
        state
    }

    pub(super) const fn waits(&self) -> bool {
        self.scenario.waits
    }

    pub(super) fn has_quota(&self) -> bool {
        self.terms.rules.quota.is_some()
    }

    pub(super) fn people(&self, state: &State, act: impl FnOnce(&mut Board, Instant)) -> State {
        self.set_up(state);
        act(&mut self.table.board(), self.now(state.late));
        self.after(state.clone())
    }

    pub(super) fn process(&self, state: &State, index: usize, act: impl FnOnce(&dyn Moves, &mut Actor)) -> State {
        self.set_up(state);
        let mut state = state.clone();
        act(&*self.actors[index], &mut state.actors[index]);
        self.after(state)
    }
}

impl Notes {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Rental(RentalEvent::CancellationRequested { fee, .. }) => {
                self.fee = fee.map(|fee| fee.amount_minor);
            }
            Event::Rental(RentalEvent::Cancelled { refunded, .. }) => {
                let said = refunded.map(|refunded| refunded.amount_minor);
                self.cancelled_too_early = self.on_its_way || self.refunded != said;
            }
            Event::Item(ItemEvent::Held { rental: RENTAL, .. }) => self.held = true,
            Event::Payment(PaymentEvent::RefundRequested { .. }) => self.on_its_way = true,
            Event::Payment(PaymentEvent::Refunded { amount, .. }) => {
                (self.on_its_way, self.refunded) = (false, Some(amount.amount_minor));
            }
            _ => {}
        }
    }
}
