//! Reading one's own writes, and lists.

use super::house::House;
use crate::Settings;
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn who_writes_and_then_reads_sees_it() {
    let house = House::open().await;
    house.seoul().await;
    for number in 0..50 {
        let name = format!("Sign {number}");
        let body = json!({ "name": name });
        assert_eq!(house.patch("/v1/stores/seoul-cars").by("admin").json(&body).send().await.status, 200);
        assert_eq!(house.get("/v1/stores/seoul-cars").send().await.json()["name"], name.as_str());
    }
}

#[tokio::test]
async fn a_stopped_view_answers_with_what_it_has_and_refuses_what_it_has_not() {
    let house = House::open().await;
    let before = house.seoul().await.position();
    assert_eq!(house.get("/v1/stores/seoul-cars").send().await.position(), before);
    house.subscriptions.pause("view-stores").await.unwrap();
    let rename = house.patch("/v1/stores/seoul-cars").by("admin").json(&json!({ "name": "New" })).send().await;
    let stale = house.get("/v1/stores/seoul-cars").send().await;
    assert_eq!((stale.status.as_u16(), stale.position()), (200, before));
    assert_eq!(stale.json()["name"], "Seoul Cars");
    tokio::time::pause();
    let behind = house.get(&format!("/v1/stores/seoul-cars?at_least={}", rename.position())).send().await;
    assert_eq!((behind.status.as_u16(), behind.problem().as_str()), (503, "view-behind"));
    assert_eq!(behind.header("retry-after"), "1");
    assert_eq!(behind.json()["reached"], before);
    tokio::time::resume();
    house.subscriptions.resume("view-stores").await.unwrap();
    let fresh = house.get(&format!("/v1/stores/seoul-cars?at_least={}", rename.position())).send().await;
    assert_eq!(fresh.json()["name"], "New");
}

#[tokio::test]
async fn who_waits_for_what_is_yet_to_come_keeps_nobody_from_looking() {
    let house = House::with(Settings { queries_at_work: 1, ..Settings::default() }).await;
    let next = house.seoul().await.position() + 1;
    let (view, journal) = (format!("/v1/stores?at_least={next}"), format!("/v1/admin/events?at_least={next}"));
    let others = async {
        assert_eq!(house.get("/v1/stores/seoul-cars").send().await.status, 200);
        let rename = json!({ "name": "New" });
        assert_eq!(house.patch("/v1/stores/seoul-cars").by("admin").json(&rename).send().await.position(), next);
    };
    // In this order: who waits has come before.
    let (of_view, of_journal, ()) =
        tokio::join!(house.get(&view).send(), house.get(&journal).by("admin").send(), others);
    assert_eq!(of_view.json()["items"][0]["name"], "New");
    assert_eq!(of_journal.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_that_was_given_out_answers_while_the_view_is_stopped() {
    let house = House::open().await;
    let item = house.cars(1).await;
    house.subscriptions.pause("view-mypage").await.unwrap();
    let id = house.requested(&item).await;
    let reply = house.get(&format!("/v1/rentals/{id}")).by("customer:alice").send().await;
    assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (200, &json!("requested")));
}

#[tokio::test]
async fn a_list_is_walked_by_its_cursor() {
    let house = House::open().await;
    let item = house.cars(100).await;
    let mut expected = BTreeSet::new();
    for _ in 0..5 {
        expected.insert(house.requested(&item).await);
    }
    let mut seen = BTreeSet::new();
    let mut address = "/v1/mypage?limit=2".to_owned();
    for _ in 0..3 {
        let page = house.get(&address).by("customer:alice").send().await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => address = format!("/v1/mypage?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_a_query_cannot_mean_is_refused() {
    let house = House::open().await;
    house.seoul().await;
    for (query, status, slug) in [
        ("limit=0", 422, "invalid"),
        ("limit=101", 422, "invalid"),
        ("limit=many", 422, "invalid"),
        ("limit=1&limit=2", 422, "invalid"),
        ("at_least=soon", 422, "invalid"),
        ("colour=red", 422, "invalid"),
        ("as_of=1", 422, "invalid"),
        ("cursor=nonsense", 400, "bad-cursor"),
    ] {
        let reply = house.get(&format!("/v1/stores?{query}")).send().await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, slug), "{query}");
    }
    assert_eq!(house.get("/v1/stores?limit=100&at_least=1").send().await.status, 200);
}

#[tokio::test]
async fn the_journal_is_read_in_order_by_administrators() {
    let house = House::open().await;
    let item = house.cars(1).await;
    let first = house.get("/v1/admin/events?limit=1").by("admin").send().await.json();
    assert_eq!(first["items"][0]["type"], "StoreRegistered");
    assert_eq!(first["items"][0]["data"]["slug"], "seoul-cars");
    assert_eq!(first["items"][0]["actor"], "admin");
    let after = format!("/v1/admin/events?after={}", first["next"].as_str().unwrap());
    let second = house.get(&after).by("admin").send().await.json();
    assert_eq!(second["items"][0]["stream"], format!("item-{item}"));
    assert_eq!(second["next"], json!(null));
}

#[tokio::test]
async fn a_subscription_is_paused_resumed_and_rebuilt_by_name() {
    let house = House::open().await;
    house.seoul().await;
    // The view has the store: a rebuild goes as far as the view is.
    assert_eq!(house.get("/v1/stores/seoul-cars?at_least=1").send().await.status, 200);
    let turn = |how: &str| house.post(&format!("/v1/admin/subscriptions/view-stores/{how}")).by("admin").send();
    assert_eq!(turn("pause").await.json()["state"], "paused");
    assert_eq!(turn("resume").await.json()["state"], "running");
    let all = house.get("/v1/admin/subscriptions").by("admin").send().await.json();
    let stores = all["items"].as_array().unwrap().iter().find(|one| one["name"] == "view-stores").unwrap().clone();
    // One process owns everything, and has since it began.
    assert!(stores["owner"].as_str().unwrap().contains(&std::process::id().to_string()), "{stores}");
    assert!(stores["since"].is_string());
    assert_eq!((&stores["epoch"], &stores["until"], &stores["note"]), (&json!(0), &json!(null), &json!(null)));
    let rebuilt = turn("rebuild").await;
    assert_eq!((rebuilt.status.as_u16(), &rebuilt.json()["documents"]), (200, &json!(1)));
    assert_eq!(house.get("/v1/stores/seoul-cars").send().await.status, 200);
    for how in ["pause", "resume", "rebuild"] {
        let unknown = house.post(&format!("/v1/admin/subscriptions/no-such/{how}")).by("admin").send().await;
        assert_eq!(unknown.problem(), "not-found", "{how}");
    }
    let retry = house.post("/v1/admin/subscriptions/view-stores/retry").by("admin");
    assert_eq!(retry.json(&json!({ "sequence": "store-x" })).send().await.problem(), "not-found");
}
