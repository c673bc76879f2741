//! The document and the router say the same.

use super::house::House;
use crate::table_of_contents;
use serde_json::Value;
use std::collections::BTreeSet;

/// Every route of the contract that is built so far.
const CONTRACT: &[(&str, &str)] = &[
    ("POST", "/v1/stores"),
    ("GET", "/v1/stores"),
    ("GET", "/v1/stores/{store}"),
    ("PATCH", "/v1/stores/{store}"),
    ("POST", "/v1/stores/{store}/open"),
    ("POST", "/v1/stores/{store}/close"),
    ("POST", "/v1/stores/{store}/items"),
    ("GET", "/v1/stores/{store}/items"),
    ("GET", "/v1/stores/{store}/dispatches"),
    ("GET", "/v1/items/{item}"),
    ("PATCH", "/v1/items/{item}"),
    ("DELETE", "/v1/items/{item}"),
    ("POST", "/v1/items/{item}/stock"),
    ("GET", "/v1/items/{item}/availability"),
    ("GET", "/v1/items/{item}/reviews"),
    ("POST", "/v1/rentals"),
    ("GET", "/v1/rentals/{rental}"),
    ("GET", "/v1/rentals/{rental}/history"),
    ("POST", "/v1/rentals/{rental}/cancel"),
    ("POST", "/v1/rentals/{rental}/extend"),
    ("POST", "/v1/rentals/{rental}/accept"),
    ("POST", "/v1/rentals/{rental}/decline"),
    ("GET", "/v1/items/{item}/waiting-list"),
    ("POST", "/v1/rentals/{rental}/prepare"),
    ("POST", "/v1/rentals/{rental}/hand-over"),
    ("POST", "/v1/rentals/{rental}/return"),
    ("POST", "/v1/rentals/{rental}/late-fee/pay"),
    ("POST", "/v1/rentals/{rental}/late-fee/waive"),
    ("POST", "/v1/rentals/{rental}/review"),
    ("PUT", "/v1/rentals/{rental}/review"),
    ("DELETE", "/v1/rentals/{rental}/review"),
    ("POST", "/v1/kiosks/{store}/{number}/check-outs"),
    ("POST", "/v1/kiosks/{store}/{number}/returns"),
    ("GET", "/v1/kiosks/{store}/{number}/reservations"),
    ("GET", "/v1/mypage"),
    ("GET", "/v1/mypage/reservations"),
    ("GET", "/v1/mypage/payments"),
    ("GET", "/v1/mypage/messages"),
    ("GET", "/v1/mypage/contact"),
    ("PUT", "/v1/mypage/contact"),
    ("DELETE", "/v1/mypage/contact"),
    ("POST", "/v1/webhooks/payments/{provider}"),
    ("POST", "/v1/stores/{store}/webhooks"),
    ("GET", "/v1/stores/{store}/webhooks"),
    ("DELETE", "/v1/stores/{store}/webhooks/{webhook}"),
    ("POST", "/v1/stores/{store}/webhooks/{webhook}/pause"),
    ("POST", "/v1/stores/{store}/webhooks/{webhook}/resume"),
    ("POST", "/v1/stores/{store}/webhooks/{webhook}/retry"),
    ("GET", "/v1/admin/events"),
    ("GET", "/v1/admin/payments"),
    ("GET", "/v1/admin/payments/contradictions"),
    ("GET", "/v1/admin/messages"),
    ("POST", "/v1/admin/messages/{message}/retry"),
    ("GET", "/v1/admin/subscriptions"),
    ("POST", "/v1/admin/subscriptions/{name}/pause"),
    ("POST", "/v1/admin/subscriptions/{name}/resume"),
    ("POST", "/v1/admin/subscriptions/{name}/rebuild"),
    ("POST", "/v1/admin/subscriptions/{name}/retry"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
];

fn documented() -> Value {
    serde_json::to_value(table_of_contents().into_openapi()).unwrap()
}

pub(super) fn documented_routes() -> BTreeSet<(String, String)> {
    let document = documented();
    let paths = document["paths"].as_object().unwrap();
    let operations = |(path, item): (&String, &Value)| {
        let methods: Vec<_> = item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(|method| (method, path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(operations).collect()
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let contract: BTreeSet<_> =
        CONTRACT.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(documented_routes(), contract);
}

#[test]
fn no_route_goes_around_the_document() {
    // `OpenApiRouter::routes` puts a handler into the router and into the document; these put it into the router only.
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut folders = vec![std::path::PathBuf::from(source)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests/routes.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for around in [".route(", ".route_service(", ".nest_service("] {
                    assert!(!text.contains(around), "{} in {}", around, path.display());
                }
            }
        }
    }
}

#[test]
fn the_document_is_openapi_3_1_and_every_reference_in_it_leads_somewhere() {
    let document = documented();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut left = vec![&document];
    let mut references = 0;
    while let Some(value) = left.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{reference}");
            references += 1;
        }
        left.extend(value.as_object().into_iter().flat_map(serde_json::Map::values));
        left.extend(value.as_array().into_iter().flatten());
    }
    assert!(references > 50);
}

#[tokio::test]
async fn the_router_takes_every_documented_route() {
    let house = House::open().await;
    for (method, path) in documented_routes() {
        let reply = house.request(&method, &path.replace(['{', '}'], "")).send().await;
        let routed = reply.status != 405 && !reply.body.contains("there is nothing at");
        assert!(routed, "{method} {path}: {reply:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let house = House::open().await;
    let nowhere = house.get("/v2/anything").send().await;
    assert_eq!((nowhere.status.as_u16(), nowhere.problem().as_str()), (404, "not-found"));
    let method = house.request("PUT", "/v1/stores").send().await;
    assert_eq!((method.status.as_u16(), method.problem().as_str()), (405, "method-not-allowed"));
    assert!(method.header("allow").contains("POST"), "{method:?}");
}

#[tokio::test]
async fn the_document_is_served() {
    let house = House::open().await;
    assert_eq!(house.get("/openapi.json").send().await.json(), documented());
}
