//! A car that is not brought back cannot be given to anybody, whatever its dates said; being late is paid for.

use expect_test::expect;
use harness::{PRICE, Shop, instant_in, july};

#[tokio::test]
async fn an_overdue_car_blocks_until_it_is_back() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &instant_in(2_000), &instant_in(3_000)).await;
    shop.handed_over(&rental).await;
    shop.reaches(&rental, "overdue").await;
    shop.settled().await;

    assert_eq!(shop.available(&july(1), &july(4)).await, 0);
    shop.booking("bob", &july(1), &july(4)).await.problem(409, "out-of-stock");

    shop.step(&rental, "return").await.done();
    let returned = shop.reaches(&rental, "completed").await;
    assert_eq!(returned["days_late"], 1);
    assert_eq!(returned["late_fee"]["amount"]["amount_minor"], PRICE * 3 / 2);
    assert_eq!(returned["late_fee"]["status"], "approved");
    shop.booked("bob", &july(1), &july(4)).await;

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
        RentalOverdue rental@5 by process:reservation
        StockOverdue item@5 by process:reservation
        RentalReturned rental@6 by staff:seoul-cars
        StockReturned item@6 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        RentalCompleted rental@7 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn a_car_falls_due_although_the_program_was_away() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &instant_in(2_000), &instant_in(4_000)).await;
    shop.handed_over(&rental).await;

    let shop = shop.killed_and_restarted().await;
    shop.reaches(&rental, "overdue").await;
}
