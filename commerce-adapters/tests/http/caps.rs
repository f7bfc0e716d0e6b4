use crate::shop::{TestShop, bearer, order, patient, post};
use axum::body::{Body, Bytes};
use commerce_adapters::http::{HttpLimits, HttpOptions, router};
use commerce_core::user::{Password, PasswordError, PasswordHash, PasswordHasher};
use commerce_core::{Commerce, Parts, Settings};
use futures_util::{poll, stream};
use serde_json::json;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

#[tokio::test]
async fn what_is_too_much_is_refused_at_once_and_health_is_still_answered() {
    let limits = HttpLimits { requests_in_flight_max: 0, ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let reply = shop.get("/api/products", None).await;
    reply.refused(503, "OVERLOADED");
    assert_eq!(reply.header("retry-after"), Some("1"));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(shop.get(path, None).await.status, 200);
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let limits = HttpLimits { handler_deadline: Duration::from_millis(50), ..HttpLimits::default() };
    let mut shop = TestShop::open();
    let parts = Parts { passwords: Arc::new(StuckHasher), ..shop.commerce.parts().clone() };
    shop.router = router(Commerce::open(parts, Settings::default()), HttpOptions { limits, ..HttpOptions::new(bearer()) });
    // What it changes may be carried out yet: a 503 would say that nothing was.
    let reply = shop.post("/api/users", None, json!({"name": "kim", "email": "kim@shop.example", "password": "a long password"})).await;
    reply.refused(500, "INTERNAL_SERVER_ERROR");
    assert_eq!(reply.header("retry-after"), None);
}

#[tokio::test]
async fn who_waits_is_answered_before_the_request_is_given_up() {
    let limits = HttpLimits { handler_deadline: Duration::from_millis(1_200), ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let kim = shop.customer("kim").await;
    let reply = shop.send(patient(post("/api/orders", Some(&kim), order(kim.id, 1, 1).to_string()), "wait=30")).await;
    assert_eq!(reply.status, 202, "{:?}", reply.body);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let limits = HttpLimits { body_deadline: Duration::from_millis(50), ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    shop.send(post("/api/users", None, never)).await.refused(400, "INVALID_PARAMETER");
}

#[tokio::test]
async fn who_does_not_finish_a_body_keeps_nobody_out() {
    let limits = HttpLimits { requests_in_flight_max: 1, ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let kim = shop.customer("kim").await;
    let (finish, rest) = oneshot::channel();
    let unfinished = Body::from_stream(stream::once(async { rest.await.map_err(std::io::Error::other) }));
    let mut registering = pin!(shop.send(post("/api/users", None, unfinished)));
    assert!(poll!(&mut registering).is_pending());
    assert_eq!(shop.get("/api/products", None).await.status, 200);

    // Once the body is there it is no more welcome than a new request.
    let mut waiting = pin!(shop.send(patient(post("/api/orders", Some(&kim), order(kim.id, 1, 1).to_string()), "wait=30")));
    assert!(poll!(&mut waiting).is_pending());
    finish.send(Bytes::from_static(b"{}")).unwrap();
    registering.await.refused(503, "OVERLOADED");
}

#[tokio::test]
async fn once_the_shop_is_shut_changes_are_refused_without_a_stack_trace() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    shop.commerce.shutdown().await;
    let reply = shop.post(&format!("/api/users/{}/points", kim.id), Some(&kim), json!({"chargePoint": 1_000})).await;
    reply.refused(503, "OVERLOADED");
}

/// A hasher that is never done.
struct StuckHasher;

#[async_trait::async_trait]
impl PasswordHasher for StuckHasher {
    async fn hash(&self, _: &Password) -> Result<PasswordHash, PasswordError> {
        std::future::pending().await
    }

    async fn verify(&self, _: &Password, _: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        std::future::pending().await
    }
}

/// A hasher with a defect.
struct PanickingHasher;

#[async_trait::async_trait]
impl PasswordHasher for PanickingHasher {
    async fn hash(&self, _: &Password) -> Result<PasswordHash, PasswordError> {
        panic!("a defect with a secret in its message")
    }

    async fn verify(&self, _: &Password, _: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        panic!("a defect with a secret in its message")
    }
}

#[tokio::test]
async fn a_panic_is_answered_without_its_message() {
    let mut shop = TestShop::open();
    let parts = Parts { passwords: Arc::new(PanickingHasher), ..shop.commerce.parts().clone() };
    shop.router = router(Commerce::open(parts, Settings::default()), HttpOptions::new(bearer()));
    let reply = shop.post("/api/auth/login", None, json!({"email": "kim@shop.example", "password": "12345"})).await;
    reply.refused(500, "INTERNAL_SERVER_ERROR");
    assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
    assert_eq!(shop.get("/api/products", None).await.status, 200);
}
