//! What customers are told, and in which language.

use super::house::{House, summer};
use domain::message::{Letter, Message, MessageCommand};
use domain::policy::Occasion;
use domain::rental::RentalEvent;
use domain::{Event, Language, MessageId, RentalId};
use journal::{Context, Executor};
use serde_json::json;
use uuid::Uuid;

fn context() -> Context {
    Context {
        command_id: Uuid::now_v7(),
        correlation_id: "story".into(),
        causation_id: None,
        actor: "process:messages".into(),
        seen_revision: None,
        fence: None,
    }
}

/// As the saga would: three messages for alice, the first of them sent, and one for bob.
async fn told(house: &House) {
    let messages = Executor::<Message>::new::<Event>(house.journal.clone());
    for (number, customer) in [(1, "alice"), (2, "alice"), (3, "bob"), (4, "alice")] {
        let letter = Letter {
            customer: customer.parse().unwrap(),
            store: "seoul-cars".parse().unwrap(),
            occasion: Occasion::Overdue,
            language: Language::Ko,
            text: format!("{number}"),
        };
        let id = MessageId(Uuid::from_u128(number)).to_string();
        let rental = RentalId(Uuid::from_u128(7));
        let record = MessageCommand::Record { rental, letter, now: chrono::Utc::now() };
        messages.execute_new(&id, record, &context()).await.unwrap();
        if number == 1 {
            let sent = MessageCommand::MarkSent { reference: "log-1".to_owned(), now: chrono::Utc::now() };
            messages.execute(&id, sent, &context()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_customer_reads_what_they_were_told_newest_first_and_nobody_elses() {
    let house = House::open().await;
    told(&house).await;
    let path = format!("/v1/mypage/messages?limit=2&at_least={}", house.journal.head());
    let first = house.get(&path).by("customer:alice").send().await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert!(first.position() >= house.journal.head());
    let texts = |page: &serde_json::Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&first.json()), ["4", "2"]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = house.get(&format!("/v1/mypage/messages?limit=2&cursor={next}")).by("customer:alice").send().await;
    assert_eq!((texts(&second.json()), &second.json()["next"]), (vec!["1".to_owned()], &json!(null)));

    let message = &second.json()["items"][0];
    for (field, expected) in [
        ("id", "00000000-0000-0000-0000-000000000001"),
        ("rental", "00000000-0000-0000-0000-000000000007"),
        ("store", "seoul-cars"),
        ("customer", "alice"),
        ("occasion", "overdue"),
        ("language", "ko"),
        ("status", "sent"),
    ] {
        assert_eq!(message[field], expected, "{field}");
    }
    assert!(message["recorded_at"].is_string() && message["sent_at"].is_string() && message["failures"] == 0);
    assert_eq!(first.json()["items"][0]["status"], "recorded");
}

#[tokio::test]
async fn messages_are_for_customers() {
    let house = House::open().await;
    house.seoul().await;
    assert_eq!(house.get("/v1/mypage/messages").send().await.problem(), "unauthenticated");
    for who in ["admin", "staff:seoul-cars", "kiosk:seoul-cars/1"] {
        assert_eq!(house.get("/v1/mypage/messages").by(who).send().await.problem(), "forbidden");
    }
    for query in ["status=sent", "limit=0", "as_of=1"] {
        let reply = house.get(&format!("/v1/mypage/messages?{query}")).by("customer:alice").send().await;
        assert_eq!(reply.problem(), "invalid", "{query}");
    }
}

#[tokio::test]
async fn a_rental_remembers_the_language_that_it_was_asked_for_in() {
    let house = House::open().await;
    let car = house.cars(10).await;
    for (header, language) in [(None, Language::En), (Some("fr"), Language::En), (Some("en;q=0.5, ko"), Language::Ko)] {
        let asked = house.post("/v1/rentals").by("customer:alice").header("prefer", "respond-async");
        let asked = match header {
            Some(header) => asked.header("accept-language", header),
            None => asked,
        };
        let reply = asked.json(&summer(&car)).send().await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        let stream = format!("rental-{}", reply.json()["id"].as_str().unwrap());
        let events = house.journal.read_stream(&stream, 0).await.unwrap();
        let Event::Rental(RentalEvent::Requested { terms, .. }) = events[0].decoded(Event::decode).unwrap() else {
            panic!("{events:?}");
        };
        assert_eq!(terms.language, language, "{header:?}");
        // What goes without saying is not written down.
        assert_eq!(events[0].payload.contains("language"), language == Language::Ko);
    }
}
