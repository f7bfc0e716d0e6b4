use super::events::{drain, first_times, messages, soon, until};
use super::lent::Broker;
use super::shops::Shops;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::random::ThreadRandom;
use commerce_core::messaging::{Event, Group, MessageBus, NewEvent, OrderConfirmed, Relay, StartAt, Topic};
use commerce_core::store::Store;
use commerce_core::testing::MemoryStore;
use commerce_core::{Money, OrderId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) async fn reading_and_writing_go_on_when_the_broker_comes_back(_: Shops) {
    const EVENTS: i64 = 1_000;
    let broker = Broker::lent().await;
    let bus = Arc::new(Shops::on(&broker.address()).open(3).await.bus().await);
    // Given events that keep coming, each tried until it is written, and one reader,
    let feeding = Arc::clone(&bus);
    let feed = tokio::spawn(async move {
        for chunk in messages(1, EVENTS, 30).chunks(10) {
            while feeding.publish(chunk).await.is_err() {}
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut subscription = bus.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await.unwrap();
    let mut all = drain(subscription.as_mut(), 200).await;
    // when the broker is restarted,
    let restart = async {
        broker.stop().await;
        broker.start().await;
    };
    let ((), more) = tokio::join!(restart, drain(subscription.as_mut(), 600));
    all.extend(more);
    let distinct = |all: &[_]| first_times(all).values().flatten().count();
    while distinct(&all) < usize::try_from(EVENTS).unwrap() {
        all.extend(soon("the rest comes", subscription.poll(100)).await.unwrap());
    }
    // then the reader has gone on by itself, and everything has come in order.
    feed.await.unwrap();
    let mut expected = BTreeMap::<i64, Vec<i64>>::new();
    for message in messages(1, EVENTS, 30) {
        expected.entry(message.aggregate_id).or_default().push(message.id.get());
    }
    assert_eq!(first_times(&all), expected);
    subscription.acknowledge().await.unwrap();
    subscription.close().await.unwrap();
    assert_eq!(bus.lag(Group::Stock, &[Topic::Order]).await.unwrap(), 0);
    broker.returned().await;
}

async fn append(store: &MemoryStore, count: i64) {
    let event = |number: i64| {
        let order_id = OrderId::new(number % 10 + 1).unwrap();
        NewEvent::new(Event::OrderConfirmed(OrderConfirmed { order_id, total: Money::ZERO }), Timestamp::from_millis(0))
    };
    let mut uow = store.begin().await.unwrap();
    uow.outbox().append((0..count).map(event).collect()).await.unwrap();
    uow.commit().await.unwrap();
}

pub(crate) async fn what_is_published_while_the_broker_is_down_is_refused_in_time_and_not_lost(_: Shops) {
    let broker = Broker::lent().await;
    let bus = Arc::new(Shops::on(&broker.address()).open(3).await.bus().await);
    // Given a relay, and a broker that goes down,
    let (store, wake, end) = (MemoryStore::new(), Arc::new(Notify::new()), CancellationToken::new());
    let relay =
        Relay::new(Arc::new(store.clone()), Arc::clone(&bus) as _, Arc::new(SystemClock), Arc::new(ThreadRandom), Arc::clone(&wake));
    let relay = tokio::spawn(relay.run(end.clone()));
    let carried = async || store.snapshot().await.unwrap().undelivered(1).await.unwrap().is_empty();
    append(&store, 100).await;
    wake.notify_one();
    until("the first events are carried", carried).await;
    broker.stop().await;
    // when something is published, then it is refused in time, and so is the question whether the broker is there;
    for _ in 0..2 {
        let begun = Instant::now();
        let refused = bus.publish(&messages(1_001, 1_010, 5)).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        assert!(refused.0.to_string().contains("Connect"), "{}", refused.0);
    }
    assert!(soon("it answers", bus.ping()).await.is_err());
    // when the broker comes back, then all that was appended meanwhile is carried, and in order.
    append(&store, 100).await;
    wake.notify_one();
    assert!(!carried().await);
    broker.start().await;
    until("everything is carried", carried).await;
    bus.ping().await.unwrap();
    let mut subscription = bus.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await.unwrap();
    let mut all = drain(subscription.as_mut(), 200).await;
    all.retain(|delivery| delivery.message.id.get() <= 1_000);
    let orders = first_times(&all);
    assert_eq!(orders.values().flatten().count(), 200);
    assert!(orders.values().all(|ids| ids.is_sorted()), "{orders:?}");
    end.cancel();
    relay.await.unwrap();
    subscription.close().await.unwrap();
    broker.returned().await;
}
