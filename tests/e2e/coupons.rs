//! Coupons, first come, first served.

use crate::buyer::{Buyer, eventually};
use crate::client::Answer;
use crate::shop::Shop;
use futures_util::future::join_all;
use serde_json::json;
use std::collections::BTreeSet;

cases! {
    EVERYWHERE:
        ten_coupons_go_to_exactly_ten_of_a_thousand_users,
        one_user_who_asks_a_hundred_times_at_once_is_admitted_once,
        without_a_window_every_repetition_is_a_duplicate,
        a_user_that_does_not_exist_gets_nothing_and_takes_nobodys_place,
        a_request_under_a_key_is_answered_once_and_again,
}

/// The same customer asks on many connections at once.
async fn ask_at_once(buyer: &Buyer, coupon: i64, requests: usize) -> Vec<Answer> {
    let ask = async |mut buyer: Buyer| buyer.ask_for(coupon).await;
    join_all((0..requests).map(|_| ask(buyer.another()))).await
}

async fn ten_coupons_go_to_exactly_ten_of_a_thousand_users() {
    const CONNECTIONS: i64 = 500;
    let shop = Shop::demo().await;
    let coupon = shop.coupon(10).await;

    // Two customers share each connection: a process has only so many.
    let rush = join_all((1..=CONNECTIONS).map(|user| {
        let mut one = shop.buyer(user);
        async move {
            let first = one.ask_for(coupon).await;
            let mut other = Buyer { user: user + CONNECTIONS, client: one.client };
            let second = other.ask_for(coupon).await;
            [(user, first), (other.user, second)]
        }
    }));
    let answers: Vec<_> = rush.await.into_iter().flatten().collect();

    assert_eq!(answers.len(), 1_000);
    let (admitted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.status() == 202);
    for (_, answer) in &refused {
        answer.is_refused(400, "OUT_OF_STOCK_COUPON");
    }
    let mut positions = BTreeSet::new();
    for (user, answer) in &admitted {
        let mut buyer = shop.buyer(*user);
        let outcome = buyer.outcome(answer.ok()["taskId"].as_i64().expect("an id")).await;
        assert_eq!(outcome["status"], "SUCCESS", "{outcome}");
        let held = buyer.held(coupon).await.expect("the coupon");
        assert_eq!((&held["position"], &held["couponStatus"]), (&outcome["position"], &json!("ISSUED")));
        positions.insert(outcome["position"].as_i64());
    }
    assert_eq!((admitted.len(), positions), (10, (1..=10).map(Some).collect()));
    assert_eq!(shop.remaining(coupon).await, 0);
    shop.closes_clean().await;
}

async fn one_user_who_asks_a_hundred_times_at_once_is_admitted_once() {
    let shop = Shop::open().await;
    let coupon = shop.coupon(50).await;
    let mut buyer = shop.customer("impatient").await;

    let answers = ask_at_once(&buyer, coupon, 100).await;

    let (admitted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 202);
    assert_eq!((admitted.len(), refused.len()), (1, 99));
    for answer in refused {
        answer.is_refused(429, "TOO_MANY_REQUESTS");
        let seconds = answer.head.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
        assert!(seconds.is_some_and(|seconds| (1..=180).contains(&seconds)), "{seconds:?}");
    }
    assert_eq!(buyer.outcome(admitted[0].ok()["taskId"].as_i64().expect("an id")).await["position"], 1);
    assert!(buyer.held(coupon).await.is_some());
    assert_eq!(shop.remaining(coupon).await, 49);
    shop.closes_clean().await;
}

async fn without_a_window_every_repetition_is_a_duplicate() {
    let shop = Shop::start(&["--auth", "off", "--coupon-window", "0s"]).await;
    let coupon = shop.coupon(50).await;
    let mut buyer = shop.customer("impatient").await;

    let answers = ask_at_once(&buyer, coupon, 100).await;

    let (admitted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 202);
    assert_eq!((admitted.len(), refused.len()), (1, 99));
    for answer in &refused {
        answer.is_refused(409, "DUPLICATED_COUPON");
    }
    assert_eq!(buyer.outcome(admitted[0].ok()["taskId"].as_i64().expect("an id")).await["status"], "SUCCESS");
    // A gate that was rebuilt remembers.
    let user = buyer.user;
    let shop = shop.restart().await;
    buyer = shop.buyer(user);
    eventually("the gate is open again", async || buyer.ask_for(coupon).await.status() != 503).await;
    buyer.ask_for(coupon).await.is_refused(409, "DUPLICATED_COUPON");
    assert_eq!(shop.remaining(coupon).await, 49);
    shop.closes_clean().await;
}

async fn a_user_that_does_not_exist_gets_nothing_and_takes_nobodys_place() {
    let shop = Shop::open().await;
    let coupon = shop.coupon(1).await;
    let mut nobody = shop.buyer(424_242);
    let task = nobody.task_for(coupon).await;
    let outcome = nobody.outcome(task).await;
    assert_eq!((&outcome["status"], &outcome["errorCode"]), (&json!("FAIL"), &json!("INACTIVE_USER")));

    let mut buyer = shop.customer("second").await;
    let mut admitted = None;
    eventually("the place is free again", async || {
        let answer = buyer.ask_for(coupon).await;
        admitted = (answer.status() == 202).then(|| answer.ok()["taskId"].as_i64().expect("an id"));
        admitted.is_some() || {
            answer.is_refused(400, "OUT_OF_STOCK_COUPON");
            false
        }
    })
    .await;
    assert_eq!(buyer.outcome(admitted.expect("a task")).await["status"], "SUCCESS");
    assert_eq!(shop.remaining(coupon).await, 0);
    shop.closes_clean().await;
}

async fn a_request_under_a_key_is_answered_once_and_again() {
    let shop = Shop::open().await;
    let coupon = shop.coupon(2).await;
    let mut buyer = shop.customer("careful").await;
    let body = json!({ "userId": buyer.user, "couponId": coupon });
    let headers = [("idempotency-key", "one coupon"), ("prefer", "wait=10")];
    let first = buyer.client.post_with("/api/coupons/publish", &body, &headers).await;
    assert_eq!((first.status(), first.head.header("preference-applied")), (200, Some("wait=10")), "{first}");
    assert_eq!(first.ok()["status"], "SUCCESS");

    let user = buyer.user;
    let shop = shop.crash_and_restart().await;

    buyer = shop.buyer(user);
    let again = buyer.client.post_with("/api/coupons/publish", &body, &headers).await;
    assert_eq!((again.status(), again.text(), again.head.header("idempotent-replayed")), (200, first.text(), Some("true")));
    assert_eq!(again.head.header("preference-applied"), Some("wait=10"));
    assert_eq!(shop.remaining(coupon).await, 1);
    shop.closes_clean().await;
}
