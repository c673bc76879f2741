//! LIB-4, LIB-5, LIB-6: after a return or a cancellation the book is available again, and a cancelled one is paid back.

use expect_test::expect;
use harness::{Business, Shop, july};
use serde_json::json;

#[tokio::test]
async fn a_cancelled_reservation_is_paid_back_and_the_book_is_available_again() {
    let shop = Shop::of(Business::library(), json!(1)).await;
    let loan = shop.booked("alice", &july(1), &july(15)).await;
    shop.settled().await;
    shop.booking("bob", &july(1), &july(15)).await.problem(409, "out-of-stock");
    shop.cancelled("alice", &loan).await;

    let seen = shop.rental("alice", &loan).await;
    assert_eq!(seen["payment"]["status"], "refunded");
    assert_eq!(seen["payment"]["refunded"]["amount_minor"], Business::library().price);
    assert_eq!(shop.available(&july(1), &july(15)).await, 1);
    shop.booked("bob", &july(1), &july(15)).await;
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        RentalCancellationRequested rental@3 by customer:alice
        DispatchCancelled dispatch@2 by process:reservation
        RefundRequested payment@3 by process:reservation
        PaymentRefunded payment@4 by process:payments
        StockReleased item@4 by process:reservation
        RentalCancelled rental@4 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&loan).await);
}

#[tokio::test]
async fn a_returned_book_is_available_again() {
    let shop = Shop::of(Business::library(), json!(1)).await;
    for member in ["alice", "bob", "carol"] {
        let loan = shop.booked(member, &july(1), &july(15)).await;
        shop.settled().await;
        shop.step(&loan, "hand-over").await.done();
        shop.booking("dave", &july(1), &july(15)).await.problem(409, "out-of-stock");
        shop.step(&loan, "return").await.done();
        shop.reaches(&loan, "completed").await;
        assert_eq!(shop.available(&july(1), &july(15)).await, 1);
    }
    assert_eq!(shop.shown().await["last_action"]["action"], "return");
}
