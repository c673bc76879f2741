//! OpenAPI, health and metrics.

use harness::{Shop, july};

/// What a car rental needs of the contract.
const ROUTES: &[(&str, &str)] = &[
    ("get", "/v1/stores"),
    ("post", "/v1/stores"),
    ("get", "/v1/stores/{}"),
    ("patch", "/v1/stores/{}"),
    ("post", "/v1/stores/{}/open"),
    ("post", "/v1/stores/{}/close"),
    ("get", "/v1/stores/{}/items"),
    ("post", "/v1/stores/{}/items"),
    ("get", "/v1/stores/{}/dispatches"),
    ("get", "/v1/items/{}"),
    ("patch", "/v1/items/{}"),
    ("delete", "/v1/items/{}"),
    ("post", "/v1/items/{}/stock"),
    ("get", "/v1/items/{}/availability"),
    ("post", "/v1/rentals"),
    ("get", "/v1/rentals/{}"),
    ("get", "/v1/rentals/{}/history"),
    ("post", "/v1/rentals/{}/cancel"),
    ("post", "/v1/rentals/{}/prepare"),
    ("post", "/v1/rentals/{}/hand-over"),
    ("post", "/v1/rentals/{}/return"),
    ("get", "/v1/mypage"),
    ("get", "/v1/mypage/reservations"),
    ("get", "/v1/mypage/payments"),
    ("get", "/v1/mypage/messages"),
    ("get", "/v1/admin/events"),
    ("get", "/v1/admin/subscriptions"),
    ("post", "/v1/admin/subscriptions/{}/pause"),
    ("post", "/v1/admin/subscriptions/{}/resume"),
    ("post", "/v1/admin/subscriptions/{}/rebuild"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
];

#[tokio::test]
async fn the_openapi_document_has_every_route_of_the_car_rental() {
    let shop = Shop::with_cars(1).await;
    let document = shop.get("/openapi.json").await.is(200);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let described: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|method| (method.clone(), anonymous(path))))
        .collect();
    for (method, path) in ROUTES {
        let route = (method.to_string(), path.to_string());
        assert!(described.contains(&route), "{method} {path} is not described");
    }
}

/// `/v1/items/{item}` as `/v1/items/{}`.
fn anonymous(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_described_route_is_there() {
    let shop = Shop::with_cars(1).await;
    let document = shop.get("/openapi.json").await.is(200);
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|method| *method != "parameters") {
            let (method, path) = (method.to_uppercase().parse().unwrap(), path.replace(['{', '}'], ""));
            let reply = shop.request(method, &path).await;
            // Nobody is let in without a token, and nothing is there of such names; but the route is.
            assert_ne!(reply.status, 405, "{path}: {}", reply.text);
            assert!(reply.status < 500, "{path}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn health_and_metrics_are_for_anyone() {
    let shop = Shop::with_cars(1).await;
    shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    shop.get("/health/live").await.is(200);
    shop.get("/health/ready").await.is(200);
    let metrics = shop.get("/metrics").await.is(200);
    for name in ["position", "lag", "parked"] {
        assert!(metrics.text.contains(name), "no {name} in\n{}", metrics.text);
    }
}
