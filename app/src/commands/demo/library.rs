//! The library's stories.

use super::teller::Teller;
use crate::failure::Failure;
use chrono::{Datelike, Utc};
use serde_json::{Value, json};

const STAFF: &str = "staff:suwon-library";
const ALICE: &str = "customer:alice";
const BOB: &str = "customer:bob";

/// A loan from reservation to return, a member who has to wait, and a reservation that is cancelled.
pub(super) async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    let book = open_library(teller).await?;
    borrowed_and_returned(teller, &book).await?;
    cancelled_with_refund(teller, &book).await
}

async fn open_library(teller: &mut Teller) -> Result<String, Failure> {
    teller.story("A library opens with one copy")?;
    let library = json!({
        "slug": "suwon-library", "name": "Suwon Library", "policy": "library",
        "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    teller.post("admin", "/v1/stores", library, 201).await?;
    let book = json!({ "name": "The Vegetarian", "price": { "amount_minor": 1_000, "currency": "KRW" }, "stock": 1 });
    let book = teller.post(STAFF, "/v1/stores/suwon-library/items", book, 201).await?;
    teller.ends("one copy of The Vegetarian, 1000 KRW a loan");
    Ok(book.text("id").to_owned())
}

/// A loan of a fortnight next September: always in the future.
fn fortnight(book: &str) -> Value {
    let year = Utc::now().year() + 1;
    json!({ "item": book, "from": format!("{year}-09-01"), "to": format!("{year}-09-15") })
}

async fn borrowed_and_returned(teller: &mut Teller, book: &str) -> Result<(), Failure> {
    teller.story("Reserved and paid, borrowed, returned; nobody takes it over in between")?;
    let loan = teller.post(ALICE, "/v1/rentals", fortnight(book), 201).await?.text("id").to_owned();
    let seen = teller.events(ALICE, &loan, 0).await?;
    let refused = teller.post(BOB, "/v1/rentals", fortnight(book), 409).await?;
    teller.post(STAFF, &format!("/v1/rentals/{loan}/hand-over"), json!({}), 200).await?;
    let seen = teller.events(ALICE, &loan, seen).await?;
    teller.post(BOB, "/v1/rentals", fortnight(book), 409).await?;
    teller.post(STAFF, &format!("/v1/rentals/{loan}/return"), json!({}), 200).await?;
    teller.events(ALICE, &loan, seen).await?;
    teller.ends(&format!("returned; until then {} for the second member", refused.status));
    Ok(())
}

async fn cancelled_with_refund(teller: &mut Teller, book: &str) -> Result<(), Failure> {
    teller.story("A cancelled reservation is paid back, and the next member has the book")?;
    let loan = teller.post(BOB, "/v1/rentals", fortnight(book), 201).await?.text("id").to_owned();
    let seen = teller.events(BOB, &loan, 0).await?;
    let cancelled = teller.post(BOB, &format!("/v1/rentals/{loan}/cancel"), json!({}), 200).await?;
    teller.events(BOB, &loan, seen).await?;
    teller.post(ALICE, "/v1/rentals", fortnight(book), 201).await?;
    teller.ends(&format!("{}, payment {}", cancelled.text("status"), cancelled.payment()));
    Ok(())
}
