//! What payment providers send by themselves.

use super::house::{House, Reply, saga, won};
use domain::payment::{Charge, PaymentCommand, PaymentStatus, Purpose};
use domain::{PaymentId, RentalId};
use serde_json::json;
use uuid::Uuid;

impl House {
    async fn payment_requested(&self) -> PaymentId {
        let rental = RentalId(Uuid::now_v7());
        let payment = PaymentId::charge_of(rental);
        let charge = Charge {
            item: None,
            customer: "alice".parse().unwrap(),
            store: "seoul-cars".parse().unwrap(),
            purpose: Purpose::Rental,
            amount: won(5_000),
            method: "pm_ok".to_owned(),
        };
        self.payment(payment, PaymentCommand::Request { rental, charge, now: chrono::Utc::now() }).await;
        payment
    }

    async fn payment(&self, payment: PaymentId, command: PaymentCommand) {
        self.payments.execute(&payment.to_string(), command, &saga()).await.unwrap();
    }

    async fn status(&self, payment: PaymentId) -> PaymentStatus {
        self.payments.inspect(&payment.to_string(), |payment, _| payment.status()).await.unwrap().unwrap()
    }

    async fn bank_says(&self, what: &str) -> Reply {
        self.post("/v1/webhooks/payments/bank").header("seal", "unbroken").raw(what).send().await
    }

    async fn contradictions(&self) -> serde_json::Value {
        let reply = self.get("/v1/admin/payments/contradictions").by("admin").send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["items"].clone()
    }
}

#[tokio::test]
async fn an_approval_is_recorded_once_however_often_it_comes() {
    let house = House::open().await;
    let payment = house.payment_requested().await;
    for _ in 0..3 {
        let reply = house.bank_says(&format!("approved {payment}")).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "status": "taken" })));
        assert!(reply.position() > 0);
    }
    assert_eq!(house.status(payment).await, PaymentStatus::Approved);
    assert_eq!(house.count("PaymentApproved").await, 1);
    let events = house.journal.read_stream(&format!("payment-{payment}"), 0).await.unwrap();
    assert_eq!(&*events[1].actor, "provider:bank");
    assert_eq!(events[1].correlation_id, events[0].correlation_id);
    assert_eq!(events[1].causation_id, Some(events[0].event_id));
    assert_eq!(house.contradictions().await, json!([]));
}

#[tokio::test]
async fn a_decline_is_recorded_also_of_a_payment_that_was_unknown() {
    let house = House::open().await;
    let payment = house.payment_requested().await;
    house.payment(payment, PaymentCommand::MarkUnknown { now: chrono::Utc::now() }).await;
    assert_eq!(house.bank_says(&format!("declined {payment}")).await.status, 200);
    assert_eq!(house.status(payment).await, PaymentStatus::Declined);
}

#[tokio::test]
async fn an_approval_of_what_was_declined_is_listed_and_changes_nothing() {
    let house = House::open().await;
    let payment = house.payment_requested().await;
    house.bank_says(&format!("declined {payment}")).await;
    for _ in 0..2 {
        let reply = house.bank_says(&format!("approved {payment}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    assert_eq!(house.status(payment).await, PaymentStatus::Declined);
    let listed = house.contradictions().await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let only = &listed[0];
    assert_eq!(only["payment"], payment.to_string());
    assert_eq!((&only["provider"], &only["said"]), (&json!("bank"), &json!("approved")));
    assert_eq!((&only["evidence"], &only["recorded"]), (&json!("ch_1"), &json!("declined")));

    let house = house.restarted().await;
    assert_eq!(house.contradictions().await, listed);
}

#[tokio::test]
async fn a_decline_of_what_was_approved_is_listed_and_changes_nothing() {
    let house = House::open().await;
    let payment = house.payment_requested().await;
    house.bank_says(&format!("approved {payment}")).await;
    assert_eq!(house.bank_says(&format!("declined {payment}")).await.status, 200);
    assert_eq!(house.status(payment).await, PaymentStatus::Approved);
    assert_eq!(house.contradictions().await[0]["recorded"], "approved");
}

#[tokio::test]
async fn what_is_of_no_interest_is_taken_all_the_same() {
    let house = House::open().await;
    let stranger = PaymentId(Uuid::now_v7());
    for what in ["hello".to_owned(), String::new(), format!("approved {stranger}")] {
        assert_eq!(house.bank_says(&what).await.status, 200, "{what}");
    }
    assert_eq!(house.journal.head(), 0);
}

#[tokio::test]
async fn what_cannot_be_believed_is_refused_without_saying_why() {
    let house = House::open().await;
    let payment = house.payment_requested().await;
    let approved = format!("approved {payment}");
    let mut answers = Vec::new();
    for (provider, seal) in [("bank", "broken"), ("bank", ""), ("another", "unbroken")] {
        let path = format!("/v1/webhooks/payments/{provider}");
        answers.push(house.post(&path).header("seal", seal).raw(&approved).send().await);
    }
    answers.push(house.post("/v1/webhooks/payments/bank").by("admin").raw(&approved).send().await);
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "not-authentic"));
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(house.status(payment).await, PaymentStatus::Requested);
}

#[tokio::test]
async fn a_huge_body_is_not_read() {
    let house = House::open().await;
    let reply = house.bank_says(&"x".repeat((64 << 10) + 1)).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "body-too-large"));
}
