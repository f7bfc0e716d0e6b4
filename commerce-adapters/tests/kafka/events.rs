//! Events to send, and what is to be true of those that come.

use commerce_core::messaging::{Delivery, Event, Message, NewEvent, OrderConfirmed, Subscription};
use commerce_core::{EventId, Money, OrderId, Timestamp};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The events numbered `first` to `last`; those of each of `orders` orders take turns.
pub(crate) fn messages(first: i64, last: i64, orders: i64) -> Vec<Message> {
    let message = |number: i64| {
        let order_id = OrderId::new(number % orders + 1).unwrap();
        let event = Event::OrderConfirmed(OrderConfirmed { order_id, total: Money::new(number).unwrap() });
        NewEvent::new(event, Timestamp::from_millis(1_767_225_600_000)).encode(EventId::new(number).unwrap())
    };
    (first..=last).map(message).collect()
}

/// The ids of the events of each order that came, as they came for the first time.
pub(crate) fn first_times<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> BTreeMap<i64, Vec<i64>> {
    let (mut seen, mut orders) = (HashSet::new(), BTreeMap::<i64, Vec<i64>>::new());
    for message in deliveries.into_iter().map(|delivery| &delivery.message).filter(|message| seen.insert(message.id)) {
        orders.entry(message.aggregate_id).or_default().push(message.id.get());
    }
    orders
}

/// Polls for a moment; answers nothing if nothing comes.
pub(crate) async fn glance(subscription: &mut dyn Subscription) -> Vec<Delivery> {
    timeout(Duration::from_millis(50), subscription.poll(100)).await.map_or_else(|_nothing| Vec::new(), Result::unwrap)
}

/// Polls and acknowledges until `count` different events have come; answers all that came.
pub(crate) async fn drain(subscription: &mut dyn Subscription, count: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    soon("everything comes", async {
        while first_times(&all).values().flatten().count() < count {
            all.extend(subscription.poll(100).await.unwrap());
            subscription.acknowledge().await.unwrap();
        }
    })
    .await;
    all
}

/// Awaits what has to happen.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("this did not happen in time: {what}"))
}

/// Looks again and again until it is true.
pub(crate) async fn until(what: &str, is_true: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true().await {
        assert!(Instant::now() < deadline, "this did not come true in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
