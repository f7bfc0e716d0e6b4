//! Clients that wait for a coupon, whatever becomes of their connections and of the server.

use crate::buyer::{Buyer, PATIENCE, eventually};
use crate::shop::Shop;
use futures_util::future::{join, join_all};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::timeout;

cases! {
    EVERYWHERE:
        an_outcome_is_told_across_reconnects_and_restarts,
        every_request_that_was_accepted_before_a_crash_is_decided_after_it,
        a_client_that_prefers_to_wait_is_told_the_outcome,
}

fn status_of(task: i64) -> String {
    format!("/api/coupons/publish/status/{task}")
}

/// The present state, as JSON.
async fn present(buyer: &mut Buyer, task: i64) -> Value {
    buyer.client.send("GET", &status_of(task), &[("accept", "application/json")], b"").await.ok()
}

async fn an_outcome_is_told_across_reconnects_and_restarts() {
    let mut shop = Shop::open().await;
    let coupon = shop.coupon(5).await;
    let mut buyer = shop.customer("listener").await;
    let user = buyer.user;
    let task = buyer.task_for(coupon).await;
    drop(buyer.another().client.listen(&status_of(task), &[]).await);
    let mut events = buyer.another().client.listen(&status_of(task), &[("last-event-id", "0")]).await;
    let outcome = events.next("coupon-status").await.expect("the outcome");
    let expected = json!({
        "taskId": task, "status": "SUCCESS", "message": outcome["message"], "issuedAt": outcome["issuedAt"], "position": 1,
    });
    assert_eq!(outcome, expected);
    assert_eq!(events.next("coupon-status").await, None, "the stream ends");
    let id = events.last_id.expect("an id");

    for crash in [false, true] {
        shop = if crash { shop.crash_and_restart().await } else { shop.restart().await };
        let mut buyer = shop.buyer(user);
        assert_eq!(buyer.outcome(task).await, outcome);
        assert_eq!(present(&mut buyer, task).await, outcome);
        // Who was told is told again.
        let mut again = buyer.another().client.listen(&status_of(task), &[("last-event-id", &id)]).await;
        assert_eq!(again.next("coupon-status").await.as_ref(), Some(&outcome));
        assert_eq!(again.next("coupon-status").await, None, "the stream ends");
    }
    shop.closes_clean().await;
}

async fn every_request_that_was_accepted_before_a_crash_is_decided_after_it() {
    const USERS: i64 = 200;
    const ENOUGH: usize = 60;
    let shop = Shop::demo().await;
    let coupon = shop.coupon(USERS).await;
    let (accepted, enough) = (Rc::new(Cell::new(0)), Rc::new(Notify::new()));
    let asking = (1..=USERS).map(|user| {
        let (mut buyer, accepted, enough) = (shop.buyer(user), Rc::clone(&accepted), Rc::clone(&enough));
        async move {
            let body = json!({ "userId": user, "couponId": coupon }).to_string();
            let headers = [("content-type", "application/json")];
            let answer = buyer.client.try_send("POST", "/api/coupons/publish", &headers, body.as_bytes()).await.ok()?;
            assert_eq!(answer.status(), 202, "{answer}");
            accepted.set(accepted.get() + 1);
            if accepted.get() >= ENOUGH {
                enough.notify_one();
            }
            Some((user, answer.ok()["taskId"].as_i64().expect("an id")))
        }
    });
    let killing = async {
        timeout(PATIENCE, enough.notified()).await.expect("enough requests in time");
        shop.signal(Signal::KILL);
    };
    let (tasks, ()) = join(join_all(asking), killing).await;
    let tasks: Vec<_> = tasks.into_iter().flatten().collect();
    assert!(tasks.len() >= ENOUGH);

    let shop = shop.crash_and_restart().await;

    let mut positions = BTreeSet::new();
    for (user, task) in &tasks {
        let outcome = shop.buyer(*user).outcome(*task).await;
        assert_eq!(outcome["status"], "SUCCESS", "{outcome}");
        positions.insert(outcome["position"].as_i64());
    }
    assert_eq!(positions.len(), tasks.len(), "no place is given twice");

    // Who did not hear of its request asks again: it gets the coupon now, or has it.
    let told: BTreeSet<_> = tasks.iter().map(|(user, _)| *user).collect();
    for user in (1..=USERS).filter(|user| !told.contains(user)) {
        let mut buyer = shop.buyer(user);
        let answer = buyer.ask_for(coupon).await;
        assert!([202, 429].contains(&answer.status()), "{answer}");
        eventually("the coupon is there", async || buyer.held(coupon).await.is_some()).await;
    }
    assert_eq!(shop.remaining(coupon).await, 0);
    shop.closes_clean().await;
}

async fn a_client_that_prefers_to_wait_is_told_the_outcome() {
    let shop = Shop::open().await;
    let coupon = shop.coupon(5).await;
    let mut buyer = shop.customer("patient").await;
    let body = json!({ "userId": buyer.user, "couponId": coupon });
    let answer = buyer.client.post_with("/api/coupons/publish", &body, &[("prefer", "wait=1000")]).await;
    assert_eq!((answer.status(), answer.head.header("preference-applied")), (200, Some("wait=30")), "{answer}");
    let told = answer.ok();
    assert_eq!(told, json!({ "taskId": told["taskId"], "status": "SUCCESS" }));
    assert_eq!(present(&mut buyer, told["taskId"].as_i64().expect("an id")).await["position"], 1);
    shop.closes_clean().await;
}
