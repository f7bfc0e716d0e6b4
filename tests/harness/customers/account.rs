//! What a shop says of a customer when all is quiet, and whether it is what the customer was told.

use super::client::Client;
use super::eventually_within;
use super::promises::{OrderState, Promises};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a crash left behind is taken up once the lease of whoever crashed is over, which is half a minute.
const END_WITHIN: Duration = Duration::from_mins(1);

/// A customer's account at a shop whose servers all answer.
pub(super) struct Account<'a> {
    pub(super) user: i64,
    pub(super) client: &'a mut Client,
}

impl Account<'_> {
    /// Everything that was told holds, everything that was begun has come to an end, and the money adds up.
    pub(super) async fn agrees_with(&mut self, promises: &Promises) {
        let orders = self.orders_once_they_have_ended().await;
        check_orders(self.user, promises, &orders);
        let entries = everything(self.client, &format!("/api/users/{}/points/history", self.user)).await;
        check_charges(self.user, promises, &entries);
        check_payments(&orders, &entries);
        let balance = self.client.read(&format!("/api/users/{}/points", self.user)).await["point"].as_i64();
        assert_eq!(balance, Some(entries.iter().map(signed_amount).sum()), "what user {} has is not what came of it", self.user);
        self.tasks_are_as_told_and_end(promises).await;
    }

    async fn orders_once_they_have_ended(&mut self) -> BTreeMap<i64, Value> {
        let list = format!("/api/users/{}/orders", self.user);
        let mut orders = BTreeMap::new();
        eventually_within(END_WITHIN, "every order has come to its end", async || {
            let items = everything(self.client, &list).await;
            orders = items.into_iter().map(|order| (order["id"].as_i64().expect("an id"), order)).collect();
            orders.values().all(|order| order["status"] != "PENDING" && order["status"] != "AWAITING_PAYMENT")
        })
        .await;
        orders
    }

    async fn tasks_are_as_told_and_end(&mut self, promises: &Promises) {
        let mut places = Vec::new();
        for (task, told) in &promises.tasks {
            let path = format!("/api/coupons/publish/status/{task}");
            let mut now = Value::Null;
            eventually_within(END_WITHIN, "the request for a coupon is decided", async || {
                now = self.client.send("GET", &path, &[("accept", "application/json")], b"").await.ok();
                now["status"] != "PENDING"
            })
            .await;
            assert!(told.agrees(&now), "task {task} was {told:?} and is {now}");
            places.extend(now["position"].as_i64());
        }
        let held = self.client.read(&format!("/api/coupons/{}", self.user)).await;
        let held = held["couponResponseList"].as_array().expect("a list");
        let mut coupons: Vec<_> = held.iter().map(|one| one["couponId"].as_i64()).collect();
        coupons.sort_unstable();
        assert!(coupons.is_sorted_by(|one, next| one < next), "user {} has a coupon twice: {coupons:?}", self.user);
        let mut held: Vec<_> = held.iter().map(|one| one["position"].as_i64()).collect();
        for place in places {
            let found = held.iter().position(|held| *held == Some(place));
            held.swap_remove(found.unwrap_or_else(|| panic!("user {} was given place {place}, it was said", self.user)));
        }
    }
}

fn check_orders(user: i64, promises: &Promises, orders: &BTreeMap<i64, Value>) {
    for (id, told) in &promises.orders {
        let order = orders.get(id).unwrap_or_else(|| panic!("order {id} of user {user} is gone"));
        let possible: &[&str] = match told.state {
            OrderState::Placed => &["COMPLETED", "REFUNDED", "CANCELLED", "EXPIRED"],
            OrderState::Paid { .. } => &["COMPLETED", "REFUNDED"],
            OrderState::Refunded { .. } => &["REFUNDED"],
            OrderState::Cancelled => &["CANCELLED"],
        };
        let is = order["status"].as_str().unwrap_or_default();
        // A coupon goes to one order: another one that was to have it, too, fails.
        let lost_its_coupon = told.with_coupon && is == "FAILED" && order["failureCode"] == "ALREADY_USED_COUPON";
        assert!(possible.contains(&is) || (lost_its_coupon && told.state == OrderState::Placed), "{told:?} it was told, and is {order}");
        if let OrderState::Paid { payment } | OrderState::Refunded { payment } = told.state {
            assert_eq!(order["paymentId"], payment, "{told:?} it was told, and is {order}");
        }
    }
}

/// Charges differ, so that each is known by its amount.
fn check_charges(user: i64, promises: &Promises, entries: &[Value]) {
    let mut charged: Vec<_> =
        entries.iter().filter(|entry| entry["kind"] == "CHARGE").filter_map(|entry| entry["amount"].as_i64()).collect();
    charged.sort_unstable();
    assert!(charged.is_sorted_by(|one, next| one < next), "a charge of user {user} was made twice: {charged:?}");
    for points in &promises.charges {
        assert!(charged.binary_search(points).is_ok(), "user {user} was charged {points}, it was said");
    }
    for points in &promises.declined_charges {
        assert!(charged.binary_search(points).is_err(), "user {user} was charged {points} although it was said that nothing was changed");
    }
}

/// An order that was paid took its points once, and one that was refunded gave them back once.
fn check_payments(orders: &BTreeMap<i64, Value>, entries: &[Value]) {
    let times = |order: i64, kind: &str| entries.iter().filter(|entry| entry["orderId"] == order && entry["kind"] == kind).count();
    for (id, order) in orders {
        let expected = match order["status"].as_str() {
            Some("COMPLETED") => (1, 0),
            Some("REFUNDED") => (1, 1),
            _ => (0, 0),
        };
        assert_eq!((times(*id, "USE"), times(*id, "REFUND")), expected, "how often points went for {order} and came back");
    }
}

fn signed_amount(entry: &Value) -> i64 {
    let amount = entry["amount"].as_i64().expect("a number");
    if entry["kind"] == "USE" { -amount } else { amount }
}

/// All items of a list, page by page.
async fn everything(client: &mut Client, list: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = client.read(&format!("{list}?limit=100{cursor}")).await;
        items.append(page["items"].as_array_mut().expect("a list"));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}
