//! A kiosk lends what is there and takes back whatever comes.

use super::house::{Ask, House, Reply, won};
use chrono::Utc;
use domain::dispatch::{DispatchCommand, DispatchEvent};
use domain::inventory::{ItemCommand, ReleaseReason, Wanted};
use domain::policy::{Action, By, PricePer, Step};
use domain::rental::{RentalCommand, RentalEvent};
use domain::{Event, Period, RentalId};
use journal::{Context, Recorded};
use serde_json::{Value, json};
use uuid::Uuid;

const KIOSK: &str = "kiosk:library/1";
const STEPS: [Step; 1] = [Step { action: Action::HandOver, by: By::Staff }];

/// A library with one book. What a saga would do, it does by itself.
struct Library {
    house: House,
    item: String,
}

fn saga() -> Context {
    Context {
        command_id: Uuid::now_v7(),
        correlation_id: "story".into(),
        causation_id: None,
        actor: "process:reservation".into(),
        seen_revision: None,
        fence: None,
    }
}

fn tell(_: &Recorded, event: &Event) -> Option<RentalCommand> {
    match event {
        Event::Dispatch(DispatchEvent::HandedOver { at }) => Some(RentalCommand::MarkHandedOver { now: *at }),
        Event::Rental(RentalEvent::Returned { at, .. }) => Some(RentalCommand::Complete { now: *at }),
        _ => None,
    }
}

impl Library {
    async fn open() -> Self {
        let house = House::open().await;
        let body = json!({
            "slug": "library", "name": "Library", "policy": "library", "time_zone": "Asia/Seoul", "currency": "KRW"
        });
        assert_eq!(house.post("/v1/stores").by("admin").json(&body).send().await.status, 201);
        let book = json!({ "name": "Pachinko", "price": { "amount_minor": 500, "currency": "KRW" }, "stock": 1 });
        let book = house.post("/v1/stores/library/items").by("staff:library").json(&book).send().await;
        let item = book.json()["id"].as_str().unwrap().to_owned();
        Self { house, item }
    }

    async fn item(&self, command: ItemCommand) {
        self.house.items.execute(&self.item, command, &saga()).await.unwrap();
    }

    /// A loan for a July that is so many years away: reserved, paid and known to the library.
    async fn reserved(&self, year: i32) -> String {
        self.reserved_with(year, &STEPS).await
    }

    async fn reserved_with(&self, year: i32, steps: &[Step]) -> String {
        let (from, to) = (format!("{year}-07-01"), format!("{year}-07-15"));
        let body = json!({ "item": self.item, "from": from, "to": to });
        let asked = self.house.post("/v1/rentals").by("customer:alice").header("prefer", "respond-async");
        let id = asked.json(&body).send().await.json()["id"].as_str().unwrap().to_owned();
        let rental: RentalId = id.parse().unwrap();
        let day = |text: String| format!("{text}T00:00:00Z").parse().unwrap();
        let period = Period::new(day(from), day(to)).unwrap();
        let now = Utc::now();
        let wanted = Wanted {
            quantity: 1,
            period: Some(period),
            days: 1,
            price_per: PricePer::Unit,
            seats: Vec::new(),
            turnaround_s: 0,
            wait: None,
        };
        let customer: domain::CustomerId = "alice".parse().unwrap();
        self.item(ItemCommand::Hold { rental, customer: customer.clone(), wanted, until: now, now }).await;
        self.item(ItemCommand::Commit { rental, now }).await;
        self.house.rental(&id, RentalCommand::Confirm { total: won(500), now }).await;
        let request = DispatchCommand::Request {
            store: "library".parse().unwrap(),
            customer,
            item: self.item.parse().unwrap(),
            quantity: 1,
            period: Some(period),
            steps: steps.to_vec(),
            now,
        };
        self.house.dispatches.execute(&id, request, &saga()).await.unwrap();
        id
    }

    fn at_kiosk(&self, what: &str, rental: &str) -> Ask<'_> {
        let ask = self.house.post(&format!("/v1/kiosks/library/1/{what}")).by(KIOSK);
        ask.json(&json!({ "rental": rental }))
    }

    async fn check_out(&self, rental: &str) -> Reply {
        self.at_kiosk("check-outs", rental).send().await
    }

    async fn list(&self, query: &str) -> Vec<Value> {
        let reply = self.house.get(&format!("/v1/kiosks/library/1/reservations{query}")).by(KIOSK).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["items"].as_array().unwrap().clone()
    }

    async fn told(&self) -> Vec<(String, String)> {
        let events = self.house.journal.read_all(0, 1_000).await.unwrap();
        let by_kiosk = events.iter().filter(|event| &*event.actor == KIOSK);
        by_kiosk.map(|event| (event.event_type.to_string(), event.category().to_owned())).collect()
    }
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(event, category)| ((*event).to_owned(), (*category).to_owned())).collect()
}

