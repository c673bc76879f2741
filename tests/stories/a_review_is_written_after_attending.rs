//! CIN-7: who has attended may say how it was, change it, and take it back; everybody reads it, and it counts.

use crate::venue::Venue;
use expect_test::expect;
use serde_json::{Value, json};

async fn reviews(cinema: &Venue, film: &str) -> Vec<(u64, Value)> {
    cinema.settled().await;
    let list = cinema.get(format!("/v1/items/{film}/reviews")).await.is(200).items();
    list.iter().map(|review| (review["stars"].as_u64().unwrap(), review["text"].clone())).collect()
}

#[tokio::test]
async fn a_review_is_written_after_attending_and_changed_and_deleted() {
    let cinema = Venue::cinema().await;
    let film = cinema.item("Parasite", json!({ "seats": ["A1", "A2"] })).await;
    let rental = cinema.reserved("alice", json!({ "item": film, "seats": ["A2"] })).await;
    let good = json!({ "stars": 5, "text": "The stairs!" });
    let early = cinema.review("POST", "alice", &rental, good.clone()).await.problem(409, "not-reviewable-yet");
    assert!(early["detail"].as_str().unwrap().contains("once the customer has had it"), "{}", early.text);

    cinema.step(&rental, "hand-over").await.is(200);
    cinema.settled().await;
    assert_eq!(cinema.review("POST", "alice", &rental, good.clone()).await.is(201)["review"]["stars"], 5);
    cinema.review("POST", "alice", &rental, good).await.problem(409, "already-reviewed");
    assert_eq!(reviews(&cinema, &film).await, [(5, json!("The stairs!"))]);
    cinema.review("PUT", "alice", &rental, json!({ "stars": 4, "text": "The smell." })).await.is(200);
    assert_eq!(reviews(&cinema, &film).await, [(4, json!("The smell."))]);
    let own = cinema.get("/v1/mypage").by("customer:alice").await.is(200).items();
    assert_eq!((&own[0]["review"]["stars"], &own[0]["review"]["text"]), (&json!(4), &json!("The smell.")));
    assert_eq!(own[0]["status_label"], "attended");

    cinema.review("DELETE", "alice", &rental, json!({})).await.is(200);
    cinema.review("DELETE", "alice", &rental, json!({})).await.is(200);
    assert!(reviews(&cinema, &film).await.is_empty());
    cinema.review("PUT", "alice", &rental, json!({ "stars": 3 })).await.problem(404, "not-found");
    cinema.review("POST", "alice", &rental, json!({ "stars": 3 })).await.is(201);
    assert_eq!(reviews(&cinema, &film).await, [(3, Value::Null)]);

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        QuotaTaken quota@1 by process:reservation
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchHandedOver dispatch@2 by staff:cinema
        RentalHandedOver rental@3 by process:dispatch
        RentalCompleted rental@4 by process:dispatch
        QuotaGivenBack quota@2 by process:reservation
        ReviewWritten rental@5 by customer:alice
        ReviewEdited rental@6 by customer:alice
        ReviewDeleted rental@7 by customer:alice
        ReviewWritten rental@8 by customer:alice
    "#]]
    .assert_eq(&cinema.transcript(&rental).await);
    cinema.closes_its_books().await;
}

#[tokio::test]
async fn nobody_reviews_what_somebody_else_has_seen_or_what_was_cancelled() {
    let cinema = Venue::cinema().await;
    let film = cinema.item("Parasite", json!(10)).await;
    let seen = cinema.reserved("alice", json!({ "item": film })).await;
    cinema.step(&seen, "hand-over").await.is(200);
    cinema.review("POST", "mallory", &seen, json!({ "stars": 1 })).await.problem(404, "not-found");
    let by_staff = cinema.post(format!("/v1/rentals/{seen}/review")).by(cinema.staff()).json(json!({ "stars": 5 }));
    by_staff.await.problem(403, "forbidden");

    let cancelled = cinema.reserved("bob", json!({ "item": film })).await;
    let cancel = cinema.post(format!("/v1/rentals/{cancelled}/cancel")).by("customer:bob").waiting_s(20);
    cancel.json(json!({})).await.is(200);
    cinema.review("POST", "bob", &cancelled, json!({ "stars": 1 })).await.problem(409, "not-reviewable-yet");
    assert!(reviews(&cinema, &film).await.is_empty());
}

#[tokio::test]
async fn a_book_is_reviewed_while_it_is_borrowed() {
    let library = Venue::library().await;
    let book = library.item("The Vegetarian", json!(1)).await;
    let body = json!({ "item": book, "from": harness::july(1), "to": harness::july(4) });
    let rental = library.reserved("alice", body).await;
    library.step(&rental, "hand-over").await.is(200);
    library.review("POST", "alice", &rental, json!({ "stars": 5 })).await.is(201);
    library.step(&rental, "return").await.is(200);
    library.review("PUT", "alice", &rental, json!({ "stars": 4 })).await.is(200);
    assert_eq!(library.screen(&book).await["reviews"], json!({ "count": 1, "average": 4.0 }));
}
