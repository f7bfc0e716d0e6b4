//! A server that is killed in the middle of its work: what it acknowledged is true afterwards, and what it had begun comes to an end.

use crate::buyer::{Buyer, PATIENCE, eventually};
use crate::client::Answer;
use crate::shop::{Shop, Ware};
use futures_util::future::{join, join_all};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::timeout;

cases! {
    EVERYWHERE:
        what_was_acknowledged_survives_kill_9_and_what_was_begun_ends,
}

const BUYERS: i64 = 8;
const PRICE: i64 = 2_000;
const CHARGE: i64 = 3_000;

/// What a buyer knows for sure, and the one change it was not told about.
struct Memory {
    buyer: Buyer,
    balance: i64,
    in_doubt: i64,
    placed: Vec<i64>,
    paid: Vec<i64>,
}

/// Counts purchases, and tells when there are enough of them.
struct Count {
    made: Cell<u32>,
    wanted: u32,
    enough: Notify,
}

impl Memory {
    const fn of(buyer: Buyer) -> Self {
        Self { buyer, balance: 0, in_doubt: 0, placed: Vec::new(), paid: Vec::new() }
    }

    async fn post(&mut self, path: &str, body: Value) -> Option<Answer> {
        let headers = [("content-type", "application/json"), ("prefer", "wait=10")];
        let answer = self.buyer.client.try_send("POST", path, &headers, body.to_string().as_bytes()).await.ok()?;
        assert_eq!(answer.status(), 200, "{answer}");
        Some(answer)
    }

    /// Buys until the server is gone.
    async fn buy(mut self, ware: Ware, count: Rc<Count>) -> Self {
        while self.purchase(ware).await.is_some() {
            count.made.set(count.made.get() + 1);
            if count.made.get() >= count.wanted {
                count.enough.notify_one();
            }
        }
        self
    }

    async fn purchase(&mut self, ware: Ware) -> Option<()> {
        let user = self.buyer.user;
        self.in_doubt = CHARGE;
        self.post(&format!("/api/users/{user}/points"), json!({ "chargePoint": CHARGE })).await?;
        self.balance += CHARGE;
        self.in_doubt = 0;
        let order = self.post("/api/orders", self.buyer.order_of(ware, 1)).await?.ok();
        let id = order["id"].as_i64().expect("an id");
        self.placed.push(id);
        self.in_doubt = -PRICE;
        self.post("/api/payments", json!({ "orderId": id, "userId": user, "type": "POINT" })).await?;
        self.balance -= PRICE;
        self.in_doubt = 0;
        self.paid.push(id);
        Some(())
    }

    /// Compares what the buyer knows with what the shop says; every order comes to an end.
    async fn holds_true(&mut self, shop: &Shop) {
        self.buyer = shop.buyer(self.buyer.user);
        let balance = self.buyer.balance().await;
        let possible = [self.balance, self.balance + self.in_doubt];
        assert!(possible.contains(&balance), "user {} has {balance}, not one of {possible:?}", self.buyer.user);
        for order in &self.paid {
            assert_eq!(self.buyer.look_at(*order).await["status"], "COMPLETED");
        }
        for order in &self.placed {
            let settled = self.buyer.settled(*order).await;
            if settled["status"] == "AWAITING_PAYMENT" {
                self.buyer.until(*order, "EXPIRED").await;
            }
        }
        let list = format!("/api/users/{}/orders?limit=100", self.buyer.user);
        for order in self.buyer.client.read(&list).await["items"].as_array().expect("a list") {
            assert!(["COMPLETED", "EXPIRED", "AWAITING_PAYMENT", "PENDING"].iter().any(|status| order["status"] == *status), "{order}");
            let id = order["id"].as_i64().expect("an id");
            // An order whose answer was lost comes to its end, too.
            eventually("the order ends", async || {
                ["COMPLETED", "EXPIRED"].iter().any(|status| order["status"] == *status)
                    || ["COMPLETED", "EXPIRED"].contains(&self.buyer.look_at(id).await["status"].as_str().unwrap_or_default())
            })
            .await;
        }
    }
}

async fn what_was_acknowledged_survives_kill_9_and_what_was_begun_ends() {
    let mut shop = Shop::start(&["--auth", "off", "--payment-deadline", "3s"]).await;
    let ware = shop.ware(PRICE, 1_000_000).await;
    let mut users = Vec::new();
    for number in 0..BUYERS {
        users.push(shop.customer(&format!("buyer{number}")).await.user);
    }
    let mut memories: Vec<_> = users.iter().map(|user| Memory::of(shop.buyer(*user))).collect();

    for wanted in [20, 55, 34] {
        let count = Rc::new(Count { made: Cell::new(0), wanted, enough: Notify::new() });
        let buying = join_all(memories.drain(..).map(|memory| memory.buy(ware, Rc::clone(&count))));
        let killing = async {
            timeout(PATIENCE, count.enough.notified()).await.expect("enough purchases in time");
            shop.signal(Signal::KILL);
        };
        (memories, ()) = join(buying, killing).await;

        shop = shop.crash_and_restart().await;

        join_all(memories.iter_mut().map(|memory| memory.holds_true(&shop))).await;
        shop.audit_is_clean().await;
        for memory in &mut memories {
            memory.balance = memory.buyer.balance().await;
        }
    }
    let paid: usize = memories.iter().map(|memory| memory.paid.len()).sum();
    assert!(paid >= 20 + 55 + 34);
    shop.closes_clean().await;
}
