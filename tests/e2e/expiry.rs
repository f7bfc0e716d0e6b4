//! Orders that nobody pays.

use crate::buyer::eventually;
use crate::shop::Shop;

cases! {
    EVERYWHERE:
        an_unpaid_order_expires_and_gives_back_its_stock,
        an_order_whose_server_was_down_at_its_deadline_expires_after_the_start,
}

async fn an_unpaid_order_expires_and_gives_back_its_stock() {
    let shop = Shop::start(&["--auth", "off", "--payment-deadline", "1s"]).await;
    let ware = shop.ware(2_000, 3).await;
    let mut buyer = shop.customer("slow one").await;
    buyer.charge(10_000).await;
    let order = buyer.order(ware, 3).await;

    buyer.until(order, "EXPIRED").await;

    eventually("the stock is back", async || shop.stock(ware).await == 3).await;
    buyer.pay(order).await.is_refused(400, "CANNOT_PAY_ORDER");
    buyer.cancel(order).await.is_refused(409, "CANNOT_CANCEL_ORDER");
    assert_eq!(buyer.balance().await, 10_000);
    shop.closes_clean().await;
}

async fn an_order_whose_server_was_down_at_its_deadline_expires_after_the_start() {
    let shop = Shop::start(&["--auth", "off", "--payment-deadline", "2s"]).await;
    let ware = shop.ware(2_000, 3).await;
    let mut buyer = shop.customer("slow one").await;
    let order = buyer.payable_order(ware, 1).await;
    let user = buyer.user;

    let shop = shop.restart().await;

    let mut buyer = shop.buyer(user);
    buyer.until(order, "EXPIRED").await;
    eventually("the stock is back", async || shop.stock(ware).await == 3).await;
    shop.closes_clean().await;
}
