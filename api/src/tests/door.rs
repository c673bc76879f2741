//! While the payment provider is left alone, customers are asked to come back before anything is done.

use super::house::{House, summer};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn who_is_to_pay_is_asked_to_come_back_and_nothing_is_written() {
    let house = House::open().await;
    let item = house.cars(1).await;
    house.door.0.store(3, Ordering::Relaxed);
    let head = house.journal.head();
    let refused = house.post("/v1/rentals").by("customer:alice").json(&summer(&item)).send().await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "payment-unavailable"));
    assert_eq!(refused.header("retry-after"), "3");
    assert_eq!(house.journal.head(), head);
}

#[tokio::test]
async fn who_was_turned_away_is_turned_away_again_and_let_in_with_the_same_key_later() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let ask = || {
        let ask = house.post("/v1/rentals").by("customer:alice").json(&summer(&item));
        ask.header("idempotency-key", "k1").header("prefer", "respond-async")
    };
    house.door.0.store(1, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(ask().send().await.problem(), "payment-unavailable");
    }
    house.door.0.store(0, Ordering::Relaxed);
    assert_eq!(ask().send().await.status, 202);
}

#[tokio::test]
async fn where_the_breaker_stands_is_in_health_and_metrics() {
    let house = House::open().await;
    house.door.0.store(1, Ordering::Relaxed);
    let health = house.get("/health/ready").send().await.json();
    assert_eq!(health["payments"]["breaker"], "open");
    let metrics = house.get("/metrics").send().await.body;
    assert!(metrics.contains("reservoir_payment_breaker{state=\"open\"} 1"), "{metrics}");
}
