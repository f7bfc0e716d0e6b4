//! Coupons in the hands of those who order with them.

use crate::buyer::{Buyer, eventually};
use crate::shop::{Shop, Ware};
use commerce_core::BusinessCalendar;
use serde_json::{Value, json};
use std::time::Duration;

cases! {
    EVERYWHERE:
        a_coupon_lowers_the_total_once_and_comes_back_after_a_cancellation_and_a_refund,
        a_coupon_comes_back_when_its_order_expires,
        a_percentage_is_rounded_down_and_a_discount_is_never_more_than_the_price,
        a_coupon_that_has_expired_is_shown_as_such_and_is_good_for_nothing,
}

/// Orders one unit with a coupon; gives the order once it is settled.
async fn order_with(buyer: &mut Buyer, ware: Ware, user_coupon: i64) -> Value {
    let mut order = buyer.order_of(ware, 1);
    order["userCouponId"] = json!(user_coupon);
    buyer.client.post_with("/api/orders", &order, &[("prefer", "wait=30")]).await.ok()
}

/// Places an order with a coupon that lowers its total by 500; answers its id.
async fn discounted(buyer: &mut Buyer, ware: Ware, user_coupon: i64) -> i64 {
    let order = order_with(buyer, ware, user_coupon).await;
    let prices = ["originalPrice", "discountPrice", "totalPrice"].map(|field| order[field].as_i64());
    assert_eq!((&order["status"], prices), (&json!("AWAITING_PAYMENT"), [ware.price, 500, ware.price - 500].map(Some)), "{order}");
    assert_eq!(order["userCouponId"], user_coupon);
    order["id"].as_i64().expect("an id")
}

/// Waits until the customer holds the coupon in this state.
async fn holds(buyer: &mut Buyer, coupon: i64, status: &str) {
    eventually(&format!("the coupon is {status}"), async || {
        let held = buyer.held(coupon).await.expect("the coupon");
        assert_eq!(held["usedAt"].is_string(), held["couponStatus"] == "USED", "{held}");
        held["couponStatus"] == status
    })
    .await;
}

async fn a_coupon_lowers_the_total_once_and_comes_back_after_a_cancellation_and_a_refund() {
    let shop = Shop::open().await;
    let (ware, coupon) = (shop.ware(2_000, 10).await, shop.coupon(5).await);
    let mut buyer = shop.customer("saver").await;
    buyer.charge(5_000).await;
    let held = buyer.coupon_in_hand(coupon).await;

    let cancelled = discounted(&mut buyer, ware, held).await;
    holds(&mut buyer, coupon, "USED").await;
    let second = order_with(&mut buyer, ware, held).await;
    assert_eq!((&second["status"], &second["failureCode"]), (&json!("FAILED"), &json!("ALREADY_USED_COUPON")));
    buyer.cancel(cancelled).await.ok();
    holds(&mut buyer, coupon, "ISSUED").await;

    let paid = discounted(&mut buyer, ware, held).await;
    let payment = buyer.pay(paid).await.ok();
    assert_eq!((&payment["paymentAmount"], buyer.balance().await), (&json!(1_500), 3_500));
    holds(&mut buyer, coupon, "USED").await;
    buyer.refund(payment["id"].as_i64().expect("an id")).await.ok();
    holds(&mut buyer, coupon, "ISSUED").await;
    eventually("points and stock are back", async || buyer.balance().await == 5_000 && shop.stock(ware).await == 10).await;

    let mut thief = shop.customer("thief").await;
    let stolen = order_with(&mut thief, ware, held).await;
    assert_eq!((&stolen["status"], &stolen["failureCode"]), (&json!("FAILED"), &json!("INVALID_COUPON_OWNERSHIP")));
    let unknown = order_with(&mut thief, ware, 424_242).await;
    assert_eq!((&unknown["status"], &unknown["failureCode"]), (&json!("FAILED"), &json!("NOT_FOUND_USER_COUPON")));
    eventually("nothing is taken", async || shop.stock(ware).await == 10).await;
    shop.closes_clean().await;
}

async fn a_coupon_comes_back_when_its_order_expires() {
    let shop = Shop::start(&["--auth", "off", "--payment-deadline", "1s"]).await;
    let (ware, coupon) = (shop.ware(2_000, 10).await, shop.coupon(5).await);
    let mut buyer = shop.customer("forgetful").await;
    let held = buyer.coupon_in_hand(coupon).await;
    let order = discounted(&mut buyer, ware, held).await;
    buyer.until(order, "EXPIRED").await;
    holds(&mut buyer, coupon, "ISSUED").await;
    eventually("the stock is back", async || shop.stock(ware).await == 10).await;
    shop.closes_clean().await;
}

async fn a_percentage_is_rounded_down_and_a_discount_is_never_more_than_the_price() {
    let shop = Shop::open().await;
    let ware = shop.ware(999, 10).await;
    let mut buyer = shop.customer("saver").await;
    for (kind, value, discount) in [("PERCENT", 15, 149), ("PERCENT", 100, 999), ("FIXED", 5_000, 999)] {
        let coupon = shop.coupon_like(&json!({ "couponType": kind, "discountValue": value })).await;
        let held = buyer.coupon_in_hand(coupon).await;
        let order = order_with(&mut buyer, ware, held).await;
        assert_eq!((&order["discountPrice"], &order["totalPrice"]), (&json!(discount), &json!(999 - discount)), "{order}");
        if discount == 999 {
            assert_eq!(buyer.pay(order["id"].as_i64().expect("an id")).await.ok()["paymentAmount"], 0);
        }
    }
    shop.closes_clean().await;
}

async fn a_coupon_that_has_expired_is_shown_as_such_and_is_good_for_nothing() {
    let shop = Shop::open().await;
    let ware = shop.ware(2_000, 10).await;
    let mut buyer = shop.customer("late one").await;
    // The present, as the shop sees it.
    let order = buyer.payable_order(ware, 1).await;
    let now = buyer.look_at(order).await["orderedAt"].as_str().and_then(|at| BusinessCalendar::UTC.parse_instant(at)).expect("an instant");
    let expire_at = now.plus(Duration::from_secs(4)).to_string();
    let coupon = shop.coupon_like(&json!({ "expireAt": expire_at })).await;
    let held = buyer.coupon_in_hand(coupon).await;
    assert_eq!(buyer.held(coupon).await.expect("the coupon")["expireAt"], expire_at);

    holds(&mut buyer, coupon, "EXPIRED").await;

    let refused = order_with(&mut buyer, ware, held).await;
    assert_eq!((&refused["status"], &refused["failureCode"]), (&json!("FAILED"), &json!("EXPIRED_COUPON")));
    shop.customer("too late").await.ask_for(coupon).await.is_refused(400, "EXPIRED_COUPON");
    eventually("nothing is taken", async || shop.stock(ware).await == 9).await;
    shop.closes_clean().await;
}
