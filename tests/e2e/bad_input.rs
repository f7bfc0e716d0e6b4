//! Requests that cannot be: each is refused with a sentence that says what was wrong, and nothing changes.

use crate::buyer::Buyer;
use crate::client::{Answer, Client};
use crate::shop::{Shop, Ware};
use serde_json::{Map, Value, json};

cases! {
    EVERYWHERE:
        a_field_that_is_missing_unknown_or_of_another_type_is_named,
        a_body_that_is_not_the_expected_json_is_refused,
        a_body_that_is_too_large_or_of_another_media_type_is_refused,
        a_body_of_just_the_largest_size_is_taken,
        an_idempotency_key_that_cannot_be_is_refused,
        what_does_not_exist_and_ids_that_cannot_be_are_told_apart,
        paths_and_methods_that_do_not_exist_are_refused,
        a_client_that_asks_for_problem_details_gets_them,
}

const JSON: (&str, &str) = ("content-type", "application/json");
const BODY_BYTES_MAX: usize = 64 * 1_024;

/// A shop with one customer who has something of everything.
struct Stage {
    shop: Shop,
    ware: Ware,
    buyer: Buyer,
    order: i64,
    coupon: i64,
}

impl Stage {
    async fn set() -> Self {
        let shop = Shop::open().await;
        let ware = shop.ware(2_000, 50).await;
        let mut buyer = shop.customer("bystander").await;
        buyer.charge(10_000).await;
        let order = buyer.payable_order(ware, 1).await;
        let coupon = shop.coupon(5).await;
        Self { shop, ware, buyer, order, coupon }
    }

    /// Every route that takes a body, with a body that would do.
    fn bodies(&self) -> Vec<(String, Value)> {
        let (user, option) = (self.buyer.user, self.ware.option);
        let product_option = json!({ "name": "one size", "price": 1_000, "stock": 5 });
        vec![
            ("/api/users".into(), json!({ "name": "new one", "email": "new@shop.example", "password": "a long password" })),
            ("/api/auth/login".into(), json!({ "email": "bystander@shop.example", "password": "a long password" })),
            (format!("/api/users/{user}"), json!({ "name": "renamed" })),
            (format!("/api/users/{user}/points"), json!({ "chargePoint": 5_000 })),
            (
                "/api/products".into(),
                json!({ "name": "Shoe", "category": "SHOES", "description": "A pair of shoes.", "options": [product_option] }),
            ),
            (format!("/api/products/options/{option}/stock"), json!({ "delta": 5, "reason": "a delivery" })),
            ("/api/orders".into(), self.buyer.order_of(self.ware, 1)),
            ("/api/payments".into(), json!({ "orderId": self.order, "userId": user, "type": "POINT" })),
            (
                "/api/coupons".into(),
                json!({ "name": "a coupon", "couponType": "FIXED", "discountValue": 500, "initialStock": 5, "expireAt": "2099-01-01T00:00:00Z" }),
            ),
            ("/api/coupons/publish".into(), json!({ "userId": user, "couponId": self.coupon })),
        ]
    }

    /// Everything that a request could have changed.
    async fn everything(&mut self) -> Vec<Value> {
        let user = format!("/api/users/{}", self.buyer.user);
        let paths = [user.clone(), format!("{user}/points"), format!("{user}/points/history"), format!("{user}/orders")];
        let lists = ["/api/products".to_owned(), "/api/coupons".to_owned(), format!("/api/coupons/{}", self.buyer.user)];
        let mut all = Vec::new();
        for path in paths.iter().chain(&lists) {
            all.push(self.buyer.client.read(path).await);
        }
        all
    }
}

/// Values that are not of the type of `value`.
fn of_other_types(value: &Value) -> Vec<Value> {
    let others =
        [json!(null), json!(true), json!(1), json!("text"), json!([]), json!({}), json!(1.5), json!("1"), json!([1]), json!(1e300)];
    let wrong = |other: &Value| match value {
        Value::String(_) => !other.is_string(),
        Value::Number(_) => !other.is_i64(),
        Value::Array(_) => !other.is_array() || *other == json!([1]),
        _ => true,
    };
    others.into_iter().filter(wrong).collect()
}

