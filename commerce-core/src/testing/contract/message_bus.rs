use super::runner::{eventually, soon};
use crate::messaging::{Delivery, Event, Group, Message, MessageBus, NewEvent, OrderConfirmed, StartAt, Subscription, Topic};
use crate::{EventId, Money, OrderId, Timestamp};
use async_trait::async_trait;
use futures_util::FutureExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How events get into a bus: through a relay that publishes them, or through the outbox the bus itself reads.
#[async_trait]
pub trait Feed: Send + Sync {
    /// Puts events into the bus in the order given, under ids that are new.
    async fn put(&self, events: Vec<NewEvent>);
}

/// A bus without messages, and the way into it.
pub struct BusUnderTest {
    /// The bus.
    pub bus: Arc<dyn MessageBus>,
    /// The way into it.
    pub feed: Arc<dyn Feed>,
}

impl BusUnderTest {
    /// A bus into which messages get by [`MessageBus::publish`].
    pub fn publishing(bus: Arc<dyn MessageBus>) -> Self {
        Self { feed: Arc::new(PublishingFeed::new(Arc::clone(&bus))), bus }
    }
}

/// Gives events ids, 1, 2, 3 …, and publishes them.
pub struct PublishingFeed {
    bus: Arc<dyn MessageBus>,
    last_id: AtomicI64,
}

impl PublishingFeed {
    /// The way into `bus`.
    pub fn new(bus: Arc<dyn MessageBus>) -> Self {
        Self { bus, last_id: AtomicI64::new(0) }
    }
}

#[async_trait]
impl Feed for PublishingFeed {
    async fn put(&self, events: Vec<NewEvent>) {
        let message = |event: NewEvent| event.encode(EventId::new(self.last_id.fetch_add(1, Ordering::SeqCst) + 1).expect("a small id"));
        let messages: Vec<Message> = events.into_iter().map(message).collect();
        self.bus.publish(&messages).await.expect("the bus takes messages");
    }
}

/// Checks everything a [`MessageBus`] MUST do, each check on a bus without messages that `new` makes.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn message_bus(new: impl AsyncFn() -> BusUnderTest) {
    let new = async || Box::new(new().await);
    checks! { new:
        every_message_is_delivered_complete,
        messages_of_an_aggregate_stay_in_order,
        every_group_gets_every_message,
        what_is_acknowledged_does_not_come_again,
        what_is_not_acknowledged_comes_again,
        a_poll_answers_at_most_what_was_asked_for,
        a_poll_waits_for_a_message,
        a_poll_that_was_cancelled_loses_nothing,
        readers_of_a_group_share_the_messages,
        who_starts_at_the_latest_sees_only_what_comes_then,
        only_the_topics_asked_for_are_read,
        the_lag_is_what_is_not_acknowledged,
    }
}

/// Event `number` of an order.
fn event(order: i64, number: i64) -> NewEvent {
    let total = Money::new(number).unwrap();
    let event = Event::OrderConfirmed(OrderConfirmed { order_id: OrderId::new(order).unwrap(), total });
    let trace_parent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    NewEvent { occurred_at: Timestamp::from_millis(1_767_225_600_123), trace_parent, event }
}

/// `rounds` events of each of `orders` orders, the orders taking turns.
fn events(orders: i64, rounds: i64) -> Vec<NewEvent> {
    (1..=rounds).flat_map(|number| (1..=orders).map(move |order| event(order, number))).collect()
}

async fn subscribe(test: &BusUnderTest, group: Group) -> Box<dyn Subscription> {
    test.bus.subscribe(group, &[Topic::Order], StartAt::Acknowledged).await.unwrap()
}

async fn poll(subscription: &mut dyn Subscription, max: usize) -> Vec<Delivery> {
    let polled = soon("a message arrives", subscription.poll(max)).await.unwrap();
    assert!(!polled.is_empty(), "a poll answers at least one message");
    assert!(polled.len() <= max, "a poll answers at most {max} messages, not {}", polled.len());
    polled
}

/// Polls and acknowledges until `count` different messages have come; answers all that came.
async fn drain(subscription: &mut dyn Subscription, count: usize) -> Vec<Delivery> {
    let (mut all, mut ids) = (Vec::new(), BTreeSet::new());
    while ids.len() < count {
        let polled = poll(subscription, 50).await;
        ids.extend(polled.iter().map(|delivery| delivery.message.id));
        all.extend(polled);
        subscription.acknowledge().await.unwrap();
    }
    all
}

