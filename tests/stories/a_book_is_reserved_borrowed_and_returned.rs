//! LIB-1, LIB-2, LIB-3, LIB-4, LIB-7, LIB-10: reserved and paid, borrowed, returned; and where it stands is shown.

use expect_test::expect;
use harness::{Business, Shop, july};
use serde_json::json;

#[tokio::test]
async fn a_book_is_reserved_borrowed_and_returned() {
    let shop = Shop::of(Business::library(), json!(1)).await;
    let wish = json!({ "from": july(1), "to": july(15) });
    let reserved = shop.wish("alice", &wish).waiting_s(20).await.is(201);
    let loan = reserved.id();
    assert_eq!(reserved["status_label"], "reserved");
    // For the loan, not for each day of it; and at once.
    assert_eq!(reserved["payment"]["amount"]["amount_minor"], Business::library().price);
    assert_eq!(reserved["payment"]["status"], "approved");

    shop.settled().await;
    shop.step(&loan, "hand-over").await.done();
    assert_eq!(shop.reaches(&loan, "handed_over").await["status_label"], "borrowed");
    shop.step(&loan, "return").await.done();
    shop.reaches(&loan, "completed").await;
    assert_eq!(shop.available(&july(1), &july(15)).await, 1);

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchHandedOver dispatch@2 by staff:suwon-library
        RentalHandedOver rental@3 by process:dispatch
        StockHandedOut item@4 by process:reservation
        RentalReturned rental@4 by staff:suwon-library
        StockReturned item@5 by process:reservation
        RentalCompleted rental@5 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&loan).await);
}

#[tokio::test]
async fn a_member_looks_reservations_and_loans_up() {
    let shop = Shop::of(Business::library(), json!(5)).await;
    let reserved = shop.booked("alice", &july(1), &july(15)).await;
    let borrowed = shop.booked("alice", &july(2), &july(16)).await;
    shop.booked("bob", &july(3), &july(17)).await;
    shop.settled().await;
    shop.step(&borrowed, "hand-over").await.done();
    shop.settled().await;

    let page = shop.all("/v1/mypage", "customer:alice").await;
    let shown: Vec<_> =
        page.iter().map(|one| (one["id"].as_str().unwrap(), one["status_label"].as_str().unwrap())).collect();
    assert_eq!(shown, [(borrowed.as_str(), "borrowed"), (reserved.as_str(), "reserved")]);
    assert!(page.iter().all(|one| one["deadlines"]["return_by"].is_string()));
    let list = shop.all("/v1/mypage/reservations", "customer:alice").await;
    let listed: Vec<_> =
        list.iter().map(|one| (one["id"].as_str().unwrap(), one["status_label"].as_str().unwrap())).collect();
    assert_eq!(listed, shown);
}

#[tokio::test]
async fn a_book_is_borrowed_once_and_returned_once() {
    let shop = Shop::of(Business::library(), json!(2)).await;
    let loan = shop.booked("alice", &july(1), &july(15)).await;
    shop.settled().await;
    shop.step(&loan, "return").await.problem(409, "wrong-status");
    for step in ["hand-over", "hand-over", "return", "return"] {
        shop.step(&loan, step).await.done();
        shop.settled().await;
    }
    shop.step(&loan, "hand-over").await.done();
    shop.settled().await;
    assert_eq!(shop.rental("alice", &loan).await["status"], "completed");
    assert_eq!(shop.available(&july(1), &july(15)).await, 2);
}
