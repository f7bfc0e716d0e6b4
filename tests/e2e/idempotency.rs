//! Requests that are sent again with their key: one change, one answer.

use crate::buyer::Buyer;
use crate::client::Answer;
use crate::shop::Shop;
use futures_util::future::join_all;
use serde_json::json;

cases! {
    EVERYWHERE:
        a_charge_that_is_sent_again_is_made_once,
        an_answer_is_remembered_through_a_crash,
        a_refusal_by_the_domain_is_remembered_but_one_of_the_shape_is_not,
        a_key_belongs_to_its_caller,
}

const CHARGE: i64 = 5_000;

async fn charge_with_key(buyer: &mut Buyer, points: i64, key: &str) -> Answer {
    let path = format!("/api/users/{}/points", buyer.user);
    buyer.client.post_with(&path, &json!({ "chargePoint": points }), &[("idempotency-key", key)]).await
}

fn is_replay_of(answer: &Answer, first: &Answer) {
    assert_eq!((answer.status(), answer.text()), (first.status(), first.text()), "{answer}");
    assert_eq!(answer.head.header("idempotent-replayed"), Some("true"), "{answer}");
}

async fn a_charge_that_is_sent_again_is_made_once() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("repeating").await;

    let answers = join_all((0..20).map(|_| {
        let mut buyer = buyer.another();
        async move { charge_with_key(&mut buyer, CHARGE, "one charge").await }
    }));
    let answers = answers.await;

    let first = answers.iter().find(|answer| answer.status() == 200).expect("one of them charges");
    for answer in answers.iter().filter(|answer| answer.status() != 200) {
        answer.is_refused(409, "IDEMPOTENCY_KEY_IN_FLIGHT");
    }
    assert_eq!(buyer.balance().await, CHARGE);
    is_replay_of(&charge_with_key(&mut buyer, CHARGE, "one charge").await, first);
    charge_with_key(&mut buyer, CHARGE + 1, "one charge").await.is_refused(422, "IDEMPOTENCY_KEY_REUSED");
    charge_with_key(&mut buyer, CHARGE, "another charge").await.ok();
    assert_eq!(buyer.balance().await, 2 * CHARGE);
    shop.closes_clean().await;
}

async fn an_answer_is_remembered_through_a_crash() {
    let shop = Shop::open().await;
    let ware = shop.ware(1_000, 5).await;
    let mut buyer = shop.customer("repeating").await;
    let user = buyer.user;
    let first = charge_with_key(&mut buyer, CHARGE, "one charge").await;
    let order = buyer.order_of(ware, 2);
    let key = [("idempotency-key", "one order")];
    let placed = buyer.client.post_with("/api/orders", &order, &key).await;
    buyer.settled(placed.ok()["id"].as_i64().expect("an id")).await;

    let shop = shop.crash_and_restart().await;

    let mut buyer = shop.buyer(user);
    is_replay_of(&charge_with_key(&mut buyer, CHARGE, "one charge").await, &first);
    is_replay_of(&buyer.client.post_with("/api/orders", &order, &key).await, &placed);
    let orders = buyer.client.read(&format!("/api/users/{user}/orders")).await["items"].take();
    assert_eq!(orders.as_array().map(Vec::len), Some(1));
    assert_eq!((buyer.balance().await, shop.stock(ware).await), (CHARGE, 3));
    shop.closes_clean().await;
}

async fn a_refusal_by_the_domain_is_remembered_but_one_of_the_shape_is_not() {
    let shop = Shop::open().await;
    let ware = shop.ware(CHARGE, 5).await;
    let mut buyer = shop.customer("repeating").await;
    let order = buyer.payable_order(ware, 1).await;
    let key = [("idempotency-key", "one payment")];
    let refused = buyer.pay_with(order, &key).await;
    refused.is_refused(400, "INSUFFICIENT_USER_POINT");
    buyer.charge(CHARGE).await;
    is_replay_of(&buyer.pay_with(order, &key).await, &refused);
    assert_eq!(buyer.balance().await, CHARGE);

    charge_with_key(&mut buyer, 1, "a charge").await.is_refused(400, "INVALID_USER_POINT");
    charge_with_key(&mut buyer, CHARGE, "a charge").await.ok();
    assert_eq!(buyer.balance().await, 2 * CHARGE);
    shop.closes_clean().await;
}

async fn a_key_belongs_to_its_caller() {
    let shop = Shop::start(&["--demo"]).await;
    for user in [1, 2] {
        let client = shop.client().log_in(&format!("customer{user}@commerce.example"), "commerce-demo").await;
        let mut buyer = Buyer { user, client };
        let before = buyer.balance().await;
        let charged = charge_with_key(&mut buyer, CHARGE, "the same key").await;
        assert_eq!((charged.ok()["point"].as_i64(), charged.head.header("idempotent-replayed")), (Some(before + CHARGE), None));
    }
    shop.closes_clean().await;
}