/// The objects that differ from `valid` by one field that is missing or of another type, each with the name of that field.
fn one_field_off(valid: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut bodies = Vec::new();
    for (field, value) in valid {
        let mut without = valid.clone();
        without.remove(field);
        bodies.push((field.clone(), Value::Object(without)));
        for other in of_other_types(value) {
            let mut changed = valid.clone();
            changed.insert(field.clone(), other);
            bodies.push((field.clone(), Value::Object(changed)));
        }
        // What is wrong inside a list of objects is wrong, too.
        if let Some(inner) = value.get(0).and_then(Value::as_object) {
            for (field_inside, line) in one_field_off(inner) {
                let mut changed = valid.clone();
                changed.insert(field.clone(), json!([line]));
                bodies.push((field_inside, Value::Object(changed)));
            }
        }
    }
    let mut more = valid.clone();
    more.insert("surplus".into(), json!(1));
    bodies.push(("surplus".into(), Value::Object(more)));
    bodies
}

/// Checks that a shape is refused as such.
#[track_caller]
fn is_bad_shape(answer: &Answer) {
    assert_eq!(answer.status(), 400, "{answer}");
    assert!(answer.code().starts_with("INVALID_"), "{answer}");
}

async fn a_field_that_is_missing_unknown_or_of_another_type_is_named() {
    let mut stage = Stage::set().await;
    let before = stage.everything().await;
    for (path, valid) in stage.bodies() {
        for (field, body) in one_field_off(valid.as_object().expect("an object")) {
            let answer = stage.buyer.client.post(&path, &body).await;
            is_bad_shape(&answer);
            assert!(answer.text().contains(&field), "{field} is not named: {answer}");
        }
    }
    assert_eq!(stage.everything().await, before);
    stage.shop.closes_clean().await;
}

async fn a_body_that_is_not_the_expected_json_is_refused() {
    let mut stage = Stage::set().await;
    let before = stage.everything().await;
    for (path, valid) in stage.bodies() {
        let text = valid.to_string();
        let (field, value) = valid.as_object().and_then(|it| it.iter().next()).expect("a field");
        let twice = format!("{{\"{field}\":{value},{}", &text[1..]);
        let broken_text: Vec<u8> = text.bytes().map(|byte| if byte == b'e' { 0xff } else { byte }).collect();
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let cut = &text[..text.len() - 1];
        let trailing = format!("{text} x");
        let two = format!("{text}{text}");
        let bodies: [&[u8]; 13] = [
            b"",
            b" ",
            b"null",
            b"[]",
            b"{}",
            b"1",
            b"\"text\"",
            b"\xff\xfe",
            cut.as_bytes(),
            trailing.as_bytes(),
            two.as_bytes(),
            twice.as_bytes(),
            deep.as_bytes(),
        ];
        for body in bodies.into_iter().chain([broken_text.as_slice()]) {
            is_bad_shape(&stage.buyer.client.send("POST", &path, &[JSON], body).await);
        }
    }
    assert_eq!(stage.everything().await, before);
    stage.shop.closes_clean().await;
}

