//! Clients that wait instead of polling.

use crate::shop::Shop;
use serde_json::{Value, json};

cases! {
    EVERYWHERE:
        a_stream_shows_the_present_state_and_every_change_to_the_end,
        a_stream_that_is_opened_at_once_never_steps_back,
        a_client_that_prefers_to_wait_gets_the_settled_order,
}

async fn a_stream_shows_the_present_state_and_every_change_to_the_end() {
    let shop = Shop::open().await;
    let ware = shop.ware(4_000, 3).await;
    let mut buyer = shop.customer("watcher").await;
    buyer.charge(4_000).await;
    let order = buyer.payable_order(ware, 1).await;

    let mut events = buyer.another().client.listen(&format!("/api/orders/{order}/events"), &[]).await;
    let present = events.next("order-status").await.expect("the present state");
    assert_eq!((&present["id"], &present["status"], &present["totalPrice"]), (&json!(order), &json!("AWAITING_PAYMENT"), &json!(4_000)));

    buyer.pay(order).await.ok();
    let change = events.next("order-status").await.expect("the change");
    assert_eq!((&change["id"], &change["status"]), (&json!(order), &json!("COMPLETED")));
    assert!(change["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{change}");
    assert_eq!(events.next("order-status").await, None, "the stream ends");
    shop.closes_clean().await;
}

async fn a_stream_that_is_opened_at_once_never_steps_back() {
    let shop = Shop::open().await;
    let ware = shop.ware(4_000, 3).await;
    let mut buyer = shop.customer("watcher").await;
    let order = buyer.order(ware, 4).await;

    let mut events = buyer.another().client.listen(&format!("/api/orders/{order}/events"), &[]).await;

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
