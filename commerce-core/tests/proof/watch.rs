//! Waiting for an order: notifications are hints, and whoever waits learns the truth without them.

use crate::shop::Shop;
use async_trait::async_trait;
use commerce_core::messaging::{Group, Message, MessageBus, Topic};
use commerce_core::notify::{Notification, Notifier, NotifyError, Reach, Subject, Watch};
use commerce_core::order::OrderStatus;
use commerce_core::testing::MemoryNotifier;
use commerce_core::user::Actor;
use commerce_core::{Commerce, EventId, OrderId, Settings, UserId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(3);

/// Loses everything; its watches say nothing, or keep saying that they may have missed something.
struct Deaf {
    says_so: bool,
}

#[async_trait]
impl Notifier for Deaf {
    async fn publish(&self, _: &[Notification]) -> Result<(), NotifyError> {
        Ok(())
    }

    async fn watch(&self, _: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        Ok(Box::new(Deaf { says_so: self.says_so }))
    }
}

#[async_trait]
impl Watch for Deaf {
    async fn next(&mut self) -> Option<String> {
        if self.says_so { None } else { std::future::pending().await }
    }
}

/// A shop with one buyer and one order, the saga of which has not begun.
async fn shop_with(notifier: Option<Deaf>) -> (Shop, UserId, OrderId) {
    let shop = Shop::with(Settings::default(), |parts| {
        if let Some(notifier) = notifier {
            parts.notifier = Arc::new(notifier);
        }
    });
    let buyer = shop.user(10_000).await;
    let option = shop.option(1_000, 5).await;
    let order = shop.place(buyer, &[(option, 1)], None).await;
    (shop, buyer, order)
}

/// Waits in the background for an order to settle, and says how it stood and how long it took.
fn waiting(shop: &Commerce, order: OrderId) -> tokio::task::JoinHandle<(OrderStatus, Duration)> {
    let shop = shop.clone();
    tokio::spawn(async move {
        let begun = Instant::now();
        let view = shop.order_once_settled(order, PATIENCE).await.unwrap().unwrap();
        (view.order.status, begun.elapsed())
    })
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_at_once() {
    let (shop, _, order) = shop_with(None).await;
    shop.commerce.start_consumers(&[Group::Notification]);
    let waiting = waiting(&shop.commerce, order);
    tokio::task::yield_now().await;
    shop.settle().await;
    shop.carry().await;
    let (status, took) = waiting.await.unwrap();
    assert_eq!(status, OrderStatus::AwaitingPayment);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_finds_out_although_every_notification_is_lost() {
    for says_so in [false, true] {
        let (shop, _, order) = shop_with(Some(Deaf { says_so })).await;
        let waiting = waiting(&shop.commerce, order);
        tokio::task::yield_now().await;
        shop.settle().await;
        let (status, took) = waiting.await.unwrap();
        assert_eq!(status, OrderStatus::AwaitingPayment);
        assert!(took <= Duration::from_secs(2), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_too_long_is_shown_the_order_as_it_is() {
    for says_so in [false, true] {
        let (shop, _, order) = shop_with(Some(Deaf { says_so })).await;
        let (status, took) = waiting(&shop.commerce, order).await.unwrap();
        assert_eq!(status, OrderStatus::Pending);
        assert!(took >= PATIENCE && took < PATIENCE + Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_an_order_that_does_not_exist_or_has_settled() {
    let (shop, _, order) = shop_with(Some(Deaf { says_so: false })).await;
    let begun = Instant::now();
    let unknown = OrderId::new(999).unwrap();
    assert!(shop.commerce.order_once_settled(unknown, PATIENCE).await.unwrap().is_none());
    assert_eq!(begun.elapsed(), Duration::ZERO);
    shop.settle().await;
    let begun = Instant::now();
    assert!(shop.commerce.order_once_settled(order, PATIENCE).await.unwrap().is_some());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// Watches an order in the background until its stream ends.
fn watching(shop: &Commerce, order: OrderId) -> tokio::task::JoinHandle<Vec<OrderStatus>> {
    let shop = shop.clone();
    tokio::spawn(async move {
        let mut watch = shop.watch_order(order).await;
        let mut seen = Vec::new();
        while let Some(update) = watch.next().await.unwrap() {
            seen.push(update.status);
        }
        seen
    })
}

#[tokio::test(start_paused = true)]
async fn a_watch_shows_each_change_once_in_order_and_ends_with_the_order() {
    for deaf in [None, Some(Deaf { says_so: false }), Some(Deaf { says_so: true })] {
        // Given somebody who watches an order from the start, whether or not notifications arrive,
        let (shop, buyer, order) = shop_with(deaf).await;
        shop.commerce.start_consumers(&[Group::Notification]);
        let watching = watching(&shop.commerce, order);
        tokio::time::sleep(Duration::from_secs(5)).await;
        // when it is confirmed and, later, paid, and all of this is told twice,
        shop.settle().await;
        shop.repeat_history().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        shop.commerce.pay(order, buyer).await.unwrap();
        shop.settle().await;
        shop.repeat_history().await;
        // then each change is seen once, and the stream ends.
        let seen = timeout(Duration::from_mins(1), watching).await.expect("the stream ends").unwrap();
        assert_eq!(seen, [OrderStatus::Pending, OrderStatus::AwaitingPayment, OrderStatus::Completed]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_an_order_that_has_ended_shows_its_end_at_once_and_ends() {
    let (shop, buyer, order) = shop_with(None).await;
    shop.settle().await;
    shop.commerce.cancel_order(order, Actor::Customer(buyer)).await.unwrap();
    let begun = Instant::now();
    assert_eq!(watching(&shop.commerce, order).await.unwrap(), [OrderStatus::Cancelled]);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_asked_again_and_again_loses_nothing() {
    // Given a watch whose caller gives up waiting every few milliseconds,
    let (shop, _, order) = shop_with(None).await;
    shop.commerce.start_consumers(&[Group::Notification]);
    let mut watch = shop.commerce.watch_order(order).await;
    assert_eq!(watch.next().await.unwrap().unwrap().status, OrderStatus::Pending);
    let mut seen = None;
    for attempt in 0..400 {
        if attempt == 10 {
            shop.settle().await;
        }
        if let Ok(update) = timeout(Duration::from_millis(7), watch.next()).await {
            seen = update.unwrap();
            break;
        }
    }
    // then it is told all the same.
    assert_eq!(seen.unwrap().status, OrderStatus::AwaitingPayment);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_does_not_keep_others_from_being_told() {
    // Given somebody who waits, and an event that nobody can read before the one that matters,
    let (shop, _, order) = shop_with(None).await;
    shop.commerce.start_consumers(&[Group::Notification]);
    let waiting = waiting(&shop.commerce, order);
    tokio::task::yield_now().await;
    shop.carry().await;
    let created = shop.bus.messages(Topic::Order).remove(0);
    let (id, payload) = (EventId::new(1_000_000).unwrap(), "{}".to_owned());
    shop.bus.publish(&[Message { id, event_type: "OrderConfirmed".to_owned(), payload, ..created }]).await.unwrap();
    // when the saga goes on, then it is told at once.
    shop.settle().await;
    let (status, took) = waiting.await.unwrap();
    assert_eq!(status, OrderStatus::AwaitingPayment);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// Tells the watchers of all processes.
struct FarReaching(MemoryNotifier);

#[async_trait]
impl Notifier for FarReaching {
    fn reach(&self) -> Reach {
        Reach::Shop
    }

    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError> {
        self.0.publish(notifications).await
    }

    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        self.0.watch(subject).await
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_notifier_reaches_every_process_one_group_tells_the_news_and_leaves_old_news_alone() {
    // Given an order whose event waits for longer than anybody does,
    let shop = Shop::with(Settings::default(), |parts| parts.notifier = Arc::new(FarReaching(MemoryNotifier::new())));
    let (buyer, option) = (shop.user(10_000).await, shop.option(1_000, 5).await);
    let old = shop.place(buyer, &[(option, 1)], None).await;
    shop.settle().await;
    shop.clock.advance(Duration::from_mins(1));
    let new = shop.place(buyer, &[(option, 1)], None).await;
    shop.settle().await;
    let notifier = Arc::clone(&shop.commerce.parts().notifier);
    let mut watches = [notifier.watch(Subject::Order(old)).await.unwrap(), notifier.watch(Subject::Order(new)).await.unwrap()];
    // when the group reads what was there before it began,
    shop.commerce.start_consumers(&[Group::Notification]);
    // then the watcher of the new one is told,
    let told = timeout(PATIENCE, watches[1].next()).await.unwrap().unwrap();
    assert!(told.contains("AWAITING_PAYMENT"), "{told}");
    // and that of the old one is not, though its event is acknowledged.
    assert!(timeout(PATIENCE, watches[0].next()).await.is_err());
    assert_eq!(shop.bus.lag(Group::Notification, &[Topic::Order]).await.unwrap(), 0);
}
