//! Every route and every kind of caller, from one table.

use super::house::{House, car, seoul_cars, summer};
use super::routes::documented_routes;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CALLERS: [&str; 7] = [
    "nobody",
    "customer:alice",
    "customer:mallory",
    "staff:seoul-cars",
    "staff:busan-cars",
    "kiosk:seoul-cars/1",
    "admin",
];

/// What stands for each of [`CALLERS`]: `.` let in; a number is the status of the refusal.
type Row = (&'static str, &'static str, [u16; 7]);

/// Let in: whatever the answer is, it is none of the refusals.
const IN: u16 = 0;
const ANYBODY: [u16; 7] = [IN; 7];
const ADMIN: [u16; 7] = [401, 403, 403, 403, 403, 403, IN];
const STAFF: [u16; 7] = [401, 403, 403, IN, 403, 403, 403];
const CUSTOMER: [u16; 7] = [401, IN, IN, 403, 403, 403, 403];
const STORE_KEEPERS: [u16; 7] = [401, 403, 403, IN, 403, 403, IN];
const STAFF_OF_RENTAL: [u16; 7] = [401, 403, 403, IN, 404, 403, 403];
const CUSTOMER_OF_RENTAL: [u16; 7] = [401, IN, 404, 403, 403, 403, 403];
const KIOSK: [u16; 7] = [401, 403, 403, 403, 403, IN, 403];
const READERS: [u16; 7] = [401, IN, 404, IN, 404, 403, IN];

const TABLE: &[Row] = &[
    ("POST", "/v1/stores", ADMIN),
    ("GET", "/v1/stores", ANYBODY),
    ("GET", "/v1/stores/{store}", ANYBODY),
    ("PATCH", "/v1/stores/{store}", STORE_KEEPERS),
    ("POST", "/v1/stores/{store}/open", STORE_KEEPERS),
    ("POST", "/v1/stores/{store}/close", STORE_KEEPERS),
    ("POST", "/v1/stores/{store}/items", STAFF),
    ("GET", "/v1/stores/{store}/items", ANYBODY),
    ("GET", "/v1/stores/{store}/dispatches", STAFF),
    ("GET", "/v1/items/{item}", ANYBODY),
    ("PATCH", "/v1/items/{item}", STAFF),
    ("DELETE", "/v1/items/{item}", STAFF),
    ("POST", "/v1/items/{item}/stock", STAFF),
    ("GET", "/v1/items/{item}/availability", ANYBODY),
    ("GET", "/v1/items/{item}/reviews", ANYBODY),
    ("POST", "/v1/rentals", CUSTOMER),
    ("GET", "/v1/rentals/{rental}", READERS),
    ("GET", "/v1/rentals/{rental}/history", READERS),
    ("POST", "/v1/rentals/{rental}/cancel", [401, IN, 404, IN, 404, 403, 403]),
    ("POST", "/v1/rentals/{rental}/extend", CUSTOMER_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/accept", CUSTOMER_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/decline", CUSTOMER_OF_RENTAL),
    ("GET", "/v1/items/{item}/waiting-list", [401, IN, IN, IN, IN, IN, IN]),
    ("POST", "/v1/rentals/{rental}/prepare", STAFF_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/hand-over", STAFF_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/return", STAFF_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/late-fee/pay", CUSTOMER_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/late-fee/waive", STAFF_OF_RENTAL),
    ("POST", "/v1/rentals/{rental}/review", CUSTOMER_OF_RENTAL),
    ("PUT", "/v1/rentals/{rental}/review", CUSTOMER_OF_RENTAL),
    ("DELETE", "/v1/rentals/{rental}/review", CUSTOMER_OF_RENTAL),
    ("POST", "/v1/kiosks/{store}/{number}/check-outs", KIOSK),
    ("POST", "/v1/kiosks/{store}/{number}/returns", KIOSK),
    ("GET", "/v1/kiosks/{store}/{number}/reservations", KIOSK),
    ("GET", "/v1/mypage", CUSTOMER),
    ("GET", "/v1/mypage/reservations", CUSTOMER),
    ("GET", "/v1/mypage/payments", CUSTOMER),
    ("GET", "/v1/mypage/messages", CUSTOMER),
    ("POST", "/v1/stores/{store}/webhooks", STAFF),
    ("GET", "/v1/stores/{store}/webhooks", STAFF),
    ("DELETE", "/v1/stores/{store}/webhooks/{webhook}", STAFF),
    ("POST", "/v1/stores/{store}/webhooks/{webhook}/pause", STAFF),
    ("POST", "/v1/stores/{store}/webhooks/{webhook}/resume", STAFF),
    ("POST", "/v1/stores/{store}/webhooks/{webhook}/retry", STAFF),
    ("PUT", "/v1/mypage/contact", CUSTOMER),
    ("GET", "/v1/mypage/contact", CUSTOMER),
    ("DELETE", "/v1/mypage/contact", CUSTOMER),
    ("POST", "/v1/webhooks/payments/{provider}", ANYBODY),
    ("GET", "/v1/admin/events", ADMIN),
    ("GET", "/v1/admin/payments", ADMIN),
    ("GET", "/v1/admin/payments/contradictions", ADMIN),
    ("GET", "/v1/admin/messages", ADMIN),
    ("POST", "/v1/admin/messages/{message}/retry", ADMIN),
    ("GET", "/v1/admin/subscriptions", ADMIN),
    ("POST", "/v1/admin/subscriptions/{name}/pause", ADMIN),
    ("POST", "/v1/admin/subscriptions/{name}/resume", ADMIN),
    ("POST", "/v1/admin/subscriptions/{name}/rebuild", ADMIN),
    ("POST", "/v1/admin/subscriptions/{name}/retry", ADMIN),
    ("GET", "/health/live", ANYBODY),
    ("GET", "/health/ready", ANYBODY),
    ("GET", "/metrics", ANYBODY),
    ("GET", "/openapi.json", ANYBODY),
];

