use crate::shop::{TestShop, bearer, keyed, order, patient, post, request};
use axum::body::Body;
use axum::http::Method;
use commerce_adapters::http::HttpOptions;
use commerce_core::Settings;
use commerce_core::messaging::SagaPace;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn an_order_is_accepted_and_settles_by_itself() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 5).await;
    let placed = shop.post("/api/orders", Some(&kim), order(kim.id, option, 2)).await;
    let id = placed.data()["id"].as_i64().unwrap();
    assert_eq!((placed.status.as_u16(), placed.header("location")), (202, Some(format!("/api/orders/{id}").as_str())));
    assert_eq!(placed.data(), json!({"id": id, "totalPrice": 0, "status": "PENDING"}));

    let waiting = request(Method::GET, &format!("/api/orders/{id}"), Some(&kim)).header("prefer", "wait=30").body(Body::empty()).unwrap();
    let seen = shop.send(waiting).await;
    let product = seen.data()["items"][0]["productId"].clone();
    let item = json!({"productOptionId": option, "productId": product, "productName": "Runner", "optionName": "White", "unitPrice": 1_500, "quantity": 2});
    let expected = json!({
        "id": id, "totalPrice": 3_000, "status": "AWAITING_PAYMENT", "originalPrice": 3_000, "discountPrice": 0, "items": [item],
        "orderedAt": "2026-01-01T00:00:00.000Z", "expiresAt": "2026-01-01T00:15:00.000Z",
    });
    assert_eq!(seen.data(), expected);
}

#[tokio::test]
async fn who_prefers_to_wait_is_given_the_order_as_it_settles() {
    for saga_pace in [SagaPace::WithinCommit, SagaPace::ByMessage] {
        let shop = TestShop::with_settings(HttpOptions::new(bearer()), Settings { saga_pace, ..Settings::default() });
        shop.start_consumers();
        let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
        let option = shop.option_on_sale(&admin, 1_500, 1).await;
        let place = async |quantity, key| {
            let request = keyed("/api/orders", Some(&kim), key, order(kim.id, option, quantity).to_string());
            shop.send(patient(request, "respond-async, wait=99")).await
        };
        let refused = place(2, "k1").await;
        assert_eq!((refused.status.as_u16(), refused.header("preference-applied")), (200, Some("wait=30")));
        assert_eq!((&refused.data()["status"], &refused.data()["failureCode"]), (&json!("FAILED"), &json!("OUT_OF_STOCK")));
        let taken = place(1, "k2").await;
        assert_eq!((&taken.data()["status"], taken.data().get("failureCode")), (&json!("AWAITING_PAYMENT"), None));
        // It is what is read of the order, and what is answered to whoever asks again.
        for (told, quantity, key) in [(refused, 2, "k1"), (taken, 1, "k2")] {
            assert_eq!(shop.get(told.header("location").unwrap(), Some(&kim)).await.data(), told.data());
            let again = place(quantity, key).await;
            assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &told.body));
        }
    }
}

#[tokio::test]
async fn who_runs_out_of_patience_is_told_what_is_known() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let kim = shop.customer("kim").await;
    let mut request = post("/api/orders", Some(&kim), order(kim.id, 1, 1).to_string());
    request.headers_mut().insert("prefer", "wait=0".parse().unwrap());
    let reply = shop.send(request).await;
    assert_eq!((reply.status.as_u16(), reply.header("preference-applied")), (202, Some("wait=0")));
    assert_eq!(reply.data()["status"], "PENDING");
}

#[tokio::test]
async fn an_order_that_has_not_changed_is_not_sent_again() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    let path = format!("/api/orders/{}", shop.ordered(&kim, option, 1).await);
    let etag = shop.get(&path, Some(&kim)).await.header("etag").unwrap().to_owned();
    let conditional = async |tag: &str| {
        shop.send(request(Method::GET, &path, Some(&kim)).header("if-none-match", tag).body(Body::empty()).unwrap()).await
    };
    for tag in [etag.clone(), format!("\"x\", W/{etag}"), "*".to_owned()] {
        let reply = conditional(&tag).await;
        assert_eq!((reply.status.as_u16(), reply.body.len(), reply.header("etag")), (304, 0, Some(etag.as_str())));
    }
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(shop.post(&format!("{path}/cancel"), Some(&kim), Value::Null).await.status, 400);
    assert_eq!(shop.send(post(&format!("{path}/cancel"), Some(&kim), "")).await.data()["status"], "CANCELLED");
    assert_eq!(conditional(&etag).await.data()["status"], "CANCELLED");
}

#[tokio::test]
async fn an_order_is_cancelled_once() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    let path = format!("/api/orders/{}/cancel", shop.ordered(&kim, option, 1).await);
    assert_eq!(shop.post(&path, Some(&kim), json!({})).await.data()["status"], "CANCELLED");
    shop.post(&path, Some(&kim), json!({})).await.refused(409, "CANNOT_CANCEL_ORDER");
}

#[tokio::test]
async fn an_order_of_somebody_else_does_not_exist() {
    let shop = TestShop::open();
    let (admin, kim, lee) = (shop.admin().await, shop.customer("kim").await, shop.customer("lee").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    let id = shop.ordered(&kim, option, 1).await;
    for (path, id) in [("", id), ("/events", id), ("", 9_999), ("/events", 9_999)] {
        shop.get(&format!("/api/orders/{id}{path}"), Some(&lee)).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    shop.post(&format!("/api/orders/{id}/cancel"), Some(&lee), json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    shop.post("/api/orders", Some(&lee), order(kim.id, option, 1)).await.refused(403, "FORBIDDEN");
    shop.post("/api/orders", Some(&admin), order(9_999, option, 1)).await.refused(403, "INACTIVE_USER");
    assert_eq!(shop.get(&format!("/api/orders/{id}"), Some(&admin)).await.data()["status"], "AWAITING_PAYMENT");
}

#[tokio::test]
async fn lines_and_quantities_are_bounded_as_sent_and_as_merged() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let line = |option: i64, quantity: i64| json!({"productOptionId": option, "quantity": quantity});
    for (lines, field) in [
        (json!([]), "orderProductRequests"),
        (json!([line(1, 0)]), "orderProductRequests[0].quantity"),
        (json!([line(1, 1), line(2, -1)]), "orderProductRequests[1].quantity"),
        (json!([line(1, 10_001)]), "orderProductRequests[0].quantity"),
        (json!([line(1, 10_000), line(1, 1)]), "orderProductRequests"),
        (json!(vec![line(1, 1); 101]), "orderProductRequests"),
    ] {
        let reply = shop.post("/api/orders", Some(&kim), json!({"userId": kim.id, "orderProductRequests": lines})).await;
        reply.refused_field("INVALID_ORDER_QUANTITY", field);
    }
    assert_eq!(shop.get(&format!("/api/users/{}/orders", kim.id), Some(&kim)).await.data(), json!({"items": []}));
}

#[tokio::test]
async fn orders_are_listed_newest_first() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 9).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(shop.ordered(&kim, option, 1).await);
        shop.clock.advance(Duration::from_secs(1));
    }
    let path = format!("/api/users/{}/orders?limit=2", kim.id);
    let first = shop.get(&path, Some(&kim)).await.data();
    assert_eq!((&first["items"][0]["id"], &first["items"][1]["id"]), (&json!(ids[2]), &json!(ids[1])));
    let rest = shop.get(&format!("{path}&cursor={}", first["nextCursor"].as_str().unwrap()), Some(&kim)).await.data();
    assert_eq!((&rest["items"][0]["id"], rest.get("nextCursor")), (&json!(ids[0]), None));
}