/// What came of each order, without repetitions.
fn by_order(deliveries: &[Delivery]) -> BTreeMap<i64, Vec<String>> {
    let (mut orders, mut seen) = (BTreeMap::<i64, Vec<String>>::new(), BTreeSet::new());
    for delivery in deliveries.iter().filter(|delivery| seen.insert(delivery.message.id)) {
        orders.entry(delivery.message.aggregate_id).or_default().push(delivery.message.payload.clone());
    }
    orders
}

fn expected(orders: i64, rounds: i64) -> BTreeMap<i64, Vec<String>> {
    let payload = |order, number| event(order, number).encode(EventId::new(1).unwrap()).payload;
    (1..=orders).map(|order| (order, (1..=rounds).map(|number| payload(order, number)).collect())).collect()
}

async fn no_lag(test: &BusUnderTest, group: Group) {
    eventually("everything is acknowledged", async || {
        let lag = test.bus.lag(group, &[Topic::Order]).await.unwrap();
        (lag == 0).then_some(())
    })
    .await;
}

async fn every_message_is_delivered_complete(test: &BusUnderTest) {
    test.feed.put(vec![event(7, 1)]).await;
    let mut subscription = subscribe(test, Group::Stock).await;
    let delivery = drain(subscription.as_mut(), 1).await.remove(0);
    assert_eq!(delivery.message, event(7, 1).encode(delivery.message.id));
    assert_eq!(delivery.source.topic, Topic::Order);
    assert!(delivery.source.partition >= 0 && delivery.source.offset >= 0);
}

async fn messages_of_an_aggregate_stay_in_order(test: &BusUnderTest) {
    for chunk in events(10, 30).chunks(37) {
        test.feed.put(chunk.to_vec()).await;
    }
    let mut subscription = subscribe(test, Group::Stock).await;
    let deliveries = drain(subscription.as_mut(), 300).await;
    assert_eq!(by_order(&deliveries), expected(10, 30));
}

async fn every_group_gets_every_message(test: &BusUnderTest) {
    test.feed.put(events(5, 2)).await;
    for group in [Group::Stock, Group::Coupon, Group::Order] {
        let mut subscription = subscribe(test, group).await;
        assert_eq!(by_order(&drain(subscription.as_mut(), 10).await), expected(5, 2), "{group:?}");
    }
}

async fn what_is_acknowledged_does_not_come_again(test: &BusUnderTest) {
    test.feed.put(events(5, 2)).await;
    let mut first = subscribe(test, Group::Stock).await;
    drain(first.as_mut(), 10).await;
    first.close().await.unwrap();
    no_lag(test, Group::Stock).await;

    test.feed.put(vec![event(9, 1)]).await;
    let mut second = subscribe(test, Group::Stock).await;
    let deliveries = drain(second.as_mut(), 1).await;
    assert_eq!(by_order(&deliveries).into_keys().collect::<Vec<_>>(), [9]);
}

async fn what_is_not_acknowledged_comes_again(test: &BusUnderTest) {
    test.feed.put(events(5, 4)).await;
    let mut first = subscribe(test, Group::Stock).await;
    poll(first.as_mut(), 5).await;
    first.acknowledge().await.unwrap();
    poll(first.as_mut(), 5).await;
    drop(first);

    let lag = test.bus.lag(Group::Stock, &[Topic::Order]).await.unwrap();
    assert!(lag >= 10, "at most ten messages were acknowledged, and {lag} are left");
    let mut second = subscribe(test, Group::Stock).await;
    let mut again = Vec::new();
    while by_order(&again).values().flatten().count() < usize::try_from(lag).unwrap() {
        again.extend(poll(second.as_mut(), 50).await);
    }
    for (order, payloads) in by_order(&again) {
        assert!(expected(5, 4)[&order].ends_with(&payloads), "order {order} goes on where it was acknowledged");
    }
}

async fn a_poll_answers_at_most_what_was_asked_for(test: &BusUnderTest) {
    test.feed.put(events(10, 1)).await;
    let mut subscription = subscribe(test, Group::Stock).await;
    for max in [1, 2, 3] {
        poll(subscription.as_mut(), max).await;
    }
}

