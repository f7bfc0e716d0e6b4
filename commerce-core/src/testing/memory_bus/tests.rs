use super::*;
use crate::messaging::{Delivery, Event, NewEvent, OrderConfirmed};
use crate::{EventId, Money, OrderId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Five messages of each of twenty orders, the orders taking turns.
fn messages() -> Vec<Message> {
    let message = |number: i64| {
        let event = OrderConfirmed { order_id: OrderId::new(number % 20 + 1).unwrap(), total: Money::new(number).unwrap() };
        NewEvent::new(Event::OrderConfirmed(event), Timestamp::from_millis(0)).encode(EventId::new(number + 1).unwrap())
    };
    (0..100).map(message).collect()
}

async fn drained(bus: &MemoryBus) -> Vec<Delivery> {
    let mut subscription = bus.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await.unwrap();
    let mut all = Vec::new();
    while bus.lag(Group::Stock, &[Topic::Order]).await.unwrap() > 0 {
        all.extend(subscription.poll(10).await.unwrap());
        subscription.acknowledge().await.unwrap();
    }
    all
}

fn ids(deliveries: &[Delivery]) -> Vec<i64> {
    deliveries.iter().map(|delivery| delivery.message.id.get()).collect()
}

#[tokio::test]
async fn a_misbehaving_bus_repeats_and_reorders_but_loses_nothing_and_keeps_the_order_of_an_aggregate() {
    let mut times = [0; 4];
    for seed in 0..50 {
        let bus = MemoryBus::new();
        bus.misbehave(seed);
        bus.publish(&messages()).await.unwrap();
        let deliveries = drained(&bus).await;

        assert!(deliveries.len() > 100, "seed {seed}: something came twice");
        let BusMischief { repeated, held_back, overtaken, forgotten } = bus.mischief();
        times = [times[0] + repeated, times[1] + held_back, times[2] + overtaken, times[3] + forgotten];
        let mut seen = BTreeSet::new();
        let first_time: Vec<&Delivery> = deliveries.iter().filter(|delivery| seen.insert(delivery.message.id)).collect();
        assert_eq!(first_time.len(), 100, "seed {seed}: everything came");
        let mut by_order = BTreeMap::<i64, Vec<i64>>::new();
        for delivery in first_time {
            by_order.entry(delivery.message.aggregate_id).or_default().push(delivery.message.id.get());
        }
        assert!(by_order.values().all(|ids| ids.is_sorted()), "seed {seed}: {by_order:?}");
        assert!(!ids(&deliveries).is_sorted(), "seed {seed}: aggregates overtake each other");
    }
    assert!(times.iter().all(|times| *times > 0), "all of it happened: {times:?}");
}

#[tokio::test]
async fn the_same_seed_misbehaves_the_same_way() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let bus = MemoryBus::new();
        bus.misbehave(7);
        bus.publish(&messages()).await.unwrap();
        runs.push(ids(&drained(&bus).await));
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_bus_that_behaves_again_delivers_each_message_once() {
    let bus = MemoryBus::new();
    bus.misbehave(7);
    bus.behave();
    bus.publish(&messages()).await.unwrap();
    assert_eq!(drained(&bus).await.len(), 100);
    assert_eq!(bus.mischief(), BusMischief::default());
    assert_eq!(bus.messages(Topic::Order).len(), 100);
}

#[tokio::test]
async fn a_message_of_an_unknown_topic_is_refused_with_all_that_come_with_it() {
    let bus = MemoryBus::new();
    let mut wrong = messages();
    wrong[99].topic = "nowhere".to_owned();
    assert!(bus.publish(&wrong).await.is_err());
    assert!(bus.messages(Topic::Order).is_empty());
}
