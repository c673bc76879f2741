use crate::testing::*;
use crate::{Behind, MyPage, PageQuery, Reservations, Stores, ViewError};
use std::time::Duration;

on_both! {
    pages_go_from_new_to_old_and_stay_stable_while_documents_come,
    a_customer_sees_only_what_is_theirs,
    a_list_can_be_narrowed_to_a_status,
    a_cursor_that_no_page_gave_out_is_refused,
    whoever_waits_for_a_position_reads_their_own_write,
    waiting_for_a_position_ends_when_patience_does,
}

fn of(owner: &str, limit: usize, cursor: Option<String>) -> PageQuery {
    PageQuery { owner: Some(owner.to_owned()), limit, cursor, ..PageQuery::default() }
}

async fn pages_go_from_new_to_old_and_stay_stable_while_documents_come(kept: Kept) {
    let world = World::given_on(kept, (0..5).map(|number| requested(rental(number)))).await;
    let first = world.lists::<MyPage>(of("alice", 2, None)).await;
    world.happens(requested(rental(5))).await;
    let second = world.lists::<MyPage>(of("alice", 2, first.next.clone())).await;
    let third = world.lists::<MyPage>(of("alice", 2, second.next.clone())).await;
    let ids = |page: &crate::Page<crate::MyPageEntry>| page.items.iter().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), [rental(4), rental(3)]);
    assert_eq!(ids(&second), [rental(2), rental(1)]);
    assert_eq!(ids(&third), [rental(0)]);
    assert_eq!(third.next, None);
}

async fn a_customer_sees_only_what_is_theirs(kept: Kept) {
    let world = World::given_on(kept, [requested_by(rental(1), "alice"), requested_by(rental(2), "bob")]).await;
    let page = world.lists::<MyPage>(of("bob", 10, None)).await;
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].id, rental(2));
}

async fn a_list_can_be_narrowed_to_a_status(kept: Kept) {
    let world = World::given_on(kept, [requested(rental(1)), requested(rental(2)), confirmed(rental(2))]).await;
    let query = PageQuery { tags: vec!["confirmed".to_owned()], ..of("seoul-cars", 10, None) };
    let page = world.lists::<Reservations>(query).await;
    assert_eq!(page.items.iter().map(|entry| entry.rental).collect::<Vec<_>>(), [rental(2)]);
}

async fn a_cursor_that_no_page_gave_out_is_refused(kept: Kept) {
    let world = World::on(kept).await;
    for cursor in ["", "7", "zzzzzzzzzzzzzzzz", "ffffffffffffffff", "+000000000000001"] {
        let refused = world.views.page::<MyPage>(of("alice", 10, Some(cursor.to_owned()))).await;
        assert!(matches!(refused, Err(ViewError::BadCursor)), "{cursor}");
    }
}

async fn whoever_waits_for_a_position_reads_their_own_write(kept: Kept) {
    let world = World::on(kept).await;
    for number in 0..50 {
        let position = world.happens(requested(rental(number))).await;
        assert!(world.views.reach::<MyPage>(position, PATIENCE).await.unwrap() >= position);
        assert!(world.views.document::<MyPage>(rental(number)).await.unwrap().is_some());
    }
}

async fn waiting_for_a_position_ends_when_patience_does(kept: Kept) {
    let world = World::given_on(kept, [founded()]).await;
    world.caught_up::<Stores>().await;
    let behind = world.views.reach::<Stores>(9, Duration::from_millis(1)).await;
    assert_eq!(behind, Err(Behind { position: 1 }));
}
