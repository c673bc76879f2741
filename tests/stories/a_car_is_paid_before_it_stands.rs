//! Nothing is ever paid *there*; here nothing stands that is not paid.

use harness::{PRICE, Shop, eventually, july};

#[tokio::test]
async fn a_rental_is_paid_before_it_is_confirmed() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;

    let history = shop.history(&rental).await;
    let at = |name: &str| history.iter().position(|event| event["type"] == name).expect(name);
    assert!(at("StockHeld") < at("PaymentRequested"));
    assert!(at("PaymentApproved") < at("StockCommitted"));
    assert!(at("StockCommitted") < at("RentalConfirmed"));
    assert!(at("RentalConfirmed") < at("DispatchRequested"));
    assert_eq!(shop.rental("alice", &rental).await["payment"]["amount"]["amount_minor"], 2 * PRICE);
}

#[tokio::test]
async fn while_the_payment_is_under_way_the_car_is_held_and_the_booking_does_not_stand() {
    let shop = Shop::with_cars_and_options(1, &["--simulated-latency-ms", "500", "--payment-timeout-ms", "5000"]).await;
    let reply = shop.booking("alice", &july(1), &july(3)).header("prefer", "respond-async").await.is(202);
    eventually("the stock is held", async || (shop.available(&july(1), &july(3)).await == 0).then_some(())).await;

    shop.booking("bob", &july(1), &july(3)).await.problem(409, "out-of-stock");
    shop.reaches(&reply.id(), "confirmed").await;
}
