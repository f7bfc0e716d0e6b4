//! What the contract of a bus does not ask, because it is about the file and its process.

#![cfg(feature = "embedded")]

use commerce_adapters::embedded::{EmbeddedBus, InProcessLocks, InProcessNotifier};
use commerce_adapters::sqlite::{Durability, SqliteBoard, SqliteOptions, SqliteStore};
use commerce_core::lock::{DistributedLock, LockGrant};
use commerce_core::messaging::{Delivery, Event, Group, Message, MessageBus, NewEvent, OrderConfirmed, StartAt, Subscription, Topic};
use commerce_core::notify::{Notification, Notifier, Subject};
use commerce_core::ranking::RankingBoard;
use commerce_core::store::{Store, StoreError};
use commerce_core::testing::ManualClock;
use commerce_core::{BusinessDay, EventId, Money, OrderId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

async fn open(folder: &TempDir) -> SqliteStore {
    let path = folder.path().join("shop.db");
    SqliteStore::open(SqliteOptions { durability: Durability::Relaxed, ..SqliteOptions::new(path) }).await.unwrap()
}

async fn append(store: &SqliteStore, orders: impl Iterator<Item = i64>) {
    let event = |order| {
        let order_id = OrderId::new(order).unwrap();
        NewEvent::new(Event::OrderConfirmed(OrderConfirmed { order_id, total: Money::ZERO }), Timestamp::from_millis(0))
    };
    let mut uow = store.begin().await.unwrap();
    uow.outbox().append(orders.map(event).collect()).await.unwrap();
    uow.commit().await.unwrap();
}

async fn subscribe(bus: &EmbeddedBus, group: Group) -> Box<dyn Subscription> {
    bus.subscribe(group, &[Topic::Order], StartAt::Acknowledged).await.unwrap()
}

async fn poll(subscription: &mut Box<dyn Subscription>, max: usize) -> Vec<i64> {
    let polled: Vec<Delivery> = timeout(SOON, subscription.poll(max)).await.unwrap().unwrap();
    polled.iter().map(|delivery| delivery.message.aggregate_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_on_where_it_was_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    append(&store, 1..=3).await;
    let bus = EmbeddedBus::new(store.clone());
    let mut reader = subscribe(&bus, Group::Stock).await;
    assert_eq!(poll(&mut reader, 2).await, [1, 2]);
    reader.acknowledge().await.unwrap();
    reader.close().await.unwrap();

    let bus = EmbeddedBus::new(open(&folder).await);
    assert_eq!(bus.lag(Group::Stock, &[Topic::Order]).await.unwrap(), 1);
    assert_eq!(poll(&mut subscribe(&bus, Group::Stock).await, 10).await, [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    append(&store, 1..=2).await;
    let bus = EmbeddedBus::new(store);
    let mut reader = subscribe(&bus, Group::Stock).await;
    assert_eq!(poll(&mut reader, 10).await, [1, 2]);
    drop((reader, bus));

    let bus = EmbeddedBus::new(open(&folder).await);
    assert_eq!(poll(&mut subscribe(&bus, Group::Stock).await, 10).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_appends_is_found_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, others) = (open(&folder).await, open(&folder).await);
    let bus = EmbeddedBus::new(mine.clone());
    let mut reader = subscribe(&bus, Group::Stock).await;
    append(&others, 1..=2).await;
    assert_eq!(poll(&mut reader, 10).await, [1, 2]);
    append(&others, 3..=3).await;
    append(&mine, 4..=4).await;
    let mut polled = poll(&mut reader, 10).await;
    if polled.len() < 2 {
        polled.append(&mut poll(&mut reader, 10).await);
    }
    assert_eq!(polled, [3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_one_group_is_passed_over_by_the_others_and_counts_as_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    append(&store, 1..=1).await;
    let bus = EmbeddedBus::new(store.clone());
    let mut readers = [subscribe(&bus, Group::Stock).await, subscribe(&bus, Group::Order).await];
    let original: Message = timeout(SOON, readers[0].poll(1)).await.unwrap().unwrap().remove(0).message;
    let mut uow = store.begin().await.unwrap();
    uow.outbox().append_again(&Message { only_for: Some(Group::Stock), ..original.clone() }).await.unwrap();
    uow.commit().await.unwrap();

    let again = timeout(SOON, readers[0].poll(1)).await.unwrap().unwrap().remove(0);
    assert_eq!((again.message.id, again.source.offset), (original.id, 2));
    readers[0].acknowledge().await.unwrap();
    assert_eq!(poll(&mut readers[1], 10).await, [1]);
    readers[1].acknowledge().await.unwrap();
    let nothing = timeout(Duration::from_millis(300), readers[1].poll(10)).await;
    assert!(nothing.is_err(), "the message is for another group");
    bus.save().await.unwrap();
    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.undelivered(10).await.unwrap(), Vec::<EventId>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_purged_before_every_group_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    append(&store, 1..=4).await;
    let bus = EmbeddedBus::new(store.clone());
    let (mut fast, mut slow) = (subscribe(&bus, Group::Stock).await, subscribe(&bus, Group::Order).await);
    assert_eq!(poll(&mut fast, 10).await, [1, 2, 3, 4]);
    fast.acknowledge().await.unwrap();
    assert_eq!(poll(&mut slow, 1).await, [1]);
    slow.acknowledge().await.unwrap();
    bus.save().await.unwrap();

    assert_eq!(store.purge(Timestamp::from_millis(1), 100).await.unwrap(), 1);
    assert_eq!(poll(&mut slow, 10).await, [2, 3, 4]);
}

#[tokio::test]
async fn a_lease_ends_by_the_clock_and_fences_grow() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::default()));
    let locks = InProcessLocks::new(Arc::clone(&clock) as _, open(&folder).await);
    let lease = Duration::from_secs(10);
    let first = locks.try_acquire("sweep", lease).await.unwrap().unwrap();
    assert_eq!(locks.try_acquire("sweep", lease).await.unwrap(), None);
    clock.advance(Duration::from_secs(9));
    assert!(locks.renew(&first, lease).await.unwrap());
    clock.advance(Duration::from_secs(9));
    assert_eq!(locks.try_acquire("sweep", lease).await.unwrap(), None);
    clock.advance(Duration::from_secs(1));
    let second = locks.try_acquire("sweep", lease).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
    assert!(!locks.renew(&first, lease).await.unwrap());
    assert!(!locks.release(&first).await.unwrap());
    assert!(locks.release(&second).await.unwrap());
    assert!(locks.try_acquire("sweep", lease).await.unwrap().unwrap().fence > second.fence);
}

/// Writes as the holder of a lock.
async fn write_as(store: &SqliteStore, holder: &LockGrant) -> Result<(), StoreError> {
    let mut uow = store.begin().await.unwrap();
    uow.fences().claim(&[holder.fence()]).await?;
    uow.commit().await
}

#[tokio::test]
async fn fences_go_on_from_the_last_one_in_the_file_whoever_wrote_it_and_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let (board, day) = (SqliteBoard::new(open(&folder).await), BusinessDay::parse("2026-03-10").unwrap());
    // Given a process whose clock is far ahead of that of another one on the same file,
    let (file, other_file) = (open(&folder).await, open(&folder).await);
    let clock = Arc::new(ManualClock::default());
    let locks = InProcessLocks::new(Arc::clone(&clock) as _, file.clone());
    clock.advance(Duration::from_hours(24));
    let other_locks = InProcessLocks::new(clock, other_file.clone());
    let acquire = async |locks: &InProcessLocks| locks.try_acquire("job", Duration::from_secs(10)).await.unwrap().unwrap();
    let overtaken = acquire(&locks).await;
    locks.release(&overtaken).await.unwrap();
    // when each of them in turn writes and begins a board anew,
    for _ in 0..3 {
        for (locks, file) in [(&other_locks, &other_file), (&locks, &file)] {
            let holder = acquire(locks).await;
            // then it comes later than all before.
            write_as(file, &holder).await.unwrap();
            assert!(board.clear(day, holder.fence).await.unwrap());
            locks.release(&holder).await.unwrap();
        }
    }
    assert!(matches!(write_as(&file, &overtaken).await, Err(StoreError::Fenced { .. })));
    // And so does whoever opens the file again.
    let reopened = InProcessLocks::new(Arc::new(ManualClock::default()), open(&folder).await);
    write_as(&file, &acquire(&reopened).await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_learns_when_a_group_has_handled_what_it_appended() {
    let folder = tempfile::tempdir().unwrap();
    let (store, beside) = (open(&folder).await, open(&folder).await);
    let (bus, theirs) = (EmbeddedBus::new(store), EmbeddedBus::new(beside.clone()));
    append(&beside, 1..=2).await;
    let mut reader = subscribe(&bus, Group::Stock).await;
    assert_eq!(poll(&mut reader, 10).await, [1, 2]);
    // What was read is not handled yet, and another group has not even read it.
    assert!(timeout(Duration::from_secs(1), theirs.until_handled(Group::Stock)).await.is_err());
    reader.acknowledge().await.unwrap();
    timeout(SOON, theirs.until_handled(Group::Stock)).await.expect("it learns of it").unwrap();
    assert!(timeout(Duration::from_millis(200), theirs.until_handled(Group::Coupon)).await.is_err());
}

#[tokio::test]
async fn notifications_come_in_order_and_a_subject_is_forgotten_with_its_last_watch() {
    let notifier = InProcessNotifier::new();
    let subject = Subject::Order(OrderId::new(1).unwrap());
    let (mut one, two) = (notifier.watch(subject).await.unwrap(), notifier.watch(subject).await.unwrap());
    let told = ["a", "b"].map(|payload| Notification { subject, payload: payload.to_owned() });
    notifier.publish(&told).await.unwrap();
    assert_eq!((one.next().await.as_deref(), one.next().await.as_deref()), (Some("a"), Some("b")));
    drop(one);
    assert_eq!(notifier.watched(), 1);
    drop(two);
    assert_eq!(notifier.watched(), 0);
}

#[tokio::test]
async fn a_watch_that_fell_too_far_behind_is_told_so() {
    let notifier = InProcessNotifier::new();
    let subject = Subject::Order(OrderId::new(1).unwrap());
    let mut slow = notifier.watch(subject).await.unwrap();
    let told: Vec<_> = (0..1_000).map(|n| Notification { subject, payload: n.to_string() }).collect();
    notifier.publish(&told).await.unwrap();
    assert_eq!(slow.next().await, None);
    assert!(slow.next().await.is_some());
}
