use crate::handle::VIEWS;
use crate::testing::*;
use crate::{MyPage, Payments, ViewError, Views};
use journal::{Journal, Subscriptions};
use std::time::Duration;

on_both! {
    views_equal_a_full_replay_whatever_the_batches_and_however_often_they_are_reopened,
    a_paused_view_stands_still_and_catches_up_when_it_goes_on,
    a_pause_outlives_a_restart,
    views_that_were_deleted_come_back,
}

async fn views_equal_a_full_replay_whatever_the_batches_and_however_often_they_are_reopened(kept: Kept) {
    for batch in [1, 7, 500, 5_000] {
        let mut directory = Home::empty(kept);
        for (from, to) in [(0, 5), (5, 6), (6, 40)] {
            let world = World::open(directory, VIEWS.to_vec(), batch).await;
            busy_day(&world.journal, from..to).await;
            // Stopped wherever it is: what was folded is kept, the rest follows.
            directory = world.close().await;
        }
        let world = World::open(directory, VIEWS.to_vec(), batch).await;
        for name in world.views.names() {
            world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
            assert!(!world.views.dump(name).await.unwrap().is_empty(), "{name}");
        }
        let live = world.everything().await;
        let directory = world.close().await;
        let journal = directory.journal().await;
        let reports = directory.replay(&journal, &[], true).await.unwrap();
        for report in reports {
            assert!(report.compared, "{report:?}");
            assert_eq!((report.differed, &report.first_difference), (0, &None), "{report:?}");
        }
        journal.close().await;
        let world = World::open(directory, VIEWS.to_vec(), batch).await;
        assert_eq!(world.everything().await, live);
    }
}

async fn a_paused_view_stands_still_and_catches_up_when_it_goes_on(kept: Kept) {
    let world = World::on(kept).await;
    world.subscriptions.pause("view-mypage").await.unwrap();
    assert!(world.views.is_paused::<MyPage>());
    busy_day(&world.journal, 0..30).await;
    world.caught_up::<Payments>().await;
    let stood = world.views.position::<MyPage>();
    assert!(world.views.reach::<MyPage>(stood + 1, Duration::from_millis(1)).await.is_err());
    assert!(world.views.document::<MyPage>(rental(1)).await.unwrap().is_none());

    world.subscriptions.resume("view-mypage").await.unwrap();
    assert!(!world.views.is_paused::<MyPage>());
    world.caught_up::<MyPage>().await;
    assert!(world.views.document::<MyPage>(rental(1)).await.unwrap().is_some());
}

async fn a_pause_outlives_a_restart(kept: Kept) {
    let world = World::on(kept).await;
    world.subscriptions.pause("view-mypage").await.unwrap();
    let directory = world.close().await;
    let world = World::open(directory, VIEWS.to_vec(), 100).await;
    world.happens(requested(rental(1))).await;
    world.caught_up::<Payments>().await;
    assert_eq!(world.views.position::<MyPage>(), 0);
}

async fn views_that_were_deleted_come_back(kept: Kept) {
    let world = World::on(kept).await;
    busy_day(&world.journal, 0..10).await;
    world.caught_up::<MyPage>().await;
    let before = world.shows::<MyPage>(rental(3)).await;
    let directory = world.close().await;
    directory.delete_views();
    let world = World::open(directory, VIEWS.to_vec(), 100).await;
    assert_eq!(world.shows::<MyPage>(rental(3)).await, before);
}

#[tokio::test]
async fn views_of_another_journal_are_refused() {
    let world = World::given([founded(), requested(rental(1))]).await;
    world.caught_up::<MyPage>().await;
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    let ours = world.close().await;
    let other = World::given([requested(rental(2)), founded()]).await.close().await;
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(ours.path().join(file));
        let _ = std::fs::copy(other.path().join(file), ours.path().join(file));
    }
    let journal = Journal::open(ours.path()).unwrap();
    let subscriptions = Subscriptions::open(journal.clone(), ours.path()).unwrap();
    let refused = Views::open(ours.path()).unwrap().start(journal, &subscriptions).await;
    assert!(matches!(refused, Err(ViewError::OtherJournal { position: 2, .. })));
}
