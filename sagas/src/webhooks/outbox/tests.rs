//! One contract for the file and the tables.

use super::*;
use crate::webhooks::NAME;
use chrono::TimeDelta;
use cluster::Cluster;
use journal::postgres::PostgresAddress;
use journal::{Journal, Lease, Owner, Subscriptions};
use tempfile::TempDir;
use uuid::Uuid;

const WEBHOOK: WebhookId = WebhookId(Uuid::from_u128(7));
const OTHER: WebhookId = WebhookId(Uuid::from_u128(70));
const NOW: Instant = Instant::UNIX_EPOCH;

/// Where it is kept.
struct Place {
    source: Source,
    /// Who gives out leases, where there are any.
    leases: Option<Subscriptions>,
    _directory: TempDir,
}

/// Somebody who sends, and the lease that it does so under.
struct Somebody {
    outbox: Outbox,
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

    async fn taken_over(&self) -> Somebody {
        let outbox = Outbox::open(&self.source).await.unwrap();
        let Some(leases) = &self.leases else { return Somebody { outbox, lease: None } };
        let lease = leases.lease(NAME).await.unwrap();
        Somebody { outbox: outbox.under(&lease.fence()), lease: Some(lease) }
    }
}

impl Somebody {
    async fn is_stopped(&self) {
        if let Some(lease) = &self.lease {
            lease.release().await;
        }
    }

    async fn due(&self, now: Instant) -> Vec<u64> {
        let (due, _) = self.outbox.due(WEBHOOK, now, 9).await.unwrap();
        due.iter().map(|due| due.position).collect()
    }

    async fn refused(&self, position: u64, again_at: Option<Instant>) {
        let (due, _) = self.outbox.due(WEBHOOK, NOW, 9).await.unwrap();
        let due = due.into_iter().find(|due| due.position == position).unwrap();
        let refusal = Refusal { reason: "it answered 500".to_owned(), at: NOW, again_at };
        self.outbox.refused(WEBHOOK, due, refusal).await.unwrap();
    }

    fn deliveries(&self) -> Deliveries {
        self.outbox.deliveries(Arc::default())
    }
}

fn receiver() -> Receiver {
    let (store, url) = ("shop".parse().unwrap(), "https://told.example.org/".to_owned());
    Receiver { store, url, events: BTreeSet::from(["RentalConfirmed".to_owned()]), paused: false }
}

fn rental(number: u128) -> RentalId {
    RentalId(Uuid::from_u128(number))
}

fn told(webhook: WebhookId, of: u128, position: u64) -> Change {
    Change::ToBeSent { webhook, rental: rental(of), position }
}

async fn who_has_lost_its_turn_notes_and_sends_nothing_any_more(place: Place) {
    let deposed = place.taken_over().await;
    deposed.outbox.note(vec![Change::Added(WEBHOOK, receiver()), told(WEBHOOK, 1, 2)], 2).await.unwrap();
    let (on_its_way, _) = deposed.outbox.due(WEBHOOK, NOW, 9).await.unwrap();
    deposed.is_stopped().await;
    let heir = place.taken_over().await;
    assert_eq!(heir.outbox.load().await.unwrap(), (2, vec![(WEBHOOK, receiver())]));
    assert_eq!(heir.due(NOW).await, [2]);
    heir.outbox.note(vec![told(WEBHOOK, 1, 5)], 6).await.unwrap();

    assert!(matches!(deposed.outbox.note(vec![told(WEBHOOK, 1, 3)], 3).await, Err(SagaError::TakenOver)));
    assert!(matches!(deposed.outbox.due(WEBHOOK, NOW, 9).await, Err(SagaError::TakenOver)));
    // What it had sent was taken all the same.
    deposed.outbox.taken(WEBHOOK, on_its_way[0].position).await.unwrap();
    assert_eq!((heir.due(NOW).await, heir.outbox.load().await.unwrap().0), (vec![5], 6));
}

async fn a_rentals_events_wait_for_each_other_and_no_others(place: Place) {
    let it = place.taken_over().await;
    let changes = vec![
        Change::Added(WEBHOOK, receiver()),
        told(WEBHOOK, 1, 2),
        told(WEBHOOK, 2, 3),
        told(WEBHOOK, 1, 4),
        told(OTHER, 1, 4),
        told(WEBHOOK, 3, 5),
        told(WEBHOOK, 2, 6),
    ];
    it.outbox.note(changes.clone(), 6).await.unwrap();
    // Read again, they are the same.
    it.outbox.note(changes, 6).await.unwrap();
    assert_eq!(it.due(NOW).await, [2, 3, 5]);
    it.outbox.taken(WEBHOOK, 2).await.unwrap();
    assert_eq!(it.due(NOW).await, [3, 4, 5]);
    let later = NOW + TimeDelta::seconds(8);
    it.refused(3, Some(later)).await;
    let (due, again) = it.outbox.due(WEBHOOK, NOW, 1).await.unwrap();
    assert_eq!((due[0].position, due.len(), again), (4, 1, Some(later)));
    let (due, again) = it.outbox.due(WEBHOOK, later, 9).await.unwrap();
    let failed = Due { rental: rental(2), position: 3, attempts: 1, first_at: Some(NOW) };
    assert_eq!((due.len(), due[0], again), (3, failed, None));
    let standing = it.deliveries().standing(WEBHOOK, 9).await.unwrap();
    assert_eq!(standing, Standing { waiting: 4, again_at: Some(later), given_up: vec![] });
}