fn body(path: &str, item: &str, rental: &str) -> Option<Value> {
    Some(match path {
        "/v1/stores" => seoul_cars(),
        "/v1/stores/{store}" => json!({ "name": "Seoul Cars" }),
        "/v1/stores/{store}/items" => car(1),
        "/v1/items/{item}" => json!({ "name": "Compact" }),
        "/v1/items/{item}/stock" => json!({ "change": 1 }),
        "/v1/rentals" => summer(item),
        "/v1/stores/{store}/webhooks" => json!({ "url": "https://told.example.org/" }),
        "/v1/mypage/contact" => json!({ "email": "alice@example.org" }),
        "/v1/rentals/{rental}/review" => json!({ "stars": 5 }),
        "/v1/kiosks/{store}/{number}/check-outs" | "/v1/kiosks/{store}/{number}/returns" => json!({ "rental": rental }),
        "/v1/rentals/{rental}/extend" => json!({ "to": "2027-07-06" }),
        "/v1/rentals/{rental}/late-fee/pay" => json!({ "payment_method": "pm_ok" }),
        _ => return None,
    })
}

#[test]
fn the_table_has_every_route() {
    let table: BTreeSet<_> = TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(table, documented_routes());
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let house = House::open().await;
    let item = house.cars(5).await;
    let mut busan = seoul_cars();
    busan["slug"] = "busan-cars".into();
    assert_eq!(house.post("/v1/stores").by("admin").json(&busan).send().await.status, 201);
    let rental = house.confirmed(&item).await;
    for (method, path, expected) in TABLE {
        let address = path
            .replace("{store}", "seoul-cars")
            .replace("{item}", &item)
            .replace("{rental}", &rental)
            .replace("{number}", "1")
            .replace("{message}", "00000000-0000-0000-0000-000000000000")
            .replace("{webhook}", "00000000-0000-0000-0000-000000000000")
            .replace("{name}", "no-such-view");
        for (who, expected) in CALLERS.iter().zip(expected) {
            let mut ask = house.request(method, &address).header("prefer", "respond-async");
            if *who != "nobody" {
                ask = ask.by(who);
            }
            if let Some(body) = body(path, &item, &rental).filter(|_| *method != "GET" && *method != "DELETE") {
                ask = ask.json(&body);
            }
            let reply = ask.send().await;
            if *expected == IN {
                assert!(!matches!(reply.status.as_u16(), 401 | 403), "{who} {method} {path}: {reply:?}");
                let is_made_up = ["{name}", "{message}", "{webhook}"].iter().any(|name| path.contains(name));
                let hidden = reply.status == 404 && !is_made_up;
                assert!(!hidden, "{who} {method} {path}: {reply:?}");
            } else {
                assert_eq!(reply.status, *expected, "{who} {method} {path}: {reply:?}");
                reply.problem();
            }
        }
    }
}

#[tokio::test]
async fn who_is_not_known_is_told_how_to_be() {
    let house = House::open().await;
    let missing = house.get("/v1/mypage").send().await;
    assert_eq!((missing.status.as_u16(), missing.problem().as_str()), (401, "unauthenticated"));
    assert_eq!(missing.header("www-authenticate"), r#"Bearer realm="reservoir""#);
    let forged = house.get("/v1/mypage").header("authorization", "Bearer e30.e30.e30").send().await;
    assert_eq!(forged.status, 401);
    assert!(forged.header("www-authenticate").contains("invalid_token"));
    assert_eq!(house.get("/v1/mypage").header("authorization", "Basic YTpi").send().await.status, 401);
}

#[tokio::test]
async fn a_customer_sees_only_what_is_theirs() {
    let house = House::open().await;
    let item = house.cars(5).await;
    let rental = house.confirmed(&item).await;
    let own = house.get("/v1/mypage").by("customer:alice").send().await.json();
    assert_eq!(own["items"][0]["id"], rental);
    let others = house.get("/v1/mypage").by("customer:mallory").send().await.json();
    assert_eq!(others, json!({ "items": [], "next": null }));
}
