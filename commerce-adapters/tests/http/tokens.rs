use crate::shop::{Someone, TestShop};
use axum::body::Body;
use axum::http::Method;
use commerce_adapters::http::{AuthMode, HttpOptions};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_refused_alike() {
    let shop = TestShop::open();
    shop.customer("kim").await;
    let wrong = shop.post("/api/auth/login", None, json!({"email": "kim@shop.example", "password": "not this"})).await;
    let unknown = shop.post("/api/auth/login", None, json!({"email": "lee@shop.example", "password": "not this"})).await;
    let short = shop.post("/api/auth/login", None, json!({"email": "kim@shop.example", "password": "x"})).await;
    wrong.refused(401, "BAD_CREDENTIALS");
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, short);
}

#[tokio::test]
async fn a_login_says_what_the_token_is_good_for() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let login = json!({"email": "KIM@shop.example", "password": crate::shop::PASSWORD});
    let data = shop.post("/api/auth/login", None, login).await.data();
    assert_eq!((&data["tokenType"], &data["expiresIn"], &data["userId"]), (&json!("Bearer"), &json!(86_400), &json!(kim.id)));
}

#[tokio::test]
async fn a_token_expires_after_a_day() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let path = format!("/api/users/{}/points", kim.id);
    shop.clock.advance(Duration::from_secs(86_399));
    assert_eq!(shop.get(&path, Some(&kim)).await.status, 200);
    shop.clock.advance(Duration::from_secs(1));
    let reply = shop.get(&path, Some(&kim)).await;
    reply.refused(401, "UNAUTHENTICATED");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused_but_public_routes_do_not_look() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let mut parts: Vec<_> = kim.token.split('.').collect();
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    parts[0] = unsigned;
    for token in [parts.join("."), format!("{}x", kim.token), "x".to_owned(), String::new()] {
        let forged = Someone { id: kim.id, token };
        shop.get(&format!("/api/users/{}/points", kim.id), Some(&forged)).await.refused(401, "UNAUTHENTICATED");
        assert_eq!(shop.get("/api/products", Some(&forged)).await.status, 200);
    }
    let basic = crate::shop::request(Method::GET, "/api/users/1/points", None).header("authorization", "Basic a2ltOmtpbQ==");
    shop.send(basic.body(Body::empty()).unwrap()).await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn with_checks_off_everybody_may_do_everything() {
    let shop = TestShop::with(HttpOptions::new(AuthMode::Off));
    let kim = shop.customer("kim").await;
    assert_eq!(shop.post(&format!("/api/users/{}/points", kim.id), None, json!({"chargePoint": 1_000})).await.data()["point"], 1_000);
    assert_eq!(shop.post("/api/products", None, crate::shop::product(1, 1)).await.status, 201);
}
