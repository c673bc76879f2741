//! One contract for the file and the tables.

use super::*;
use crate::payments::Payments;
use crate::processes::reservation::Reservation;
use chrono::TimeDelta;
use cluster::Cluster;
use domain::payment::PaymentEvent;
use domain::{Currency, Money, RentalId};
use journal::postgres::PostgresAddress;
use journal::{Journal, Lease, Owner, Subscriptions};
use tempfile::TempDir;

const PAYMENT: Uuid = Uuid::from_u128(1);

/// Somewhere to save.
struct Place {
    source: Source,
    /// Who gives out leases, where there are any.
    leases: Option<Subscriptions>,
    _directory: TempDir,
}

/// Somebody who saves, and the lease that it does so under.
struct Somebody {
    saved: Saved,
    lease: Option<Lease>,
}

impl Place {
    fn file() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { source: Source::Directory(directory.path().to_owned()), leases: None, _directory: directory }
    }

    async fn tables() -> Self {
        let address: PostgresAddress = Cluster::shared().database().parse().unwrap();
        let journal = Journal::connect(&address).await.unwrap();
        let leases = Subscriptions::connect(journal, &address, Owner::named("test")).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        Self { source: Source::Postgres(address), leases: Some(leases), _directory: directory }
    }

    /// Whoever saves here from now on.
    async fn taken_over<P: Process>(&self) -> Somebody {
        let saved = Saved::open(&self.source).await.unwrap();
        let Some(leases) = &self.leases else { return Somebody { saved, lease: None } };
        let lease = leases.lease(P::NAME).await.unwrap();
        Somebody { saved: saved.under(&lease.fence()), lease: Some(lease) }
    }
}

impl Somebody {
    /// Its time is over, and what it had begun goes on.
    async fn is_stopped(&self) {
        if let Some(lease) = &self.lease {
            lease.release().await;
        }
    }
}

fn at(position: u64) -> Change<<Payments as Process>::Stage> {
    let amount = Money::new(1, Currency::try_from("KRW".to_owned()).unwrap());
    let event = PaymentEvent::RefundRequested { rental: RentalId(PAYMENT), amount, at: Instant::UNIX_EPOCH };
    let (stage, _) = <Payments as Process>::Stage::default().react(&event);
    Change { id: PAYMENT, state: Some(State { stage, position, ..State::new() }), deadline: None }
}

async fn a_save_by_whoever_was_taken_over_comes_too_late(place: Place) {
    let killed = place.taken_over::<Payments>().await;
    killed.saved.load::<Payments>().await.unwrap();
    killed.saved.save::<Payments>(vec![at(30)], 30).await.unwrap();
    killed.is_stopped().await;
    let alive = place.taken_over::<Payments>().await;
    assert_eq!(alive.saved.load::<Payments>().await.unwrap().checkpoint, 30);
    alive.saved.save::<Payments>(vec![at(60)], 60).await.unwrap();
    assert!(matches!(killed.saved.save::<Payments>(vec![at(40)], 50).await, Err(SagaError::TakenOver)));
    let state = alive.saved.load_one::<Payments>(PAYMENT).await.unwrap().unwrap();
    assert_eq!((state.position, alive.saved.load::<Payments>().await.unwrap().checkpoint), (60, 60));
}

/// How many of a kind come back: all of them for a resident one, and else those with a deadline.
async fn what_was_saved_is_there_for_the_next_one<P: Process>(place: Place, stage: &P::Stage, there: usize) {
    let changed = |id: Uuid, position: u64, deadline: Option<Instant>| {
        let correlation_id = "conversation".into();
        Change { id, state: Some(State { stage: stage.clone(), position, correlation_id, event_id: id }), deadline }
    };
    let first = place.taken_over::<P>().await;
    let loaded = first.saved.load::<P>().await.unwrap();
    assert_eq!((loaded.checkpoint, loaded.processes.len()), (0, 0));
    let due = Instant::UNIX_EPOCH + TimeDelta::microseconds(1_700_000_000_123_456);
    let ids: Vec<Uuid> = (1..=3_000).map(Uuid::from_u128).collect();
    // Every third one has a deadline.
    let changes = ids.iter().zip(1_u64..).map(|(id, n)| changed(*id, n, n.is_multiple_of(3).then_some(due)));
    first.saved.save::<P>(changes.collect(), 2_900).await.unwrap();
    let forgotten = Change { id: ids[2], state: None, deadline: None };
    first.saved.save::<P>(vec![changed(ids[5], 4_000, None), forgotten], 2_950).await.unwrap();
    first.is_stopped().await;
    let next = place.taken_over::<P>().await;
    let loaded = next.saved.load::<P>().await.unwrap();
    assert_eq!((loaded.checkpoint, loaded.processes.len()), (2_950, there));
    assert!(next.saved.load_one::<P>(ids[2]).await.unwrap().is_none());
    let state = next.saved.load_one::<P>(ids[5]).await.unwrap().unwrap();
    assert_eq!((state.position, &*state.correlation_id, state.event_id), (4_000, "conversation", ids[5]));
    assert_eq!(state.stage, *stage);
    next.saved.save::<P>(Vec::new(), 3_000).await.unwrap();
    assert_eq!(next.saved.load::<P>().await.unwrap().checkpoint, 3_000);
}

#[tokio::test]
async fn in_a_file_all_of_a_resident_kind_are_there_for_the_next_one() {
    let stage = at(1).state.unwrap().stage;
    what_was_saved_is_there_for_the_next_one::<Payments>(Place::file(), &stage, 2_999).await;
}

#[tokio::test]
async fn in_tables_all_of_a_resident_kind_are_there_for_the_next_one() {
    let stage = at(1).state.unwrap().stage;
    what_was_saved_is_there_for_the_next_one::<Payments>(Place::tables().await, &stage, 2_999).await;
}

#[tokio::test]
async fn in_a_file_those_with_a_deadline_are_there_for_the_next_one() {
    let stage = <Reservation as Process>::Stage::default();
    what_was_saved_is_there_for_the_next_one::<Reservation>(Place::file(), &stage, 998).await;
}

#[tokio::test]
async fn in_tables_those_with_a_deadline_are_there_for_the_next_one() {
    let stage = <Reservation as Process>::Stage::default();
    what_was_saved_is_there_for_the_next_one::<Reservation>(Place::tables().await, &stage, 998).await;
}

#[tokio::test]
async fn in_a_file_a_save_by_whoever_was_taken_over_comes_too_late() {
    a_save_by_whoever_was_taken_over_comes_too_late(Place::file()).await;
}

#[tokio::test]
async fn in_tables_a_save_by_whoever_was_taken_over_comes_too_late() {
    a_save_by_whoever_was_taken_over_comes_too_late(Place::tables().await).await;
}

#[tokio::test]
async fn without_a_lease_nothing_is_saved() {
    let saved = Saved::open(&Place::tables().await.source).await.unwrap();
    assert!(matches!(saved.save::<Payments>(vec![at(1)], 1).await, Err(SagaError::TakenOver)));
}
