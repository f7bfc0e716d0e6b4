use crate::shop::{Someone, TestShop, post, request};
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

/// Every route that takes a body, with one that fits.
fn bodies(user: i64) -> Vec<(String, Value)> {
    vec![
        ("/api/users".into(), json!({"name": "Lee", "email": "lee@shop.example", "password": "12345"})),
        ("/api/auth/login".into(), json!({"email": "kim@shop.example", "password": "12345"})),
        (format!("/api/users/{user}"), json!({"name": "Lee"})),
        (format!("/api/users/{user}/points"), json!({"chargePoint": 1_000})),
        ("/api/products".into(), crate::shop::product(1, 1)),
        ("/api/products/options/1/stock".into(), json!({"delta": 1, "reason": "count"})),
        ("/api/orders".into(), crate::shop::order(user, 1, 1)),
        ("/api/payments".into(), json!({"orderId": 1, "userId": user, "type": "POINT"})),
        (
            "/api/coupons".into(),
            json!({"name": "Summer", "couponType": "FIXED", "discountValue": 1, "initialStock": 1, "expireAt": "2027-01-01T00:00:00Z"}),
        ),
    ]
}

async fn refuse(shop: &TestShop, path: &str, who: &Someone, body: impl Into<Body>) {
    shop.send(post(path, Some(who), body)).await.refused(400, "INVALID_PARAMETER");
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_on_every_route() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    for (path, body) in bodies(admin.id) {
        let text = body.to_string();
        for (field, value) in body.as_object().unwrap() {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(field);
            shop.post(&path, Some(&admin), without).await.refused_field("INVALID_PARAMETER", field);
            for wrong in [Value::Null, json!(true), json!(1.5), json!({}), if value.is_string() { json!(1) } else { json!("1") }] {
                let mut other = body.clone();
                other[field] = wrong;
                shop.post(&path, Some(&admin), other).await.refused_field("INVALID_PARAMETER", field);
            }
            let twice = text.replacen('{', &format!("{{\"{field}\":{value},"), 1);
            refuse(&shop, &path, &admin, twice).await;
        }
        let mut unknown = body.clone();
        unknown["surprise"] = json!(1);
        shop.post(&path, Some(&admin), unknown).await.refused_field("INVALID_PARAMETER", "surprise");
        let values: Vec<_> = body.as_object().unwrap().values().cloned().collect();
        refuse(&shop, &path, &admin, Value::from(values).to_string()).await;
        refuse(&shop, &path, &admin, "").await;
        refuse(&shop, &path, &admin, "{").await;
        refuse(&shop, &path, &admin, format!("{text}x")).await;
        refuse(&shop, &path, &admin, format!("\u{feff}{text}")).await;
        refuse(&shop, &path, &admin, "[".repeat(60_000)).await;
        let mut broken = text.into_bytes();
        let quote = broken.iter().rposition(|byte| *byte == b'"').unwrap();
        broken.insert(quote, 0xff);
        refuse(&shop, &path, &admin, broken).await;
    }
    assert_eq!(shop.points(&admin).await, 0);
    assert_eq!(shop.get("/api/products", None).await.data(), json!({"items": []}));
    assert_eq!(shop.get("/api/coupons", None).await.data(), json!({"items": []}));
}

#[tokio::test]
async fn a_body_is_at_most_64_kib_and_json_by_its_content_type() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    for (path, body) in bodies(admin.id) {
        let fitting = format!("{}{}", " ".repeat(64 * 1024 - body.to_string().len()), body);
        assert!(fitting.len() == 64 * 1024);
        shop.send(post(&path, Some(&admin), format!(" {fitting}"))).await.refused(413, "PAYLOAD_TOO_LARGE");
        shop.send(post(&path, Some(&admin), vec![b' '; 4 << 20])).await.refused(413, "PAYLOAD_TOO_LARGE");
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            let request = request(Method::POST, &path, Some(&admin)).header("content-type", content_type);
            shop.send(request.body(body.to_string().into()).unwrap()).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let request = request(Method::POST, &path, Some(&admin)).header("content-type", "Application/JSON; charset=utf-8");
        let reply = shop.send(request.body(fitting.into()).unwrap()).await;
        assert_ne!((reply.status.as_u16() == 413, reply.status.as_u16() == 415), (true, true), "{reply:?}");
        assert!(!reply.status.is_server_error(), "{reply:?}");
    }
}

#[tokio::test]
async fn a_number_in_a_body_is_a_whole_one_of_64_bits() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let path = format!("/api/users/{}/points", kim.id);
    for number in ["1000.0", "1e3", "9223372036854775808", "-9223372036854775809", "1e999", "01000", "+1000", "NaN", "0x3e8"] {
        refuse(&shop, &path, &kim, format!(r#"{{"chargePoint":{number}}}"#)).await;
    }
    assert_eq!(shop.points(&kim).await, 0);
}

#[tokio::test]
async fn an_id_in_a_body_is_positive_and_fits_in_53_bits() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    for id in [0, -1, 9_007_199_254_740_992] {
        let pay = json!({"orderId": id, "userId": kim.id, "type": "POINT"});
        shop.post("/api/payments", Some(&kim), pay).await.refused_field("INVALID_PARAMETER", "orderId");
        let order = crate::shop::order(kim.id, id, 1);
        shop.post("/api/orders", Some(&kim), order).await.refused_field("INVALID_PARAMETER", "orderProductRequests[0].productOptionId");
    }
}

#[tokio::test]
async fn an_optional_field_may_be_null() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let mut order = crate::shop::order(kim.id, 1, 1);
    order["userCouponId"] = Value::Null;
    assert_eq!(shop.post("/api/orders", Some(&kim), order).await.status, 202);
}

#[tokio::test]
async fn an_id_in_a_path_that_is_none_is_refused() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    for id in ["0", "-1", "x", "1.5", "+1", "%2B1", "9007199254740992", "99999999999999999999", "%ff", "1%20", "null"] {
        for path in ["/api/users/", "/api/products/", "/api/orders/", "/api/payments/", "/api/coupons/"] {
            shop.get(&format!("{path}{id}"), Some(&admin)).await.refused(400, "INVALID_PARAMETER");
        }
    }
}

#[tokio::test]
async fn a_query_that_a_route_does_not_know_is_refused() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    for path in ["/api/products", "/api/coupons", "/api/users/1/orders", "/api/users/1/points/history"] {
        for query in
            ["limit=0", "limit=101", "limit=x", "limit=", "cursor=x", "cursor=", "page=1", "limit=1&limit=1", "%ff=1", "cursor=%zz"]
        {
            shop.get(&format!("{path}?{query}"), Some(&admin)).await.refused(400, "INVALID_PARAMETER");
        }
    }
    for path in ["/api/products/1", "/api/users/1", "/api/orders/1", "/api/products/rank/5"] {
        shop.get(&format!("{path}?x=1"), Some(&admin)).await.refused(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_told_apart() {
    let shop = TestShop::open();
    for path in ["/", "/api", "/api/user", "/api/users/1/2/3", "/api/products/"] {
        shop.get(path, None).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    let delete = request(Method::DELETE, "/api/users/1", None).body(Body::empty()).unwrap();
    let reply = shop.send(delete).await;
    reply.refused(405, "METHOD_NOT_ALLOWED");
    let allowed: Vec<_> = reply.header("allow").unwrap().split(',').map(str::trim).collect();
    assert!(allowed.contains(&"GET") && allowed.contains(&"POST"), "{allowed:?}");
    shop.get("/api/orders", None).await.refused(405, "METHOD_NOT_ALLOWED");
}
