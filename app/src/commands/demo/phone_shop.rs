//! The phone shop's stories.

use super::teller::Teller;
use crate::failure::Failure;
use serde_json::json;

const STORE: &str = "/v1/stores/yongsan-phones";
const STAFF: &str = "staff:yongsan-phones";
const ALICE: &str = "customer:alice";
const BOB: &str = "customer:bob";

/// An agency that is away, an order that is cancelled in time, one that is not, and a card that is declined.
pub(super) async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    let phone = open_shop(teller).await?;
    let shipped = shipped_when_the_agency_is_back(teller, &phone).await?;
    shipped_is_shipped(teller, &shipped).await?;
    cancelled_in_time(teller, &phone).await?;
    declined(teller, &phone).await
}

async fn open_shop(teller: &mut Teller) -> Result<String, Failure> {
    teller.story("A phone shop opens with three phones")?;
    let shop = json!({
        "slug": "yongsan-phones", "name": "Yongsan Phones", "policy": "phone-shop",
        "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    teller.post("admin", "/v1/stores", shop, 201).await?;
    let price = json!({ "amount_minor": 990_000, "currency": "KRW" });
    let phone = json!({ "name": "Galaxy S30", "price": price, "stock": 3 });
    let phone = teller.post(STAFF, &format!("{STORE}/items"), phone, 201).await?;
    teller.ends("three Galaxy S30, 990000 KRW each");
    Ok(phone.text("id").to_owned())
}

async fn shipped_when_the_agency_is_back(teller: &mut Teller, phone: &str) -> Result<String, Failure> {
    teller.story("The agency is closed: the order waits, paid, and is shipped when it opens")?;
    teller.post(STAFF, &format!("{STORE}/close"), json!({}), 200).await?;
    let order = teller.post(ALICE, "/v1/rentals", json!({ "item": phone }), 201).await?;
    let order = order.text("id").to_owned();
    let seen = teller.events(ALICE, &order, 0).await?;
    let ship = format!("/v1/rentals/{order}/hand-over");
    teller.post(STAFF, &ship, json!({}), 409).await?;
    teller.post(STAFF, &format!("{STORE}/open"), json!({}), 200).await?;
    teller.post(STAFF, &ship, json!({}), 200).await?;
    teller.events(ALICE, &order, seen).await?;
    let shown = teller.get(ALICE, &format!("/v1/rentals/{order}")).await?;
    teller.ends(&format!("{}, payment {}", shown.text("status_label"), shown.payment()));
    Ok(order)
}

async fn shipped_is_shipped(teller: &mut Teller, order: &str) -> Result<(), Failure> {
    teller.story("What is shipped cannot be cancelled, and nobody but the agency ships")?;
    let refused = teller.post(ALICE, &format!("/v1/rentals/{order}/cancel"), json!({}), 409).await?;
    teller.post(ALICE, &format!("/v1/rentals/{order}/hand-over"), json!({}), 403).await?;
    teller.ends(&format!("{}: {}", refused.status, refused.text("title")));
    Ok(())
}

async fn cancelled_in_time(teller: &mut Teller, phone: &str) -> Result<(), Failure> {
    teller.story("Cancelled before it is shipped: the refund is on the payment, the order stays on record")?;
    let order = teller.post(ALICE, "/v1/rentals", json!({ "item": phone }), 201).await?;
    let order = order.text("id").to_owned();
    let seen = teller.events(ALICE, &order, 0).await?;
    let cancel = format!("/v1/rentals/{order}/cancel");
    let cancelled = teller.post(ALICE, &cancel, json!({ "reason": "the other colour" }), 200).await?;
    teller.events(ALICE, &order, seen).await?;
    teller.ends(&format!("{}, payment {}", cancelled.text("status"), cancelled.payment()));
    Ok(())
}

async fn declined(teller: &mut Teller, phone: &str) -> Result<(), Failure> {
    teller.story("An order that is not paid does not exist")?;
    let order = json!({ "item": phone, "payment_method": "pm_insufficient_funds" });
    let refused = teller.post(BOB, "/v1/rentals", order, 402).await?;
    teller.events(BOB, refused.text("rental"), 0).await?;
    teller.ends(&format!("{}: {}", refused.status, refused.text("code")));
    Ok(())
}
