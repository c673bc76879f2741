//! Views are rebuilt from the journal at any time, and say so when they cannot be.

use harness::{Data, Shop, eventually, july};
use std::fs;
use std::sync::Arc;

async fn some_stories() -> (Shop, String) {
    let shop = Shop::with_cars(3).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.handed_over(&rental).await;
    let other = shop.booked("bob", &july(1), &july(4)).await;
    shop.cancelled("bob", &other).await;
    shop.booking_paid_by("carol", &july(1), &july(4), "pm_declined").await.is(402);
    shop.settled().await;
    (shop, rental)
}

async fn everything(server: &harness::Client, item: &str) -> Vec<String> {
    server.settled().await;
    let mut seen = Vec::new();
    for customer in ["alice", "bob", "carol"] {
        for path in ["/v1/mypage", "/v1/mypage/payments"] {
            seen.push(server.get(path).by(format!("customer:{customer}")).await.is(200).text);
        }
    }
    seen.push(server.get("/v1/stores/seoul-cars/dispatches").by("staff:seoul-cars").await.is(200).text);
    seen.push(server.get(format!("/v1/items/{item}")).await.is(200).text);
    seen
}

#[tokio::test]
async fn views_that_were_deleted_come_back_the_same() {
    let (shop, _) = some_stories().await;
    let item = shop.item.clone();
    let before = everything(&shop, &item).await;
    let (data, _) = shop.into_server().stop().await;
    delete_views(&data);

    let server = data.serve().await;
    assert_eq!(everything(&server, &item).await, before);
}

#[tokio::test]
async fn a_replay_gives_what_was_there() {
    let (shop, _) = some_stories().await;
    let item = shop.item.clone();
    let before = everything(&shop, &item).await;
    let (data, _) = shop.into_server().stop().await;

    let replayed = data.run(&["replay", "--verify"]).await;
    let lines: Vec<&str> = replayed.success().lines().collect();
    assert!(lines.len() >= 6, "{lines:?}");
    assert!(lines.iter().all(|line| line.ends_with("as before")), "{lines:?}");
    let one = data.run(&["replay", "mypage"]).await;
    assert_eq!(one.success().lines().count(), 1);
    assert!(data.run(&["replay", "nothing-like-that"]).await.refusal().contains("nothing-like-that"));

    let server = data.serve().await;
    assert_eq!(everything(&server, &item).await, before);
}

#[tokio::test]
async fn a_rebuild_beside_running_readers_changes_nothing() {
    let (shop, rental) = some_stories().await;
    let before = everything(&shop, &shop.item).await;
    let position = shop.subscription("view-mypage").await["position"].as_u64().unwrap();

    shop.post("/v1/admin/subscriptions/view-mypage/rebuild").by("admin").await.done();
    assert_eq!(shop.get("/v1/mypage").by("customer:alice").await.is(200).items()[0]["id"], rental.as_str());
    eventually("the view is there again", async || {
        (shop.subscription("view-mypage").await["position"].as_u64()? >= position).then_some(())
    })
    .await;
    assert_eq!(everything(&shop, &shop.item).await, before);
}

fn delete_views(data: &Arc<Data>) {
    if data.drops_views() {
        return;
    }
    let mut deleted = 0;
    for entry in fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("views.db") {
            fs::remove_file(path).unwrap();
            deleted += 1;
        }
    }
    assert!(deleted > 0, "there is no view database to delete");
}
