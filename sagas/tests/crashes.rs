//! Once for all stories: crash after every step, and handle every event twice. The end is always the same.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it was built")]

mod world;

use domain::message::MessageEvent;
use domain::payment::PaymentStatus;
use domain::policy::Rules;
use domain::rental::{RentalCommand, RentalStatus};
use domain::{Event, Instant, PaymentId, RentalId};
use journal::{Append, Context, Expected, NewEvent};
use std::collections::HashSet;
use std::pin::Pin;
use uuid::Uuid;
use world::{World, at};

const ALICE: RentalId = RentalId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001));

/// What is compared in the end.
#[derive(Debug, PartialEq)]
struct End {
    rental: Option<RentalStatus>,
    holds: bool,
    late_fee: Option<PaymentStatus>,
    /// What was taken, less what went back.
    kept: i64,
    late_fee_charged: i64,
    /// The same for the first extension.
    kept_of_extension: i64,
    /// Until when it is agreed; whether a cancellation or an extension came first is a race.
    to: Option<Instant>,
    quota: usize,
    available: Option<u32>,
    /// What the customer was told, by how often, and what of it has gone out.
    recorded: Vec<String>,
    sent: usize,
}

async fn end(world: &World) -> End {
    world.quiet().await;
    let extension = PaymentId::extension_of(ALICE, 1);
    let (charge, late_fee) = (PaymentId::charge_of(ALICE), PaymentId::late_fee_of(ALICE, 1));
    let status = world.status(ALICE).await;
    let item = world.item.to_string();
    let (period, now) = (None, world.hands.now());
    let (recorded, sent) = messages(world).await;
    let lines: HashSet<_> = world.told().iter().map(|line| line["id"].to_string()).collect();
    assert_eq!(lines.len(), world.told().len(), "a message went out twice\n{}", world.history().await);
    End {
        rental: status,
        holds: world.holds(ALICE).await,
        late_fee: world.payment(late_fee).await,
        kept: world.charged(charge) - world.refunded(charge),
        late_fee_charged: world.charged(late_fee) + world.charged(PaymentId::late_fee_of(ALICE, 2)),
        kept_of_extension: world.charged(extension) - world.refunded(extension),
        to: world.period(ALICE).await.filter(|_| status != Some(RentalStatus::Cancelled)).map(|period| period.to),
        quota: world.quotas.inspect("shop/alice", |quota, _| quota.open()).await.unwrap(),
        available: world.items.inspect(&item, |item, _| item.available(period, now)).await.unwrap(),
        recorded,
        sent,
    }
}

/// The occasions of all messages, in order, and how many of them the journal says are sent.
async fn messages(world: &World) -> (Vec<String>, usize) {
    let (mut recorded, mut sent) = (Vec::new(), 0);
    for event in world.journal.read_all(0, usize::MAX).await.unwrap() {
        match event.decoded(Event::decode).unwrap() {
            Event::Message(MessageEvent::Recorded { letter, .. }) => recorded.push(letter.occasion.to_string()),
            Event::Message(MessageEvent::Sent { .. }) => sent += 1,
            _ => {}
        }
    }
    (recorded, sent)
}

type Told<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What people do. It can be told again from the start to a journal in which some of it has happened.
struct Story {
    preset: &'static str,
    rules: fn(&mut Rules),
    tell: for<'a> fn(&'a World) -> Told<'a>,
}

fn one_each(rules: &mut Rules) {
    rules.quota = Some(1);
}

const DECLINED: Story = Story {
    preset: "car-rental",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_declined").await;
            world.until_event("RentalRejected").await;
        })
    },
};

const CANCELLED: Story = Story {
    preset: "phone-shop",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("DispatchRequested").await;
            world.cancel(ALICE).await;
            world.until_event("RentalCancelled").await;
        })
    },
};

const CANCELLED_AT_ONCE: Story = Story {
    preset: "phone-shop",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.cancel(ALICE).await;
            world.until_event("RentalCancelled").await;
        })
    },
};

const BROUGHT_BACK_LATE: Story = Story {
    preset: "car-rental",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("DispatchRequested").await;
            world.prepare(ALICE).await;
            world.until_event("RentalPrepared").await;
            world.hand_over(ALICE).await;
            world.until_event("RentalHandedOver").await;
            world.hands.set(at("2026-07-13T00:00:01Z"));
            world.until_event("StockOverdue").await;
            world.hands.set(at("2026-07-14T12:00:00Z"));
            world.rental(ALICE, RentalCommand::Return { now: world.hands.now() }).await;
            world.until_event("RentalCompleted").await;
        })
    },
};

fn dear_when_late(rules: &mut Rules) {
    rules.late_fee_percent = 200;
}

const PAID_IN_ANOTHER_WAY: Story = Story {
    preset: "car-rental",
    rules: dear_when_late,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_up_to_300").await;
            world.until_event("DispatchRequested").await;
            world.prepare(ALICE).await;
            world.until_event("RentalPrepared").await;
            world.hand_over(ALICE).await;
            world.until_event("RentalHandedOver").await;
            world.hands.set(at("2026-07-14T12:00:00Z"));
            world.until_event("StockOverdue").await;
            world.rental(ALICE, RentalCommand::Return { now: world.hands.now() }).await;
            world.until_event("LateFeeDeclined").await;
            world.pay_late_fee(ALICE, "pm_ok").await;
            world.until_event("RentalCompleted").await;
        })
    },
};

const COLLECTED: Story = Story {
    preset: "coffee-shop",
    rules: world::by_engine,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("RentalCompleted").await;
        })
    },
};

