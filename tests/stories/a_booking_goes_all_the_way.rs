//! CAR-1, CAR-2, CAR-4, CAR-5, CAR-7: booked, seen by the shop, prepared, rented, returned.

use expect_test::expect;
use harness::{PRICE, Shop, july};

#[tokio::test]
async fn a_car_is_booked_prepared_handed_over_and_returned() {
    let shop = Shop::with_cars(1).await;

    let booked = shop.booking("alice", &july(1), &july(4)).waiting_s(20).await.is(201);
    let rental = booked.id();
    assert_eq!(booked["status"], "confirmed");
    assert_eq!(booked["status_label"], "booked");
    assert_eq!(booked["payment"]["status"], "approved");
    assert_eq!(booked["payment"]["amount"]["amount_minor"], 3 * PRICE);

    shop.prepared(&rental).await;
    shop.step(&rental, "hand-over").await.done();
    assert_eq!(shop.reaches(&rental, "handed_over").await["status_label"], "rented");
    shop.step(&rental, "return").await.done();
    shop.reaches(&rental, "completed").await;

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchPrepared dispatch@2 by staff:seoul-cars
        RentalPrepared rental@3 by process:dispatch
        DispatchHandedOver dispatch@3 by staff:seoul-cars
        RentalHandedOver rental@4 by process:dispatch
        StockHandedOut item@4 by process:reservation
        RentalReturned rental@5 by staff:seoul-cars
        StockReturned item@5 by process:reservation
        RentalCompleted rental@6 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn the_shop_is_told_of_a_booking() {
    let shop = Shop::with_cars(2).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;

    let queue = shop.all("/v1/stores/seoul-cars/dispatches", &shop.staff()).await;
    assert_eq!(queue.len(), 1);
    assert_eq!(queue[0]["rental"], rental.as_str());
    assert_eq!(queue[0]["status"], "requested");

    shop.prepared(&rental).await;
    let path = format!("/v1/stores/{}/dispatches?status=requested", shop.store());
    assert!(shop.get(path).by(shop.staff()).await.is(200).items().is_empty());
    let path = format!("/v1/stores/{}/dispatches?status=prepared", shop.store());
    assert_eq!(shop.get(path).by(shop.staff()).await.is(200).items().len(), 1);
}

#[tokio::test]
async fn a_car_is_handed_over_only_when_it_is_prepared() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;

    shop.step(&rental, "hand-over").await.problem(409, "not-prepared");
    shop.prepared(&rental).await;
    shop.step(&rental, "hand-over").await.done();
}

#[tokio::test]
async fn a_closed_shop_takes_bookings_and_dispatches_them_when_it_opens() {
    let shop = Shop::with_cars(1).await;
    shop.post("/v1/stores/seoul-cars/close").by(shop.staff()).await.done();

    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    shop.step(&rental, "prepare").await.problem(409, "store-closed");

    shop.post("/v1/stores/seoul-cars/open").by(shop.staff()).await.done();
    shop.prepared(&rental).await;
}
