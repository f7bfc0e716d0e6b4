use crate::shop::{Someone, TestShop, asking, bearer, keyed, order, patient};
use axum::http::StatusCode;
use commerce_adapters::http::HttpOptions;
use serde_json::json;

const CHARGE: &str = r#"{"chargePoint":1000}"#;

fn points_of(who: &Someone) -> String {
    format!("/api/users/{}/points", who.id)
}

#[tokio::test]
async fn a_request_that_is_repeated_is_answered_word_for_word_and_carried_out_once() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let first = shop.send(keyed(&points_of(&kim), Some(&kim), "k1", CHARGE)).await;
    let second = shop.send(keyed(&points_of(&kim), Some(&kim), "k1", CHARGE)).await;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!(shop.points(&kim).await, 1_000);
}

#[tokio::test]
async fn a_key_that_comes_with_another_request_is_refused() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    shop.send(keyed(&points_of(&kim), Some(&kim), "k1", CHARGE)).await;
    for (path, body) in [(points_of(&kim), r#"{"chargePoint": 1000}"#), (format!("/api/users/{}", kim.id), r#"{"name":"other"}"#)] {
        shop.send(keyed(&path, Some(&kim), "k1", body)).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!(shop.points(&kim).await, 1_000);
}

#[tokio::test]
async fn a_key_belongs_to_its_caller() {
    let shop = TestShop::open();
    let (kim, lee) = (shop.customer("kim").await, shop.customer("lee").await);
    for who in [&kim, &lee] {
        let reply = shop.send(keyed(&points_of(who), Some(who), "k1", CHARGE)).await;
        assert_eq!((reply.data()["userId"].as_i64(), reply.header("idempotent-replayed")), (Some(who.id), None));
    }
}

#[tokio::test]
async fn a_refusal_by_the_domain_is_kept() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    let id = shop.ordered(&kim, option, 1).await;
    let pay = json!({"orderId": id, "userId": kim.id, "type": "POINT"}).to_string();
    let first = shop.send(keyed("/api/payments", Some(&kim), "k1", pay.clone())).await;
    first.refused(400, "INSUFFICIENT_USER_POINT");
    shop.charge(&kim, 5_000).await;
    let second = shop.send(keyed("/api/payments", Some(&kim), "k1", pay)).await;
    assert_eq!((&second.body, second.header("idempotent-replayed")), (&first.body, Some("true")));
    assert_eq!(shop.points(&kim).await, 5_000);
}

