//! No money, no booking, and no trace of one on the car.

use expect_test::expect;
use harness::{Shop, july};

#[tokio::test]
async fn a_declined_payment_frees_the_car() {
    let shop = Shop::with_cars(1).await;
    let refused = shop.booking_paid_by("alice", &july(1), &july(4), "pm_declined").waiting_s(20).await;
    let refused = refused.problem(402, "payment-declined");
    assert_eq!(shop.available(&july(1), &july(4)).await, 1);

    let rental = refused["rental"].as_str().expect("the refusal names its rental").to_owned();
    assert_eq!(shop.rental("alice", &rental).await["status"], "rejected");
    shop.booked("bob", &july(1), &july(4)).await;

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentDeclined payment@2 by process:payments
        StockReleased item@3 by process:reservation
        RentalRejected rental@2 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn insufficient_funds_free_the_car() {
    let shop = Shop::with_cars(1).await;
    let refused = shop.booking_paid_by("alice", &july(1), &july(4), "pm_insufficient_funds").waiting_s(20).await;
    refused.problem(402, "payment-declined");
    shop.booked("bob", &july(1), &july(4)).await;
}
