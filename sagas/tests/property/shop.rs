//! A shop with a few items and customers, and hands on its clock.

use super::chance::Chance;
use super::check::{Books, Fact, unsettled};
use super::world::{World, context, won};
use chrono::TimeDelta;
use domain::inventory::{ItemCommand, Stock};
use domain::policy::{Rules, StockKind};
use domain::store::StoreCommand;
use domain::{Event, ItemId, Money, RentalId};
use journal::{Executable, ExecuteError, Executor};
use sagas::Running;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const SUBSCRIPTIONS: [&str; 5] = ["reservation", "payments", "dispatch", "waiting", "extension"];
/// Few of each, so that customers get in each other's way.
const UNITS: [u32; 3] = [1, 2, 5];
/// For so many days nothing must be left to do.
const CALM: u32 = 10;
/// What has not settled by then never will. So long, since calls are repeated ten times a second at most.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Shop {
    pub world: World,
    pub chance: Chance,
    pub items: Vec<ItemId>,
    pub rentals: Vec<RentalId>,
    pub open: bool,
    running: Option<Running>,
}

impl Shop {
    pub async fn open(preset: &str, change: impl FnOnce(&mut Rules), mut chance: Chance) -> Self {
        let world = World::with_rules(preset, change).await;
        let mut items = vec![];
        for (number, units) in (100..).zip(UNITS) {
            let item = ItemId(Uuid::from_u128(number));
            let stock = match world.policy.rules.stock {
                StockKind::Pool => Stock::Pool { units },
                StockKind::Sale => Stock::Sale { units: (units < 5).then_some(units) },
                StockKind::Seats => Stock::Seats { seats: seats(units) },
            };
            let price = won(*chance.of(&[0, 1, 99, 1_000]));
            let (store, name, description) = ("shop".parse().unwrap(), format!("Thing of {units}"), None);
            let now = world.hands.now();
            let command = ItemCommand::Register { store, name, description, price, stock, now };
            world.items.execute(&item.to_string(), command, &context("item")).await.unwrap();
            items.push(item);
        }
        let running = Some(world.start().await);
        Self { world, chance, items, rentals: vec![], open: true, running }
    }

    /// Gives an order that may be refused.
    pub async fn order<A: Executable>(&self, to: &Executor<A>, id: &str, command: A::Command) -> bool {
        match to.execute(id, command, &context(id)).await {
            Ok(_) => true,
            Err(ExecuteError::Refused(_)) => false,
            Err(error) => panic!("{id}: {error:?}"),
        }
    }

    /// Whatever goes on has a little time for it.
    pub async fn breathe(&mut self) {
        let mut head = self.world.journal.watch_head();
        let more = u64::from(self.chance.below(4));
        let target = self.world.journal.head() + more;
        // Nothing need happen: the limit is a part of the experiment.
        let _ = tokio::time::timeout(Duration::from_millis(3), head.wait_for(|head| *head >= target)).await;
    }

    /// The process managers are stopped, or killed; and start again.
    pub async fn restart(&mut self, kill: bool) {
        let running = self.running.take().unwrap();
        assert_eq!(running.failure(), None);
        if !kill {
            running.stop().await.unwrap();
        }
        self.running = Some(self.world.start().await);
    }

    /// What was on its way in several kills in a row is taken for deadly and set aside, until somebody says otherwise.
    async fn retry_what_is_parked(&self) -> bool {
        let mut any = false;
        for subscription in self.world.subscriptions.list() {
            for parked in subscription.parked {
                self.world.subscriptions.retry(&subscription.name, &parked.sequence).await.unwrap();
                any = true;
            }
        }
        any
    }

    /// Everybody is back at work, and time goes by until nothing happens any more.
    pub async fn settle(&mut self) {
        self.world.provider.set_available(true);
        for subscription in SUBSCRIPTIONS {
            self.world.subscriptions.resume(subscription).await.unwrap();
        }
        let open = StoreCommand::Open { now: self.world.hands.now() };
        assert!(self.order(&self.world.stores, "shop", open).await);
        // With an unspent budget for calls that are repeated: it fills by the clock on the wall.
        self.restart(false).await;
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        let (mut passes, mut calm) = (TimeDelta::seconds(70), 0);
        let began = Instant::now();
        while calm < CALM && began.elapsed() < PATIENCE {
            let parked = self.retry_what_is_parked().await;
            self.world.hands.advance(passes);
            passes = (passes * 5 / 4).min(TimeDelta::days(1));
            self.world.quiet().await;
            let settled = !parked && unsettled(&facts(&self.world).await, self.world.hands.now()).is_empty();
            calm = if settled && passes == TimeDelta::days(1) { calm + 1 } else { 0 };
            // Deadlines are looked for now and then; calls to the provider take their time.
            for _ in 0..if settled { 1 } else { 5 } {
                ticks.tick().await;
            }
        }
        let running = self.running.take().unwrap();
        assert_eq!(running.failure(), None);
        running.stop().await.unwrap();
        let parked = self.world.subscriptions.list().into_iter().flat_map(|subscription| subscription.parked);
        assert_eq!(parked.collect::<Vec<_>>(), vec![]);
    }
}

/// Everything that stands in the journal.
pub async fn facts(world: &World) -> Vec<Fact> {
    let events = world.journal.read_all(0, usize::MAX).await.unwrap();
    let fact = |event: &journal::Shared| Fact {
        stream: event.stream.to_string(),
        event_type: event.event_type.to_string(),
        event: Event::decode(event.category(), &event.payload).unwrap(),
    };
    events.iter().map(fact).collect()
}

/// What the provider would tell an auditor.
pub fn books(world: &World) -> Books {
    let entries = world.provider.entries().into_iter();
    let charged = |charged: Option<Money>| charged.map_or(0, |amount| amount.amount_minor);
    entries.map(|(id, entry)| (id, (charged(entry.charged), entry.refunded_minor))).collect()
}

pub fn seats(units: u32) -> Vec<String> {
    (1..=units).map(|number| format!("A{number}")).collect()
}
