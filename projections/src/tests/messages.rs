//! Given what a customer was told, then their list of messages.

use crate::testing::*;
use crate::{Key, Messages, PageQuery, Processes};
use domain::message::{Letter, MessageEvent};
use domain::policy::Occasion;
use domain::{Language, MessageId};
use expect_test::expect;
use uuid::Uuid;

fn message(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(0x1e77_0000 + number))
}

fn of_message(number: u128, event: MessageEvent) -> Fact {
    Fact::new(format!("message-{}", message(number)), &event)
}

fn recorded_for(customer: &str, number: u128) -> Fact {
    let letter = Letter {
        customer: customer.parse().unwrap(),
        store: seoul_cars(),
        occasion: Occasion::Overdue,
        language: Language::Ko,
        text: "반납해 주세요.".to_owned(),
    };
    of_message(number, MessageEvent::Recorded { rental: rental(1), letter, at: noon() })
}

fn failed(number: u128, failures: u32) -> Fact {
    let reason = "nobody is there".to_owned();
    of_message(
        number,
        MessageEvent::Failed { rental: rental(1), reason, failures, permanent: failures == 3, at: noon() },
    )
}

fn sent(number: u128) -> Fact {
    of_message(
        number,
        MessageEvent::Sent { rental: rental(1), reference: "log-1".to_owned(), at: at("2026-07-01T12:00:07Z") },
    )
}

#[tokio::test]
async fn a_message_is_recorded_fails_and_goes_out() {
    let world = World::given([recorded_for("alice", 1)]).await;
    assert!(world.shows::<Messages>(message(1)).await.contains(r#""status": "recorded""#));
    world.happens(failed(1, 1)).await;
    let shown = world.shows::<Messages>(message(1)).await;
    assert!(shown.contains(r#""status": "failed""#) && shown.contains(r#""failures": 1"#), "{shown}");
    world.happens(failed(1, 2)).await;
    world.happens(sent(1)).await;
    expect![[r#"
        {
          "customer": "alice",
          "failures": 2,
          "id": "00000000-0000-0000-0000-00001e770001",
          "language": "ko",
          "occasion": "overdue",
          "recorded_at": "2026-07-01T12:00:00Z",
          "rental": "00000000-0000-0000-0000-000070000001",
          "sent_at": "2026-07-01T12:00:07Z",
          "status": "sent",
          "store": "seoul-cars",
          "text": "반납해 주세요."
        }"#]]
    .assert_eq(&world.shows::<Messages>(message(1)).await);
}

#[tokio::test]
async fn what_failed_is_listed_whoever_it_is_for_until_it_is_on_its_way_again() {
    let facts =
        [recorded_for("alice", 1), recorded_for("bob", 2), recorded_for("alice", 3), failed(1, 1), failed(2, 3)];
    let world = World::given(facts).await;
    let failed_ones = async || {
        let query = PageQuery { tags: vec!["failed".to_owned()], limit: 10, ..PageQuery::default() };
        world.lists::<Messages>(query).await.items
    };
    let listed = failed_ones().await;
    let shown: Vec<_> = listed.iter().map(|entry| (entry.id, entry.reason.as_deref(), entry.permanent)).collect();
    assert_eq!(shown, [(message(2), Some("nobody is there"), true), (message(1), Some("nobody is there"), false)]);

    world.happens(of_message(2, MessageEvent::Retried { rental: rental(1), failures: 3, at: noon() })).await;
    world.happens(sent(1)).await;
    assert!(failed_ones().await.is_empty());
    let shown = world.shows::<Messages>(message(2)).await;
    assert!(shown.contains(r#""status": "recorded""#) && shown.contains(r#""failures": 3"#), "{shown}");
    assert!(!world.shows::<Messages>(message(1)).await.contains("reason"));
}

#[tokio::test]
async fn a_customer_lists_their_own_messages_newest_first() {
    let world = World::given([recorded_for("alice", 1), recorded_for("bob", 2), recorded_for("alice", 3)]).await;
    let query = PageQuery { owner: Some("alice".to_owned()), limit: 10, ..PageQuery::default() };
    let ids: Vec<_> = world.lists::<Messages>(query).await.items.iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [message(3), message(1)]);
}

#[tokio::test]
async fn what_a_customer_was_told_belongs_to_the_rentals_story() {
    let world = World::given([requested(rental(1)), recorded_for("alice", 1), sent(1)]).await;
    world.caught_up::<Processes>().await;
    let story = world.views.document::<Processes>(Key::from(rental(1))).await.unwrap().unwrap();
    assert_eq!(story.positions, [1, 2, 3]);
}