#[tokio::test]
async fn a_kiosk_lends_what_is_reserved_and_takes_it_back() {
    let library = Library::open().await;
    library.house.answering(tell);
    let rental = library.reserved(2126).await;
    let lent = library.check_out(&rental).await;
    assert_eq!((lent.status.as_u16(), &lent.json()["status_label"]), (200, &json!("borrowed")));
    let out = [("StockHandedOut", "item"), ("DispatchHandedOver", "dispatch")];
    assert_eq!(library.told().await, named(&out));
    assert_eq!(library.check_out(&rental).await.status, 200);
    assert_eq!(library.told().await, named(&out), "it was so already");
    let back = library.at_kiosk("returns", &rental).send().await;
    assert_eq!((back.status.as_u16(), &back.json()["status"]), (200, &json!("completed")));
    assert_eq!(library.at_kiosk("returns", &rental).send().await.status, 200);
    assert_eq!(library.house.count("RentalReturned").await, 1);
    assert_eq!(library.check_out(&rental).await.status, 200, "what was lent was lent");
    assert_eq!(library.house.count("StockHandedOut").await, 1);
}

#[tokio::test]
async fn a_kiosk_does_not_lend_before_the_return_is_processed() {
    let library = Library::open().await;
    library.house.answering(tell);
    let (first, second) = (library.reserved(2126).await, library.reserved(2127).await);
    assert_eq!(library.check_out(&first).await.status, 200);
    assert_eq!(library.at_kiosk("returns", &first).send().await.status, 200);
    let keyed = || library.at_kiosk("check-outs", &second).header("idempotency-key", "lend").send();
    let early = keyed().await;
    assert_eq!((early.status.as_u16(), early.problem().as_str()), (409, "return-not-processed"));
    assert_eq!(
        (early.header("retry-after"), &early.json()["out"], &early.json()["units"]),
        ("1", &json!(1), &json!(1))
    );
    assert_eq!(library.house.count("DispatchHandedOver").await, 1);
    library.item(ItemCommand::Return { rental: first.parse().unwrap(), now: Utc::now() }).await;
    // The answer said to try again: with the same key, too, it is another try.
    let lent = keyed().await;
    assert_eq!((lent.status.as_u16(), lent.header("idempotent-replayed")), (200, ""), "{lent:?}");
    assert_eq!(keyed().await.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn what_the_store_would_refuse_is_not_counted_out() {
    let library = Library::open().await;
    let prepare = Step { action: Action::Prepare, by: By::Staff };
    let unready = library.reserved_with(2126, &[prepare, STEPS[0]]).await;
    assert_eq!(library.check_out(&unready).await.problem(), "not-prepared");
    let rental = library.reserved(2127).await;
    assert_eq!(library.house.post("/v1/stores/library/close").by("staff:library").send().await.status, 200);
    assert_eq!(library.check_out(&rental).await.problem(), "store-closed");
    assert_eq!(library.house.post("/v1/stores/library/open").by("staff:library").send().await.status, 200);
    library.house.dispatches.execute(&rental, DispatchCommand::Cancel { now: Utc::now() }, &saga()).await.unwrap();
    assert_eq!(library.check_out(&rental).await.problem(), "dispatch-cancelled");
    let asked = library.house.post("/v1/rentals").by("customer:alice").header("prefer", "respond-async");
    let body = json!({ "item": library.item, "from": "2128-07-01", "to": "2128-07-15" });
    let unpaid = asked.json(&body).send().await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(library.check_out(&unpaid).await.problem(), "not-dispatched-yet");
    assert_eq!(library.house.count("StockHandedOut").await, 0);
}

/// A crash between the two steps, or a refusal of the second: the item counts it out and nobody has handed it over.
#[tokio::test]
async fn what_was_left_between_the_two_steps_is_gone_on_with_or_undone() {
    let library = Library::open().await;
    library.house.answering(tell);
    let (first, second) = (library.reserved(2126).await, library.reserved(2127).await);
    let half = async |rental: &str| {
        let rental = rental.parse().unwrap();
        library.item(ItemCommand::HandOut { rental, only_if_in: true, now: Utc::now() }).await;
    };
    half(&first).await;
    assert_eq!(library.check_out(&second).await.problem(), "return-not-processed", "a doubt gives no unit twice");
    let rental = first.parse().unwrap();
    let reason = ReleaseReason::Cancelled;
    library.item(ItemCommand::Release { rental, reason, now: Utc::now() }).await;
    half(&second).await;
    assert_eq!(library.check_out(&second).await.status, 200, "a repeat goes on");
    assert_eq!(library.house.count("StockHandedOut").await, 2);
}

#[tokio::test]
async fn a_return_is_taken_although_the_rental_was_never_told_that_it_was_lent() {
    let library = Library::open().await;
    let rental = library.reserved(2126).await;
    let lent = library.at_kiosk("check-outs", &rental).header("prefer", "respond-async").send().await;
    assert_eq!((lent.status.as_u16(), &lent.json()["status"]), (202, &json!("confirmed")));
    assert_eq!(library.house.post("/v1/stores/library/close").by("staff:library").send().await.status, 200);
    let back = || library.at_kiosk("returns", &rental).header("prefer", "respond-async");
    let stale = back().header("if-match", "\"1\"").send().await;
    assert_eq!((stale.status.as_u16(), stale.problem().as_str()), (412, "stale-revision"));
    let taken = back().header("if-match", "\"2\"").send().await;
    assert_eq!((taken.status.as_u16(), &taken.json()["status"]), (200, &json!("returned")));
    assert_eq!(back().send().await.status, 200);
    let told = library.told().await;
    assert_eq!(told[2..], named(&[("RentalHandedOver", "rental"), ("RentalReturned", "rental")]));
    // The store's word comes late, and changes nothing any more.
    library.house.rental(&rental, RentalCommand::MarkHandedOver { now: Utc::now() }).await;
    assert_eq!(library.house.count("RentalHandedOver").await, 1);
}

#[tokio::test]
async fn what_was_never_lent_does_not_come_back() {
    let library = Library::open().await;
    let rental = library.reserved(2126).await;
    let refused = library.at_kiosk("returns", &rental).send().await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "wrong-status"));
}

