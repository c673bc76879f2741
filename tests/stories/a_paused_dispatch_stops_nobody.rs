//! Whatever is away, bookings are taken; what was missed is made up for.

use expect_test::expect;
use harness::{Shop, eventually, july};

async fn administered(shop: &Shop, name: &str, what: &str) {
    shop.post(format!("/v1/admin/subscriptions/{name}/{what}")).by("admin").await.done();
}

#[tokio::test]
async fn pausing_dispatch_leaves_booking_and_paying_alone() {
    let shop = Shop::with_cars(100).await;
    administered(&shop, "dispatch", "pause").await;
    assert_eq!(shop.subscription("dispatch").await["state"], "paused");

    let mut rentals = Vec::new();
    for day in 1..=10 {
        let reply = shop.booking("alice", &july(day), &july(day + 1)).await.is(201);
        assert_eq!(reply["payment"]["status"], "approved");
        rentals.push(reply.id());
    }
    assert!(shop.all("/v1/stores/seoul-cars/dispatches", &shop.staff()).await.is_empty());
    let lag = shop.subscription("dispatch").await["lag"].as_u64().unwrap();
    assert!(lag >= 10, "the lag is visible: {lag}");

    administered(&shop, "dispatch", "resume").await;
    shop.settled().await;
    assert_eq!(shop.all("/v1/stores/seoul-cars/dispatches", &shop.staff()).await.len(), 10);
    for rental in rentals {
        assert_eq!(shop.rental("alice", &rental).await["dispatch"]["status"], "requested");
    }
}

#[tokio::test]
async fn a_pause_outlives_the_program() {
    let shop = Shop::with_cars(1).await;
    administered(&shop, "dispatch", "pause").await;
    let shop = shop.killed_and_restarted().await;
    assert_eq!(shop.subscription("dispatch").await["state"], "paused");
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    administered(&shop, "dispatch", "resume").await;
    shop.prepared(&rental).await;
}

#[tokio::test]
async fn a_booking_is_cancelled_before_the_shop_knows_of_it() {
    let shop = Shop::with_cars(1).await;
    administered(&shop, "dispatch", "pause").await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.cancellation("alice", &rental).waiting_s(20).await.is(200);
    administered(&shop, "dispatch", "resume").await;
    shop.settled().await;

    // The cancellation got to the shop first, and the request finds it there.
    assert!(shop.all("/v1/stores/seoul-cars/dispatches", &shop.staff()).await.is_empty());
    for one in shop.subscriptions().await {
        assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
    }
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        RentalCancellationRequested rental@3 by customer:alice
        DispatchCancelled dispatch@1 by process:reservation
        RefundRequested payment@3 by process:reservation
        PaymentRefunded payment@4 by process:payments
        StockReleased item@4 by process:reservation
        RentalCancelled rental@4 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
    let (data, _) = shop.into_server().stop().await;
    data.run(&["replay", "--verify"]).await.success();
}

#[tokio::test]
async fn pausing_the_views_leaves_booking_and_paying_alone() {
    let shop = Shop::with_cars(100).await;
    let all = shop.subscriptions().await;
    let views: Vec<&str> =
        all.iter().filter_map(|one| one["name"].as_str()).filter(|name| name.starts_with("view-")).collect();
    assert!(views.len() >= 6, "{views:?}");
    for view in &views {
        administered(&shop, view, "pause").await;
    }

    let mut position = 0;
    for day in 1..=10 {
        let reply = shop.booking("alice", &july(day), &july(day + 1)).await.is(201);
        position = reply.position();
    }
    let path = format!("/v1/mypage?at_least={position}");
    let behind = shop.get(&path).by("customer:alice").await.problem(503, "view-behind");
    assert!(behind.header("retry-after").is_some());
    assert!(shop.get("/v1/mypage").by("customer:alice").await.is(200).items().is_empty());
    assert!(shop.subscription("view-mypage").await["lag"].as_u64().unwrap() > 0);

    for view in &views {
        administered(&shop, view, "resume").await;
    }
    let page = eventually("the view has made up for it", async || {
        let page = shop.get(&path).by("customer:alice").await;
        (page.status == 200).then(|| page.items())
    })
    .await;
    assert_eq!(page.len(), 10);
}

#[tokio::test]
async fn lag_and_parked_sequences_are_visible() {
    let shop = Shop::with_cars(1).await;
    for one in shop.subscriptions().await {
        assert!(one["name"].is_string() && one["position"].is_u64() && one["lag"].is_u64(), "{one}");
        assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
    }
    shop.get("/v1/admin/subscriptions").by("customer:alice").await.problem(403, "forbidden");
    shop.post("/v1/admin/subscriptions/nobody/pause").by("admin").await.problem(404, "not-found");
}
