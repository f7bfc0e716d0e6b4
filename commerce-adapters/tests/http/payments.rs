use crate::shop::TestShop;
use serde_json::json;

#[tokio::test]
async fn an_order_is_paid_once_and_given_back_once() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    shop.charge(&kim, 2_000).await;
    let order = shop.ordered(&kim, option, 1).await;
    let pay = async || shop.post("/api/payments", Some(&kim), json!({"orderId": order, "userId": kim.id, "type": "POINT"})).await;
    let paid = pay().await.data();
    let id = paid["id"].as_i64().unwrap();
    assert_eq!(paid, json!({"id": id, "orderId": order, "paymentAmount": 1_500, "status": "COMPLETED"}));
    assert_eq!(shop.points(&kim).await, 500);
    pay().await.refused(400, "CANNOT_PAY_ORDER");

    let seen = shop.get(&format!("/api/orders/{order}"), Some(&kim)).await.data();
    assert_eq!((&seen["status"], &seen["paymentId"]), (&json!("COMPLETED"), &json!(id)));
    let payment = shop.get(&format!("/api/payments/{id}"), Some(&kim)).await.data();
    let at = "2026-01-01T00:00:00.000Z";
    assert_eq!(payment, json!({"id": id, "orderId": order, "paymentAmount": 1_500, "status": "COMPLETED", "at": at}));

    let refund = async || shop.post(&format!("/api/payments/{id}/refund"), Some(&kim), json!({})).await;
    assert_eq!(refund().await.data()["status"], "REFUNDED");
    assert_eq!(shop.points(&kim).await, 2_000);
    refund().await.refused(409, "CANNOT_REFUND_PAYMENT");
    assert_eq!(shop.get(&format!("/api/orders/{order}"), Some(&kim)).await.data()["status"], "REFUNDED");
}

#[tokio::test]
async fn too_few_points_leave_the_order_as_it_is() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 1).await;
    let order = shop.ordered(&kim, option, 1).await;
    let pay = json!({"orderId": order, "userId": kim.id, "type": "POINT"});
    shop.post("/api/payments", Some(&kim), pay.clone()).await.refused(400, "INSUFFICIENT_USER_POINT");
    assert_eq!(shop.get(&format!("/api/orders/{order}"), Some(&kim)).await.data()["status"], "AWAITING_PAYMENT");
    shop.charge(&kim, 2_000).await;
    assert_eq!(shop.post("/api/payments", Some(&kim), pay).await.status, 200);
}

#[tokio::test]
async fn payments_of_others_do_not_exist() {
    let shop = TestShop::open();
    let (admin, kim, lee) = (shop.admin().await, shop.customer("kim").await, shop.customer("lee").await);
    let option = shop.option_on_sale(&admin, 0, 1).await;
    let order = shop.ordered(&kim, option, 1).await;
    let pay = |user: i64| json!({"orderId": order, "userId": user, "type": "POINT"});
    shop.post("/api/payments", Some(&lee), pay(kim.id)).await.refused(403, "FORBIDDEN");
    shop.post("/api/payments", Some(&lee), pay(lee.id)).await.refused(404, "RESOURCE_NOT_FOUND");
    let id = shop.post("/api/payments", Some(&kim), pay(kim.id)).await.data()["id"].as_i64().unwrap();
    for id in [id, 9_999] {
        shop.get(&format!("/api/payments/{id}"), Some(&lee)).await.refused(404, "RESOURCE_NOT_FOUND");
        shop.post(&format!("/api/payments/{id}/refund"), Some(&lee), json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    assert_eq!(shop.get(&format!("/api/payments/{id}"), Some(&admin)).await.data()["status"], "COMPLETED");
}

#[tokio::test]
async fn an_unknown_kind_of_payment_is_refused() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let reply = shop.post("/api/payments", Some(&kim), json!({"orderId": 1, "userId": kim.id, "type": "CARD"})).await;
    reply.refused_field("INVALID_PARAMETER", "type");
}
