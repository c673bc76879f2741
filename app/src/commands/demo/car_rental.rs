//! The car rental's stories.

use super::teller::Teller;
use crate::failure::Failure;
use chrono::{Datelike, Utc};
use serde_json::{Value, json};

const STAFF: &str = "staff:seoul-cars";
const ALICE: &str = "customer:alice";
const BOB: &str = "customer:bob";

/// A booking that runs its whole way, a cancellation, a car that is away, one that is kept longer, a card that is declined.
pub(super) async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    let car = open_shop(teller).await?;
    from_booking_to_return(teller, &car).await?;
    cancelled_with_refund(teller, &car).await?;
    out_of_stock(teller, &car).await?;
    kept_longer(teller, &car).await?;
    declined(teller, &car).await
}

async fn open_shop(teller: &mut Teller) -> Result<String, Failure> {
    teller.story("A car rental opens with one car")?;
    let shop = json!({
        "slug": "seoul-cars", "name": "Seoul Cars", "policy": "car-rental",
        "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    teller.post("admin", "/v1/stores", shop, 201).await?;
    let car = json!({
        "name": "Ioniq 5", "description": "electric, five seats",
        "price": { "amount_minor": 50_000, "currency": "KRW" }, "stock": 1,
    });
    let car = teller.post(STAFF, "/v1/stores/seoul-cars/items", car, 201).await?;
    teller.ends("one Ioniq 5, 50000 KRW a day");
    Ok(car.text("id").to_owned())
}

/// A July booking next year: always in the future.
fn july(car: &str, from_day: u32, to_day: u32) -> Value {
    let year = Utc::now().year() + 1;
    json!({ "item": car, "from": format!("{year}-07-{from_day:02}"), "to": format!("{year}-07-{to_day:02}") })
}

async fn from_booking_to_return(teller: &mut Teller, car: &str) -> Result<(), Failure> {
    teller.story("Booked, prepared, rented, returned")?;
    let booking = teller.post(ALICE, "/v1/rentals", july(car, 1, 4), 201).await?;
    let rental = booking.text("id").to_owned();
    let mut seen = teller.events(ALICE, &rental, 0).await?;
    for step in ["prepare", "hand-over", "return"] {
        teller.post(STAFF, &format!("/v1/rentals/{rental}/{step}"), json!({}), 200).await?;
        seen = teller.events(ALICE, &rental, seen).await?;
    }
    teller.ends("completed; the car can be rented again");
    Ok(())
}

async fn cancelled_with_refund(teller: &mut Teller, car: &str) -> Result<(), Failure> {
    teller.story("Booked, then cancelled: the money goes back")?;
    let booking = teller.post(ALICE, "/v1/rentals", july(car, 5, 8), 201).await?;
    let rental = booking.text("id").to_owned();
    let seen = teller.events(ALICE, &rental, 0).await?;
    let reason = json!({ "reason": "it will rain" });
    let cancelled = teller.post(ALICE, &format!("/v1/rentals/{rental}/cancel"), reason, 200).await?;
    teller.events(ALICE, &rental, seen).await?;
    teller.ends(&format!("cancelled, payment {}", cancelled.payment()));
    Ok(())
}

async fn out_of_stock(teller: &mut Teller, car: &str) -> Result<(), Failure> {
    teller.story("The only car is away: an overlapping booking is refused, the next week is free")?;
    teller.post(ALICE, "/v1/rentals", july(car, 10, 15), 201).await?;
    let refused = teller.post(BOB, "/v1/rentals", july(car, 14, 16), 409).await?;
    teller.post(BOB, "/v1/rentals", july(car, 15, 18), 201).await?;
    if let Some(rental) = refused.body["rental"].as_str() {
        teller.events(BOB, rental, 0).await?;
    }
    teller.ends("409 for the overlap, 201 behind it");
    Ok(())
}

async fn kept_longer(teller: &mut Teller, car: &str) -> Result<(), Failure> {
    teller.story("Kept a day longer, and not into the days of somebody else")?;
    let rental = teller.post(ALICE, "/v1/rentals", july(car, 26, 28), 201).await?.text("id").to_owned();
    teller.post(BOB, "/v1/rentals", july(car, 29, 31), 201).await?;
    let seen = teller.history_end(ALICE, &rental).await?;
    let to = |day| json!({ "to": july(car, 26, day)["to"] });
    let extended = teller.post(ALICE, &format!("/v1/rentals/{rental}/extend"), to(29), 200).await?;
    teller.events(ALICE, &rental, seen).await?;
    let refused = teller.post(ALICE, &format!("/v1/rentals/{rental}/extend"), to(30), 409).await?;
    let total = &extended.body["total"]["amount_minor"];
    teller.ends(&format!("three days, {total} KRW in all; {} for the fourth", refused.status));
    Ok(())
}

async fn declined(teller: &mut Teller, car: &str) -> Result<(), Failure> {
    teller.story("A declined card: the car is free again")?;
    let mut booking = july(car, 20, 25);
    booking["payment_method"] = json!("pm_declined");
    let refused = teller.post(BOB, "/v1/rentals", booking, 402).await?;
    if let Some(rental) = refused.body["rental"].as_str() {
        teller.events(BOB, rental, 0).await?;
    }
    teller.post(ALICE, "/v1/rentals", july(car, 20, 25), 201).await?;
    teller.ends("402 for bob; alice has the car");
    Ok(())
}