#[tokio::test]
async fn a_kiosk_lends_at_its_own_store_only_and_where_there_are_kiosks() {
    let library = Library::open().await;
    let rental = library.reserved(2126).await;
    let body = json!({ "rental": rental });
    let other = |address: &str, who: &str| library.house.post(address).by(who).json(&body).send();
    for (address, who) in [
        ("/v1/kiosks/library/2/check-outs", KIOSK),
        ("/v1/kiosks/library/01/check-outs", KIOSK),
        ("/v1/kiosks/seoul-cars/1/returns", KIOSK),
        ("/v1/kiosks/library/1/returns", "staff:library"),
        ("/v1/kiosks/library/1/returns", "kiosk:library/2"),
    ] {
        assert_eq!(other(address, who).await.status, 403, "{address} {who}");
    }
    let car = library.house.cars(1).await;
    let driven = library.house.confirmed(&car).await;
    for what in ["check-outs", "returns"] {
        let elsewhere = library.at_kiosk(what, &driven).send().await;
        assert_eq!((elsewhere.status.as_u16(), elsewhere.problem().as_str()), (404, "not-found"));
        let unknown = library.at_kiosk(what, &Uuid::nil().to_string()).send().await;
        assert_eq!(unknown.problem(), "not-found");
        assert_eq!(library.at_kiosk(what, "a book").send().await.problem(), "invalid");
    }
    let no_kiosk = library.house.post("/v1/kiosks/seoul-cars/1/check-outs").by("kiosk:seoul-cars/1");
    let no_kiosk = no_kiosk.json(&json!({ "rental": driven })).send().await;
    assert_eq!((no_kiosk.status.as_u16(), no_kiosk.problem().as_str()), (409, "no-kiosk"));
}

#[tokio::test]
async fn a_kiosk_lists_what_is_reserved_or_lent() {
    let library = Library::open().await;
    library.house.answering(tell);
    let (first, second) = (library.reserved(2126).await, library.reserved(2127).await);
    library.check_out(&first).await;
    let list = library.list("").await;
    assert_eq!(list.len(), 2);
    let line = json!({
        "rental": second, "item": library.item, "item_name": "Pachinko", "customer": "alice", "quantity": 1,
        "from": "2127-06-30T15:00:00Z", "to": "2127-07-14T15:00:00Z", "status": "confirmed", "status_label": "reserved"
    });
    assert_eq!(list[0], line);
    assert_eq!((&list[1]["rental"], &list[1]["status_label"]), (&json!(first), &json!("borrowed")));
    assert_eq!(library.list("?status=handed_over").await, list[1..]);
    library.at_kiosk("returns", &first).send().await;
    assert_eq!(library.list("?limit=1").await, list[..1]);
    assert!(library.list("?status=overdue").await.is_empty());
    let closed = library.house.get("/v1/kiosks/library/1/reservations?status=returned").by(KIOSK).send().await;
    assert_eq!(closed.problem(), "invalid");
    let nowhere = library.house.get("/v1/kiosks/nowhere/1/reservations").by("kiosk:nowhere/1").send().await;
    assert_eq!(nowhere.problem(), "not-found");
}
