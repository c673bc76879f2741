//! Free until a day before the start; then a tenth of the whole price is kept, whatever it was paid for.

use harness::{PRICE, Shop, adds_up, day_at_seoul, july};
use serde_json::{Value, json};

async fn extended(shop: &Shop, rental: &str, to: &str) {
    let path = format!("/v1/rentals/{rental}/extend");
    shop.post(path).by("customer:alice").json(json!({ "to": to })).waiting_s(20).await.is(200);
}

fn refunded(payment: &Value) -> Option<i64> {
    payment["refunded"]["amount_minor"].as_i64()
}

#[tokio::test]
async fn before_the_deadline_everything_goes_back() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;
    extended(&shop, &rental, &july(4)).await;
    extended(&shop, &rental, &july(6)).await;
    shop.cancelled("alice", &rental).await;

    let seen = shop.rental("alice", &rental).await;
    assert_eq!(seen["refunded"]["amount_minor"], 5 * PRICE);
    assert_eq!(refunded(&seen["payment"]), Some(2 * PRICE));
    assert_eq!(refunded(&seen["extension_payments"][0]), Some(PRICE));
    assert_eq!(refunded(&seen["extension_payments"][1]), Some(2 * PRICE));
    assert_eq!(shop.available(&july(1), &july(6)).await, 1);
    assert_eq!(adds_up(&shop.history(&rental).await), 0);
}

#[tokio::test]
async fn after_the_deadline_a_tenth_is_kept_of_the_price_with_its_extensions() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &day_at_seoul(1), &day_at_seoul(2)).await;
    extended(&shop, &rental, &day_at_seoul(4)).await;
    shop.cancelled("alice", &rental).await;

    let seen = shop.rental("alice", &rental).await;
    let fee = 3 * PRICE / 10;
    assert_eq!(seen["cancellation"]["fee"]["amount_minor"], fee);
    assert_eq!(seen["refunded"]["amount_minor"], 3 * PRICE - fee);
    // It is kept from the charge for the rental itself.
    assert_eq!(refunded(&seen["payment"]), Some(PRICE - fee));
    assert_eq!(refunded(&seen["extension_payments"][0]), Some(2 * PRICE));
    assert_eq!(adds_up(&shop.history(&rental).await), fee);
}

#[tokio::test]
async fn after_the_deadline_the_shop_gives_everything_back_all_the_same() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &day_at_seoul(1), &day_at_seoul(2)).await;
    extended(&shop, &rental, &day_at_seoul(3)).await;
    shop.step(&rental, "cancel").waiting_s(20).await.done();
    let seen = shop.reaches(&rental, "cancelled").await;
    assert_eq!(seen["refunded"]["amount_minor"], 2 * PRICE);
    assert_eq!(adds_up(&shop.history(&rental).await), 0);
}

#[tokio::test]
async fn a_cancellation_in_the_middle_of_an_extension_loses_no_money() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(3)).await;
    let path = format!("/v1/rentals/{rental}/extend");
    let extension = shop.post(path).by("customer:alice").json(json!({ "to": july(4) })).waiting_s(20);
    let (extension, cancellation) = tokio::join!(extension, shop.cancellation("alice", &rental).waiting_s(20));
    assert!([200, 402, 409].contains(&extension.status), "{}", extension.text);
    cancellation.done();
    shop.reaches(&rental, "cancelled").await;
    assert_eq!(adds_up(&shop.history(&rental).await), 0);
    assert_eq!(shop.available(&july(1), &july(4)).await, 1);
}
