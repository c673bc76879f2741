//! What customers say of an item, in the list of it and on the manager's screen.

use super::*;
use crate::{Reviews, views::ReviewEntry};
use domain::payment::{Charge, Purpose};
use domain::{Instant, PaymentId, Personal, RentalId};

fn later() -> Instant {
    at("2026-07-02T12:00:00Z")
}

fn edited(id: RentalId, before: u8, stars: u8) -> Fact {
    let text = Some(Personal::sealed(format!("sealed {stars}")));
    of_rental(id, RentalEvent::ReviewEdited { item: car(), number: 1, stars, before, text, at: later() })
}

fn deleted(id: RentalId, stars: u8) -> Fact {
    of_rental(id, RentalEvent::ReviewDeleted { item: car(), number: 1, stars, at: later() })
}

async fn driven() -> World {
    let world = World::given([registered(car(), Stock::Pool { units: 5 })]).await;
    for number in 1..=3 {
        for fact in story(rental(number)) {
            world.happens(fact).await;
        }
    }
    world
}

async fn standing(world: &World) -> Vec<(RentalId, u8)> {
    let (owner, tags) = (Some(car().to_string()), vec![Reviews::STANDING.to_owned()]);
    let page = world.lists::<Reviews>(PageQuery { owner, tags, limit: 10, ..PageQuery::default() }).await;
    page.items.into_iter().map(|entry: ReviewEntry| (entry.rental, entry.stars)).collect()
}

async fn screen(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.shows::<Catalogue>(car()).await).unwrap()
}

#[tokio::test]
async fn a_review_is_in_the_list_of_its_item_newest_first_until_it_is_deleted() {
    let world = driven().await;
    world.happens(reviewed(rental(1), 1, 5)).await;
    world.happens(reviewed(rental(2), 1, 2)).await;
    assert_eq!(standing(&world).await, [(rental(2), 2), (rental(1), 5)]);
    world.happens(edited(rental(1), 5, 4)).await;
    then(
        world.shows::<Reviews>(format!("{}/1", rental(1))).await,
        expect![[r#"
            {
              "customer": "alice",
              "edited_at": "2026-07-02T12:00:00Z",
              "rental": "00000000-0000-0000-0000-000070000001",
              "stars": 4,
              "text": "sealed 4",
              "written_at": "2026-07-01T12:00:00Z"
            }"#]],
    );
    world.happens(deleted(rental(1), 4)).await;
    assert_eq!(standing(&world).await, [(rental(2), 2)]);
    assert!(!world.shows::<Reviews>(format!("{}/1", rental(1))).await.contains("sealed"));
    world.happens(reviewed(rental(1), 2, 3)).await;
    assert_eq!(standing(&world).await, [(rental(1), 3), (rental(2), 2)]);
}

#[tokio::test]
async fn a_review_is_on_its_customers_page_while_it_stands() {
    let world = driven().await;
    let review = async || {
        let page: serde_json::Value = serde_json::from_str(&world.shows::<MyPage>(rental(1)).await).unwrap();
        (page["status"].clone(), page["review"].clone())
    };
    world.happens(reviewed(rental(1), 1, 5)).await;
    let said = |stars: u8, at: &str| {
        let text = format!("sealed {stars}");
        (serde_json::json!("handed_over"), serde_json::json!({ "stars": stars, "text": text, "at": at }))
    };
    assert_eq!(review().await, said(5, "2026-07-01T12:00:00Z"));
    world.happens(edited(rental(1), 5, 4)).await;
    assert_eq!(review().await, said(4, "2026-07-02T12:00:00Z"));
    world.happens(deleted(rental(1), 4)).await;
    assert_eq!(review().await.1, serde_json::Value::Null);
}

#[tokio::test]
async fn the_screen_counts_reviews_and_adds_up_their_stars() {
    let world = driven().await;
    let reviews = async || screen(&world).await["reviews"].clone();
    let are = |count: u64, stars: u64| serde_json::json!({ "count": count, "stars": stars });
    assert_eq!(reviews().await, are(0, 0));
    world.happens(reviewed(rental(1), 1, 5)).await;
    world.happens(reviewed(rental(2), 1, 2)).await;
    assert_eq!(reviews().await, are(2, 7));
    assert_eq!(screen(&world).await["last_action"]["action"], "review");
    world.happens(edited(rental(1), 5, 4)).await;
    assert_eq!(reviews().await, are(2, 6));
    world.happens(deleted(rental(2), 2)).await;
    assert_eq!(reviews().await, are(1, 4));
    assert_eq!(screen(&world).await["last_action"]["at"], "2026-07-02T12:00:00Z");
}

#[tokio::test]
async fn the_screen_adds_up_what_was_paid_and_what_went_back() {
    let world = driven().await;
    let paid = async || screen(&world).await["payments"].clone();
    let money = |amount: i64| serde_json::json!({ "amount_minor": amount, "currency": "KRW" });
    let three = serde_json::json!({ "approved": 3, "amount": money(405_000), "refunded": null });
    assert_eq!(paid().await, three);
    let refunded = PaymentEvent::Refunded {
        rental: rental(1),
        item: Some(car()),
        amount: won(100_000),
        reference: "re_1".to_owned(),
        at: noon(),
    };
    world.happens(of_payment(rental(1), refunded)).await;
    let less = serde_json::json!({ "approved": 3, "amount": money(405_000), "refunded": money(100_000) });
    assert_eq!(paid().await, less);
    // From before payments named their item: it is there, and the screen leaves it out.
    let id = rental(9);
    let charge = Charge {
        customer: alice(),
        store: seoul_cars(),
        item: None,
        purpose: Purpose::LateFee,
        amount: won(1),
        method: "pm_ok".to_owned(),
    };
    let reference = "ch_9".to_owned();
    for event in [
        PaymentEvent::Requested { rental: id, charge, at: noon() },
        PaymentEvent::Approved { rental: id, item: None, amount: None, reference, at: noon() },
    ] {
        world.happens(Fact::new(format!("payment-{}", PaymentId::late_fee_of(id)), &event)).await;
    }
    assert_eq!(paid().await, less);
}

#[tokio::test]
async fn what_is_with_a_customer_is_on_the_screen() {
    let world = driven().await;
    world.happens(of_item(car(), ItemEvent::HandedOut { rental: rental(1), at: noon() })).await;
    assert_eq!(screen(&world).await["last_action"]["action"], "hand_over");
    assert_eq!(screen(&world).await["available"], 2);
}

#[tokio::test]
async fn a_list_is_asked_for_by_several_tags_at_once() {
    let world = World::given((1..=4).map(|number| requested(rental(number)))).await;
    world.happens(confirmed(rental(1))).await;
    world.happens(confirmed(rental(3))).await;
    world.happens(of_rental(rental(3), RentalEvent::HandedOver { at: noon() })).await;
    let tags = |tags: &[&str]| tags.iter().map(ToString::to_string).collect();
    let query = PageQuery {
        owner: Some("seoul-cars".to_owned()),
        tags: tags(&["confirmed", "handed_over"]),
        limit: 1,
        ..PageQuery::default()
    };
    let first = world.lists::<Reservations>(query.clone()).await;
    assert_eq!(first.items[0].rental, rental(3));
    let second = world.lists::<Reservations>(PageQuery { cursor: first.next, ..query }).await;
    assert_eq!((second.items[0].rental, second.next), (rental(1), None));
}
