use crate::shop::{TestShop, bearer, request};
use axum::body::Body;
use axum::http::Method;
use commerce_adapters::http::{AuthMode, HttpOptions, OpsRoutes, ops_router};
use serde_json::{Value, json};
use tower::ServiceExt;

#[tokio::test]
async fn every_operation_of_the_document_exists() {
    let shop = TestShop::open();
    let document = shop.get("/openapi.json", None).await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let (head, tail) = path.split_once('{').map_or((path.as_str(), ""), |(head, rest)| (head, rest.split_once('}').unwrap().1));
        let concrete = if head == path { path.clone() } else { format!("{head}0{tail}") };
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let reply = shop.send(request(method.clone(), &concrete, None).body(Body::empty()).unwrap()).await;
            let metrics = path == "/metrics";
            assert!(metrics || (reply.status != 404 && reply.status != 405), "{method} {path}: {reply:?}");
            operations += 1;
        }
    }
    assert_eq!(operations, 28);
}

#[tokio::test]
async fn every_schema_that_is_referred_to_is_there() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = TestShop::open().get("/openapi.json", None).await.json();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn an_event_of_a_stream_is_described_as_it_is_sent() {
    let document = TestShop::open().get("/openapi.json", None).await.json();
    for (path, event, data) in [
        ("/api/coupons/publish/status/{taskId}", "coupon-status", "CouponStatusData"),
        ("/api/orders/{orderId}/events", "order-status", "OrderStatusData"),
    ] {
        let schema = &document["paths"][path]["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"];
        assert_eq!(schema["required"], json!(["id", "event", "data"]), "{schema}");
        assert_eq!(schema["properties"]["event"]["enum"], json!([event]));
        let data = json!({ "$ref": format!("#/components/schemas/{data}") });
        assert_eq!(schema["properties"]["data"], json!({"type": "string", "contentMediaType": "application/json", "contentSchema": data}));
    }
}

#[tokio::test]
async fn a_token_is_asked_for_only_where_callers_are_checked() {
    for (auth, asked) in [(bearer(), true), (AuthMode::Off, false)] {
        let document = TestShop::with(HttpOptions::new(auth)).get("/openapi.json", None).await.json();
        let charge = &document["paths"]["/api/users/{userId}/points"]["post"];
        assert_eq!((charge["security"].is_array(), charge["responses"]["401"].is_object()), (asked, asked), "{charge}");
        let login = &document["paths"]["/api/auth/login"]["post"];
        assert_eq!((login["security"].is_array(), login["responses"]["401"].is_object()), (false, true), "{login}");
    }
}

#[tokio::test]
async fn the_swagger_ui_comes_from_the_binary() {
    let shop = TestShop::open();
    let index = shop.get("/docs/", None).await;
    assert!(index.status.is_success() && String::from_utf8_lossy(&index.body).contains("swagger-ui"), "{index:?}");
}

#[tokio::test]
async fn health_and_readiness_are_answered_on_either_port() {
    let shop = TestShop::open();
    assert_eq!(shop.get("/healthz", None).await.status, 200);
    let ready = shop.get("/readyz", None).await;
    assert_eq!((ready.status.as_u16(), &ready.body[..]), (200, &b"store: up\nserver: up\n"[..]));
    shop.stop.cancel();
    let ready = shop.get("/readyz", None).await;
    assert_eq!((ready.status.as_u16(), &ready.body[..]), (503, &b"store: up\nserver: shutting down\n"[..]));

    let options = HttpOptions { ops_routes: OpsRoutes::OwnPort, ..HttpOptions::new(bearer()) };
    let ops = ops_router(&shop.commerce, &options);
    let apart = TestShop::with(options);
    assert_eq!(apart.get("/healthz", None).await.status, 404);
    let reply = ops.oneshot(request(Method::GET, "/healthz", None).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(reply.status(), 200);
}
