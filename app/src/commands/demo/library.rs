//! The library's stories.

use super::teller::Teller;
use crate::failure::Failure;
use chrono::{Datelike, Utc};
use serde_json::{Value, json};

const STAFF: &str = "staff:suwon-library";
const ALICE: &str = "customer:alice";
const BOB: &str = "customer:bob";
const CAROL: &str = "customer:carol";
const KIOSK: &str = "kiosk:suwon-library/1";

/// A loan from reservation to return, one at the kiosk, members who wait in line, and a reservation that is cancelled.
pub(super) async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    let book = open_library(teller).await?;
    borrowed_and_returned(teller, &book).await?;
    at_the_kiosk(teller, &book).await?;
    cancelled_with_refund(teller, &book).await?;
    waited_in_line(teller, &book).await
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

async fn at_the_kiosk(teller: &mut Teller, book: &str) -> Result<(), Failure> {
    teller.story("Borrowed and returned at a kiosk, also while nobody is there")?;
    let loan = teller.post(BOB, "/v1/rentals", fortnight(book), 201).await?.text("id").to_owned();
    let seen = teller.history_end(BOB, &loan).await?;
    let kiosk = "/v1/kiosks/suwon-library/1";
    teller.post(KIOSK, &format!("{kiosk}/check-outs"), json!({ "rental": loan }), 200).await?;
    teller.post(STAFF, "/v1/stores/suwon-library/close", json!({}), 200).await?;
    let returned = teller.post(KIOSK, &format!("{kiosk}/returns"), json!({ "rental": loan }), 200).await?;
    teller.events(BOB, &loan, seen).await?;
    teller.post(STAFF, "/v1/stores/suwon-library/open", json!({}), 200).await?;
    teller.ends(returned.text("status"));
    Ok(())
}

async fn waited_in_line(teller: &mut Teller, book: &str) -> Result<(), Failure> {
    teller.story("Bob and Carol wait for the book; it comes free, Bob leaves it to Carol")?;
    let patiently = || {
        let mut wish = fortnight(book);
        wish["wait"] = json!(true);
        wish
    };
    let bobs = teller.post(BOB, "/v1/rentals", patiently(), 202).await?.text("id").to_owned();
    let carols = teller.post(CAROL, "/v1/rentals", patiently(), 202).await?.text("id").to_owned();
    let alices = teller.get(ALICE, "/v1/mypage").await?.body["items"][0]["id"].clone();
    let alices = alices.as_str().unwrap_or_default();
    teller.post(ALICE, &format!("/v1/rentals/{alices}/cancel"), json!({}), 200).await?;
    teller.settled().await?;
    teller.post(BOB, &format!("/v1/rentals/{bobs}/decline"), json!({}), 200).await?;
    teller.settled().await?;
    let accepted = teller.post(CAROL, &format!("/v1/rentals/{carols}/accept"), json!({}), 200).await?;
    teller.events(CAROL, &carols, 0).await?;
    teller.ends(&format!("{} by carol, payment {}", accepted.text("status_label"), accepted.payment()));
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
