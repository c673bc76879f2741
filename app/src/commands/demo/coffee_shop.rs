//! The coffee shop's stories.

use super::teller::Teller;
use crate::failure::Failure;
use serde_json::json;

const STAFF: &str = "staff:jongno-coffee";
const ALICE: &str = "customer:alice";
const BOB: &str = "customer:bob";

/// Coffee that is made, coffee that is not, and a customer who brings a price along.
pub(super) async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    let coffee = open_shop(teller).await?;
    made_and_collected(teller, &coffee).await?;
    cancelled_and_not_made(teller, &coffee).await?;
    a_price_of_ones_own(teller, &coffee).await
}

async fn open_shop(teller: &mut Teller) -> Result<String, Failure> {
    teller.story("A coffee shop opens; coffee is made to order")?;
    let shop = json!({
        "slug": "jongno-coffee", "name": "Jongno Coffee", "policy": "coffee-shop",
        "time_zone": "Asia/Seoul", "currency": "KRW",
    });
    teller.post("admin", "/v1/stores", shop, 201).await?;
    let coffee = json!({ "name": "Americano", "price": { "amount_minor": 4_500, "currency": "KRW" }, "stock": null });
    let coffee = teller.post(STAFF, "/v1/stores/jongno-coffee/items", coffee, 201).await?;
    teller.ends("Americano, 4500 KRW, as many as are asked for");
    Ok(coffee.text("id").to_owned())
}

async fn made_and_collected(teller: &mut Teller, coffee: &str) -> Result<(), Failure> {
    teller.story("Ordered, paid, made, collected")?;
    let order = teller.post(ALICE, "/v1/rentals", json!({ "item": coffee, "quantity": 2 }), 201).await?;
    let order = order.text("id").to_owned();
    let mut seen = teller.events(ALICE, &order, 0).await?;
    for step in ["prepare", "hand-over"] {
        teller.post(STAFF, &format!("/v1/rentals/{order}/{step}"), json!({}), 200).await?;
        seen = teller.events(ALICE, &order, seen).await?;
    }
    let shown = teller.get(ALICE, &format!("/v1/rentals/{order}")).await?;
    teller.ends(shown.text("status_label"));
    Ok(())
}

async fn cancelled_and_not_made(teller: &mut Teller, coffee: &str) -> Result<(), Failure> {
    teller.story("Coffee whose payment is cancelled is not made")?;
    let order = teller.post(BOB, "/v1/rentals", json!({ "item": coffee }), 201).await?;
    let order = order.text("id").to_owned();
    let seen = teller.events(BOB, &order, 0).await?;
    let cancelled = teller.post(BOB, &format!("/v1/rentals/{order}/cancel"), json!({}), 200).await?;
    teller.post(STAFF, &format!("/v1/rentals/{order}/prepare"), json!({}), 409).await?;
    teller.events(BOB, &order, seen).await?;
    teller.ends(&format!("{}, payment {}", cancelled.text("status"), cancelled.payment()));
    Ok(())
}

async fn a_price_of_ones_own(teller: &mut Teller, coffee: &str) -> Result<(), Failure> {
    teller.story("A customer who brings a price along is refused")?;
    let order = json!({ "item": coffee, "price": { "amount_minor": 1, "currency": "KRW" }, "status": "paid" });
    let refused = teller.post(BOB, "/v1/rentals", order, 422).await?;
    teller.ends(&format!("{}: prices and states are not the client's", refused.status));
    Ok(())
}
