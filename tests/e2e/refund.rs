//! Refunds, and payments that do not come off.

use crate::buyer::eventually;
use crate::shop::Shop;
use serde_json::json;

cases! {
    EVERYWHERE:
        a_refund_gives_back_points_and_stock_once,
        too_few_points_leave_the_order_payable,
        an_order_that_failed_or_was_cancelled_can_be_neither_paid_nor_cancelled,
}

const PRICE: i64 = 3_000;

async fn a_refund_gives_back_points_and_stock_once() {
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, 5).await;
    let mut buyer = shop.customer("regretful").await;
    buyer.charge(10_000).await;
    let order = buyer.payable_order(ware, 2).await;
    let payment = buyer.pay(order).await.ok()["id"].as_i64().expect("an id");
    assert_eq!((buyer.balance().await, shop.stock(ware).await), (4_000, 3));

    let refunded = buyer.refund(payment).await.ok();

    assert_eq!((&refunded["id"], &refunded["status"]), (&json!(payment), &json!("REFUNDED")));
    eventually("points and stock are back", async || buyer.balance().await == 10_000 && shop.stock(ware).await == 5).await;
    assert_eq!(buyer.look_at(order).await["status"], "REFUNDED");
    buyer.refund(payment).await.is_refused(409, "CANNOT_REFUND_PAYMENT");
    assert_eq!(buyer.client.read(&format!("/api/payments/{payment}")).await["status"], "REFUNDED");
    assert_eq!((buyer.balance().await, shop.stock(ware).await), (10_000, 5));
    shop.closes_clean().await;
}

async fn too_few_points_leave_the_order_payable() {
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, 5).await;
    let mut buyer = shop.customer("poor one").await;
    buyer.charge(1_000).await;
    let order = buyer.payable_order(ware, 1).await;

    buyer.pay(order).await.is_refused(400, "INSUFFICIENT_USER_POINT");

    assert_eq!(buyer.look_at(order).await["status"], "AWAITING_PAYMENT");
    assert_eq!((buyer.balance().await, shop.stock(ware).await), (1_000, 4));
    buyer.charge(2_000).await;
    let paid = buyer.pay(order).await.ok();
    assert_eq!((&paid["status"], &paid["paymentAmount"]), (&json!("COMPLETED"), &json!(PRICE)));
    let completed = buyer.look_at(order).await;
    assert_eq!((&completed["status"], &completed["paymentId"]), (&json!("COMPLETED"), &paid["id"]));
    assert_eq!(buyer.balance().await, 0);
    shop.closes_clean().await;
}

async fn an_order_that_failed_or_was_cancelled_can_be_neither_paid_nor_cancelled() {
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, 5).await;
    let mut buyer = shop.customer("stubborn").await;
    buyer.charge(100_000).await;
    let failed = buyer.order(ware, 6).await;
    let settled = buyer.settled(failed).await;
    assert_eq!((&settled["status"], &settled["failureCode"]), (&json!("FAILED"), &json!("OUT_OF_STOCK")));
    let cancelled = buyer.payable_order(ware, 5).await;
    assert_eq!(buyer.cancel(cancelled).await.ok()["status"], "CANCELLED");

    for order in [failed, cancelled] {
        buyer.pay(order).await.is_refused(400, "CANNOT_PAY_ORDER");
        buyer.cancel(order).await.is_refused(409, "CANNOT_CANCEL_ORDER");
    }
    eventually("the stock is back", async || shop.stock(ware).await == 5).await;
    assert_eq!(buyer.balance().await, 100_000);
    shop.closes_clean().await;
}
