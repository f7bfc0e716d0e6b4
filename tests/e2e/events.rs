//! Clients that wait instead of polling.

use crate::harness::http::Connection;
use crate::shop::Shop;
use serde_json::{Value, json};
use tokio::time::timeout;

/// A stream of server-sent events.
struct Events {
    connection: Connection,
    text: String,
}

impl Events {
    /// The data of the next event of this name; `None` at the end of the stream.
    async fn next(&mut self, name: &str) -> Option<Value> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
                let data = (field("event") == Some(name)).then(|| serde_json::from_str(field("data")?).ok()).flatten();
                if data.is_some() {
                    return data;
                }
            }
            let chunk = timeout(crate::buyer::PATIENCE, self.connection.chunk()).await.expect("a chunk in time").expect("a chunk");
            if chunk.is_empty() {
                return None;
            }
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

#[tokio::test]
async fn a_stream_shows_the_present_state_and_every_change_to_the_end() {
    let shop = Shop::open().await;
    let ware = shop.ware(4_000, 3).await;
    let mut buyer = shop.customer("watcher").await;
    buyer.charge(4_000).await;
    let order = buyer.payable_order(ware, 1).await;

    let (head, connection) = buyer.another().client.stream(&format!("/api/orders/{order}/events")).await;
    assert_eq!(head.status, 200);
    assert!(head.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    let mut events = Events { connection, text: String::new() };
    let present = events.next("order-status").await.expect("the present state");
    assert_eq!((&present["id"], &present["status"], &present["totalPrice"]), (&json!(order), &json!("AWAITING_PAYMENT"), &json!(4_000)));

    buyer.pay(order).await.ok();
    let change = events.next("order-status").await.expect("the change");
    assert_eq!((&change["id"], &change["status"]), (&json!(order), &json!("COMPLETED")));
    assert!(change["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{change}");
    assert_eq!(events.next("order-status").await, None, "the stream ends");
    shop.closes_clean().await;
}

#[tokio::test]
async fn a_stream_that_is_opened_at_once_never_steps_back() {
    let shop = Shop::open().await;
    let ware = shop.ware(4_000, 3).await;
    let mut buyer = shop.customer("watcher").await;
    let order = buyer.order(ware, 4).await;

    let (_, connection) = buyer.another().client.stream(&format!("/api/orders/{order}/events")).await;

    let mut events = Events { connection, text: String::new() };
    let mut seen = Vec::new();
    while let Some(event) = events.next("order-status").await {
        seen.push((event["status"].clone(), event["failureCode"].clone()));
    }
    let failed = (json!("FAILED"), json!("OUT_OF_STOCK"));
    assert_eq!(seen.last(), Some(&failed));
    let before = &seen[..seen.len() - 1];
    assert!(before.is_empty() || before == [(json!("PENDING"), Value::Null)], "{seen:?}");
    shop.closes_clean().await;
}

#[tokio::test]
async fn a_client_that_prefers_to_wait_gets_the_settled_order() {
    let shop = Shop::open().await;
    let ware = shop.ware(4_000, 3).await;
    let mut buyer = shop.customer("patient").await;

    let order = buyer.order_of(ware, 1);
    let answer = buyer.client.post_with("/api/orders", &order, &[("prefer", "wait=10")]).await;

    assert_eq!((answer.status(), answer.head.header("preference-applied")), (200, Some("wait=10")), "{answer}");
    let settled = answer.ok();
    assert_eq!((&settled["status"], &settled["totalPrice"]), (&json!("AWAITING_PAYMENT"), &json!(4_000)));
    let again = buyer.client.send("GET", &format!("/api/orders/{}", settled["id"]), &[("prefer", "wait=1000")], b"").await;
    assert_eq!((again.status(), again.head.header("preference-applied")), (200, Some("wait=30")), "{again}");
    assert_eq!(again.ok(), settled);
    shop.closes_clean().await;
}
