use crate::handle::VIEWS;
use crate::testing::*;
use crate::{MyPage, PageQuery, ReplayError, ViewError};
use std::sync::atomic::{AtomicBool, Ordering};

on_both! {
    a_rebuild_under_writing_is_invisible,
    a_rebuild_says_what_differed_and_mends_it,
    a_replay_tells_how_far_it_is,
    a_replay_over_an_event_that_cannot_be_read_is_a_failure,
    an_unknown_view_is_refused_with_the_names_that_there_are,
    a_rebuild_leaves_parked_sequences_parked,
}

async fn a_rebuild_under_writing_is_invisible(kept: Kept) {
    let world = World::on(kept).await;
    busy_day(&world.journal, 0..50).await;
    let done = AtomicBool::new(false);
    let reading = async {
        let mut reads = 0;
        while !done.load(Ordering::SeqCst) {
            assert!(world.views.document::<MyPage>(rental(7)).await.unwrap().is_some());
            let query = PageQuery { owner: Some("alice".to_owned()), limit: 5, ..PageQuery::default() };
            assert_eq!(world.views.page::<MyPage>(query).await.unwrap().items.len(), 5);
            reads += 1;
        }
        reads
    };
    let rebuilding = async {
        for _ in 0..10 {
            let report = world.views.rebuild("mypage").await.unwrap();
            assert_eq!((report.compared, report.differed), (true, 0), "{report:?}");
        }
        done.store(true, Ordering::SeqCst);
    };
    world.caught_up::<MyPage>().await;
    let (reads, (), ()) = tokio::join!(reading, rebuilding, busy_day(&world.journal, 50..120));
    assert!(reads > 0);
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    let home = world.close().await;
    let journal = home.journal().await;
    for report in home.replay(&journal, &[], false).await.unwrap() {
        assert_eq!((report.compared, report.differed), (true, 0), "{report:?}");
    }
}

async fn a_rebuild_says_what_differed_and_mends_it(kept: Kept) {
    let world = World::on(kept).await;
    busy_day(&world.journal, 0..10).await;
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    let home = world.close().await;
    home.change_views(|mypage| {
        format!(
            "UPDATE {mypage} SET body = '{{}}' WHERE seq = (SELECT min(seq) FROM {mypage}); \
             DELETE FROM {mypage} WHERE seq = (SELECT max(seq) FROM {mypage})"
        )
    });
    let journal = home.journal().await;
    let names = ["mypage".to_owned()];
    for differed in [2, 2, 0] {
        let report = match differed {
            0 => home.replay(&journal, &names, true).await.unwrap().remove(0),
            _ => home.replay(&journal, &names, false).await.unwrap().remove(0),
        };
        // Verifying changes nothing; replaying says what it mended.
        assert_eq!((report.differed, report.documents), (2, 10), "{report:?}");
        assert_eq!(report.first_difference, Some(rental(0).to_string()));
    }
    let reports = home.replay(&journal, &names, false).await.unwrap();
    assert_eq!(reports[0].differed, 0);
}

async fn a_replay_tells_how_far_it_is(kept: Kept) {
    let world = World::on(kept).await;
    busy_day(&world.journal, 0..10).await;
    let home = world.close().await;
    let journal = home.journal().await;
    let mut heard = Vec::new();
    let views = home.views(VIEWS.to_vec(), 100).await;
    views.replay(&journal, &[], &[], |done, all| heard.push((done, all))).await.unwrap();
    assert_eq!(heard, [(0, journal.head()), (journal.head(), journal.head())]);
}

#[tokio::test]
async fn a_replay_that_is_cut_short_is_a_failure_and_changes_nothing() {
    let world = World::new().await;
    busy_day(&world.journal, 0..10).await;
    world.until(async || world.subscriptions.list().iter().all(|status| status.lag == 0)).await;
    let before = world.everything().await;
    let home = world.close().await;
    let file = rusqlite::Connection::open(home.path().join("journal.db")).unwrap();
    file.execute_batch("DROP TRIGGER event_is_never_deleted; DELETE FROM event WHERE position = 60").unwrap();
    drop(file);
    let journal = home.journal().await;
    let failed = home.replay(&journal, &[], true).await;
    assert!(matches!(failed, Err(ReplayError::Missing { position: 60 })), "{failed:?}");
    journal.close().await;
    let world = World::open(home, VIEWS.to_vec(), 10).await;
    assert_eq!(world.everything().await, before);
}

async fn a_replay_over_an_event_that_cannot_be_read_is_a_failure(kept: Kept) {
    let world = World::given_on(kept, [requested(rental(1))]).await;
    let stream = "rental-nonsense".to_owned();
    world.happens(Fact { stream, event_type: "Nonsense".to_owned(), payload: "{}".to_owned() }).await;
    let home = world.close().await;
    let journal = home.journal().await;
    let failed = home.replay(&journal, &[], true).await;
    assert!(matches!(failed, Err(ReplayError::Poison { position: 2, .. })), "{failed:?}");
}

async fn an_unknown_view_is_refused_with_the_names_that_there_are(kept: Kept) {
    let world = World::on(kept).await;
    let refused = world.views.rebuild("mypages").await;
    let Err(ReplayError::View(error @ ViewError::NoSuchView { .. })) = refused else { panic!("{refused:?}") };
    assert_eq!(
        error.to_string(),
        "there is no view `mypages`; there are mypage, reservations, catalogue, dispatches, payments, messages, processes, \
         stores, reviews"
    );
}

async fn a_rebuild_leaves_parked_sequences_parked(kept: Kept) {
    let world = World::given_on(kept, [requested(rental(1)), confirmed(rental(9)), requested(rental(2))]).await;
    world.caught_up::<MyPage>().await;
    let report = world.views.rebuild("mypage").await.unwrap();
    assert_eq!((report.documents, report.differed), (2, 0));
    assert_eq!(world.parked("view-mypage").await, [rental(9).to_string()]);
}