#[tokio::test]
async fn a_refusal_of_shape_or_caller_is_not_kept() {
    let shop = TestShop::open();
    let (kim, lee) = (shop.customer("kim").await, shop.customer("lee").await);
    shop.send(keyed(&points_of(&kim), Some(&kim), "k1", r#"{"chargePoint":1}"#)).await.refused(400, "INVALID_USER_POINT");
    shop.send(keyed(&points_of(&kim), Some(&lee), "k1", CHARGE)).await.refused(403, "FORBIDDEN");
    assert_eq!(shop.send(keyed(&points_of(&kim), Some(&kim), "k1", CHARGE)).await.status, 200);
    assert_eq!(shop.send(keyed(&points_of(&lee), Some(&lee), "k1", CHARGE)).await.status, 200);
}

#[tokio::test]
async fn a_key_that_cannot_be_is_refused() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    for key in ["", "k\u{e9}", &"k".repeat(256)] {
        shop.send(keyed(&points_of(&kim), Some(&kim), key, CHARGE)).await.refused_field("INVALID_PARAMETER", "Idempotency-Key");
    }
    let mut twice = keyed(&points_of(&kim), Some(&kim), "k1", CHARGE);
    twice.headers_mut().append("idempotency-key", "k2".parse().unwrap());
    shop.send(twice).await.refused_field("INVALID_PARAMETER", "Idempotency-Key");
    assert_eq!(shop.points(&kim).await, 0);
    let longest = "k".repeat(255);
    assert_eq!(shop.send(keyed(&points_of(&kim), Some(&kim), &longest, CHARGE)).await.status, 200);
}

#[tokio::test]
async fn a_key_in_flight_is_refused_until_its_request_is_answered() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let kim = shop.customer("kim").await;
    let body = order(kim.id, 1, 1).to_string();
    let mut waiting = keyed("/api/orders", Some(&kim), "k1", body.clone());
    waiting.headers_mut().insert("prefer", "wait=30".parse().unwrap());
    let placed = shop.send(waiting);
    tokio::pin!(placed);
    // The first request is driven until its order is there, and then left waiting.
    let orders = format!("/api/users/{}/orders", kim.id);
    loop {
        tokio::select! {
            biased;
            reply = &mut placed => panic!("nobody settles the order: {reply:?}"),
            listed = shop.get(&orders, Some(&kim)) => if listed.data()["items"] != json!([]) { break },
        }
        tokio::task::yield_now().await;
    }
    let second = shop.send(keyed("/api/orders", Some(&kim), "k1", body)).await;
    second.refused(409, "IDEMPOTENCY_KEY_IN_FLIGHT");
    assert_eq!(second.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_replay_gives_what_the_client_that_waited_was_given() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 5).await;
    let body = order(kim.id, option, 1).to_string();
    let mut waiting = keyed("/api/orders", Some(&kim), "k1", body.clone());
    waiting.headers_mut().insert("prefer", "wait=30".parse().unwrap());
    let first = shop.send(waiting).await;
    assert_eq!(first.status, StatusCode::OK);
    let second = shop.send(keyed("/api/orders", Some(&kim), "k1", body.clone())).await;
    assert_eq!((second.status, &second.body, second.header("location")), (first.status, &first.body, first.header("location")));
    assert_eq!(second.header("preference-applied"), None);
    let third = shop.send(patient(keyed("/api/orders", Some(&kim), "k1", body), "wait=30")).await;
    assert_eq!((&third.body, third.header("preference-applied")), (&first.body, first.header("preference-applied")));
    assert_eq!(shop.get(&format!("/api/users/{}/orders", kim.id), Some(&kim)).await.data()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_change_takes_a_key() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    let option = shop.option_on_sale(&admin, 0, 5).await;
    let order_id = shop.ordered(&admin, option, 1).await;
    let to_cancel = shop.ordered(&admin, option, 1).await;
    let pay = json!({"orderId": order_id, "userId": admin.id, "type": "POINT"}).to_string();
    let coupon = r#"{"name":"Summer","couponType":"FIXED","discountValue":1,"initialStock":1,"expireAt":"2027-01-01T00:00:00Z"}"#;
    let offered = shop.coupon_on_offer(&admin, 1, "2027-01-01T00:00:00Z").await;
    let stock = format!("/api/products/options/{option}/stock");
    let changes = [
        ("/api/users".to_owned(), r#"{"name":"Kim","email":"k@shop.example","password":"12345"}"#.to_owned()),
        (format!("/api/users/{}", admin.id), r#"{"name":"Boss"}"#.to_owned()),
        (points_of(&admin), CHARGE.to_owned()),
        ("/api/products".to_owned(), crate::shop::product(1, 1).to_string()),
        (stock, r#"{"delta":1,"reason":"count"}"#.to_owned()),
        ("/api/orders".to_owned(), order(admin.id, option, 1).to_string()),
        (format!("/api/orders/{to_cancel}/cancel"), String::new()),
        ("/api/payments".to_owned(), pay),
        ("/api/coupons".to_owned(), coupon.to_owned()),
        ("/api/coupons/publish".to_owned(), asking(admin.id, offered).to_string()),
    ];
    for (index, (path, body)) in changes.into_iter().enumerate() {
        let key = format!("change-{index}");
        let first = shop.send(keyed(&path, Some(&admin), &key, body.clone())).await;
        assert!(first.status.is_success(), "{path}: {first:?}");
        let second = shop.send(keyed(&path, Some(&admin), &key, body)).await;
        assert_eq!((&second.body, second.header("idempotent-replayed")), (&first.body, Some("true")), "{path}");
        assert_eq!((second.status, second.header("location")), (first.status, first.header("location")), "{path}");
    }
}