async fn a_poll_waits_for_a_message(test: &BusUnderTest) {
    let mut subscription = subscribe(test, Group::Stock).await;
    let later = async {
        tokio::task::yield_now().await;
        test.feed.put(vec![event(1, 1)]).await;
    };
    let (polled, ()) = futures_util::join!(poll(subscription.as_mut(), 10), later);
    assert_eq!(polled.len(), 1);
}

async fn a_poll_that_was_cancelled_loses_nothing(test: &BusUnderTest) {
    let mut subscription = subscribe(test, Group::Stock).await;
    for _ in 0..20 {
        assert!(subscription.poll(10).now_or_never().is_none(), "there is nothing yet");
    }
    test.feed.put(events(4, 5)).await;
    let mut all = Vec::new();
    while by_order(&all).values().flatten().count() < 20 {
        // Every other poll is given up before it can wait; what it had found is kept.
        if let Some(polled) = subscription.poll(3).now_or_never() {
            all.extend(polled.unwrap());
        }
        if by_order(&all).values().flatten().count() < 20 {
            all.extend(poll(subscription.as_mut(), 3).await);
        }
        subscription.acknowledge().await.unwrap();
    }
    assert_eq!(by_order(&all), expected(4, 5));
}

async fn readers_of_a_group_share_the_messages(test: &BusUnderTest) {
    test.feed.put(events(20, 5)).await;
    let (mut one, mut other) = (subscribe(test, Group::Stock).await, subscribe(test, Group::Stock).await);
    let read = async |subscription: &mut dyn Subscription| {
        let mut all = Vec::new();
        while test.bus.lag(Group::Stock, &[Topic::Order]).await.unwrap() > 0 {
            let a_while = std::time::Duration::from_millis(20);
            if let Ok(polled) = tokio::time::timeout(a_while, subscription.poll(10)).await {
                all.extend(polled.unwrap());
                subscription.acknowledge().await.unwrap();
            }
        }
        all
    };
    let both = async { futures_util::join!(read(one.as_mut()), read(other.as_mut())) };
    let (mut all, others) = soon("two readers get everything", both).await;
    all.extend(others);
    let count = |orders: &BTreeMap<i64, Vec<String>>| orders.values().flatten().count();
    assert_eq!(count(&by_order(&all)), 100, "every message came to one of the readers");
}

async fn who_starts_at_the_latest_sees_only_what_comes_then(test: &BusUnderTest) {
    test.feed.put(events(5, 1)).await;
    let mut latest = test.bus.subscribe(Group::Notification, &[Topic::Order], StartAt::Latest).await.unwrap();
    let mut another = test.bus.subscribe(Group::Notification, &[Topic::Order], StartAt::Latest).await.unwrap();
    test.feed.put(vec![event(9, 1)]).await;
    for subscription in [&mut latest, &mut another] {
        let deliveries = drain(subscription.as_mut(), 1).await;
        assert_eq!(by_order(&deliveries).into_keys().collect::<Vec<_>>(), [9]);
    }
}

async fn only_the_topics_asked_for_are_read(test: &BusUnderTest) {
    test.feed.put(events(3, 1)).await;
    let mut others = test.bus.subscribe(Group::CouponIssuer, &[Topic::CouponIssue], StartAt::Acknowledged).await.unwrap();
    let mut orders = subscribe(test, Group::Stock).await;
    drain(orders.as_mut(), 3).await;
    assert!(others.poll(10).now_or_never().is_none(), "there is nothing in the other topic");
    assert_eq!(test.bus.lag(Group::CouponIssuer, &[Topic::CouponIssue]).await.unwrap(), 0);
}

async fn the_lag_is_what_is_not_acknowledged(test: &BusUnderTest) {
    test.feed.put(events(5, 2)).await;
    assert_eq!(test.bus.lag(Group::Stock, &[Topic::Order]).await.unwrap(), 10);
    let mut subscription = subscribe(test, Group::Stock).await;
    drain(subscription.as_mut(), 10).await;
    subscription.close().await.unwrap();
    no_lag(test, Group::Stock).await;
    assert_eq!(test.bus.lag(Group::Coupon, &[Topic::Order]).await.unwrap(), 10);
}
