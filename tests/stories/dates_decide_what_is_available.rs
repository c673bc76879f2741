//! Availability is counted per instant of a half-open range, on the store's wall clock.

use chrono::{Days, NaiveDate};
use harness::{PRICE, Shop, august, july, last_sunday};

#[tokio::test]
async fn a_july_and_an_august_booking_of_one_car_both_stand() {
    let shop = Shop::with_cars(1).await;
    shop.booked("alice", &july(1), &july(31)).await;
    shop.booked("bob", &august(1), &august(31)).await;
}

#[tokio::test]
async fn overlapping_bookings_of_one_car_do_not_both_stand() {
    let shop = Shop::with_cars(1).await;
    shop.booked("alice", &july(10), &july(20)).await;
    for (from, to) in [(1, 11), (10, 20), (12, 13), (19, 25), (1, 31)] {
        shop.booking("bob", &july(from), &july(to)).await.problem(409, "out-of-stock");
    }
    shop.booked("bob", &july(1), &july(10)).await;
    shop.booked("bob", &july(20), &july(31)).await;
    assert_eq!(shop.available(&july(1), &july(31)).await, 0);
    assert_eq!(shop.available(&august(1), &august(2)).await, 1);
}

#[tokio::test]
async fn a_range_without_dates_or_in_the_past_is_not_booked() {
    let shop = Shop::with_cars(1).await;
    let body = serde_json::json!({ "item": shop.item });
    shop.post("/v1/rentals").by("customer:alice").json(body).await.problem(422, "invalid");
    shop.booking("alice", "2020-07-01", "2020-07-03").await.problem(422, "starts-in-the-past");
    shop.booking("alice", &july(1), &july(1)).await.problem(422, "invalid");
    shop.booking("alice", "1st of July", &july(4)).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_range_across_a_change_of_clocks_costs_its_days_and_borders_on_the_next() {
    let shop = Shop::in_berlin().await;
    // Clocks go forward in March, so that one day has 23 hours, and back in October: 25.
    for sunday in [last_sunday(3), last_sunday(10)] {
        let (saturday, monday) = (sunday - Days::new(1), sunday + Days::new(1));
        let week_before = sunday - Days::new(6);
        let across = booked_in_berlin(&shop, saturday, monday).await;
        assert_eq!(across, 2 * PRICE);
        // The day before and the day after meet it, and do not overlap with it.
        assert_eq!(booked_in_berlin(&shop, week_before, saturday).await, 5 * PRICE);
        assert_eq!(booked_in_berlin(&shop, monday, monday + Days::new(3)).await, 3 * PRICE);
        let refused = shop.booking("bob", &sunday.to_string(), &monday.to_string()).await;
        refused.problem(409, "out-of-stock");
    }
}

async fn booked_in_berlin(shop: &Shop, from: NaiveDate, to: NaiveDate) -> i64 {
    let rental = shop.booked("alice", &from.to_string(), &to.to_string()).await;
    shop.rental("alice", &rental).await["payment"]["amount"]["amount_minor"].as_i64().unwrap()
}

#[tokio::test]
async fn a_date_is_midnight_at_the_store_in_winter_and_in_summer() {
    let shop = Shop::in_berlin().await;
    let sunday = last_sunday(3);
    let rental = shop.booked("alice", &sunday.to_string(), &(sunday + Days::new(1)).to_string()).await;
    let seen = shop.rental("alice", &rental).await;
    assert_eq!(seen["from"], format!("{}T23:00:00Z", sunday - Days::new(1)));
    assert_eq!(seen["to"], format!("{sunday}T22:00:00Z"));
}
