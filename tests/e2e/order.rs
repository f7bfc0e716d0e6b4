//! What an order takes and gives back.

use crate::buyer::eventually;
use crate::shop::Shop;
use futures_util::future::join_all;
use serde_json::json;

cases! {
    EVERYWHERE:
        an_order_takes_all_of_its_lines_or_none,
        an_order_of_something_unknown_fails_with_its_reason,
        what_costs_nothing_is_paid_without_points,
        orders_of_several_units_never_take_more_than_there_is,
}

async fn an_order_takes_all_of_its_lines_or_none() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.ware(1_000, 10).await, shop.ware(2_000, 1).await);
    let mut buyer = shop.customer("collector").await;
    let line = |option, quantity| json!({ "productOptionId": option, "quantity": quantity });
    for lines in [json!([line(plenty.option, 3), line(scarce.option, 2)]), json!([line(plenty.option, 3), line(424_242, 1)])] {
        let order = json!({ "userId": buyer.user, "orderProductRequests": lines });
        let order = buyer.client.post_with("/api/orders", &order, &[("prefer", "wait=30")]).await.ok();
        assert_eq!(order["status"], "FAILED", "{order}");
        assert_eq!((shop.stock(plenty).await, shop.stock(scarce).await), (10, 1));
    }
    let lines = json!([line(plenty.option, 3), line(scarce.option, 1), line(plenty.option, 2)]);
    let order = json!({ "userId": buyer.user, "orderProductRequests": lines });
    let order = buyer.client.post_with("/api/orders", &order, &[("prefer", "wait=30")]).await.ok();
    assert_eq!(
        (&order["status"], &order["originalPrice"], &order["totalPrice"]),
        (&json!("AWAITING_PAYMENT"), &json!(7_000), &json!(7_000))
    );
    let items = order["items"].as_array().expect("a list");
    let quantity = |option| items.iter().find(|item| item["productOptionId"] == option).map(|item| item["quantity"].as_i64());
    assert_eq!((items.len(), quantity(plenty.option), quantity(scarce.option)), (2, Some(Some(5)), Some(Some(1))));
    assert_eq!((shop.stock(plenty).await, shop.stock(scarce).await), (5, 0));
    shop.closes_clean().await;
}

async fn an_order_of_something_unknown_fails_with_its_reason() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("dreamer").await;
    let order = json!({ "userId": buyer.user, "orderProductRequests": [{ "productOptionId": 424_242, "quantity": 1 }] });
    let order = buyer.client.post_with("/api/orders", &order, &[("prefer", "wait=30")]).await.ok();
    assert_eq!((&order["status"], &order["failureCode"]), (&json!("FAILED"), &json!("OPTION_NOT_FOUND")));
    let order = json!({ "userId": 424_242, "orderProductRequests": [{ "productOptionId": 1, "quantity": 1 }] });
    buyer.client.post("/api/orders", &order).await.is_refused(403, "INACTIVE_USER");
    shop.closes_clean().await;
}

async fn what_costs_nothing_is_paid_without_points() {
    let shop = Shop::open().await;
    let ware = shop.ware(0, 3).await;
    let mut buyer = shop.customer("guest").await;
    let order = buyer.payable_order(ware, 1).await;
    let payment = buyer.pay(order).await.ok();
    assert_eq!((&payment["status"], &payment["paymentAmount"]), (&json!("COMPLETED"), &json!(0)));
    assert_eq!((buyer.balance().await, shop.stock(ware).await), (0, 2));
    buyer.refund(payment["id"].as_i64().expect("an id")).await.ok();
    eventually("the stock is back", async || shop.stock(ware).await == 3).await;
    shop.closes_clean().await;
}

async fn orders_of_several_units_never_take_more_than_there_is() {
    let shop = Shop::demo().await;
    let ware = shop.ware(1_000, 50).await;
    let orders = (1..=60).map(|user| {
        let mut buyer = shop.buyer(user);
        async move {
            let order = buyer.order(ware, user % 3 + 1).await;
            let settled = buyer.settled(order).await;
            let taken = if settled["status"] == "AWAITING_PAYMENT" { user % 3 + 1 } else { 0 };
            if taken > 0 && user % 2 == 0 {
                buyer.cancel(order).await.ok();
                return 0;
            }
            taken
        }
    });
    let kept: i64 = join_all(orders).await.into_iter().sum();
    assert!(kept <= 50);
    eventually("the books agree", async || shop.stock(ware).await == 50 - kept).await;
    shop.closes_clean().await;
}
