//! LIB-8, LIB-9, LIB-10: a kiosk lends what is reserved, never before the return of the one before is processed, and takes
//! back whatever comes, whoever is closed or away.

use crate::venue::Venue;
use expect_test::expect;
use harness::{august, eventually, july};
use serde_json::json;

/// One book, which alice has reserved for July and bob for August.
async fn two_loans() -> (Venue, String, String) {
    let library = Venue::library().await;
    let book = library.item("The Vegetarian", json!(1)).await;
    let loan = |from, to| json!({ "item": book, "from": from, "to": to });
    let alice = library.reserved("alice", loan(july(1), july(15))).await;
    let bob = library.reserved("bob", loan(august(1), august(15))).await;
    library.settled().await;
    (library, alice, bob)
}

fn lines(of: &[(&String, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(rental, label)| ((*rental).clone(), (*label).to_owned())).collect()
}

#[tokio::test]
async fn a_reserved_book_is_borrowed_and_returned_at_a_kiosk() {
    let (library, alice, bob) = two_loans().await;
    assert_eq!(library.listed("").await, lines(&[(&bob, "reserved"), (&alice, "reserved")]));
    assert_eq!(library.at_kiosk("check-outs", &alice).waiting_s(20).await.is(200)["status"], "handed_over");
    assert_eq!(library.listed("").await, lines(&[(&bob, "reserved"), (&alice, "borrowed")]));
    let mine = library.get("/v1/mypage").by("customer:alice").await.is(200).items();
    assert_eq!(mine[0]["status_label"], "borrowed");
    assert_eq!(library.at_kiosk("returns", &alice).waiting_s(20).await.is(200)["status"], "completed");
    assert_eq!(library.listed("").await, lines(&[(&bob, "reserved")]));
    assert!(library.listed("?status=handed_over").await.is_empty());

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        StockHandedOut item@6 by kiosk:library/1
        DispatchHandedOver dispatch@2 by kiosk:library/1
        RentalHandedOver rental@3 by process:dispatch
        RentalReturned rental@4 by kiosk:library/1
        StockReturned item@7 by process:reservation
        RentalCompleted rental@5 by process:reservation
    "#]]
    .assert_eq(&library.transcript(&alice).await);
    library.closes_its_books().await;
}

#[tokio::test]
async fn a_book_is_not_lent_before_its_return_is_processed() {
    let (library, alice, bob) = two_loans().await;
    library.at_kiosk("check-outs", &alice).waiting_s(20).await.is(200);
    library.at_kiosk("check-outs", &bob).await.problem(409, "return-not-processed");

    // Book management is away: the return is taken, and the book is not lent again on the strength of it.
    library.administered("reservation", "pause").await;
    assert_eq!(library.at_kiosk("returns", &alice).await.is(200)["status"], "returned");
    let refused = library.at_kiosk("check-outs", &bob).await.problem(409, "return-not-processed");
    assert_eq!((refused.header("retry-after"), &refused["out"], &refused["units"]), (Some("1"), &json!(1), &json!(1)));
    assert_eq!(library.get(format!("/v1/rentals/{bob}")).by("customer:bob").await.is(200)["status"], "confirmed");

    library.administered("reservation", "resume").await;
    let lent = eventually("the return is processed", async || {
        let asked = library.at_kiosk("check-outs", &bob).waiting_s(20).await;
        (asked.status == 200).then_some(asked)
    })
    .await;
    assert_eq!(lent["status"], "handed_over");
    expect![[r#"
        RentalRequested rental@1 by customer:bob
        StockHeld item@4 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@5 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        StockHandedOut item@8 by kiosk:library/1
        DispatchHandedOver dispatch@2 by kiosk:library/1
        RentalHandedOver rental@3 by process:dispatch
    "#]]
    .assert_eq(&library.transcript(&bob).await);
}

#[tokio::test]
async fn what_the_staff_has_handed_over_is_out_too() {
    let (library, alice, bob) = two_loans().await;
    library.step(&alice, "hand-over").await.is(200);
    library.settled().await;
    library.at_kiosk("check-outs", &bob).await.problem(409, "return-not-processed");
    library.step(&alice, "return").await.is(200);
    library.settled().await;
    library.at_kiosk("check-outs", &bob).waiting_s(20).await.is(200);
}

#[tokio::test]
async fn a_return_is_taken_although_the_store_is_closed_and_everything_is_away() {
    let (library, alice, bob) = two_loans().await;
    let everything: Vec<String> =
        library.subscriptions().await.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    assert!(everything.len() > 6, "{everything:?}");
    library.administered("dispatch", "pause").await;
    // The book is lent, and nobody has told the rental.
    assert_eq!(library.at_kiosk("check-outs", &alice).await.is(202)["status"], "confirmed");
    for subscription in &everything {
        library.administered(subscription, "pause").await;
    }
    library.post("/v1/stores/library/close").by(library.staff()).json(json!({})).await.is(200);
    library.at_kiosk("check-outs", &bob).await.problem(409, "store-closed");
    assert_eq!(library.at_kiosk("returns", &alice).await.is(200)["status"], "returned");
    assert_eq!(library.at_kiosk("returns", &alice).await.is(200)["status"], "returned");

    for subscription in &everything {
        library.administered(subscription, "resume").await;
    }
    library.reaches(&alice, "completed").await;
    library.settled().await;
    for one in library.subscriptions().await {
        assert_eq!(one["parked"].as_array().map(Vec::len), Some(0), "{one}");
    }
    library.post("/v1/stores/library/open").by(library.staff()).json(json!({})).await.is(200);
    library.at_kiosk("check-outs", &bob).waiting_s(20).await.is(200);
    expect![[r#"
        RentalRequested rental@1 by customer:alice
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        StockHandedOut item@6 by kiosk:library/1
        DispatchHandedOver dispatch@2 by kiosk:library/1
        RentalHandedOver rental@3 by kiosk:library/1
        RentalReturned rental@4 by kiosk:library/1
        StockReturned item@7 by process:reservation
        RentalCompleted rental@5 by process:reservation
    "#]]
    .assert_eq(&library.transcript(&alice).await);
    library.closes_its_books().await;
}

#[tokio::test]
async fn a_kiosk_is_only_itself() {
    let (library, alice, _) = two_loans().await;
    let body = json!({ "rental": alice });
    for who in ["kiosk:library/2", "kiosk:elsewhere/1", "customer:alice", "staff:library", "admin"] {
        for what in ["check-outs", "returns"] {
            let asked = library.post(format!("/v1/kiosks/library/1/{what}")).by(who).json(body.clone());
            asked.await.problem(403, "forbidden");
        }
        library.get("/v1/kiosks/library/1/reservations").by(who).await.problem(403, "forbidden");
    }
    library.at_kiosk("returns", &alice).await.problem(409, "wrong-status");
}
