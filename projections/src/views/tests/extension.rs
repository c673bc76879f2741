//! Keeping it longer, and what being late costs.

use crate::testing::*;
use crate::{MyPage, Reservations};
use domain::payment::{Charge, PaymentEvent, Purpose};
use domain::rental::{ExtensionRefusal, RentalEvent};
use domain::{PaymentId, RentalId};
use serde_json::{Value, json};

fn extension_paid(id: RentalId, event: PaymentEvent) -> Fact {
    Fact::new(format!("payment-{}", PaymentId::extension_of(id, 1)), &event)
}

fn asked(id: RentalId) -> Fact {
    let to = at("2026-07-06T00:00:00Z");
    of_rental(id, RentalEvent::ExtensionRequested { number: 1, to, pay_by: None, at: noon() })
}

async fn page(world: &World) -> Value {
    serde_json::from_str(&world.shows::<MyPage>(rental(1)).await).unwrap()
}

#[tokio::test]
async fn an_extension_moves_the_end_and_the_total_once_it_stands() {
    let (id, to) = (rental(1), at("2026-07-06T00:00:00Z"));
    let world = World::given(story(id)).await;
    world.happens(asked(id)).await;
    let charge = Charge {
        item: None,
        customer: alice(),
        store: seoul_cars(),
        purpose: Purpose::Extension { number: 1 },
        amount: won(90_000),
        method: "pm_ok".to_owned(),
    };
    world.happens(extension_paid(id, PaymentEvent::Requested { rental: id, charge, at: noon() })).await;
    let shown = page(&world).await;
    assert_eq!((&shown["to"], &shown["extension"]["status"]), (&json!("2026-07-04T00:00:00Z"), &json!("requested")));

    let reference = "ch_2".to_owned();
    world
        .happens(extension_paid(
            id,
            PaymentEvent::Approved { rental: id, item: None, amount: None, reference, at: noon() },
        ))
        .await;
    let (extra, total) = (Some(won(90_000)), won(225_000));
    world.happens(of_rental(id, RentalEvent::Extended { number: 1, to, extra, total, at: noon() })).await;
    let shown = page(&world).await;
    for member in [&shown["to"], &shown["deadlines"]["return_by"], &shown["extension"]["to"]] {
        assert_eq!(member, "2026-07-06T00:00:00Z");
    }
    assert_eq!(shown["total"]["amount_minor"], 225_000);
    assert_eq!(shown["extension"]["status"], "extended");
    assert_eq!(shown["extension_payments"][0]["status"], "approved");
    assert!(world.shows::<Reservations>(id).await.contains("2026-07-06T00:00:00Z"));
}

#[tokio::test]
async fn a_refused_extension_says_why_and_leaves_the_end() {
    let id = rental(1);
    let world = World::given(story(id)).await;
    let reason = ExtensionRefusal::OutOfStock { available: 0 };
    world.happens(asked(id)).await;
    world.happens(of_rental(id, RentalEvent::ExtensionRefused { number: 1, reason, at: noon() })).await;
    let shown = page(&world).await;
    assert_eq!(shown["to"], "2026-07-04T00:00:00Z");
    assert_eq!(shown["extension"]["reason"], json!({ "why": "out_of_stock", "available": 0 }));
}

#[tokio::test]
async fn a_declined_late_fee_is_owed_until_it_is_demanded_again_or_waived() {
    let id = rental(1);
    let world = World::given(story(id)).await;
    let declined = |attempt| RentalEvent::LateFeeDeclined { attempt, code: "declined".to_owned(), at: noon() };
    world.happens(of_rental(id, RentalEvent::Returned { days_late: 1, late_fee: Some(won(67_500)), at: noon() })).await;
    world.happens(of_rental(id, declined(1))).await;
    assert_eq!(page(&world).await["late_fee_declined"], "declined");
    let method = "pm_ok".to_owned();
    world.happens(of_rental(id, RentalEvent::LateFeeDemanded { attempt: 2, method, at: noon() })).await;
    assert_eq!(page(&world).await["late_fee_declined"], Value::Null);
    world.happens(of_rental(id, declined(2))).await;
    world.happens(of_rental(id, RentalEvent::LateFeeWaived { at: noon() })).await;
    let shown = page(&world).await;
    assert_eq!((&shown["late_fee_declined"], &shown["late_fee_waived"]), (&Value::Null, &json!(true)));
}
