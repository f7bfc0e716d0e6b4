//! What a customer does, step by step.

use crate::client::{Answer, Client};
use crate::shop::Ware;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(crate) use crate::customers::{PATIENCE, eventually};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A customer with a connection.
pub(crate) struct Buyer {
    pub(crate) user: i64,
    pub(crate) client: Client,
}

impl Buyer {
    /// The same customer on another connection.
    pub(crate) fn another(&self) -> Self {
        Self { user: self.user, client: self.client.another() }
    }

    /// What the customer has.
    pub(crate) async fn balance(&mut self) -> i64 {
        self.client.read(&format!("/api/users/{}/points", self.user)).await["point"].as_i64().expect("a number")
    }

    /// Pays points in; answers the balance.
    pub(crate) async fn charge(&mut self, points: i64) -> i64 {
        let charged = self.client.post(&format!("/api/users/{}/points", self.user), &json!({ "chargePoint": points })).await;
        charged.ok()["point"].as_i64().expect("a number")
    }

    /// Places an order of one line; answers its id.
    pub(crate) async fn order(&mut self, ware: Ware, quantity: i64) -> i64 {
        let answer = self.client.post("/api/orders", &self.order_of(ware, quantity)).await;
        assert_eq!(answer.status(), 202, "{answer}");
        let order = answer.ok();
        let id = order["id"].as_i64().expect("an id");
        assert_eq!(order, json!({ "id": id, "totalPrice": order["totalPrice"], "status": "PENDING" }));
        assert_eq!(answer.head.header("location"), Some(format!("/api/orders/{id}").as_str()));
        id
    }

    /// The request for an order of one line.
    pub(crate) fn order_of(&self, ware: Ware, quantity: i64) -> Value {
        json!({ "userId": self.user, "orderProductRequests": [{ "productOptionId": ware.option, "quantity": quantity }] })
    }

    /// An order as it is now.
    pub(crate) async fn look_at(&mut self, order: i64) -> Value {
        self.client.read(&format!("/api/orders/{order}")).await
    }

    /// An order once it is no longer pending.
    pub(crate) async fn settled(&mut self, order: i64) -> Value {
        let answer = self.client.send("GET", &format!("/api/orders/{order}"), &[("prefer", "wait=30")], b"").await;
        let settled = answer.ok();
        assert_ne!(settled["status"], "PENDING", "{answer}");
        settled
    }

    /// Waits until an order stands there.
    pub(crate) async fn until(&mut self, order: i64, status: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.look_at(order).await;
            if now["status"] == status {
                return now;
            }
            assert!(Instant::now() < deadline, "order {order} does not become {status}: {now}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Places an order that will wait for its payment; answers its id.
    pub(crate) async fn payable_order(&mut self, ware: Ware, quantity: i64) -> i64 {
        let order = self.order(ware, quantity).await;
        assert_eq!(self.settled(order).await["status"], "AWAITING_PAYMENT");
        order
    }

    /// Asks to pay an order.
    pub(crate) async fn pay(&mut self, order: i64) -> Answer {
        self.pay_with(order, &[]).await
    }

    /// Asks to pay an order, with more headers.
    pub(crate) async fn pay_with(&mut self, order: i64, headers: &[(&str, &str)]) -> Answer {
        self.client.post_with("/api/payments", &json!({ "orderId": order, "userId": self.user, "type": "POINT" }), headers).await
    }

    /// Asks to cancel an order.
    pub(crate) async fn cancel(&mut self, order: i64) -> Answer {
        self.client.post(&format!("/api/orders/{order}/cancel"), &Value::Null).await
    }

    /// Asks for a coupon.
    pub(crate) async fn ask_for(&mut self, coupon: i64) -> Answer {
        self.client.post("/api/coupons/publish", &json!({ "userId": self.user, "couponId": coupon })).await
    }

    /// Asks for a coupon that is to be had; answers the task.
    pub(crate) async fn task_for(&mut self, coupon: i64) -> i64 {
        let answer = self.ask_for(coupon).await;
        assert_eq!(answer.status(), 202, "{answer}");
        let accepted = answer.ok();
        let task = accepted["taskId"].as_i64().expect("an id");
        assert_eq!(accepted, json!({ "taskId": task }));
        task
    }

    /// What became of a request for a coupon, as its stream tells it.
    pub(crate) async fn outcome(&self, task: i64) -> Value {
        let mut events = self.client.another().listen(&format!("/api/coupons/publish/status/{task}"), &[]).await;
        let outcome = events.next("coupon-status").await.expect("the outcome");
        assert_eq!(events.next("coupon-status").await, None, "the stream ends");
        outcome
    }

    /// Gets a coupon that is to be had; answers the id to place an order with.
    pub(crate) async fn coupon_in_hand(&mut self, coupon: i64) -> i64 {
        let task = self.task_for(coupon).await;
        assert_eq!(self.outcome(task).await["status"], "SUCCESS");
        let held = self.held(coupon).await.expect("the coupon");
        held["userCouponId"].as_i64().expect("an id")
    }

    /// What the customer holds of a coupon.
    pub(crate) async fn held(&mut self, coupon: i64) -> Option<Value> {
        let held = self.client.read(&format!("/api/coupons/{}", self.user)).await["couponResponseList"].take();
        held.as_array().expect("a list").iter().find(|held| held["couponId"] == coupon).cloned()
    }

    /// Asks to refund a payment.
    pub(crate) async fn refund(&mut self, payment: i64) -> Answer {
        self.client.post(&format!("/api/payments/{payment}/refund"), &Value::Null).await
    }
}
