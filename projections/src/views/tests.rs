//! Given events, then a document.

mod extension;

use crate::testing::*;
use crate::{Catalogue, Dispatches, MyPage, PageQuery, Payments, Processes, Reservations, Stores};
use domain::inventory::{ItemEvent, Stock};
use domain::payment::PaymentEvent;
use domain::rental::{CancelledBy, RejectReason, RentalEvent};
use domain::store::StoreEvent;
use expect_test::{Expect, expect};

#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn then(shown: String, expected: Expect) {
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn a_requested_rental_is_on_its_customers_page() {
    let world = World::given([requested(rental(1))]).await;
    then(
        world.shows::<MyPage>(rental(1)).await,
        expect![[r#"
        {
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "deadlines": {
            "return_by": "2026-07-04T00:00:00Z"
          },
          "dispatch": null,
          "from": "2026-07-01T00:00:00Z",
          "id": "00000000-0000-0000-0000-000070000001",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "payment": null,
          "policy": "car-rental",
          "quantity": 1,
          "requested_at": "2026-07-01T12:00:00Z",
          "revision": 1,
          "status": "requested",
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z",
          "total": null
        }"#]],
    );
}

#[tokio::test]
async fn a_hold_has_a_price_and_a_deadline_until_it_is_paid() {
    let world = World::given([requested(rental(1)), held(rental(1)), payment_requested(rental(1))]).await;
    then(
        world.shows::<MyPage>(rental(1)).await,
        expect![[r#"
        {
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "deadlines": {
            "pay_by": "2026-07-01T12:10:00Z",
            "return_by": "2026-07-04T00:00:00Z"
          },
          "dispatch": null,
          "from": "2026-07-01T00:00:00Z",
          "id": "00000000-0000-0000-0000-000070000001",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "payment": {
            "amount": {
              "amount_minor": 135000,
              "currency": "KRW"
            },
            "id": "00000000-0000-8bde-ad81-ecafac3a35d0",
            "status": "requested"
          },
          "policy": "car-rental",
          "quantity": 1,
          "requested_at": "2026-07-01T12:00:00Z",
          "revision": 1,
          "status": "requested",
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z",
          "total": {
            "amount_minor": 135000,
            "currency": "KRW"
          }
        }"#]],
    );
    world.happens(approved(rental(1))).await;
    assert!(!world.shows::<MyPage>(rental(1)).await.contains("pay_by"));
}

#[tokio::test]
async fn a_confirmed_rental_waits_for_the_shop() {
    let world = World::given([requested(rental(1)), held(rental(1)), confirmed(rental(1))]).await;
    assert!(world.shows::<MyPage>(rental(1)).await.contains(r#""status": "waiting""#));
    world.happens(dispatch_requested(rental(1))).await;
    assert!(!world.shows::<MyPage>(rental(1)).await.contains(r#""status": "waiting""#));
}

#[tokio::test]
async fn a_rental_from_request_to_hand_over_is_on_every_page() {
    let world = World::given(story(rental(1))).await;
    then(
        world.shows::<MyPage>(rental(1)).await,
        expect![[r#"
        {
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "deadlines": {
            "return_by": "2026-07-04T00:00:00Z"
          },
          "dispatch": {
            "status": "handed_over"
          },
          "from": "2026-07-01T00:00:00Z",
          "id": "00000000-0000-0000-0000-000070000001",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "payment": {
            "amount": {
              "amount_minor": 135000,
              "currency": "KRW"
            },
            "id": "00000000-0000-8bde-ad81-ecafac3a35d0",
            "status": "approved"
          },
          "policy": "car-rental",
          "quantity": 1,
          "requested_at": "2026-07-01T12:00:00Z",
          "revision": 3,
          "status": "handed_over",
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z",
          "total": {
            "amount_minor": 135000,
            "currency": "KRW"
          }
        }"#]],
    );
    then(
        world.shows::<Reservations>(rental(1)).await,
        expect![[r#"
        {
          "customer": "alice",
          "from": "2026-07-01T00:00:00Z",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "quantity": 1,
          "rental": "00000000-0000-0000-0000-000070000001",
          "status": "handed_over",
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z"
        }"#]],
    );
    then(
        world.shows::<Dispatches>(rental(1)).await,
        expect![[r#"
        {
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "from": "2026-07-01T00:00:00Z",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "quantity": 1,
          "rental": "00000000-0000-0000-0000-000070000001",
          "requested_at": "2026-07-01T12:00:00Z",
          "status": "handed_over",
          "steps": [
            {
              "action": "hand_over",
              "by": "staff"
            }
          ],
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z"
        }"#]],
    );
    then(
        world.shows::<Processes>(rental(1)).await,
        expect![[r#"
        {
          "correlation_ids": [
            "a conversation"
          ],
          "customer": "alice",
          "positions": [
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10
          ],
          "rental": "00000000-0000-0000-0000-000070000001",
          "store": "seoul-cars"
        }"#]],
    );
    let payments = world.lists::<Payments>(PageQuery { limit: 10, ..PageQuery::default() }).await;
    then(
        world.shows::<Payments>(payments.items[0].id).await,
        expect![[r#"
        {
          "amount": {
            "amount_minor": 135000,
            "currency": "KRW"
          },
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "id": "00000000-0000-8bde-ad81-ecafac3a35d0",
          "purpose": "rental",
          "reference": "ch_1",
          "rental": "00000000-0000-0000-0000-000070000001",
          "requested_at": "2026-07-01T12:00:00Z",
          "status": "approved",
          "store": "seoul-cars"
        }"#]],
    );
}

#[tokio::test]
async fn a_rejected_rental_says_why() {
    let reason = RejectReason::OutOfStock { available: 0 };
    let rejected = of_rental(rental(1), RentalEvent::Rejected { reason, at: noon() });
    let world = World::given([requested(rental(1)), rejected]).await;
    then(
        world.shows::<MyPage>(rental(1)).await,
        expect![[r#"
        {
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "deadlines": {},
          "dispatch": null,
          "from": "2026-07-01T00:00:00Z",
          "id": "00000000-0000-0000-0000-000070000001",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "payment": null,
          "policy": "car-rental",
          "quantity": 1,
          "reason": {
            "available": 0,
            "why": "out_of_stock"
          },
          "requested_at": "2026-07-01T12:00:00Z",
          "revision": 2,
          "status": "rejected",
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z",
          "total": null
        }"#]],
    );
}

#[tokio::test]
async fn a_cancelled_rental_says_who_wanted_out_and_what_went_back() {
    let id = rental(1);
    let cancelling = RentalEvent::CancellationRequested {
        by: CancelledBy::Customer,
        reason: None,
        fee: Some(won(35_000)),
        at: noon(),
    };
    let refunding = PaymentEvent::RefundRequested { rental: id, amount: won(100_000), at: noon() };
    let refunded = PaymentEvent::Refunded {
        rental: id,
        item: None,
        amount: won(100_000),
        reference: "re_1".to_owned(),
        at: noon(),
    };
    let world = World::given([requested(id), held(id), payment_requested(id), approved(id), confirmed(id)]).await;
    world.happens(of_rental(id, cancelling)).await;
    assert!(world.shows::<Reservations>(id).await.contains(r#""status": "cancelling""#));
    world.happens(of_payment(id, refunding)).await;
    world.happens(of_payment(id, refunded)).await;
    world.happens(released(id)).await;
    world.happens(of_rental(id, RentalEvent::Cancelled { refunded: Some(won(100_000)), at: noon() })).await;
    then(
        world.shows::<MyPage>(id).await,
        expect![[r#"
        {
          "cancellation": {
            "by": "customer",
            "fee": {
              "amount_minor": 35000,
              "currency": "KRW"
            },
            "requested_at": "2026-07-01T12:00:00Z"
          },
          "changed_at": "(when it was recorded)",
          "customer": "alice",
          "deadlines": {},
          "dispatch": null,
          "from": "2026-07-01T00:00:00Z",
          "id": "00000000-0000-0000-0000-000070000001",
          "item": "00000000-0000-0000-0000-000000000ca4",
          "payment": {
            "amount": {
              "amount_minor": 135000,
              "currency": "KRW"
            },
            "id": "00000000-0000-8bde-ad81-ecafac3a35d0",
            "refunded": {
              "amount_minor": 100000,
              "currency": "KRW"
            },
            "status": "refunded"
          },
          "policy": "car-rental",
          "quantity": 1,
          "refunded": {
            "amount_minor": 100000,
            "currency": "KRW"
          },
          "requested_at": "2026-07-01T12:00:00Z",
          "revision": 4,
          "status": "cancelled",
          "store": "seoul-cars",
          "to": "2026-07-04T00:00:00Z",
          "total": {
            "amount_minor": 135000,
            "currency": "KRW"
          }
        }"#]],
    );
}

#[tokio::test]
async fn a_refused_cancellation_leaves_the_rental_with_the_customer() {
    let id = rental(1);
    let cancelling =
        RentalEvent::CancellationRequested { by: CancelledBy::Customer, reason: None, fee: None, at: noon() };
    let world = World::given([requested(id), confirmed(id), of_rental(id, cancelling)]).await;
    world.happens(of_rental(id, RentalEvent::CancellationRefused { at: noon() })).await;
    world.happens(of_rental(id, RentalEvent::HandedOver { at: noon() })).await;
    let shown = world.shows::<MyPage>(id).await;
    assert!(shown.contains(r#""status": "handed_over""#) && shown.contains(r#""refused": true"#), "{shown}");
}

#[tokio::test]
async fn the_catalogue_counts_what_is_free() {
    let world = World::given([registered(car(), Stock::Pool { units: 5 }), held(rental(1))]).await;
    world.happens(held_several(rental(2), 3)).await;
    then(
        world.shows::<Catalogue>(car()).await,
        expect![[r#"
            {
              "available": 1,
              "description": null,
              "id": "00000000-0000-0000-0000-000000000ca4",
              "last_action": {
                "action": "reserve",
                "at": "2026-07-01T12:00:00Z"
              },
              "name": "Ioniq 5",
              "payments": {
                "amount": null,
                "approved": 0,
                "refunded": null
              },
              "price": {
                "amount_minor": 45000,
                "currency": "KRW"
              },
              "reservations": 2,
              "retired": false,
              "reviews": {
                "count": 0,
                "stars": 0
              },
              "revision": 3,
              "stock": {
                "kind": "pool",
                "units": 5
              },
              "store": "seoul-cars",
              "waiting": 0
            }"#]],
    );
    world.happens(released(rental(2))).await;
    world.happens(of_item(car(), ItemEvent::Repriced { price: won(50_000), at: noon() })).await;
    then(
        world.shows::<Catalogue>(car()).await,
        expect![[r#"
            {
              "available": 4,
              "description": null,
              "id": "00000000-0000-0000-0000-000000000ca4",
              "last_action": {
                "action": "edit",
                "at": "2026-07-01T12:00:00Z"
              },
              "name": "Ioniq 5",
              "payments": {
                "amount": null,
                "approved": 0,
                "refunded": null
              },
              "price": {
                "amount_minor": 50000,
                "currency": "KRW"
              },
              "reservations": 1,
              "retired": false,
              "reviews": {
                "count": 0,
                "stars": 0
              },
              "revision": 5,
              "stock": {
                "kind": "pool",
                "units": 5
              },
              "store": "seoul-cars",
              "waiting": 0
            }"#]],
    );
}

#[tokio::test]
async fn what_is_made_to_order_has_no_number() {
    let world = World::given([registered(car(), Stock::Sale { units: None }), held(rental(1))]).await;
    let shown = world.shows::<Catalogue>(car()).await;
    assert!(shown.contains(r#""available": null"#), "{shown}");
}

#[tokio::test]
async fn a_shop_is_open_until_it_closes() {
    let world = World::given([founded()]).await;
    then(
        world.shows::<Stores>("seoul-cars").await,
        expect![[r#"
        {
          "currency": "KRW",
          "name": "Seoul Cars",
          "open": true,
          "policy": "car-rental",
          "registered_at": "2026-07-01T12:00:00Z",
          "revision": 1,
          "slug": "seoul-cars",
          "time_zone": "Asia/Seoul"
        }"#]],
    );
    world.happens(of_store(StoreEvent::Closed { at: noon() })).await;
    assert!(world.shows::<Stores>("seoul-cars").await.contains(r#""open": false"#));
}
