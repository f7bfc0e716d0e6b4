//! Many at once for one thing: exactly one gets it, and the books agree.

use crate::buyer::Buyer;
use crate::client::Answer;
use crate::shop::{Shop, Ware};
use futures_util::future::{join, join_all};
use serde_json::Value;

cases! {
    EVERYWHERE:
        the_last_unit_goes_to_exactly_one_of_200_buyers,
        an_order_is_paid_once_however_many_ask_at_once,
        one_idempotency_key_gives_one_answer_to_all_who_use_it,
        charges_and_payments_of_one_user_at_once_add_up,
        either_the_cancellation_or_the_payment_wins,
}

const PRICE: i64 = 5_000;

/// Sends the same request on many connections at once.
async fn at_once(buyer: &Buyer, requests: usize, request: impl AsyncFn(Buyer) -> Answer) -> Vec<Answer> {
    join_all((0..requests).map(|_| request(buyer.another()))).await
}

fn successes(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status() == 200).count()
}

async fn buy(mut buyer: Buyer, ware: Ware) -> Value {
    buyer.charge(2 * ware.price).await;
    let order = buyer.order(ware, 1).await;
    let settled = buyer.settled(order).await;
    if settled["status"] != "AWAITING_PAYMENT" {
        return settled;
    }
    buyer.pay(order).await.ok();
    buyer.look_at(order).await
}

async fn the_last_unit_goes_to_exactly_one_of_200_buyers() {
    let shop = Shop::demo().await;
    let ware = shop.ware(PRICE, 1).await;

    let orders = join_all((1..=200).map(|user| buy(shop.buyer(user), ware))).await;

    let completed = orders.iter().filter(|order| order["status"] == "COMPLETED").count();
    let refused = orders.iter().filter(|order| order["status"] == "FAILED" && order["failureCode"] == "OUT_OF_STOCK").count();
    assert_eq!((completed, refused), (1, 199));
    assert_eq!(shop.stock(ware).await, 0);
    shop.closes_clean().await;
}

async fn an_order_is_paid_once_however_many_ask_at_once() {
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, 10).await;
    let mut buyer = shop.customer("payer").await;
    buyer.charge(20 * PRICE).await;
    let order = buyer.payable_order(ware, 1).await;

    let answers = at_once(&buyer, 20, async |mut buyer| buyer.pay(order).await).await;

    assert_eq!(successes(&answers), 1);
    answers.iter().filter(|answer| answer.status() != 200).for_each(|answer| answer.is_refused(400, "CANNOT_PAY_ORDER"));
    assert_eq!(buyer.balance().await, 19 * PRICE);
    assert_eq!(shop.stock(ware).await, 9);
    shop.closes_clean().await;
}

async fn one_idempotency_key_gives_one_answer_to_all_who_use_it() {
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, 10).await;
    let mut buyer = shop.customer("payer").await;
    buyer.charge(20 * PRICE).await;
    let order = buyer.payable_order(ware, 1).await;
    let key = [("idempotency-key", "one payment")];

    let answers = at_once(&buyer, 20, async |mut buyer| buyer.pay_with(order, &key).await).await;

    let first = answers.iter().find(|answer| answer.status() == 200).expect("one of them pays");
    for answer in &answers {
        if answer.status() == 200 {
            assert_eq!(answer.text(), first.text());
        } else {
            answer.is_refused(409, "IDEMPOTENCY_KEY_IN_FLIGHT");
            assert!(answer.head.header("retry-after").is_some(), "{answer}");
        }
    }
    let fresh = answers.iter().filter(|answer| answer.status() == 200 && answer.head.header("idempotent-replayed").is_none());
    assert_eq!(fresh.count(), 1);
    let again = buyer.pay_with(order, &key).await;
    assert_eq!((again.text(), again.head.header("idempotent-replayed")), (first.text(), Some("true")));
    assert_eq!(buyer.balance().await, 19 * PRICE);

    let other = buyer.payable_order(ware, 1).await;
    buyer.pay_with(other, &key).await.is_refused(422, "IDEMPOTENCY_KEY_REUSED");
    shop.closes_clean().await;
}

async fn charges_and_payments_of_one_user_at_once_add_up() {
    const ROUNDS: i64 = 40;
    const CHARGE: i64 = 1_000;
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, ROUNDS).await;
    let mut buyer = shop.customer("busy one").await;
    buyer.charge(ROUNDS * PRICE).await;
    let orders = join_all((0..ROUNDS).map(async |_| buyer.another().payable_order(ware, 1).await)).await;

    let charges = join_all((0..ROUNDS).map(async |_| buyer.another().charge(CHARGE).await));
    let payments = join_all(orders.iter().map(async |order| buyer.another().pay(*order).await.ok()));
    let (balances, _) = join(charges, payments).await;

    assert_eq!(buyer.balance().await, ROUNDS * CHARGE);
    assert!(balances.iter().all(|balance| *balance >= CHARGE));
    assert_eq!(shop.stock(ware).await, 0);
    shop.closes_clean().await;
}

async fn either_the_cancellation_or_the_payment_wins() {
    const ROUNDS: usize = 15;
    let shop = Shop::open().await;
    let ware = shop.ware(PRICE, 1_000).await;
    let mut buyer = shop.customer("undecided").await;
    let mut balance = buyer.charge(200 * PRICE).await;
    let mut stock = 1_000;
    for round in 0..ROUNDS {
        let order = buyer.payable_order(ware, 1).await;
        let (mut one, mut other) = (buyer.another(), buyer.another());
        // Whichever is polled first is sent first: let each of them be that in turn.
        let (paid, cancelled) = if round % 2 == 0 {
            join(one.pay(order), other.cancel(order)).await
        } else {
            let (cancelled, paid) = join(other.cancel(order), one.pay(order)).await;
            (paid, cancelled)
        };
        if paid.status() == 200 {
            cancelled.is_refused(409, "CANNOT_CANCEL_ORDER");
            buyer.until(order, "COMPLETED").await;
            (balance, stock) = (balance - PRICE, stock - 1);
        } else {
            paid.is_refused(400, "CANNOT_PAY_ORDER");
            assert_eq!(cancelled.ok()["status"], "CANCELLED");
            buyer.cancel(order).await.is_refused(409, "CANNOT_CANCEL_ORDER");
        }
        assert_eq!(buyer.balance().await, balance);
    }
    crate::buyer::eventually("what was cancelled is back on the shelf", async || shop.stock(ware).await == stock).await;
    shop.closes_clean().await;
}
