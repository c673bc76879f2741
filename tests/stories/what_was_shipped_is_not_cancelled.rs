//! PHO-6: cancelling what was handed over is refused, and nothing moves: no money, no stock, no event.

use expect_test::expect;
use harness::{Business, Shop};
use serde_json::json;

#[tokio::test]
async fn a_shipped_order_is_not_cancelled_by_anybody() {
    let shop = Shop::of(Business::phones(), json!(1)).await;
    let order = shop.granted("alice", &json!({})).await;
    shop.settled().await;
    shop.step(&order, "hand-over").await.done();
    shop.reaches(&order, "completed").await;
    shop.settled().await;
    let (before, seen) = (shop.journal().await.len(), shop.rental("alice", &order).await);

    for _ in 0..2 {
        shop.cancellation("alice", &order).await.problem(409, "already-handed-over");
        shop.step(&order, "cancel").await.problem(409, "already-handed-over");
    }
    shop.settled().await;

    assert_eq!(shop.journal().await.len(), before);
    assert_eq!(shop.rental("alice", &order).await.json, seen.json);
    assert_eq!(seen["payment"]["status"], "approved");
    assert_eq!(shop.shown().await["available"], 0);
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchHandedOver dispatch@2 by staff:yongsan-phones
        RentalHandedOver rental@3 by process:dispatch
        RentalCompleted rental@4 by process:dispatch
    "#]]
    .assert_eq(&shop.transcript(&order).await);
}

#[tokio::test]
async fn a_drunk_coffee_and_a_borrowed_book_are_not_cancelled() {
    let cafe = Shop::of(Business::coffee(), json!(null)).await;
    let order = cafe.granted("alice", &json!({})).await;
    cafe.handed_over(&order).await;
    cafe.cancellation("alice", &order).await.problem(409, "already-handed-over");
    assert_eq!(cafe.rental("alice", &order).await["payment"]["status"], "approved");

    let library = Shop::of(Business::library(), json!(1)).await;
    let loan = library.booked("alice", &harness::july(1), &harness::july(14)).await;
    library.settled().await;
    library.step(&loan, "hand-over").await.done();
    library.cancellation("alice", &loan).await.problem(409, "already-handed-over");
    library.settled().await;
    assert_eq!(library.rental("alice", &loan).await["payment"]["status"], "approved");
    assert_eq!(library.available(&harness::july(1), &harness::july(14)).await, 0);
}
