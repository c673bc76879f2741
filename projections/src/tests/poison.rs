use crate::fold::Spec;
use crate::handle::VIEWS;
use crate::projection::{Indigestible, Projection, Row};
use crate::testing::*;
use crate::{Key, MyPage, Payments};
use domain::Event;
use domain::rental::RentalEvent;
use journal::Recorded;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

on_both! {
    an_event_that_cannot_be_decoded_parks_its_stream_and_nothing_else,
    a_document_whose_first_event_is_missing_is_parked_and_not_made_up,
    a_document_that_begins_twice_is_parked_even_when_it_is_not_in_memory,
    an_event_that_kills_the_process_is_found_and_parked,
}

static HEALTHY: AtomicBool = AtomicBool::new(false);
static TRIES: AtomicU32 = AtomicU32::new(0);

/// Counts the events of each rental, and dies of hand-overs.
struct Delicate;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Count {
    events: u32,
}

impl Projection for Delicate {
    const NAME: &'static str = "delicate.v1";
    const SUBSCRIPTION: &'static str = "view-delicate";
    type State = Count;
    type Document = Count;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        Ok(rental_key(event, decoded))
    }

    fn begin(_event: &Recorded, decoded: &Event) -> Option<Count> {
        matches!(decoded, Event::Rental(RentalEvent::Requested { .. })).then(Count::default)
    }

    fn apply(count: &mut Count, event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        count.events += 1;
        let deadly =
            matches!(decoded, Event::Rental(RentalEvent::HandedOver { .. })) && event.aggregate_id().ends_with('1');
        if deadly && !HEALTHY.load(Ordering::SeqCst) {
            TRIES.fetch_add(1, Ordering::SeqCst);
            panic!("too much");
        }
        Ok(())
    }

    fn row(_count: &Count) -> Row<'_> {
        Row { owner: "all", tag: "" }
    }

    fn document(count: Count) -> Count {
        count
    }
}

async fn counted(world: &World, number: u128) -> u32 {
    world.views.document::<Delicate>(rental(number)).await.unwrap().unwrap().events
}

#[tokio::test]
async fn a_poison_event_stops_only_its_own_sequence_until_a_retry_heals_it() {
    // One after the other: what counts the tries and makes it healthy is there once.
    for kept in [Kept::File, Kept::Postgres] {
        HEALTHY.store(false, Ordering::SeqCst);
        TRIES.store(0, Ordering::SeqCst);
        a_retry_heals(kept).await;
    }
}

async fn a_retry_heals(kept: Kept) {
    let mut specs = VIEWS.to_vec();
    specs.push(Spec::of::<Delicate>());
    let world = World::open(Home::empty(kept), specs.clone(), 4_096).await;
    for number in [1, 2] {
        world.happens(requested(rental(number))).await;
        world.happens(confirmed(rental(number))).await;
        for fact in handed_over(rental(number)).into_iter().skip(1) {
            world.happens(fact).await;
        }
        world.happens(of_rental(rental(number), RentalEvent::Completed { at: noon() })).await;
    }
    world.caught_up::<Delicate>().await;
    assert_eq!(world.parked("view-delicate").await, [rental(1).to_string()]);
    assert!((3..=5).contains(&TRIES.load(Ordering::SeqCst)), "{TRIES:?}");
    assert_eq!((counted(&world, 1).await, counted(&world, 2).await), (2, 4));
    assert!(world.parked("view-mypage").await.is_empty(), "the others did not mind");

    // It is still parked after a restart, and what comes for it is held back.
    let world = World::open(world.close().await, specs, 1).await;
    world.happens(of_rental(rental(1), RentalEvent::Overdue { at: noon() })).await;
    world.happens(of_rental(rental(2), RentalEvent::Overdue { at: noon() })).await;
    world.caught_up::<Delicate>().await;
    assert_eq!((counted(&world, 1).await, counted(&world, 2).await), (2, 5));

    world.subscriptions.retry("view-delicate", &rental(1).to_string()).await.unwrap();
    world
        .until(async || {
            world.subscriptions.list().iter().any(|view| view.parked.iter().any(|parked| parked.attempts > 3))
        })
        .await;
    assert_eq!(world.parked("view-delicate").await.len(), 1, "not yet");

    HEALTHY.store(true, Ordering::SeqCst);
    world.subscriptions.retry("view-delicate", &rental(1).to_string()).await.unwrap();
    world.until(async || world.parked("view-delicate").await.is_empty()).await;
    assert_eq!((counted(&world, 1).await, counted(&world, 2).await), (5, 5));

    world.happens(of_rental(rental(1), RentalEvent::Completed { at: noon() })).await;
    world.caught_up::<Delicate>().await;
    assert_eq!(counted(&world, 1).await, 6);
    assert_eq!(world.views.rebuild("delicate").await.unwrap().differed, 0);
}

