//! Each started day late costs one and a half days; a fee that is declined is owed until it is paid or waived.

use chrono::{DateTime, Utc};
use expect_test::expect;
use harness::{PRICE, Reply, Request, Shop, adds_up, eventually, instant_in};
use serde_json::{Value, json};

const FEE: i64 = PRICE * 3 / 2;

/// A car that came back late, paid with a method that pays no more than the car itself.
async fn owed(shop: &Shop) -> String {
    let method = format!("pm_up_to_{PRICE}");
    let booking = shop.booking_paid_by("alice", &instant_in(2_000), &instant_in(3_000), &method);
    let rental = booking.waiting_s(20).await.is(201).id();
    shop.handed_over(&rental).await;
    shop.reaches(&rental, "overdue").await;
    shop.step(&rental, "return").await.done();
    let owed = eventually("the fee is owed", async || {
        let seen = shop.rental("alice", &rental).await;
        seen["late_fee_declined"].is_string().then_some(seen)
    })
    .await;
    assert_eq!((&owed["status"], &owed["late_fee"]["status"]), (&json!("returned"), &json!("declined")));
    assert_eq!(adds_up(&shop.history(&rental).await), PRICE);
    rental
}

fn payment(shop: &Shop, rental: &str, method: &str) -> Request {
    let body = json!({ "payment_method": method });
    shop.post(format!("/v1/rentals/{rental}/late-fee/pay")).by("customer:alice").json(body).waiting_s(20)
}

async fn waived(shop: &Shop, rental: &str) -> Reply {
    shop.post(format!("/v1/rentals/{rental}/late-fee/waive")).by(shop.staff()).waiting_s(20).await
}

#[tokio::test]
async fn what_was_extended_is_late_from_its_new_end_on() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &instant_in(2_000), &instant_in(4_000)).await;
    let longer = json!({ "to": instant_in(6_000) });
    shop.post(format!("/v1/rentals/{rental}/extend")).by("customer:alice").json(longer).waiting_s(20).await.is(200);
    shop.handed_over(&rental).await;
    let late = shop.reaches(&rental, "overdue").await;
    let story = shop.history(&rental).await;
    let overdue = story.iter().find(|event| event["type"] == "RentalOverdue").unwrap();
    let instant = |text: &Value| text.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(instant(&overdue["data"]["at"]) >= instant(&late["to"]), "{overdue} before {}", late["to"]);

    shop.step(&rental, "return").await.done();
    let seen = shop.reaches(&rental, "completed").await;
    assert_eq!((&seen["days_late"], &seen["late_fee"]["amount"]["amount_minor"]), (&json!(1), &json!(FEE)));
    assert_eq!(adds_up(&shop.history(&rental).await), PRICE + FEE);
}

#[tokio::test]
async fn a_declined_fee_is_owed_until_it_is_paid_in_another_way() {
    let shop = Shop::with_cars(1).await;
    let rental = owed(&shop).await;
    payment(&shop, &rental, "pm_declined").await.problem(402, "payment-declined");
    let paid = payment(&shop, &rental, "pm_ok").await.is(200);
    assert_eq!((&paid["status"], &paid["late_fee"]["status"]), (&json!("completed"), &json!("approved")));
    assert_eq!(adds_up(&shop.history(&rental).await), PRICE + FEE);
    payment(&shop, &rental, "pm_ok").await.problem(409, "nothing-owed");
    waived(&shop, &rental).await.problem(409, "nothing-owed");

    expect![[r#"
        RentalReturned rental@6 by staff:seoul-cars
        StockReturned item@6 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentDeclined payment@2 by process:payments
        LateFeeDeclined rental@7 by process:reservation
        LateFeeDemanded rental@8 by customer:alice
        PaymentRequested payment@1 by process:reservation
        PaymentDeclined payment@2 by process:payments
        LateFeeDeclined rental@9 by process:reservation
        LateFeeDemanded rental@10 by customer:alice
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        RentalCompleted rental@11 by process:reservation
    "#]]
    .assert_eq(&after_the_return(&shop, &rental).await);
}

#[tokio::test]
async fn a_declined_fee_is_owed_until_the_shop_does_without_it() {
    let shop = Shop::with_cars(1).await;
    let rental = owed(&shop).await;
    let seen = waived(&shop, &rental).await.is(200);
    assert_eq!((&seen["status"], &seen["late_fee_waived"]), (&json!("completed"), &json!(true)));
    assert_eq!(adds_up(&shop.history(&rental).await), PRICE);
    waived(&shop, &rental).await.is(200);
    payment(&shop, &rental, "pm_ok").await.problem(409, "nothing-owed");

    expect![[r#"
        RentalReturned rental@6 by staff:seoul-cars
        StockReturned item@6 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentDeclined payment@2 by process:payments
        LateFeeDeclined rental@7 by process:reservation
        LateFeeWaived rental@8 by staff:seoul-cars
        RentalCompleted rental@9 by process:reservation
    "#]]
    .assert_eq(&after_the_return(&shop, &rental).await);
}

async fn after_the_return(shop: &Shop, rental: &str) -> String {
    let transcript = shop.transcript(rental).await;
    transcript[transcript.find("RentalReturned").unwrap()..].to_owned()
}
