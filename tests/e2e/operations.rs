//! What operators and tools read: health, metrics, the description of the API.

use crate::shop::Shop;
use serde_json::{Value, json};
use std::net::TcpListener;

cases! {
    EVERYWHERE:
        health_metrics_and_docs_answer_without_a_token,
        every_route_is_described,
        products_can_be_searched_and_stock_be_adjusted,
    ;
    ON_ONE_FILE:
        operators_can_have_a_port_of_their_own,
}

/// Every route there is, as the description names it; the names of path parameters do not matter.
const ROUTES: &[(&str, &[&str])] = &[
    ("/api/users", &["post"]),
    ("/api/auth/login", &["post"]),
    ("/api/users/{}", &["get", "post"]),
    ("/api/users/{}/points", &["get", "post"]),
    ("/api/users/{}/points/history", &["get"]),
    ("/api/users/{}/orders", &["get"]),
    ("/api/products", &["get", "post"]),
    ("/api/products/{}", &["get"]),
    ("/api/products/rank/{}", &["get"]),
    ("/api/products/options/{}/stock", &["post"]),
    ("/api/orders", &["post"]),
    ("/api/orders/{}", &["get"]),
    ("/api/orders/{}/events", &["get"]),
    ("/api/orders/{}/cancel", &["post"]),
    ("/api/payments", &["post"]),
    ("/api/payments/{}", &["get"]),
    ("/api/payments/{}/refund", &["post"]),
    ("/api/coupons", &["get", "post"]),
    ("/api/coupons/{}", &["get"]),
    ("/api/coupons/publish", &["post"]),
    ("/api/coupons/publish/status/{}", &["get"]),
];

fn without_names(path: &str) -> String {
    let blank = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}

async fn health_metrics_and_docs_answer_without_a_token() {
    let shop = Shop::start(&[]).await;
    let mut client = shop.client();
    client.read("/api/products").await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs/"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status(), answer.body.is_empty()), (200, false), "{path}");
    }
    assert!(matches!(client.get("/docs").await.status(), 200 | 301..=308));
    let metrics = client.get("/metrics").await;
    assert!(metrics.head.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    let samples = metrics.text();
    assert!(samples.lines().any(|line| line.starts_with("# TYPE") && line.contains("http")), "{samples}");
    shop.closes_clean().await;
}

async fn every_route_is_described() {
    let shop = Shop::open().await;
    let description = shop.client().get("/openapi.json").await.json();
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let paths = description["paths"].as_object().expect("paths");
    for (route, methods) in ROUTES {
        let described = paths.iter().find(|(path, _)| without_names(path) == *route).map(|(_, item)| item);
        for method in *methods {
            assert!(described.is_some_and(|item| item.get(method).is_some()), "{method} {route} is not described");
        }
    }
    let operations = paths.values().filter_map(Value::as_object).flatten();
    for (_, operation) in operations.filter(|(method, _)| *method == "get" || *method == "post") {
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{operation}");
    }
    shop.closes_clean().await;
}

async fn operators_can_have_a_port_of_their_own() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let option: &'static str = free.to_string().leak();
    let shop = Shop::start(&["--auth", "off", "--ops-listen", option]).await;
    let mut operator = crate::client::Client::to(free);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(operator.get(path).await.status(), 200, "{path}");
        shop.client().get(path).await.is_refused(404, "RESOURCE_NOT_FOUND");
    }
    operator.get("/api/products").await.is_refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(shop.client().get("/openapi.json").await.status(), 200);
    shop.closes_clean().await;
}

async fn products_can_be_searched_and_stock_be_adjusted() {
    let shop = Shop::demo().await;
    let mut client = shop.client();
    let shoes = client.read("/api/products?category=SHOES&limit=100").await["items"].take();
    let shoes = shoes.as_array().expect("a list");
    assert!(!shoes.is_empty() && shoes.iter().all(|product| product["productCategory"] == "SHOES"));
    let name = shoes[0]["productName"].as_str().expect("a name");
    let found = client.read(&format!("/api/products?q={}", name.replace(' ', "%20"))).await["items"].take();
    assert!(found.as_array().is_some_and(|found| found.contains(&shoes[0])), "{found}");
    for nothing in ["%25", "_", "%27%20OR%201=1"] {
        assert_eq!(client.read(&format!("/api/products?q={nothing}")).await["items"], json!([]), "{nothing} is taken literally");
    }
    let option = &shoes[0]["productOptions"][0];
    let path = format!("/api/products/options/{}/stock", option["productOptionId"]);
    let adjusted = client.post(&path, &json!({ "delta": 7, "reason": "a delivery" })).await.ok();
    assert_eq!(adjusted["stock"].as_i64(), option["stock"].as_i64().map(|stock| stock + 7));
    shop.closes_clean().await;
}