async fn an_event_that_cannot_be_decoded_parks_its_stream_and_nothing_else(kept: Kept) {
    let world = World::given_on(kept, [requested(rental(1)), requested(rental(2)), payment_requested(rental(1))]).await;
    let stream = payment_requested(rental(1)).stream;
    let nonsense =
        Fact { stream: stream.clone(), event_type: "Nonsense".to_owned(), payload: "{\"Nonsense\":1}".to_owned() };
    world.happens(nonsense).await;
    world.happens(approved(rental(1))).await;
    world.happens(confirmed(rental(1))).await;
    world.happens(confirmed(rental(2))).await;
    world.caught_up::<MyPage>().await;
    world.caught_up::<Payments>().await;
    assert_eq!(world.parked("view-mypage").await, std::slice::from_ref(&stream));
    let entry = |number| world.views.document::<MyPage>(rental(number));
    let (first, second) = (entry(1).await.unwrap().unwrap(), entry(2).await.unwrap().unwrap());
    assert_eq!(first.payment.unwrap().status, domain::payment::PaymentStatus::Requested);
    assert_eq!(first.status, domain::rental::RentalStatus::Confirmed);
    assert_eq!(second.status, domain::rental::RentalStatus::Confirmed);
}

async fn a_document_whose_first_event_is_missing_is_parked_and_not_made_up(kept: Kept) {
    let world = World::given_on(kept, [confirmed(rental(1)), requested(rental(2))]).await;
    world.caught_up::<MyPage>().await;
    assert_eq!(world.parked("view-mypage").await, [rental(1).to_string()]);
    assert!(world.views.document::<MyPage>(rental(1)).await.unwrap().is_none());
    assert!(world.views.document::<MyPage>(rental(2)).await.unwrap().is_some());
}

async fn a_document_that_begins_twice_is_parked_even_when_it_is_not_in_memory(kept: Kept) {
    let world = World::given_on(kept, [requested(rental(1))]).await;
    world.caught_up::<MyPage>().await;
    let world = World::open(world.close().await, VIEWS.to_vec(), 10).await;
    world.happens(requested(rental(1))).await;
    world.happens(requested(rental(2))).await;
    world.caught_up::<MyPage>().await;
    assert_eq!(world.parked("view-mypage").await, [rental(1).to_string()]);
    assert!(world.views.document::<MyPage>(rental(2)).await.unwrap().is_some());
}

async fn an_event_that_kills_the_process_is_found_and_parked(kept: Kept) {
    let home = Home::empty(kept);
    let journal = home.journal().await;
    append(&journal, requested(rental(1))).await;
    append(&journal, requested(rental(2))).await;
    append(&journal, confirmed(rental(1))).await;
    // What is left behind by a process that died four times before any progress, and four times at the second event.
    let subscriptions = home.subscriptions(&journal).await;
    let subscription = subscriptions.subscribe("view-mypage").await.unwrap();
    for position in [0, 0, 0, 0, 2, 2, 2, 2] {
        subscription.count_attempt(position).await.unwrap();
    }
    drop((subscription, subscriptions));
    journal.close().await;
    drop(journal);

    let world = World::open(home, VIEWS.to_vec(), 4_096).await;
    world.caught_up::<MyPage>().await;
    assert_eq!(world.parked("view-mypage").await, [rental(2).to_string()]);
    assert!(world.views.document::<MyPage>(rental(2)).await.unwrap().is_none());
    let entry = world.views.document::<MyPage>(rental(1)).await.unwrap().unwrap();
    assert_eq!(entry.status, domain::rental::RentalStatus::Confirmed);
    assert!(world.parked("view-payments").await.is_empty());

    world.subscriptions.retry("view-mypage", &rental(2).to_string()).await.unwrap();
    world.until(async || world.parked("view-mypage").await.is_empty()).await;
    assert!(world.views.document::<MyPage>(rental(2)).await.unwrap().is_some());
}