async fn what_is_given_up_is_shown_and_can_be_sent_again(place: Place) {
    let it = place.taken_over().await;
    let changes = (1..=1_005).map(|number| told(WEBHOOK, u128::from(number), number)).collect();
    it.outbox.note(changes, 1_005).await.unwrap();
    let (due, _) = it.outbox.due(WEBHOOK, NOW, 1_004).await.unwrap();
    for due in due {
        let refusal = Refusal { reason: "it answered 500".to_owned(), at: NOW, again_at: None };
        it.outbox.refused(WEBHOOK, due, refusal).await.unwrap();
    }
    let deliveries = it.deliveries();
    let standing = deliveries.standing(WEBHOOK, 2).await.unwrap();
    assert_eq!((standing.waiting, standing.again_at), (1, None));
    let given_up = |number: u64| GivenUp {
        rental: rental(number.into()),
        position: number,
        attempts: 1,
        reason: "it answered 500".to_owned(),
        at: NOW,
    };
    assert_eq!(standing.given_up, [given_up(1_004), given_up(1_003)]);
    // The newest thousand are kept.
    assert_eq!(deliveries.retry(WEBHOOK).await.unwrap(), 1_000);
    assert_eq!((deliveries.retry(WEBHOOK).await.unwrap(), it.due(NOW).await[0]), (0, 5));
    assert_eq!(deliveries.standing(WEBHOOK, 2).await.unwrap().waiting, 1_001);
}

async fn whoever_is_paused_stopped_or_removed_is_known_as_that(place: Place) {
    let it = place.taken_over().await;
    let given = vec![Change::Added(WEBHOOK, receiver()), told(WEBHOOK, 1, 1), told(WEBHOOK, 2, 2), told(WEBHOOK, 3, 3)];
    it.outbox.note(given, 3).await.unwrap();
    it.refused(1, None).await;
    it.refused(2, Some(NOW + TimeDelta::hours(1))).await;
    it.outbox.note(vec![Change::Paused(WEBHOOK)], 4).await.unwrap();
    assert!(it.outbox.load().await.unwrap().1[0].1.paused);
    it.outbox.note(vec![Change::Resumed(WEBHOOK)], 5).await.unwrap();
    assert!(!it.outbox.load().await.unwrap().1[0].1.paused);
    // As if they had never failed.
    let (due, _) = it.outbox.due(WEBHOOK, NOW, 9).await.unwrap();
    assert_eq!(due[0], Due { rental: rental(2), position: 2, attempts: 0, first_at: None });
    it.outbox.note(vec![told(WEBHOOK, 4, 6), Change::Stopped(WEBHOOK)], 7).await.unwrap();
    let standing = it.deliveries().standing(WEBHOOK, 9).await.unwrap();
    assert_eq!((standing.waiting, standing.given_up.len()), (0, 1));
    assert!(it.outbox.load().await.unwrap().1.is_empty());
    it.outbox.note(vec![Change::Removed(WEBHOOK)], 8).await.unwrap();
    assert_eq!(it.deliveries().standing(WEBHOOK, 9).await.unwrap(), Standing::default());
}

macro_rules! contract {
    ($($rule:ident => $file:ident, $tables:ident;)+) => {$(
        #[tokio::test]
        async fn $file() {
            $rule(Place::file()).await;
        }

        #[tokio::test]
        async fn $tables() {
            $rule(Place::tables().await).await;
        }
    )+};
}

contract! {
    who_has_lost_its_turn_notes_and_sends_nothing_any_more =>
        in_a_file_who_has_lost_its_turn_sends_nothing_any_more, in_tables_who_has_lost_its_turn_sends_nothing_any_more;
    a_rentals_events_wait_for_each_other_and_no_others =>
        in_a_file_a_rentals_events_wait_for_each_other, in_tables_a_rentals_events_wait_for_each_other;
    what_is_given_up_is_shown_and_can_be_sent_again =>
        in_a_file_what_is_given_up_can_be_sent_again, in_tables_what_is_given_up_can_be_sent_again;
    whoever_is_paused_stopped_or_removed_is_known_as_that =>
        in_a_file_whoever_is_paused_is_known_as_that, in_tables_whoever_is_paused_is_known_as_that;
}

#[tokio::test]
async fn without_a_lease_nothing_is_noted() {
    let place = Place::tables().await;
    let outbox = Outbox::open(&place.source).await.unwrap();
    assert!(matches!(outbox.note(vec![], 1).await, Err(SagaError::TakenOver)));
}
