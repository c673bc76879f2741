//! The cinema's stories.

use super::teller::Teller;
use crate::failure::Failure;
use serde_json::json;

const STAFF: &str = "staff:mapo-cinema";
const ALICE: &str = "customer:alice";
const BOB: &str = "customer:bob";

/// A seat that two people want, a cancellation that frees nobody else's seat, and an evening at the cinema.
pub(super) async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    let film = open_cinema(teller).await?;
    let (alices, bobs) = a_seat_is_given_once(teller, &film).await?;
    cancelling_frees_ones_own_seats(teller, &film, &alices).await?;
    attended(teller, &alices, &bobs, &film).await?;
    messages(teller).await?;
    the_screen(teller, &film).await
}

async fn open_cinema(teller: &mut Teller) -> Result<String, Failure> {
    teller.story("A cinema registers a screening with six seats")?;
    let cinema = json!({
        "slug": "mapo-cinema", "name": "Mapo Cinema", "policy": "cinema",
        "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    teller.post("admin", "/v1/stores", cinema, 201).await?;
    let film = json!({
        "name": "Parasite, Friday at eight", "price": { "amount_minor": 15_000, "currency": "KRW" },
        "stock": { "seats": ["A1", "A2", "A3", "B1", "B2", "B3"] },
    });
    let film = teller.post(STAFF, "/v1/stores/mapo-cinema/items", film, 201).await?;
    teller.ends("Parasite, 15000 KRW a seat");
    Ok(film.text("id").to_owned())
}

async fn a_seat_is_given_once(teller: &mut Teller, film: &str) -> Result<(String, String), Failure> {
    teller.story("Two people want one seat: one has it, the other is told which seat is taken")?;
    let alices = json!({ "item": film, "seats": ["A1", "A2"], "quantity": 2 });
    let alices = teller.post(ALICE, "/v1/rentals", alices, 201).await?.text("id").to_owned();
    teller.events(ALICE, &alices, 0).await?;
    let wanted = json!({ "item": film, "seats": ["A2", "A3"], "quantity": 2 });
    let refused = teller.post(BOB, "/v1/rentals", wanted, 409).await?;
    teller.events(BOB, refused.text("rental"), 0).await?;
    let bobs = json!({ "item": film, "seats": ["A3", "B3"], "quantity": 2 });
    let bobs = teller.post(BOB, "/v1/rentals", bobs, 201).await?.text("id").to_owned();
    teller.ends(&format!("{}: {}", refused.status, refused.text("detail")));
    Ok((alices, bobs))
}

async fn cancelling_frees_ones_own_seats(teller: &mut Teller, film: &str, alices: &str) -> Result<(), Failure> {
    teller.story("Alice cancels: her money and her seats come back, Bob keeps his")?;
    let before = teller.history_end(ALICE, alices).await?;
    let cancelled = teller.post(ALICE, &format!("/v1/rentals/{alices}/cancel"), json!({}), 200).await?;
    teller.events(ALICE, alices, before).await?;
    let bobs_seat = json!({ "item": film, "seats": ["A3"], "quantity": 1 });
    teller.post(ALICE, "/v1/rentals", bobs_seat, 409).await?;
    teller.post(ALICE, "/v1/rentals", json!({ "item": film, "seats": ["A1"], "quantity": 1 }), 201).await?;
    teller.ends(&format!("{}, payment {}", cancelled.text("status"), cancelled.payment()));
    Ok(())
}

async fn attended(teller: &mut Teller, alices: &str, bobs: &str, film: &str) -> Result<(), Failure> {
    teller.story("Bob sees the film and says how it was; who has not seen it says nothing")?;
    let before = teller.history_end(BOB, bobs).await?;
    let attended = teller.post(STAFF, &format!("/v1/rentals/{bobs}/hand-over"), json!({}), 200).await?;
    teller.events(BOB, bobs, before).await?;
    let review = json!({ "stars": 5, "text": "The stairs!" });
    teller.post(BOB, &format!("/v1/rentals/{bobs}/review"), review.clone(), 201).await?;
    let refused = teller.post(ALICE, &format!("/v1/rentals/{alices}/review"), review, 409).await?;
    let shown = teller.get(ALICE, &format!("/v1/items/{film}")).await?.body;
    let (count, average) = (&shown["reviews"]["count"], &shown["reviews"]["average"]);
    teller.say(&format!("{count} review, {average} of 5 stars"))?;
    teller.ends(&format!("{}, {count} review; {} for alice", attended.text("status_label"), refused.status));
    Ok(())
}

async fn messages(teller: &mut Teller) -> Result<(), Failure> {
    teller.story("Every change of a reservation is told")?;
    teller.settled().await?;
    let messages = teller.get(BOB, "/v1/mypage/messages").await?.body;
    let messages = messages["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    for message in messages.iter().rev() {
        teller.say(message["text"].as_str().unwrap_or_default())?;
    }
    teller.ends(&format!("{} messages to bob, each once", messages.len()));
    Ok(())
}

async fn the_screen(teller: &mut Teller, film: &str) -> Result<(), Failure> {
    teller.story("One screen shows the film")?;
    let shown = teller.get(STAFF, &format!("/v1/items/{film}")).await?.body;
    let seats = shown["stock"]["seats"].as_array().map(Vec::len).unwrap_or_default();
    let line = format!(
        "{} of {seats} seats free, {} reservations, last action: {}",
        shown["available"],
        shown["reservations"],
        shown["last_action"]["action"].as_str().unwrap_or_default(),
    );
    teller.say(&line)?;
    teller.ends(&line);
    Ok(())
}