async fn a_body_that_is_too_large_or_of_another_media_type_is_refused() {
    let mut stage = Stage::set().await;
    let before = stage.everything().await;
    for (path, valid) in stage.bodies() {
        let text = valid.to_string();
        for length in [BODY_BYTES_MAX + 1, 3 * 1_024 * 1_024] {
            let padded = format!("{text}{}", " ".repeat(length - text.len()));
            let answer = stage.buyer.client.send("POST", &path, &[JSON], padded.as_bytes()).await;
            answer.is_refused(413, "PAYLOAD_TOO_LARGE");
        }
        let kinds: [&[(&str, &str)]; 4] = [
            &[],
            &[("content-type", "text/plain")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "nonsense")],
        ];
        for headers in kinds {
            let answer = stage.buyer.client.send("POST", &path, headers, text.as_bytes()).await;
            answer.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    assert_eq!(stage.everything().await, before);
    stage.shop.closes_clean().await;
}

async fn a_body_of_just_the_largest_size_is_taken() {
    let mut stage = Stage::set().await;
    let text = json!({ "chargePoint": 5_000 }).to_string();
    let padded = format!("{text}{}", " ".repeat(BODY_BYTES_MAX - text.len()));
    let path = format!("/api/users/{}/points", stage.buyer.user);
    stage.buyer.client.send("POST", &path, &[("content-type", "application/json; charset=utf-8")], padded.as_bytes()).await.ok();
    stage.shop.closes_clean().await;
}

async fn an_idempotency_key_that_cannot_be_is_refused() {
    let mut stage = Stage::set().await;
    let before = stage.everything().await;
    let path = format!("/api/users/{}/points", stage.buyer.user);
    let body = json!({ "chargePoint": 5_000 });
    for key in ["", "schlüssel", &"k".repeat(256)] {
        let answer = stage.buyer.client.post_with(&path, &body, &[("idempotency-key", key)]).await;
        answer.is_refused(400, "INVALID_PARAMETER");
    }
    assert_eq!(stage.everything().await, before);
    stage.shop.closes_clean().await;
}

async fn refusals(client: &mut Client, method: &str, cases: &[(String, u16, &str)]) {
    for (path, status, code) in cases {
        client.send(method, path, &[], b"").await.is_refused(*status, code);
    }
}

async fn what_does_not_exist_and_ids_that_cannot_be_are_told_apart() {
    let mut stage = Stage::set().await;
    let before = stage.everything().await;
    let (reads, posts) = (
        [
            "users/#",
            "users/#/points",
            "users/#/points/history",
            "users/#/orders",
            "products/#",
            "orders/#",
            "orders/#/events",
            "payments/#",
            "coupons/#",
            "coupons/publish/status/#",
        ],
        ["orders/#/cancel", "payments/#/refund"],
    );
    let methods = reads.iter().map(|path| ("GET", *path)).chain(posts.iter().map(|path| ("POST", *path)));
    for (method, path) in methods {
        let at = |id: &str| format!("/api/{}", path.replace('#', id));
        let (status, code) = match path.split('/').next() {
            _ if path == "coupons/#" => (403, "INACTIVE_USER"),
            Some("users") => (403, "INACTIVE_USER"),
            Some("products") => (403, "INACTIVE_PRODUCT"),
            _ => (404, "RESOURCE_NOT_FOUND"),
        };
        let unknown = ["424242", "9007199254740991"].map(|id| (at(id), status, code));
        refusals(&mut stage.buyer.client, method, &unknown).await;
        let impossible = ["0", "-1", "abc", "1.5", "1e3", "9007199254740992", "99999999999999999999", "%20", "%ff", "'"];
        refusals(&mut stage.buyer.client, method, &impossible.map(|id| (at(id), 400, "INVALID_PARAMETER"))).await;
    }
    assert_eq!(stage.everything().await, before);
    stage.shop.closes_clean().await;
}

async fn paths_and_methods_that_do_not_exist_are_refused() {
    let mut stage = Stage::set().await;
    let before = stage.everything().await;
    let unknown =
        ["/", "/api", "/api/", "/api/nothing", "/api/orders/1/nothing", "/API/products", "/api/products/1/2/3", "/api/%2e%2e/healthz"];
    for method in ["GET", "POST", "DELETE"] {
        refusals(&mut stage.buyer.client, method, &unknown.map(|path| (path.to_owned(), 404, "RESOURCE_NOT_FOUND"))).await;
    }
    let order = format!("/api/orders/{}", stage.order);
    let (reads, changes) = (
        [order.as_str(), "/api/products/1", "/api/products/rank/5", "/healthz"],
        ["/api/payments", "/api/auth/login", "/api/coupons/publish"],
    );
    let wrong = reads.map(|path| ("POST", path)).into_iter().chain(changes.map(|path| ("GET", path)));
    for (method, path) in wrong.chain([("DELETE", order.as_str()), ("PUT", "/api/orders"), ("PATCH", "/api/users/1")]) {
        let answer = stage.buyer.client.send(method, path, &[], b"").await;
        answer.is_refused(405, "METHOD_NOT_ALLOWED");
        assert!(answer.head.header("allow").is_some(), "{answer}");
    }
    assert_eq!(stage.everything().await, before);
    stage.shop.closes_clean().await;
}

async fn a_client_that_asks_for_problem_details_gets_them() {
    let mut stage = Stage::set().await;
    let answer = stage.buyer.client.send("GET", "/api/orders/424242", &[("accept", "application/problem+json")], b"").await;
    assert_eq!((answer.status(), answer.head.header("content-type")), (404, Some("application/problem+json")), "{answer}");
    let problem = answer.json();
    assert_eq!((&problem["status"], &problem["code"], &problem["retryable"]), (&json!(404), &json!("RESOURCE_NOT_FOUND"), &json!(false)));
    assert!(["type", "title", "detail"].iter().all(|field| problem[field].is_string()), "{answer}");
    stage.shop.closes_clean().await;
}