const TOLD_OF_EVERYTHING: Story = Story {
    preset: "cinema",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("DispatchRequested").await;
            world.cancel(ALICE).await;
            world.until_event("RentalCancelled").await;
        })
    },
};

const EXTENDED_AND_BACK: Story = Story {
    preset: "car-rental",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("DispatchRequested").await;
            world.prepare(ALICE).await;
            world.until_event("RentalPrepared").await;
            world.hand_over(ALICE).await;
            world.until_event("RentalHandedOver").await;
            world.extend(ALICE, at("2026-07-15T00:00:00Z")).await;
            world.until_event("RentalExtended").await;
            world.hands.set(at("2026-07-14T12:00:00Z"));
            world.rental(ALICE, RentalCommand::Return { now: world.hands.now() }).await;
            world.until_event("RentalCompleted").await;
        })
    },
};

const EXTENDED_AND_CANCELLED: Story = Story {
    preset: "car-rental",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("DispatchRequested").await;
            world.extend(ALICE, at("2026-07-15T00:00:00Z")).await;
            world.until_event("RentalExtended").await;
            world.cancel(ALICE).await;
            world.until_event("RentalCancelled").await;
        })
    },
};

const CANCELLED_WHILE_BEING_EXTENDED: Story = Story {
    preset: "car-rental",
    rules: one_each,
    tell: |world| {
        Box::pin(async {
            world.request_as(ALICE, "alice", "pm_ok").await;
            world.until_event("DispatchRequested").await;
            world.extend(ALICE, at("2026-07-15T00:00:00Z")).await;
            world.cancel(ALICE).await;
            world.until_event("RentalCancelled").await;
        })
    },
};

const STORIES: [Story; 10] = [
    DECLINED,
    CANCELLED,
    CANCELLED_AT_ONCE,
    BROUGHT_BACK_LATE,
    PAID_IN_ANOTHER_WAY,
    COLLECTED,
    EXTENDED_AND_BACK,
    EXTENDED_AND_CANCELLED,
    CANCELLED_WHILE_BEING_EXTENDED,
    TOLD_OF_EVERYTHING,
];

impl Story {
    async fn world(&self) -> World {
        World::with_rules(self.preset, self.rules).await
    }

    /// Told without a crash.
    async fn told(&self) -> (World, End) {
        let world = self.world().await;
        let running = world.start().await;
        (self.tell)(&world).await;
        let end = end(&world).await;
        running.stop().await.unwrap();
        (world, end)
    }
}

/// The journal as it was at a position, with nothing known of what was handled; and the provider, who forgets nothing.
async fn cut(told: &World, position: u64) -> World {
    let directory = tempfile::tempdir().unwrap();
    let world = World::open_in(directory, told.policy.clone(), told.provider.clone());
    for event in told.journal.read_all(0, usize::MAX).await.unwrap().iter().take_while(|it| it.position <= position) {
        let new = NewEvent {
            id: event.event_id,
            event_type: event.event_type.to_string(),
            version: event.version,
            payload: event.payload.to_string(),
            decoded: None,
        };
        let context = Context {
            command_id: event.command_id,
            correlation_id: event.correlation_id.clone(),
            causation_id: event.causation_id,
            actor: event.actor.clone(),
            seen_revision: None,
            fence: None,
        };
        let (stream, expected) = (event.stream.clone(), Expected::Any);
        world.journal.append(Append { stream, expected, events: vec![new], context, basis: None }).await.unwrap();
    }
    world
}

#[tokio::test]
async fn whatever_was_handled_may_be_handled_again_from_any_position_on() {
    for (number, story) in STORIES.iter().enumerate() {
        let (told, expected) = story.told().await;
        let events = told.journal.read_all(0, usize::MAX).await.unwrap();
        for (index, event) in events.iter().enumerate().skip(1) {
            // Events of one command are in the journal together, or not at all.
            if events.get(index + 1).is_some_and(|next| next.command_id == event.command_id) {
                continue;
            }
            let world = cut(&told, event.position).await;
            let running = world.start().await;
            (story.tell)(&world).await;
            assert_eq!(end(&world).await, expected, "story {number} after {event:?}\n{}", world.history().await);
            running.stop().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_crash_after_any_step_changes_nothing_in_the_end() {
    for (number, story) in STORIES.iter().enumerate() {
        let (told, expected) = story.told().await;
        for position in 3..=told.journal.head() {
            let world = story.world().await;
            let mut head = world.journal.watch_head();
            let mut telling = (story.tell)(&world);
            let running = world.start().await;
            // How a race between customer and process ends may differ, and with it the number of events.
            let over = tokio::select! {
                () = &mut telling => true,
                _ = head.wait_for(|head| *head >= position) => false,
            };
            drop(running);
            let running = world.start().await;
            if !over {
                telling.await;
            }
            assert_eq!(end(&world).await, expected, "story {number} at {position}\n{}", world.history().await);
            running.stop().await.unwrap();
        }
    }
}

#[tokio::test]
async fn many_crashes_in_a_row_change_nothing_in_the_end() {
    let (_, expected) = BROUGHT_BACK_LATE.told().await;
    let world = BROUGHT_BACK_LATE.world().await;
    let mut head = world.journal.watch_head();
    let mut telling = (BROUGHT_BACK_LATE.tell)(&world);
    let running = loop {
        let running = world.start().await;
        let before = *head.borrow_and_update();
        tokio::select! {
            () = &mut telling => break running,
            _ = head.wait_for(|head| *head >= before + 4) => assert_eq!(running.failure(), None),
        }
    };
    assert_eq!(end(&world).await, expected, "{}", world.history().await);
    running.stop().await.unwrap();
}
