//! Steps of the saga that are taken in the unit of work of the step before.

use crate::books::Books;
use crate::shop::{SAGA, Shop};
use async_trait::async_trait;
use commerce_core::messaging::{Consumer, Envelope, EventHandler, EventType, Group, Rejection, SagaPace};
use commerce_core::order::{OrderLine, OrderLines, OrderStatus, PlaceOrder, PlaceOrders, Quantity};
use commerce_core::store::{GroupCommit, GroupCommitLimits, StoreError, UnitOfWork};
use commerce_core::testing::SeededRandom;
use commerce_core::{OrderId, Sequence};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn an_order_can_be_paid_from_the_commit_that_places_it() {
    // Given a shop whose consumers run in its process, and whose events go nowhere,
    let shop = Shop::open();
    shop.commerce.start_consumers(&SAGA);
    let (buyer, option) = (shop.user(1_000).await, shop.option(1_000, 1).await);
    // when two orders for the last unit are placed,
    let orders = [shop.place(buyer, &[(option, 1)], None).await, shop.place(buyer, &[(option, 1)], None).await];
    // then one can be paid and the other has failed, though no message was delivered.
    assert_eq!(shop.status(orders[0]).await, OrderStatus::AwaitingPayment);
    assert_eq!(shop.status(orders[1]).await, OrderStatus::Failed);
    shop.commerce.pay(orders[0], buyer).await.unwrap();
    // And when the messages come after all, nothing happens again.
    shop.settle().await;
    shop.commerce.shutdown().await;
    assert_eq!(shop.dead_letters().await, 0);
    let books = Books::close(&shop).await;
    assert_eq!((books.stock[&option], books.balances[&buyer]), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_reads_nothing_takes_the_steps_all_the_same_and_others_pass_over_the_messages() {
    // Given a shop that follows every group, one of them twice, and reads on behalf of none,
    let shop = Shop::open();
    shop.commerce.follow(&Group::ALL);
    shop.commerce.follow(&[Group::Stock]);
    let (buyer, option) = (shop.user(3_000).await, shop.option(1_000, 3).await);
    // when an order is placed and paid,
    let order = shop.place(buyer, &[(option, 2)], None).await;
    assert_eq!(shop.status(order).await, OrderStatus::AwaitingPayment);
    shop.commerce.pay(order, buyer).await.unwrap();
    // then every step was taken once, also after consumers elsewhere have read the messages.
    shop.settle().await;
    assert_eq!(shop.dead_letters().await, 0);
    let books = Books::close(&shop).await;
    assert_eq!((books.stock[&option], books.balances[&buyer]), (1, 1_000));
}

/// Cannot handle anything.
struct Clueless;

#[async_trait]
impl EventHandler for Clueless {
    fn group(&self) -> Group {
        Group::Stock
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::OrderCreated]
    }

    async fn handle(&self, _: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError> {
        Ok(events.iter().map(|_| Err(Rejection("no idea".into()))).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_does_not_undo_what_led_to_it() {
    // Given a stock step that cannot handle a new order,
    let shop = Shop::open();
    let (buyer, option) = (shop.user(1_000).await, shop.option(1_000, 1).await);
    let random = Arc::new(SeededRandom::new(1));
    let group_commit = GroupCommit::start(Arc::new(shop.memory.clone()), Arc::clone(&random) as _, GroupCommitLimits::default());
    let desk = group_commit.desk(PlaceOrders { clock: Arc::clone(&shop.clock) as _, payment_deadline: Duration::from_mins(15) });
    let bus = Arc::new(shop.bus.clone());
    let _consumer = Consumer::new(Clueless, &group_commit, bus, Arc::clone(&shop.clock) as _, random, SagaPace::WithinCommit);
    // when an order is placed,
    let id: OrderId = shop.commerce.next_id(Sequence::Order).await.unwrap();
    let lines = OrderLines::merge(&[OrderLine { option_id: option, quantity: Quantity::new(1).unwrap() }]).unwrap();
    let command = PlaceOrder { id, user_id: buyer, user_coupon_id: None, lines, trace_parent: None };
    desk.submit(command).await.unwrap().unwrap();
    // then it is placed,
    assert_eq!(shop.status(id).await, OrderStatus::Pending);
    group_commit.shutdown().await;
    // and whoever can handle it gets it by message.
    shop.settle().await;
    assert_eq!(shop.status(id).await, OrderStatus::AwaitingPayment);
    Books::close(&shop).await;
}
