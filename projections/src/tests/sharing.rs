//! Views of one database in several processes.

use crate::fold::Spec;
use crate::handle::VIEWS;
use crate::testing::*;
use crate::{MyPage, Payments, ReplayError, ViewError, Views};
use cluster::Cluster;
use journal::{Journal, Owner, Subscriptions};
use std::time::{Duration, Instant};

/// Another process on the same database, as far as views can tell.
struct Process {
    journal: Journal,
    subscriptions: Subscriptions,
    views: Views,
}

impl Process {
    async fn of(home: &Home, specs: Vec<Spec>) -> Self {
        let address = home.address().unwrap();
        let journal = Journal::connect(&address).await.unwrap();
        let owner = Owner::this_process("another");
        let subscriptions = Subscriptions::connect(journal.clone(), &address, owner).await.unwrap();
        Self { journal, subscriptions, views: home.views(specs, 4_096).await }
    }
}

async fn nothing_differs(home: &Home) {
    let journal = home.journal().await;
    for report in home.replay(&journal, &[], false).await.unwrap() {
        assert_eq!((report.compared, report.differed), (true, 0), "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_another_process_waits_for_what_is_folded_here() {
    let world = World::on(Kept::Postgres).await;
    let reader = Process::of(&world.home, VIEWS.to_vec()).await.views;
    for number in 0..20 {
        let position = world.happens(requested(rental(number))).await;
        assert!(reader.reach::<MyPage>(position, PATIENCE).await.unwrap() >= position);
        assert!(reader.document::<MyPage>(rental(number)).await.unwrap().is_some());
    }
    assert_eq!(reader.dump("mypage").await.unwrap(), world.views.dump("mypage").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_goes_on_where_its_lease_goes() {
    let world = World::on(Kept::Postgres).await;
    busy_day(&world.journal, 0..10).await;
    world.caught_up::<MyPage>().await;
    let other = Process::of(&world.home, VIEWS.to_vec()).await;
    let running = other.views.start_empty(other.journal.clone(), &other.subscriptions).unwrap();
    let mut home = world.close().await;
    let lease = other.subscriptions.lease("view-mypage").await.unwrap();
    let mut folding = running.join("mypage", Some(lease.fence())).await.unwrap();
    assert!(matches!(running.join("mypage", Some(lease.fence())).await, Err(ViewError::AlreadyStarted)));
    append(&other.journal, requested(rental(90))).await;
    other.views.reach::<MyPage>(other.journal.head(), PATIENCE).await.unwrap();
    assert!(other.views.document::<MyPage>(rental(90)).await.unwrap().is_some());

    // Somebody else is given the lease: this process writes nothing more, and says so.
    home.sql("UPDATE subscriptions SET epoch = epoch + 1 WHERE name = 'view-mypage'");
    append(&other.journal, requested(rental(91))).await;
    tokio::time::timeout(PATIENCE, folding.ended()).await.unwrap();
    assert!(other.views.document::<MyPage>(rental(91)).await.unwrap().is_none());
    running.stop().await;
    drop(lease);

    let world = World::open(home, VIEWS.to_vec(), 4_096).await;
    world.caught_up::<MyPage>().await;
    assert!(other.views.document::<MyPage>(rental(91)).await.unwrap().is_some());
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    home = world.close().await;
    nothing_differs(&home).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_asked_for_elsewhere_is_done_by_whoever_folds_the_view() {
    let world = World::on(Kept::Postgres).await;
    busy_day(&world.journal, 0..10).await;
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    let other = Process::of(&world.home, VIEWS.to_vec()).await;
    let _running = other.views.start_empty(other.journal.clone(), &other.subscriptions).unwrap();
    other.views.document::<MyPage>(rental(1)).await.unwrap().unwrap();
    world.home.change_views(|mypage| {
        format!("UPDATE {mypage} SET owner = 'nobody' WHERE seq = (SELECT min(seq) FROM {mypage})")
    });
    let report = other.views.rebuild("mypage").await.unwrap();
    assert_eq!((report.compared, report.differed, report.documents), (true, 1, 10), "{report:?}");
    // The generation that it had read last is gone.
    assert!(other.views.document::<MyPage>(rental(1)).await.unwrap().is_some());
    assert_eq!(world.home.sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'mypage\\_%'"), "1");

    let stream = "rental-nonsense".to_owned();
    world.happens(Fact { stream, event_type: "Nonsense".to_owned(), payload: "{}".to_owned() }).await;
    world.caught_up::<MyPage>().await;
    let report = other.views.rebuild("mypage").await.unwrap();
    assert_eq!(report.differed, 0, "what is parked stays parked");
    assert!(matches!(other.views.rebuild("mypages").await, Err(ReplayError::View(ViewError::NoSuchView { .. }))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_is_gone_on_with() {
    let cluster = Cluster::start();
    let home = Home { directory: tempfile::tempdir().unwrap(), database: Some(cluster.database()) };
    let world = World::open(home, VIEWS.to_vec(), 4_096).await;
    busy_day(&world.journal, 0..10).await;
    cluster.crash();
    assert!(matches!(world.views.document::<MyPage>(rental(1)).await, Err(ViewError::Postgres(_))));
    cluster.resume();
    // Both are found again by themselves.
    world.until(async || world.views.document::<MyPage>(rental(1)).await.is_ok()).await;
    let appended = async || try_append(&world.journal, requested(rental(50))).await.is_ok();
    world.until(appended).await;
    world.caught_up::<MyPage>().await;
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    assert!(world.views.document::<MyPage>(rental(50)).await.unwrap().is_some());
    let home = world.close().await;
    nothing_differs(&home).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_another_shape_is_built_anew_by_whoever_folds_it_and_not_read_before() {
    let world = World::on(Kept::Postgres).await;
    busy_day(&world.journal, 0..5).await;
    world.caught_up::<Payments>().await;
    let before = world.views.dump("payments").await.unwrap();
    let home = world.close().await;
    home.sql("UPDATE reservoir_views.view SET version = 'payments.v0' WHERE name = 'payments'");
    let reader = home.views(VIEWS.to_vec(), 4_096).await;
    assert!(matches!(reader.dump("payments").await, Err(ViewError::OtherShape { view: "payments" })));
    let world = World::open(home, VIEWS.to_vec(), 4_096).await;
    world.caught_up::<Payments>().await;
    assert_eq!(reader.dump("payments").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_make_the_tables_once() {
    let home = Home::empty(Kept::Postgres);
    let opening: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let address = home.address().unwrap();
                async move { Views::connect(&address).await.map(drop) }
            })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
    let tables = home.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'reservoir_views'");
    assert_eq!(tables.parse(), Ok(VIEWS.len() + 2));
}

/// Measures; run by hand: `cargo test -p projections -- --ignored --nocapture how_soon`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn how_soon_another_process_sees_what_happens_here() {
    let world = World::on(Kept::Postgres).await;
    let other = Process::of(&world.home, VIEWS.to_vec()).await;
    let mut took = Vec::new();
    for number in 0..200 {
        let mut position = 0;
        for fact in story(rental(number)) {
            position = append(&other.journal, fact).await;
        }
        let since = Instant::now();
        other.views.reach::<MyPage>(position, PATIENCE).await.unwrap();
        other.views.document::<MyPage>(rental(number)).await.unwrap().unwrap();
        took.push(since.elapsed());
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    took.sort();
    println!("median {:?}, 95 % {:?}, most {:?}", took[100], took[190], took[199]);
}
