use crate::shop::{TestShop, keyed, request};
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn a_client_that_asks_for_problems_gets_them() {
    let shop = TestShop::open();
    let get = request(Method::GET, "/api/products/9999", None).header("accept", "application/json, application/problem+json");
    let reply = shop.send(get.body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (403, Some("application/problem+json")));
    let expected = json!({
        "type": "urn:commerce:error:INACTIVE_PRODUCT", "title": "Inactive product", "status": 403, "detail": "Product 9999 does not exist.",
        "code": "INACTIVE_PRODUCT", "retryable": false,
    });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn a_success_stays_in_the_envelope() {
    let shop = TestShop::open();
    let get = request(Method::GET, "/api/products", None).header("accept", "application/problem+json").body(Body::empty()).unwrap();
    assert_eq!(shop.send(get).await.data(), json!({"items": []}));
}

#[tokio::test]
async fn a_refusal_is_replayed_in_the_form_that_is_asked_for() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    let order = shop.ordered(&kim, option, 1).await;
    let pay = json!({"orderId": order, "userId": kim.id, "type": "POINT"}).to_string();
    let as_problem = || {
        let mut request = keyed("/api/payments", Some(&kim), "k1", pay.clone());
        request.headers_mut().insert("accept", "application/problem+json".parse().unwrap());
        request
    };
    let first = shop.send(as_problem()).await;
    let second = shop.send(as_problem()).await;
    assert_eq!(first.json()["code"], "INSUFFICIENT_USER_POINT");
    assert_eq!((&second.body, second.header("idempotent-replayed")), (&first.body, Some("true")));
    shop.send(keyed("/api/payments", Some(&kim), "k1", pay)).await.refused(400, "INSUFFICIENT_USER_POINT");
}
