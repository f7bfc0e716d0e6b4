//! A shop that runs by itself: relay, consumers and scheduler in the background, callers at the front.

use crate::books::Books;
use crate::shop::{SAGA, Shop};
use commerce_core::messaging::{Group, Relay};
use commerce_core::order::OrderStatus;
use commerce_core::testing::SeededRandom;
use commerce_core::user::Actor;
use commerce_core::{OptionId, OrderId, UserId};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A shop whose events travel by themselves until the token is cancelled.
fn running() -> (Shop, CancellationToken) {
    let shop = Shop::open();
    let mut groups = SAGA.to_vec();
    groups.push(Group::Notification);
    shop.commerce.start_consumers(&groups);
    shop.commerce.start_scheduler();
    let relay_end = CancellationToken::new();
    let (store, bus) = (Arc::new(shop.memory.clone()), Arc::new(shop.bus.clone()));
    let relay = Relay::new(store, bus, Arc::clone(&shop.clock) as _, Arc::new(SeededRandom::new(4)), Arc::default());
    tokio::spawn(relay.run(relay_end.clone()));
    (shop, relay_end)
}

/// Closes the shop: what was published is handled, and the books are right.
async fn close(shop: &Shop, relay: CancellationToken) -> Books {
    relay.cancel();
    shop.commerce.shutdown().await;
    shop.settle().await;
    shop.deliver(Group::Ranking).await;
    assert_eq!(shop.dead_letters().await, 0);
    Books::close(shop).await
}

async fn buy(shop: &Shop, buyer: UserId, option: OptionId) -> (OrderId, OrderStatus) {
    let order = shop.place(buyer, &[(option, 1)], None).await;
    let settled = shop.commerce.order_once_settled(order, Duration::from_mins(1)).await.unwrap().unwrap();
    (order, settled.order.status)
}

#[tokio::test(start_paused = true)]
async fn the_last_unit_goes_to_exactly_one_of_many_buyers() {
    // Given one unit and fifty buyers,
    let (shop, relay) = running();
    let option = shop.option(1_000, 1).await;
    let buyers = join_all((0..50).map(async |_| shop.user(1_000).await)).await;
    // when all of them order it at the same time,
    let orders = join_all(buyers.iter().map(async |buyer| buy(&shop, *buyer, option).await)).await;
    // then one of them can pay for it, and all others have failed.
    let (won, lost): (Vec<_>, Vec<_>) = orders.into_iter().partition(|(_, status)| *status == OrderStatus::AwaitingPayment);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert!(lost.iter().all(|(_, status)| *status == OrderStatus::Failed));
    assert_eq!(close(&shop, relay).await.stock[&option], 0);
}

#[tokio::test(start_paused = true)]
async fn points_that_suffice_for_one_order_pay_exactly_one_of_many() {
    // Given a buyer who can pay for one of ten orders,
    let (shop, relay) = running();
    let (buyer, option) = (shop.user(1_500).await, shop.option(1_000, 10).await);
    let orders = join_all((0..10).map(async |_| buy(&shop, buyer, option).await)).await;
    // when all of them are paid at the same time, twice each,
    let attempts = orders.iter().chain(&orders).map(async |(order, _)| shop.commerce.pay(*order, buyer).await.is_ok());
    let paid = join_all(attempts).await.into_iter().filter(|paid| *paid).count();
    // then one payment succeeds, and the balance is what is left.
    assert_eq!(paid, 1);
    assert_eq!(close(&shop, relay).await.balances[&buyer], 500);
}

#[tokio::test(start_paused = true)]
async fn an_order_is_paid_or_cancelled_or_expires_whoever_comes_first() {
    // Given many orders whose deadline is about to pass,
    let (shop, relay) = running();
    let (buyer, option) = (shop.user(100_000).await, shop.option(1_000, 100).await);
    let orders = join_all((0..60).map(async |_| buy(&shop, buyer, option).await)).await;
    // when each is paid and cancelled at about the same time, and the deadline passes half-way through,
    let race = orders.iter().enumerate().map(async |(number, (order, _))| {
        let moment = |index: usize| Duration::from_millis(20 * u64::try_from(index).unwrap());
        if number == 30 {
            tokio::time::sleep(moment(number)).await;
            shop.clock.advance(shop.commerce.settings().payment_deadline);
        }
        let pay = async {
            tokio::time::sleep(moment(number) + moment(number % 3) / 20).await;
            shop.commerce.pay(*order, buyer).await.is_ok()
        };
        let cancel = async {
            tokio::time::sleep(moment(number) + moment(1) / 20).await;
            shop.commerce.cancel_order(*order, Actor::Admin).await.is_ok()
        };
        let (paid, cancelled) = tokio::join!(pay, cancel);
        assert!(!(paid && cancelled), "order {order}");
        paid
    });
    let paid = i64::try_from(join_all(race).await.into_iter().filter(|paid| *paid).count()).unwrap();
    // then each went one way, and who paid has the goods.
    let books = close(&shop, relay).await;
    assert_eq!((books.stock[&option], books.balances[&buyer]), (100 - paid, 100_000 - 1_000 * paid));
    let count = |wanted| books.orders.values().filter(|(status, _)| *status == wanted).count();
    assert!(count(OrderStatus::Completed) > 0 && count(OrderStatus::Cancelled) > 0 && count(OrderStatus::Expired) > 0, "{books:?}");
}
