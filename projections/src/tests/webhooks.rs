//! Given where a store is told of its rentals, then its list of webhooks.

use crate::testing::*;
use crate::{PageQuery, Webhooks};
use domain::WebhookId;
use domain::webhook::WebhookEvent;
use expect_test::expect;
use uuid::Uuid;

fn webhook(number: u128) -> WebhookId {
    WebhookId(Uuid::from_u128(0x3eb0_0000 + number))
}

fn of_webhook(number: u128, event: &WebhookEvent) -> Fact {
    Fact::new(format!("webhook-{}", webhook(number)), event)
}

fn registered(number: u128) -> Fact {
    let events = ["RentalConfirmed".to_owned()].into();
    let url = "https://cars.example.org/told".to_owned();
    of_webhook(number, &WebhookEvent::Registered { store: seoul_cars(), url, events, at: noon() })
}

/// Two programs of a store, of which one is gone.
pub(crate) fn subscribed() -> [Fact; 3] {
    [registered(1), registered(2), of_webhook(2, &WebhookEvent::Stopped { at: at("2026-07-01T12:00:07Z") })]
}

#[tokio::test]
async fn a_webhook_is_listed_until_it_is_removed() {
    let world = World::given(subscribed()).await;
    expect![[r#"
        {
          "ended_at": "2026-07-01T12:00:07Z",
          "events": [
            "RentalConfirmed"
          ],
          "id": "00000000-0000-0000-0000-00003eb00002",
          "registered_at": "2026-07-01T12:00:00Z",
          "status": "stopped",
          "store": "seoul-cars",
          "url": "https://cars.example.org/told"
        }"#]]
    .assert_eq(&world.shows::<Webhooks>(webhook(2).0).await);
    let listed = async || {
        let tags = ["active", "paused", "stopped"].map(str::to_owned).to_vec();
        let query = PageQuery { owner: Some("seoul-cars".to_owned()), tags, limit: 10, ..PageQuery::default() };
        world.lists::<Webhooks>(query).await.items.iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [webhook(2), webhook(1)]);
    world.happens(of_webhook(1, &WebhookEvent::Paused { at: noon() })).await;
    assert_eq!(listed().await, [webhook(2), webhook(1)]);
    assert!(world.shows::<Webhooks>(webhook(1).0).await.contains("paused"));
    world.happens(of_webhook(1, &WebhookEvent::Removed { at: noon() })).await;
    assert_eq!(listed().await, [webhook(2)]);
}
